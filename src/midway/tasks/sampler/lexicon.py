"""A language as data: templates and the words that fill them, checked when read.

1. ``lexicons/structure.json`` has what languages share: the items of each class and, where the
   splits are disjoint, the split of each; given names with gender; Latin spellings of names.
2. ``lexicons/<code>.json`` has the sentences, the questions and the words of one language. Words
   have just the forms the templates need, divided by ``|``: professions male and female, things
   as ``thing_forms`` names them.
3. In a template ``{place}`` is a slot, ``{thing.many}`` a slot in a form, and ``{born/borne}``
   one of two texts by the gender of the person, either of which may be empty.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from midway.errors import DataError

LEXICONS = Path(__file__).with_name("lexicons")
STRUCTURE = LEXICONS / "structure.json"

SPLITS = ("train", "validation", "test")
GENDERS = ("m", "f")
NAMES = ("given", "surname", "org")
WORDS = ("place", "profession", "thing", "tongue", "month")
NUMBERS = ("year", "n")

STATEMENTS = (
    "lives",
    "born",
    "born_2",
    "profession",
    "works",
    "works_2",
    "bought",
    "bought_2",
    "has",
    "founded",
    "office",
    "speaks",
    "speaks_not",
)
QUESTIONS = (
    "lives_where",
    "lives_who",
    "born_where",
    "born_when",
    "born_who",
    "profession_what",
    "works_what",
    "works_when",
    "works_who",
    "bought_what",
    "bought_when",
    "bought_who",
    "has_count",
    "has_most",
    "has_fewest",
    "founded_when",
    "office_where",
    "speaks_what",
    "speaks_not_who",
)

_HOLE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"([a-z]+)(?:\.([a-z]+))?")


@dataclass(frozen=True, eq=False)
class Structure:
    """Items of each class by split, and the gender and Latin spelling of names.

    One file text gives one object, so that what is drawn from it can be kept by it.

    Attributes:
        items: class → split → items; classes without disjoint splits have the same in each.
        genders: given name → ``m`` or ``f``.
        latin: class of names → item → Latin spelling.
    """

    items: Mapping[str, Mapping[str, tuple[str, ...]]]
    genders: Mapping[str, str]
    latin: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole for an item, ``form`` is empty for the first or only form."""

    name: str
    form: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Two texts, by the gender of the person."""

    m: str
    f: str


Template = tuple[str | Slot | Choice, ...]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """One language.

    Attributes:
        script: ISO 15924 code of its script.
        spaced: whether words and sentences are divided by spaces.
        templates: statement or question → its parts.
        words: slot → form → item → text; forms of professions are ``m`` and ``f``.
        genders: given name → gender.
    """

    script: str
    spaced: bool
    templates: Mapping[str, Template]
    words: Mapping[str, Mapping[str, Mapping[str, str]]]
    genders: Mapping[str, str]


def languages() -> tuple[str, ...]:
    """Return the codes of all languages with a lexicon, in alphabetical order."""
    return tuple(sorted(p.stem for p in LEXICONS.glob("*.json") if p != STRUCTURE))


def read_structure(path: Path) -> Structure:
    """Return what languages share.

    Raises:
        DataError: the file is missing or is not such a file.
    """
    return _structure(path, _text(path))


def read_lexicon(path: Path, structure: Structure) -> Lexicon:
    """Return the language at `path`.

    Raises:
        DataError: the file is not JSON, or lacks or adds a template, word, form or slot; the
            message says which.
    """
    raw = _json(path, _text(path))
    optional = {key: raw[key] for key in ("spaced", *NAMES) if key in raw}
    needed = ("script", "thing_forms", "statements", "questions", *WORDS)
    _same(path, "keys", raw, (*needed, *optional))
    things = tuple(raw["thing_forms"])
    forms = {"profession": GENDERS, "thing": things}
    words = {
        name: _words(path, name, raw.get(name, {}), forms.get(name, ("",)), structure)
        for name in (*WORDS, *NAMES)
    }
    templates = {}
    for kind, expected in (("statements", STATEMENTS), ("questions", QUESTIONS)):
        _same(path, kind, raw[kind], expected)
        for name, text in raw[kind].items():
            templates[name] = _template(path, name, text, things)
    return Lexicon(
        script=raw["script"],
        spaced=raw.get("spaced", True),
        templates=templates,
        words=words,
        genders=structure.genders,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); reinstall midway") from error


def _json(path: Path, text: str) -> dict[str, Any]:
    try:
        raw: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); reinstall midway") from error
    return raw


@cache
def _structure(path: Path, text: str) -> Structure:
    """Return the structure; kept by its text, since worlds are kept by the structure."""
    raw = _json(path, text)
    items: dict[str, dict[str, tuple[str, ...]]] = {}
    genders: dict[str, str] = {}
    latin: dict[str, dict[str, str]] = {name: {} for name in NAMES}
    for split in SPLITS:
        by_gender = raw["given"][split]
        for gender in GENDERS:
            genders |= dict.fromkeys(by_gender[gender], gender)
        given = by_gender["f"] | by_gender["m"]
        for name, part in (
            ("given", given),
            ("surname", raw["surname"][split]),
            ("org", raw["org"][split]),
        ):
            latin[name] |= part
            items.setdefault(name, {})[split] = tuple(part)
        for name in WORDS:
            part = raw[name][split] if name == "place" else raw[name]
            items.setdefault(name, {})[split] = tuple(part)
    return Structure(items=items, genders=genders, latin=latin)


def _words(
    path: Path,
    name: str,
    texts: Mapping[str, str],
    forms: tuple[str, ...],
    structure: Structure,
) -> dict[str, dict[str, str]]:
    """Return form → item → text of a class of words; names default to their Latin spelling."""
    if name in NAMES:
        texts = dict(structure.latin[name]) | dict(texts)
    _same(path, name, texts, (i for split in SPLITS for i in structure.items[name][split]))
    table: dict[str, dict[str, str]] = {form: {} for form in forms}
    for item, text in texts.items():
        parts = text.split("|")
        if len(parts) == 1:
            parts *= len(forms)
        if len(parts) != len(forms):
            raise DataError(
                f"{path}: {name} {item!r} has {len(parts)} forms, expected {len(forms)}"
            )
        for form, part in zip(forms, parts, strict=True):
            table[form][item] = part
    return table


def _template(path: Path, name: str, text: str, things: tuple[str, ...]) -> Template:
    parts: list[str | Slot | Choice] = []
    for position, piece in enumerate(_HOLE.split(text)):
        if position % 2 == 0:
            if piece:
                parts.append(piece)
            continue
        if piece.count("/") == 1:
            parts.append(Choice(*piece.split("/")))
            continue
        match = _SLOT.fullmatch(piece)
        known = ("person", "org", *WORDS, *NUMBERS)
        if match is None or match[1] not in known or (match[2] and match[2] not in things):
            raise DataError(f"{path}: template {name!r} has the slot {{{piece}}}; no such slot")
        form = match[2] or (things[0] if match[1] == "thing" else "")
        parts.append(Slot(match[1], form))
    return tuple(parts)


def _same(path: Path, what: str, found: Mapping[str, object], expected: Iterable[str]) -> None:
    known = set(expected)
    missing, extra = sorted(known - set(found)), sorted(set(found) - known)
    if missing or extra:
        raise DataError(
            f"{path}: {what}: missing {', '.join(missing) or 'none'}; "
            f"unknown {', '.join(extra) or 'none'}; give each exactly once"
        )
