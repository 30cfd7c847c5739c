"""A task's files, wherever they come from: original layouts first, the hub's Parquet next."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.examples import ChoiceExample, Example, LabelledText, Reading, TaggedSentence
from midway.tasks.hub.lock import hub_files, is_hub_file
from midway.tasks.readers.parquet import read_parquet

FEWEST = 10  # examples from which on one and the same label everywhere is suspicious


def find_files(card: TaskCard, folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    """Return the files that hold one split and language of a task, ``()`` if there are none.

    Files in a publisher's layout win over those of the hub, in whichever folder they are.
    """
    found = card.find(folders, split, language)
    if found or card.hub is None:
        return found
    return hub_files(card.hub, folders, split, language)


def read_files(card: TaskCard, files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read them, and warn of placeholders in the place of labels.

    Raises:
        DataError: a file is damaged; names file and line.
    """
    if card.hub is not None and any(map(is_hub_file, files)):
        reading = read_parquet(card.hub, files, split, language)
    else:
        reading = card.read(files, split, language)
    if split != "train":
        reading.warnings += _placeholders(reading, files)
    return reading


def count_labels(examples: Iterable[Example]) -> Counter[str]:
    """How often each label, number of a choice, or tag occurs."""
    seen: Counter[str] = Counter()
    for example in examples:
        if isinstance(example, LabelledText | ChoiceExample):
            seen[str(example.label)] += 1
        elif isinstance(example, TaggedSentence):
            seen.update(example.tags)
    return seen


def _placeholders(reading: Reading, files: tuple[Path, ...]) -> list[str]:
    """A warning if all labels are the same, as in files whose gold was taken out."""
    seen = count_labels(reading.examples)
    if len(seen) != 1 or seen.total() < FEWEST:
        return []
    ((label, count),) = seen.items()
    names = ", ".join(map(str, files))
    return [
        f"{names}: all {count:,} labels are {label!r}, which looks like placeholders in the place "
        "of gold that was taken out; scores on this file mean nothing"
    ]
