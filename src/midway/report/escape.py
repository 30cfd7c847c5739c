"""Text from data in other formats: LaTeX, Markdown, names of files. HTML escapes itself."""

import hashlib
import re
from pathlib import PurePath

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": r"$-$",
    "▲": r"$\Uparrow$",
    "▼": r"$\Downarrow$",
    "△": r"$\uparrow$",
    "▽": r"$\downarrow$",
    "–": "--",
    "·": r"$\cdot$",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}


def latex(text: str) -> str:
    """Escape text for LaTeX; signs of the report's tables become mathematics."""
    return "".join(_LATEX.get(sign, sign) for sign in " ".join(text.split()))


def markdown(text: str) -> str:
    """Escape text for a cell of a Markdown table; it stays what it is in HTML too."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#!~$])", r"\\\1", plain)


def file_name(text: str) -> str:
    """Return a name for a file that is the same every time; what cannot stand in it is hashed."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    if plain and plain == text:
        return plain
    return f"{plain or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def short_path(text: str) -> str:
    """Return the last three parts of a path of this machine; other text stays as it is."""
    path = PurePath(text.removeprefix("file://"))
    return "…/" + "/".join(path.parts[-3:]) if path.is_absolute() and len(path.parts) > 4 else text
