"""A task is a card, which says what it is, and two functions: find its files, read them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from midway.tasks.examples import Reading

DataFolders = tuple[Path, ...]
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class TaskCard:
    """One task of the catalogue.

    Attributes:
        name: the name used in study files.
        title: its full name.
        family: ``span_qa``, ``tagging`` or ``retrieval``.
        roles: ``intermediate``, ``target`` or both.
        languages: the benchmark's language codes, whether or not files are at hand.
        splits: which of train, validation, test the task has.
        evaluation_split: the split a target is evaluated on by default.
        metrics: names of its metrics, the main one first.
        licence: licence of the data.
        citation: author, year, title, identifier.
        homepage: where the data come from.
        summary: a paragraph for a researcher who meets the task for the first time.
        notes: protocol and traps, a sentence each.
        labels: the closed set of tags; empty for other families.
        train_task: the task whose training data a target uses by default, if not its own.
        unanswerable: whether questions may have no answer (SQuAD v2).
        version: raised when the same files are read differently.
        find: (folders, split, language) → the files with that part, ``()`` if absent.
        read: (files, split, language) → examples. Raises DataError naming file and line.
    """

    name: str
    title: str
    family: str
    roles: tuple[str, ...]
    languages: tuple[str, ...]
    splits: tuple[str, ...]
    evaluation_split: str
    metrics: tuple[str, ...]
    licence: str
    citation: str
    homepage: str
    summary: str
    find: Callable[[DataFolders, str, str], tuple[Path, ...]]
    read: Callable[[tuple[Path, ...], str, str], Reading]
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    train_task: str = ""
    unanswerable: bool = False
    version: int = 1
