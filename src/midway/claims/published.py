"""Published scores: figures as they were printed, with where they stand.

``published.csv`` has a row per number: ``source`` (paper and version), ``table``, ``system``,
``intermediate`` (our names of the tasks it was trained on first; ``best``: another one for each
target), ``mlm`` (masked language modelling mixed in), ``task`` (or ``average``), ``metric``,
``value``, ``delta`` (a difference to the table's first system), ``split``. Sources: Phang et al.
2020, arXiv 2005.13013 (v1: the authors' draft of May 2020 with its Table 2; v2: the abstract
alone); Chung et al. 2020, arXiv 2010.12821, Table 16 (RemBERT and leaderboard entries of XTREME);
the mT5 authors' table of zero-shot results. None of these numbers was printed with an error bar.
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from midway.errors import DataError

AVERAGE = "average"
RETRIEVAL = ("bucc2018", "tatoeba")  # never trained in these tables
COLUMNS = (
    *("source", "table", "system", "intermediate", "mlm"),
    *("task", "metric", "value", "delta", "split"),
)


@dataclass(frozen=True)
class System:
    """A row of a published table.

    Attributes:
        source: paper and version.
        table: in the paper.
        name: of the system.
        intermediate: tasks it was trained on first.
        mlm: whether masked language modelling was mixed in.
        delta: whether its scores are differences to the table's baseline.
        split: what it was evaluated on.
        scores: task → metric → value.
    """

    source: str
    table: str
    name: str
    intermediate: tuple[str, ...]
    mlm: bool
    delta: bool
    split: str
    scores: dict[str, dict[str, float]]

    @property
    def mean(self) -> float | None:
        """The average as printed."""
        return next(iter(self.scores.get(AVERAGE, {}).values()), None)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks with a score."""
        return tuple(task for task in self.scores if task != AVERAGE)

    @property
    def trained(self) -> list[float]:
        """Scores of the tasks that are trained, without untrained retrieval."""
        return [self.score(task) for task in self.tasks if task not in RETRIEVAL]

    def score(self, task: str) -> float:
        """A task's score, the mean of its metrics (F1 and exact match in question answering)."""
        values = self.scores[task].values()
        return sum(values) / len(values)


Published = tuple[System, ...]


def load_published(path: Path | None = None) -> Published:
    """Read published scores.

    Args:
        path: a file with the columns above; the package's own if None.

    Raises:
        DataError: it cannot be read, or a row is not of this form; names the line.
    """
    where = str(path) if path else "published.csv"
    try:
        text = (path or files("midway.claims") / "published.csv").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{where} cannot be read ({error}); expected a CSV file") from None
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(
            f"{where}: lacks the columns {', '.join(missing)}; see docs/guides/claims.md"
        )
    return _systems(reader, where)


def _systems(reader: "csv.DictReader[str]", where: str) -> Published:
    found: dict[tuple[str, ...], System] = {}
    for row in reader:
        key = (row["source"], row["table"], row["system"])
        if key not in found:
            found[key] = System(
                *key,
                intermediate=tuple(row["intermediate"].split()),
                mlm=row["mlm"] == "yes",
                delta=row["delta"] == "yes",
                split=row["split"],
                scores={},
            )
        try:
            value = float(row["value"])
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise DataError(
                f"{where}:{reader.line_num}: value {row['value']!r} is no number; expected a score "
                "in percent or a difference in points"
            )
        scores = found[key].scores.setdefault(row["task"], {})
        if row["metric"] in scores:
            raise DataError(
                f"{where}:{reader.line_num}: {row['system']} has a second {row['metric']} on "
                f"{row['task']} in table {row['table']!r}; keep one or name tables apart"
            )
        scores[row["metric"]] = value
    return tuple(found.values())


def singles(systems: Iterable[System], *, mlm: bool = False) -> list[System]:
    """Systems with one intermediate task that is the same for all targets."""
    alone = [s for s in systems if len(s.intermediate) == 1 and s.intermediate != ("best",)]
    return [system for system in alone if system.mlm is mlm]
