"""Parallel sentences of many languages, paired with English: FLORES-200 and SIB-200.

1. FLORES-200 has one sentence a line, and line i is the same sentence in every variety. Ids and
   documents are line numbers from 0.
2. SIB-200's tables give each sentence an ``index_id``; train, dev and test are joined. The index
   is id and document, and topics are not looked at.
3. Pairs have the same ids in every variety, so folds and subsets are parallel.
"""

from collections.abc import Sequence
from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import Reading, SentencePair
from midway.tasks.readers.labelled import Labelled
from midway.tasks.sources import read_lines

BLANK = "blank sentence"
PARTS = ("train", "dev", "test")


def read_flores(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the pairs of one variety, in file order.

    Args:
        files: the variety's file and the English one.
        split: named in messages only.
        language: the variety's code, given to every pair.

    Returns:
        Pairs with ids from 0; pairs with a blank side are counted and keep the numbering.

    Raises:
        DataError: a side is missing, or the sides differ in length.
    """
    if len(files) != 2:
        names = ", ".join(map(str, files)) or "nothing"
        raise DataError(
            f"flores {language} ({split}): found {names}, expected two files; put the English one "
            "(eng_Latn) beside the other"
        )
    left, right = (read_lines(path) for path in files)
    if len(left) != len(right):
        raise DataError(
            f"{files[0]}: {len(left)} lines, but {files[1].name} has {len(right)}; line i of both "
            "must be a pair, fetch both again"
        )
    reading = Reading([])
    for number, (sentence, english) in enumerate(zip(left, right, strict=True)):
        _add(reading, language, str(number), sentence, english)
    return _done(reading, files)


def read_sib200_pairs(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the pairs of one variety, in the order of its files.

    Args:
        files: train, dev and test of the variety, then the same of English.
        split: not used, there is one.
        language: the variety's code, given to every pair.

    Raises:
        DataError: a file is missing or malformed, an index occurs twice, or the two sides do
            not hold the same indices.
    """
    del split
    if len(files) != 2 * len(PARTS):
        names = ", ".join(map(str, files)) or "nothing"
        raise DataError(
            f"sib200-pairs {language}: found {names}, expected train, dev and test of the variety "
            "and of English (eng_Latn)"
        )
    reading = Reading([])
    ours, others = files[: len(PARTS)], files[len(PARTS) :]
    foreign = _by_index(ours, language, reading)
    english = _by_index(others, language, reading)
    for mine, theirs, other_files in ((foreign, english, others), (english, foreign, ours)):
        for index, (place, _) in mine.items():
            if index not in theirs:
                raise DataError(
                    f"{place}: index_id {index!r:.30} is not in {other_files[0].parent}; both "
                    "sides must hold the same sentences, fetch them again"
                )
    for index, (_, sentence) in foreign.items():
        _add(reading, language, index, sentence, english[index][1])
    return _done(reading, files)


def _by_index(files: Sequence[Path], language: str, reading: Reading) -> dict[str, tuple[str, str]]:
    """Return {index_id: (file and line, text)} of one side, with CSV quoting undone."""
    found: dict[str, tuple[str, str]] = {}
    for path in files:
        table = Labelled(language, {}, instead="")  # quoting is a matter of one file
        for number, cells in table.rows(path, {"id": "index_id", "text": "text"}):
            place, index = f"{path}:{number}", cells["id"]
            if not index.strip():
                raise DataError(f"{place}: no index_id, expected a number; fetch it again")
            if index in found:
                raise DataError(
                    f"{place}: index_id {index!r:.30} is also at {found[index][0]}; fetch both "
                    "again"
                )
            found[index] = (place, cells["text"])
        reading.repaired += table.reading.repaired
    return found


def _add(reading: Reading, language: str, identity: str, sentence: str, english: str) -> None:
    """Append a pair, or count it if one side is blank."""
    if not sentence.strip() or not english.strip():
        reading.dropped[BLANK] += 1
        return
    reading.examples.append(
        SentencePair(
            id=identity,
            language=language,
            document=identity,
            sentence=sentence,
            english=english,
        )
    )


def _done(reading: Reading, files: Sequence[Path]) -> Reading:
    if not reading.examples:
        raise DataError(f"{files[0]}: no sentences, expected a benchmark file; fetch it again")
    return reading
