"""Pairs that mean the same or do not: PAWS-X and Quora Question Pairs.

1. PAWS-X comes with the publisher's header (``id sentence1 sentence2 label``) or without one
   (``sentence1 sentence2 label``). Languages are parallel row by row in either layout, so a row's
   id and document are its number from 1; the publisher's ids are not in all files.
2. PAWS-X has ``NS`` in the place of a sentence that was not translated, with the label 0 whatever
   the English one is. Such rows are dropped from ``train`` and counted. In other splits they
   stay, with a warning, because published scores count them.
3. QQP comes with GLUE's header, or without one as ``label question1 question2 id``; the latter
   was cut from the former by a tool that broke some characters, hence the lossy decoding. Lines
   of GLUE's table that a line end cuts in two are dropped and counted, as others do.
4. A question pair's document is its first question, case-folded.
"""

from pathlib import Path

from midway.tasks.examples import Reading
from midway.tasks.readers.labelled import TEXTS, Labelled

# Publisher's label → ours; predictions for XTREME are written with the publisher's.
PAWSX_LABELS = {"0": "not_paraphrase", "1": "paraphrase"}
QQP_LABELS = {"0": "not_duplicate", "1": "duplicate"}

UNTRANSLATED = "row with NS in place of a sentence"
REPLACED = "row with bytes that are not UTF-8 replaced"


def read_pawsx(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the sentence pairs of one language, in file order.

    Args:
        files: tables, with or without a header.
        split: ``train`` leaves untranslated pairs out.
        language: the benchmark's code, given to every pair.

    Raises:
        DataError: a file is damaged or its labels were removed.
    """
    part = {"train": "translated_train", "validation": "dev_2k"}.get(split, "test_2k")
    found = Labelled(
        language,
        PAWSX_LABELS,
        instead="XTREME's preparation removes the labels of its test files, put the publisher's "
        f"x-final/{language}/{part}.tsv into the data folder",
    )
    names = {"text": "sentence1", "pair": "sentence2", "label": "label"}
    for path in files:
        kept = 0
        rows = found.rows(path, names, bare=tuple(names))
        for position, (number, cells) in enumerate(rows, start=1):
            untranslated = any(cells[role].strip().upper() == "NS" for role in TEXTS)
            if untranslated and split == "train":
                found.reading.dropped[UNTRANSLATED] += 1
                continue
            added = found.add(path, number, cells, identity=str(position), document=str(position))
            kept += untranslated and added
        if kept:
            found.reading.warnings.append(
                f"{path}: NS stands in place of a sentence that was not translated in {kept} rows, "
                "which are kept because published scores count them."
            )
    return found.done(files)


def read_qqp(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the question pairs, in file order.

    Args:
        files: tables, with or without a header.
        split: not used, the layouts are the same.
        language: given to every pair.

    Raises:
        DataError: a file is damaged or has no labels (as GLUE's test set).
    """
    del split
    found = Labelled(
        language,
        QQP_LABELS,
        instead="GLUE's test set has no labels, use its dev.tsv or a cut of the training data",
    )
    names = {"label": "is_duplicate", "text": "question1", "pair": "question2", "id": "id"}
    for path in files:
        for number, cells in found.rows(path, names, bare=tuple(names), lossy=True):
            document = cells["text"].casefold()
            added = found.add(path, number, cells, identity=cells["id"], document=document)
            if added and any("\ufffd" in cells[role] for role in TEXTS):
                found.reading.repaired[REPLACED] += 1
    return found.done(files)
