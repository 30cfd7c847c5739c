"""Inference in English: MultiNLI, SNLI, ANLI, and the three joined.

1. The publishers' JSON Lines are read, besides XNLI-MT's table (MultiNLI), e-SNLI's three
   parallel files and the annotated development sets of ANLI (comma-separated values).
2. A document is what shares a premise: MultiNLI's prompt id, otherwise the premise itself.
3. Ids are the publisher's where there is one, otherwise the row number from 1. ANLI's begin with
   their round, those of the joined task with the part's name.
4. e-SNLI's lines end in a blank, which is taken off.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import Reading
from midway.tasks.hub.lock import is_hub_file
from midway.tasks.readers.labelled import Labelled, Row
from midway.tasks.readers.nli import BARE, LABELS, PAIR, SENTENCES, json_pairs
from midway.tasks.sources import read_lines, stem
from midway.tasks.tables import named_csv_rows

ANLI_LABELS = {"e": "entailment", "n": "neutral", "c": "contradiction"}
ROUNDS = ("r1", "r2", "r3")
SIDES = ("s1", "s2", "labels")

_INSTEAD = "its labels were removed, get the publisher's labelled file"
_ANLI = {"id": "uid", "text": "context"}

Read = Callable[[tuple[Path, ...], str, str], Reading]


def read_mnli(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read MultiNLI's pairs, in file order.

    Args:
        files: the publisher's ``.jsonl``, or the English table of XNLI-MT or XTREME.
        split: not used, the layouts are the same.
        language: given to every pair.

    Raises:
        DataError: a file is damaged or has no labels.
    """
    del split
    found = Labelled(language, LABELS, instead=_INSTEAD)
    for path in files:
        if ".jsonl" in path.suffixes:
            keys = {**SENTENCES, "id": "pairID", "document": "promptID"}
            for number, cells in json_pairs(path, keys):
                found.add(path, number, cells, identity=cells["id"], document=cells["document"])
        else:
            rows = found.rows(path, PAIR, bare=BARE)
            for position, (number, cells) in enumerate(rows, start=1):
                found.add(path, number, cells, identity=str(position), document=cells["text"])
    return found.done(files)


def read_snli(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read SNLI's pairs, in file order.

    Args:
        files: the publisher's ``.jsonl``, or e-SNLI's files of premises, hypotheses and labels.
        split: not used, the layouts are the same.
        language: given to every pair.

    Raises:
        DataError: a file is damaged, has no labels, or one of the three is missing or differs in
            length.
    """
    del split
    found = Labelled(language, LABELS, instead=_INSTEAD)
    if all(".jsonl" in path.suffixes for path in files):
        for path in files:
            for number, cells in json_pairs(path, {**SENTENCES, "id": "pairID"}):
                found.add(path, number, cells, identity=cells["id"], document=cells["text"])
    else:
        for number, cells in _sides(files):
            found.add(files[2], number, cells, identity=str(number), document=cells["text"])
    return found.done(files)


def _sides(files: tuple[Path, ...]) -> Iterator[Row]:
    """Yield the rows of e-SNLI's three files."""
    if [path.name.split(".")[0] for path in files] != list(SIDES):
        names = ", ".join(map(str, files))
        raise DataError(f"{names}: expected three files of one split, {', '.join(SIDES)}")
    premises, hypotheses, labels = (read_lines(path) for path in files)
    if not len(premises) == len(hypotheses) == len(labels):
        raise DataError(
            f"{files[0]}: {len(premises)} lines, but {len(hypotheses)} hypotheses and "
            f"{len(labels)} labels; line i of the three must belong together, fetch them again"
        )
    rows = zip(premises, hypotheses, labels, strict=True)
    for number, (premise, hypothesis, label) in enumerate(rows, start=1):
        cells = {"text": premise.removesuffix(" "), "pair": hypothesis.removesuffix(" ")}
        yield number, {**cells, "label": label}


def read_anli(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the rounds of ANLI that are at hand, in the order given.

    Args:
        files: the publisher's ``R1/dev.jsonl`` and the like, or ``ANLI_analysis_r1_dev.csv``.
        split: named in warnings.
        language: given to every pair.

    Returns:
        Pairs with ids ``r1-<uid>``, with a warning for each round that is missing.

    Raises:
        DataError: a file is damaged, has no labels, or its name does not tell its round.
    """
    found = Labelled(language, ANLI_LABELS, instead=_INSTEAD)
    rounds = {path: _round(path) for path in files}
    for path, name in rounds.items():
        for number, cells in _anli_rows(path):
            identity = f"{name}-{cells['id']}"
            found.add(path, number, cells, identity=identity, document=cells["text"])
    found.reading.warnings += [
        f"anli {split}: no file of round {name} is at hand, so this round is missing."
        for name in ROUNDS
        if name not in rounds.values()
    ]
    return found.done(files)


def _round(path: Path) -> str:
    """Return the round that a file's name or folder tells."""
    for name in ROUNDS:
        if path.parent.name.lower() == name or f"_{name}_" in path.name:
            return name
    raise DataError(f"{path}: the name does not tell the round; expected R1/, R2/ or R3/")


def _anli_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of one round."""
    if ".jsonl" in path.suffixes:
        yield from json_pairs(path, {**_ANLI, "pair": "hypothesis", "label": "label"})
        return
    names = {**_ANLI, "pair": "statement", "label": "gold_label"}
    for number, row in named_csv_rows(path, tuple(names.values())):
        yield number, {role: row[name] for role, name in names.items()}


def read_joined(
    parts: Mapping[str, Read], files: tuple[Path, ...], split: str, language: str
) -> Reading:
    """Read ANLI, MultiNLI and SNLI one after the other, as far as they are at hand.

    Args:
        parts: name of the part (``anli``, ``mnli``, ``snli``) → its reader.
        files: the files of all parts.
        split: passed on.
        language: passed on.

    Returns:
        All pairs, their ids preceded by the part's name, with a warning for each part that is
        missing.

    Raises:
        DataError: a file is damaged or has no labels.
    """
    joined = Reading([])
    for part, read in parts.items():
        chosen = tuple(path for path in files if part_of(path) == part)
        if not chosen:
            joined.warnings.append(
                f"anli-plus {split}: no file of {part} is at hand, so this part is missing."
            )
            continue
        reading = read(chosen, split, language)
        joined.examples += [replace(each, id=f"{part}-{each.id}") for each in reading.examples]
        joined.dropped += reading.dropped
        joined.repaired += reading.repaired
        joined.warnings += reading.warnings
    if not joined.examples:
        raise DataError(f"anli-plus {split}: no files; expected those of {', '.join(parts)}")
    return joined


def part_of(path: Path) -> str:
    """Return which of ``anli``, ``mnli`` and ``snli`` a file belongs to, by its name or place."""
    if is_hub_file(path):  # <name>/<config>/<split>/0000.parquet
        return {"multi_nli": "mnli"}.get(path.parts[-4], path.parts[-4])
    if path.name.startswith("ANLI_") or path.parent.name.lower() in ROUNDS:
        return "anli"
    if path.name.startswith("snli_") or stem(path) in SIDES:
        return "snli"
    return "mnli"
