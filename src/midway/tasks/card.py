"""A task is a card, which says what it is, and two functions: find its files, read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from midway.tasks.examples import Example, Reading
from midway.tasks.hub.rows import Row

DataFolders = tuple[Path, ...]
SPLITS = ("train", "validation", "test")
PARQUET = "refs/convert/parquet"


@dataclass(frozen=True)
class HubSource:
    """Where a task's data are on the hub, as Parquet.

    Attributes:
        repo: id of the data set, ``owner/name``.
        config: name of the configuration; ``{code}`` stands for the language.
        splits: our split → the hub's, or several of the hub's that are read one after the other;
            just names where both are the same.
        codes: the benchmark's language code → what takes the place of ``{code}``, or just codes
            where both are the same; a language that is not named is not on the hub.
        example: row → example, or the reason why the row is left out. Labels of the type
            ClassLabel arrive as names.
        documents: a configuration whose rows say which document a question belongs to, by id,
            where titles differ between languages; empty where documents are the rows' own.
        finish: (examples read, split) → what takes all rows to see: to put right, or to warn of.
        revision: branch, tag or commit. On the default branch the hub keeps every public data
            set as Parquet, ``<config>/<split>/NNNN.parquet``.
    """

    repo: str
    config: str
    splits: Mapping[str, str | tuple[str, ...]] | tuple[str, ...]
    codes: Mapping[str, str] | tuple[str, ...]
    example: Callable[[Row], Example | str]
    documents: str = ""
    finish: Callable[[Reading, str], None] | None = None
    revision: str = PARQUET

    def parts(self, split: str, language: str) -> tuple[str, ...]:
        """Return the hub's folders ``<config>/<split>`` with that part, ``()`` if it has none.

        The folders with the documents come last.
        """
        if language not in self.codes or split not in self.splits:
            return ()
        code = self.codes[language] if isinstance(self.codes, Mapping) else language
        names = self.splits[split] if isinstance(self.splits, Mapping) else split
        configs = dict.fromkeys((self.config.replace("{code}", code), self.documents))
        names = (names,) if isinstance(names, str) else names
        return tuple(f"{config}/{name}" for config in configs if config for name in names)


@dataclass(frozen=True, kw_only=True)
class TaskCard:
    """One task of the catalogue.

    Attributes:
        name: the name used in study files.
        title: its full name.
        family: how it is encoded, trained and scored; see `midway.families`.
        roles: ``intermediate``, ``target`` or both.
        languages: the benchmark's language codes, whether or not files are at hand.
        splits: which of train, validation, test the task has.
        evaluation_split: the split a target is evaluated on by default, if it is at hand.
        metrics: names of its metrics, the main one first.
        licence: licence of the data.
        citation: author, year, title, identifier.
        homepage: where the data come from.
        summary: a paragraph for a researcher who meets the task for the first time.
        notes: protocol and traps, a sentence each.
        labels: the closed set of labels or tags; empty where there is none, and where it is
            taken from the training data (CCG).
        rule: how the official profile scores where a family has several ways: ``mlqa`` (span QA),
            ``accuracy`` (tagging), ``weighted_f1`` or ``f1`` (classification).
        train_tasks: the tasks whose training data a target uses by default, one after the other,
            if not its own.
        unanswerable: whether questions may have no answer (SQuAD v2).
        capability: (example id) → what the example tests; error rates are then given for each.
        version: raised when the same files are read differently.
        find: (folders, split, language) → the files with that part, ``()`` if absent.
        read: (files, split, language) → examples. Raises DataError naming file and line.
        hub: where the data are on the hub, if they are.
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
    rule: str = ""
    train_tasks: tuple[str, ...] = ()
    unanswerable: bool = False
    capability: Callable[[str], str] | None = None
    version: int = 1
    hub: HubSource | None = None
