"""Sets of related languages: ``family:sw`` among a study's `languages`.

1. ``family:sw``, ``genus:sw``, ``script:sw`` are the languages of a task whose Glottolog family,
   WALS genus or script (ISO 15924) is that of Swahili; ``near:sw:5`` are the five nearest to it.
2. Swahili itself is left out, in every script and region. The task need not have it.
3. Only languages with files at hand count, so what a set is depends on the task, the split and
   the files. The codes it stands for enter a stage's key, not the selector.
4. Isolates and constructed languages have no family, creoles have one but no genus, and most
   constructed languages have no place.
"""

from collections.abc import Sequence

from midway.errors import StudyError, suggest
from midway.languages import Language, distance, languages, lookup

KINDS = ("family", "genus", "script", "near")
EXPECTED = "'family:sw', 'genus:sw', 'script:sw' or, for the five nearest, 'near:sw:5'"

# Book-keeping of Glottolog and WALS, not descent.
NO_KINSHIP = ("isolate", "Artificial Language", "Creoles and Pidgins")


def is_selector(requested: str) -> bool:
    """Whether an element of `languages` stands for a set; no code has a colon."""
    return ":" in requested


def related(selector: str, here: Sequence[str], where: str) -> list[str]:
    """Return the codes that a selector stands for, in the order of `here`.

    Args:
        selector: see the module's text.
        here: codes of the task's languages with files at hand.
        where: the task and split, for messages.

    Raises:
        StudyError: it is no selector or stands for no language, or for fewer than asked for.
    """
    kind, _, code = selector.partition(":")
    if kind not in KINDS:
        raise StudyError(
            f"unknown selector {selector!r} in languages.{suggest(kind, KINDS)} Expected {EXPECTED}"
        )
    if kind == "near":
        code, _, number = code.rpartition(":")
        if not (number.isdecimal() and int(number)):
            raise StudyError(f"selector {selector!r}: expected a language and a number: {EXPECTED}")
    anchor = lookup(code)
    if anchor is None:
        known = [alias for language in languages() for alias in language.aliases]
        raise StudyError(
            f"selector {selector!r}: unknown language {code!r}.{suggest(code, known)} "
            f"Expected {EXPECTED}"
        )
    others = [
        other
        for other in here
        if (language := lookup(other)) and language.iso639_3 != anchor.iso639_3
    ]
    if kind == "near":
        return _nearest(selector, code, int(number), others, where)
    wanted = _group(anchor, kind)
    found = [other for other in others if wanted and _group(lookup(other), kind) == wanted]
    if not found:
        raise StudyError(
            f"{selector!r} is empty in {where}: {anchor.name} has "
            + (f"{kind} {wanted}" if wanted else f"no {kind} that others share")
            + f". At hand: {_by_group(here, kind)}"
        )
    return found


def _group(language: Language | None, kind: str) -> str | None:
    """A language's family, genus or script; None where it says nothing of other languages."""
    value = getattr(language, kind, None)
    return None if value in NO_KINSHIP else value


def _by_group(here: Sequence[str], kind: str) -> str:
    """``Indo-European (de en), Uralic (fi)``."""
    groups: dict[str, list[str]] = {}
    for code in here:
        groups.setdefault(_group(lookup(code), kind) or "none", []).append(code)
    return ", ".join(f"{name} ({' '.join(codes)})" for name, codes in sorted(groups.items()))


def _nearest(
    selector: str, anchor: str, number: int, others: Sequence[str], where: str
) -> list[str]:
    """The `number` codes nearest to `anchor`; of equally near ones the first in the task."""
    placed = {other: far for other in others if (far := distance(anchor, other)) is not None}
    if len(placed) < number:
        raise StudyError(
            f"{selector!r} asks for {number} languages, but {where} has {len(placed)} others at "
            f"hand whose distance is known. At hand: {_by_group(others, 'family')}"
        )
    chosen = sorted(placed, key=placed.__getitem__)[:number]  # a stable sort
    return [other for other in others if other in chosen]
