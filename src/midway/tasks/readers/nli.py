"""Inference in many languages: XNLI and AmericasNLI.

1. Layouts of XNLI: headerless ``premise TAB hypothesis TAB label`` (XTREME), the same with the
   header ``premise hypo label`` (XNLI-MT), the publisher's table or JSON lines of all languages,
   C-XNLI's comma-separated values and myXNLI's table of two languages.
2. XNLI's files are parallel row by row, so a row's id is its number within its language, in every
   layout. Three rows share a premise in validation and test; its number is their document. Where
   the text of the premise changes within three rows there is a warning: rows may be missing.
3. AmericasNLI translates the Spanish XNLI. Its ids count the rows of XNLI's file of all
   languages, in which Spanish begins after row 12,450 (validation) or 25,050 (test). From that
   follows the premise, and documents are those of XNLI.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import Reading
from midway.tasks.readers.labelled import Labelled, Row, string_cell
from midway.tasks.sources import stem
from midway.tasks.tables import json_rows, named_csv_rows, one_of

LABELS = {
    "entailment": "entailment",
    "neutral": "neutral",
    "contradiction": "contradiction",
    "contradictory": "contradiction",
}
OTHER_LANGUAGE = "row in another language"
HYPOTHESES = 3  # written for each premise
XNLI_SIZE = {"validation": 2_490, "test": 5_010}
SPANISH_AFTER = {"validation": 12_450, "test": 25_050}

PAIR = {"text": "premise", "pair": "hypo", "label": "label"}
SENTENCES = {"text": "sentence1", "pair": "sentence2", "label": "gold_label"}
BARE = ("text", "pair", "label")

_NUMBER = re.compile(r"[0-9]{1,9}")


def read_xnli(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the sentence pairs of one language, in file order.

    Args:
        files: one file, in any of the layouts above.
        split: ``train`` has no groups of hypotheses.
        language: the benchmark's code; rows of the publisher's file in another language are
            dropped and counted.

    Returns:
        Pairs with the row number from 1 as their id.

    Raises:
        DataError: the file is damaged, its labels were removed, or it has no row in `language`.
    """
    original = "XNLI-MT-1.0/multinli" if split == "train" else "XNLI-1.0"
    found = Labelled(
        language,
        LABELS,
        instead="XTREME's preparation removes the labels of its test files, put the publisher's "
        f"folder {original} into the data folder",
    )
    size = 1 if split == "train" else HYPOTHESES
    for path in files:
        changed, premise = 0, ""
        for position, (number, cells) in enumerate(_xnli_rows(found, path, language)):
            changed += position % size > 0 and cells["text"] != premise
            premise = cells["text"]
            found.add(
                path,
                number,
                cells,
                identity=str(position + 1),
                document=str(position // size + 1),
            )
        if changed:
            found.reading.warnings.append(
                f"{path}: {changed} premises change within three rows, expected three hypotheses "
                "for each; rows may be missing, and the languages out of step."
            )
    return found.done(files)


def _xnli_rows(found: Labelled, path: Path, language: str) -> list[Row]:
    """Return the rows in `language`, whatever the layout."""
    if ".jsonl" in path.suffixes:
        return _in_language(
            found, json_pairs(path, {**SENTENCES, "language": "language"}), language
        )
    if ".csv" in path.suffixes:
        rows = named_csv_rows(path, tuple(PAIR.values()))
        return [(n, {role: row[name] for role, name in PAIR.items()}) for n, row in rows]
    if stem(path).startswith("xnli."):
        names = {**SENTENCES, "language": "language"}
        return _in_language(found, found.rows(path, names), language)
    if stem(path).startswith("my."):
        sentences = {"text": f"sentence1_{language}", "pair": f"sentence2_{language}"}
        return found.rows(path, {**sentences, "label": "label"})
    return found.rows(path, PAIR, bare=BARE)


def _in_language(found: Labelled, rows: Iterable[Row], language: str) -> list[Row]:
    """Return the rows in `language`, and count the others."""
    taken: list[Row] = []
    for number, cells in rows:
        if cells["language"] == language:
            taken.append((number, cells))
        else:
            found.reading.dropped[OTHER_LANGUAGE] += 1
    return taken


def json_pairs(path: Path, names: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of a JSON Lines file, cells by role.

    Args:
        path: the file.
        names: role → key, whose value must be a string.

    Raises:
        DataError: a line is not a JSON object, or a value is missing or not a string.
    """
    for number, row in json_rows(path):
        yield number, {role: string_cell(path, number, row, key) for role, key in names.items()}


def read_americasnli(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the sentence pairs of one language, in file order.

    Args:
        files: tables with the header ``id language premise hypothesis label``.
        split: validation or test; says what the ids count from.
        language: the code that every row must have.

    Returns:
        Pairs with the publisher's ids, which are the same in all languages, and XNLI's documents.

    Raises:
        DataError: the file is damaged, its labels were removed, it is of another language, or an
            id is not that of a row of XNLI.
    """
    names = {"id": "id", "language": "language", "text": "premise", "pair": "hypothesis"}
    found = Labelled(language, LABELS, instead="get the labelled files of AmericasNLI's repository")
    first = SPANISH_AFTER.get(split, 0)
    last = first + XNLI_SIZE.get(split, 0)
    for path in files:
        for number, cells in found.rows(path, {**names, "label": "label"}):
            one_of(path, number, cells["language"], (language,), "language")
            identity = cells["id"]
            if not _NUMBER.fullmatch(identity) or not first < int(identity) <= last:
                raise DataError(
                    f"{path}:{number}: id {identity!r:.20}, expected a number from {first + 1} to "
                    f"{last} for {split}"
                )
            premise = (int(identity) - first - 1) // HYPOTHESES + 1
            found.add(path, number, cells, identity=identity, document=str(premise))
    return found.done(files)
