"""BUCC's bitext mining: two heaps of sentences, and gold that says which are translations.

1. A side is ``id TAB sentence``, an id being a two-letter code and a number (``de-000000001``).
   Gold is ``foreign id TAB English id``.
2. A pair's key is its line of the gold, on both of its sentences; other sentences have no key.
3. A gold pair is one document, named after its English sentence; any other sentence is its own.
4. Sentences that are repeated word for word are all kept.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import RankedText, Reading
from midway.tasks.sources import COMPRESSED, read_lines
from midway.tasks.tables import tab_rows

BLANK = "blank sentence"
BLANK_GOLD = "gold pair with a blank sentence"
TWICE = "gold pair that is named twice"
ENGLISH = "en"

_NUMBER = re.compile(r"[0-9]{1,12}")
_SETS = {"validation": "sample", "test": "training"}


def read_bucc(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read both sides of one language pair: the foreign sentences, then the English ones.

    Args:
        files: foreign side, English side and gold.
        split: ``validation`` (the shared task's sample) or ``test`` (its training set).
        language: the foreign language's code, given to the English side as well.

    Raises:
        DataError: one of the three is missing, a line is malformed, an id occurs twice or is of
            another language, or gold names an id that is not there.
    """
    foreign_file, english_file, gold_file = _three(files, split, language)
    reading = Reading([])
    foreign = _sentences(foreign_file, language, reading)
    english = _sentences(english_file, ENGLISH, reading)
    pairs = _gold(gold_file, (foreign, english), (language, ENGLISH), reading)
    keys: dict[str, list[str]] = {}
    documents: dict[str, str] = {}
    for pair in pairs:
        for identity in pair:
            keys.setdefault(identity, []).append(" ".join(pair))
            documents.setdefault(identity, pair[1])
    for side, sentences in (("query", foreign), ("candidate", english)):
        reading.examples += [
            RankedText(
                id=identity,
                language=language,
                document=documents.get(identity, identity),
                side=side,
                text=text,
                context="",
                keys=tuple(keys.get(identity, ())),
            )
            for identity, text in sentences.items()
            if text
        ]
    return reading


def _three(files: Sequence[Path], split: str, language: str) -> Sequence[Path]:
    """Return the three files, or say which is missing and where to get it."""
    if len(files) == 3:
        return files
    here = {_extension(path) for path in files}
    missing = [kind for kind in (language, ENGLISH, "gold") if kind not in here]
    archive = f"bucc2018-{language}-en.{_SETS.get(split, 'sample')}-gold.tar.bz2"
    removed = "; XTREME's preparation removes the gold of test" if split == "test" else ""
    found = ", ".join(map(str, files)) or "nothing"
    raise DataError(
        f"bucc2018 {language} ({split}): found {found}, but no {' and no '.join(missing)} "
        f"file{removed}; unpack the shared task's {archive} into the data folder"
    )


def _extension(path: Path) -> str:
    name = path.name
    for suffix in COMPRESSED[1:]:
        name = name.removesuffix(suffix)
    return name.rsplit(".", 1)[-1]


def _sentences(path: Path, code: str, reading: Reading) -> dict[str, str]:
    """Return {id: sentence} of one side, blank ones as empty strings; these are counted."""
    found: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        identity, tab, text = line.partition("\t")  # what follows may hold tabs
        if not tab:
            raise DataError(f"{path}:{number}: no tab, expected id TAB sentence; fetch it again")
        _check_id(path, number, identity, code)
        if identity in found:
            raise DataError(f"{path}:{number}: id {identity} occurs twice; fetch it again")
        blank = not text.strip()
        reading.dropped.update([BLANK] * blank)
        found[identity] = "" if blank else text
    if not any(found.values()):
        raise DataError(f"{path}: no sentences, expected one a line; fetch it again")
    return found


def _check_id(path: Path, number: int, identity: str, code: str) -> None:
    prefix, _, digits = identity.partition("-")
    if prefix != code or not _NUMBER.fullmatch(digits):
        raise DataError(
            f"{path}:{number}: id {identity!r:.30}, expected one such as {code}-000000001; check "
            "that the file is of that language"
        )


def _gold(
    path: Path, sides: Sequence[Mapping[str, str]], codes: Iterable[str], reading: Reading
) -> list[tuple[str, str]]:
    """Return the gold pairs in file order; those with a blank sentence are counted."""
    pairs: dict[tuple[str, str], None] = {}
    for number, (foreign, english) in tab_rows(path, columns=2):
        for identity, side, code in zip((foreign, english), sides, codes, strict=True):
            _check_id(path, number, identity, code)
            if identity not in side:
                raise DataError(
                    f"{path}:{number}: no sentence has the id {identity}; the three files must "
                    "be of one set, fetch them again"
                )
        if not (sides[0][foreign] and sides[1][english]):
            reading.dropped[BLANK_GOLD] += 1
        elif (foreign, english) in pairs:
            reading.repaired[TWICE] += 1
        else:
            pairs[foreign, english] = None
    return list(pairs)
