r"""Sentence pairs from the gettext catalogues inside the installed Django wheel.

1. Django ships a ``django.po`` per language for its core and for each contrib application;
   volunteers translated them from English. They are read as files; Django is not imported.
2. A pair is a whole message: translated, not fuzzy, without plural forms, without placeholders
   (``%``, ``{``, ``<`` on either side), of four words or more in English. White space is
   collapsed, because long messages are wrapped by hand.
3. No English message and no translation occurs twice, so every query has one right answer.
4. Pairs are in the order of their English side: the same in every language.

Format: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
"""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import Reading, SentencePair
from midway.tasks.sources import read_lines

MIN_WORDS = 4
PLACEHOLDERS = frozenset("%{<")

FUZZY = "fuzzy"
PLURAL = "plural forms"
UNTRANSLATED = "not translated"
PLACEHOLDER = "placeholder"
SHORT = f"fewer than {MIN_WORDS} words"
SAME = "translation equals the English"
TWICE_ENGLISH = "English message seen before"
TWICE_TRANSLATION = "translation seen before"

_ENTRY = re.compile(r'(msgctxt|msgid|msgid_plural|msgstr(?:\[[0-9]\])?)\s+"(.*)"')
_CONTINUATION = re.compile(r'"(.*)"')
_ESCAPE = re.compile(r'\\(.?)|"')
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Message:
    """An entry of a catalogue; `line` is where its ``msgid`` stands."""

    line: int
    english: str
    translation: str
    fuzzy: bool
    plural: bool


def locale_folders() -> dict[str, Path]:
    """Return the locale folders of the installed Django core by language code.

    A code is Django's locale name in BCP 47 style and lower case: ``sr_Latn`` is ``sr-latn``.
    Empty when Django is not installed. English and its varieties are left out.
    """
    spec = importlib.util.find_spec("django")
    if spec is None or not spec.submodule_search_locations:
        return {}
    root = Path(next(iter(spec.submodule_search_locations))) / "conf" / "locale"
    folders = sorted(root.glob("*/LC_MESSAGES/django.po"))
    by_code = {path.parts[-3].replace("_", "-").lower(): path.parents[1] for path in folders}
    return {code: path for code, path in by_code.items() if code.split("-")[0] != "en"}


def find_catalogues(folders: tuple[Path, ...], split: str, language: str) -> tuple[Path, ...]:
    """Return the language's catalogues: Django's core, then its applications by name.

    Args:
        folders: not used, the data come with an installed package.
        split: only ``test`` exists.
        language: a code as `locale_folders` gives it.
    """
    home = locale_folders().get(language)
    if split != "test" or home is None:
        return ()
    contrib = home.parents[2] / "contrib"
    applications = sorted(contrib.glob(f"*/locale/{home.name}/LC_MESSAGES/django.po"))
    return (home / "LC_MESSAGES" / "django.po", *applications)


def read_catalogues(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the usable messages of one language as sentence pairs, sorted by their English side.

    Args:
        files: the catalogues; of two equal English messages the first one's translation counts.
        split: not used, there is one split.
        language: given to every pair.

    Returns:
        Pairs whose id is the first 12 hex digits of the English message's SHA-256, so that ids
        agree across languages; every entry left out is counted with its reason.

    Raises:
        DataError: a catalogue is malformed; names file and line.
    """
    reading = Reading([])
    pairs: dict[str, str] = {}
    translations: set[str] = set()
    for path in files:
        for message in parse_po(path):
            english = " ".join(message.english.split())
            translation = " ".join(message.translation.split())
            if not english:
                continue  # the header of the catalogue, not a message
            reason = _unusable(message, english, translation)
            if not reason and english in pairs:
                reason = TWICE_ENGLISH
            if not reason and translation in translations:
                reason = TWICE_TRANSLATION
            if reason:
                reading.dropped[reason] += 1
                continue
            pairs[english] = translation
            translations.add(translation)
    reading.examples.extend(
        SentencePair(
            id=sha256(english.encode("utf-8")).hexdigest()[:12],
            language=language,
            document=english,
            sentence=pairs[english],
            english=english,
        )
        for english in sorted(pairs)
    )
    return reading


def _unusable(message: Message, english: str, translation: str) -> str:
    """Return why a message is not a sentence pair, or an empty string."""
    reasons = {
        FUZZY: message.fuzzy,
        PLURAL: message.plural,
        UNTRANSLATED: not translation,
        PLACEHOLDER: not PLACEHOLDERS.isdisjoint(english + translation),
        SHORT: len(english.split()) < MIN_WORDS,
        SAME: english == translation,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def parse_po(path: Path) -> Iterator[Message]:
    """Yield the entries of a gettext catalogue, its header included, obsolete ones excluded.

    Raises:
        DataError: a line is not of the format, or an entry lacks its ``msgid`` or ``msgstr``.
    """
    entry: dict[str, str] = {}
    start, field, fuzzy = 0, "", False
    for number, raw in enumerate([*read_lines(path), ""], start=1):
        line = raw.strip()
        if found := _ENTRY.fullmatch(line):
            key = found[1]
            if entry and key in ("msgctxt", "msgid") and any(k.startswith("msgstr") for k in entry):
                yield _message(path, start, entry, fuzzy=fuzzy)
                entry, fuzzy = {}, False
            if key in entry:
                raise DataError(f"{path}:{number}: a second {key} in one entry, expected one")
            start = number if key == "msgid" or not entry else start
            field, entry[key] = key, _unescape(path, number, found[2])
        elif found := _CONTINUATION.fullmatch(line):
            if not entry:
                raise DataError(
                    f"{path}:{number}: a string without msgid or msgstr before it, expected one"
                )
            entry[field] += _unescape(path, number, found[1])
        elif not line or line.startswith("#"):
            if entry:
                yield _message(path, start or number, entry, fuzzy=fuzzy)
                entry, fuzzy, start = {}, False, 0
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
        else:
            raise DataError(
                f'{path}:{number}: {line!r:.40} is not gettext; expected msgid "…" or msgstr "…"'
            )


def _message(path: Path, line: int, entry: dict[str, str], *, fuzzy: bool) -> Message:
    """Return the message that the fields of an entry make up."""
    plural = "msgid_plural" in entry
    strings = [key for key in entry if key.startswith("msgstr")]
    if "msgid" not in entry or not strings or ("msgstr" in entry) == plural:
        raise DataError(
            f"{path}:{line}: an entry with {', '.join(entry)}; expected a msgid and its msgstr"
        )
    return Message(line, entry["msgid"], entry[strings[0]], fuzzy, plural)


def _unescape(path: Path, line: int, text: str) -> str:
    """Resolve the backslash escapes of a quoted string."""

    def resolve(found: re.Match[str]) -> str:
        if found[0] == '"' or found[1] not in _ESCAPED:
            raise DataError(f"{path}:{line}: {found[0]!r} cannot stand in a string; escape it")
        return _ESCAPED[found[1]]

    return _ESCAPE.sub(resolve, text)
