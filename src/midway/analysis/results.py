"""Results are one tidy table: a row per intermediate, target, language, seed, profile and metric.

A `ScoredRun` says where the score artefact of one evaluation lies and what it evaluates. The
artefact holds ``scores.json`` (all metrics of all languages) and ``examples.parquet`` (what each
example adds to the numerator and denominator of the main metric).
"""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from midway.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

BASELINE = "none"
ORACLE = " (oracle)"
"""Ends the name of a target whose weights were chosen in the languages it is evaluated in."""
WITH_LEAKS = " (with leaks)"
"""Ends the name of a target that is also scored without the examples that training holds."""
APART = (ORACLE, WITH_LEAKS)
"""Endings of targets that are shown, but enter no average and no verdict."""
EXACT_MATCH = ("exact_match", "em")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula in a spreadsheet; in CSV an apostrophe stands before text that does."""
QA_MEAN = "f1_em_mean"
"""The mean of F1 and exact match, which XTREME's averages use for question answering."""


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """One scored evaluation: where its artefact lies and its coordinates in the study.

    Attributes:
        intermediate: name of the intermediate; ``none`` is the encoder as it came.
        target: name of the target.
        seed: seed of the intermediate and of the target trained on it.
        split: evaluation split.
        folder: folder with ``scores.json`` and ``examples.parquet``.
        family: ``span_qa``, ``tagging`` or ``retrieval``.
        main_metric: the metric that ``examples.parquet`` adds up to.
        trained: whether the target was trained; False for retrieval with the bare encoder.
        validation: validation score of the evaluated model in percent, if it has one.
        collapsed: which model behind it has collapsed and why; empty if none has.
        restarts: how often training behind it began again after a collapse.
        stopped: when and by what scores successive halving stopped its intermediate, or empty.
    """

    intermediate: str
    target: str
    seed: int
    split: str
    folder: Path
    family: str
    main_metric: str
    trained: bool
    validation: float | None = None
    collapsed: str = ""
    restarts: int = 0
    stopped: str = ""


class ResultRow(NamedTuple):  # there may be a million of them
    """One number. `value` is in percent, `n` the number of examples behind it.

    `collapsed`, `restarts` and `stopped` are those of its `ScoredRun`.
    """

    study: str
    encoder: str
    intermediate: str
    target: str
    language: str
    seed: int
    split: str
    profile: str
    metric: str
    value: float
    n: int
    collapsed: str = ""
    restarts: int = 0
    stopped: str = ""


COLUMNS = ResultRow._fields


def load_scores(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the languages of a score artefact.

    Returns:
        ``{language: {"n": int, "official": {metric: value}, "clean": {metric: value}}}``.

    Raises:
        StoreError: ``scores.json`` is missing or is not of this shape.
    """
    path = folder / "scores.json"
    try:
        languages = json.loads(path.read_text(encoding="utf-8"))["languages"]
        for language, record in languages.items():
            if not {"n", "official", "clean"} <= set(record):
                raise StoreError(
                    f"{path}: language {language!r} lacks n, official or clean; score it again"
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path}: not a score artefact ({error}); `midway store verify` finds what is damaged"
        ) from error
    found: dict[str, dict[str, Any]] = languages
    return found


def collect(study: str, encoder: str, runs: Iterable[ScoredRun]) -> list[ResultRow]:
    """Read all score artefacts into rows, sorted by their coordinates.

    Question answering gets a row `QA_MEAN` in each profile: (F1 + exact match) / 2.

    Raises:
        StoreError: an artefact cannot be read.
    """
    rows = []
    for run in runs:
        for language, record in load_scores(run.folder).items():
            for profile in ("official", "clean"):
                for metric, value in _with_qa_mean(record[profile]).items():
                    rows.append(
                        ResultRow(
                            study=study,
                            encoder=encoder,
                            intermediate=run.intermediate,
                            target=run.target,
                            language=language,
                            seed=run.seed,
                            split=run.split,
                            profile=profile,
                            metric=metric,
                            value=float(value),
                            n=int(record["n"]),
                            collapsed=run.collapsed,
                            restarts=run.restarts,
                            stopped=run.stopped,
                        )
                    )
    return sorted(rows, key=_order)


def _with_qa_mean(metrics: dict[str, float]) -> dict[str, float]:
    """Add the mean of F1 and exact match where both are there."""
    exact = next((name for name in EXACT_MATCH if name in metrics), None)
    if exact is None or "f1" not in metrics:
        return metrics
    return {**metrics, QA_MEAN: (metrics["f1"] + metrics[exact]) / 2}


def _order(row: ResultRow) -> tuple[Any, ...]:
    """Baseline first, then by name."""
    return (
        row.target,
        row.intermediate != BASELINE,
        row.intermediate,
        row.language,
        row.seed,
        row.split,
        row.profile == "clean",
        row.metric,
    )


def read_csv(path: Path) -> list[ResultRow]:
    """Read results from CSV, see `midway.analysis.formats.as_csv`.

    Raises:
        StoreError: a column is missing or a cell is not of its type; names the line.
    """
    rows: list[ResultRow] = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        try:
            _check_columns(path, reader.fieldnames or [])
            for cells in reader:
                rows.append(_from_cells({name: _text(cell) for name, cell in cells.items()}))
        except (TypeError, ValueError, csv.Error) as error:
            why = " ".join(str(error).split())[:200]
            raise StoreError(
                f"{path}:{reader.line_num}: {why}; expected the columns {', '.join(COLUMNS)}"
            ) from error
    return rows


def write_parquet(rows: Sequence[ResultRow], path: Path) -> None:
    """Write rows as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    integers, floats = {"seed", "n", "restarts"}, {"value"}
    types = [
        (
            name,
            pa.int64() if name in integers else pa.float64() if name in floats else pa.string(),
        )
        for name in COLUMNS
    ]
    columns = [list(map(itemgetter(place), rows)) for place in range(len(COLUMNS))]
    table = pa.table(columns, schema=pa.schema(types))
    pq.write_table(table, path)


def read_table(path: Path) -> "pa.Table":
    """Read what `write_parquet` wrote as a table with the columns `COLUMNS`.

    Raises:
        StoreError: the file is damaged or a column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{path}: not a Parquet file of results ({error}); write it again with "
            "`midway results STUDY --format parquet`"
        ) from error
    _check_columns(path, table.column_names)
    return table.select(list(COLUMNS))


def read_parquet(path: Path) -> list[ResultRow]:
    """Read what `write_parquet` wrote.

    Raises:
        StoreError: the file is damaged, or a column is missing or not of its type.
    """
    import pyarrow as pa

    table = read_table(path)
    try:
        return [_from_cells(cells) for cells in table.to_pylist()]
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise StoreError(f"{path}: {error}; write it again") from error


def _text(cell: str) -> str:
    """Take away the apostrophe that keeps text from being a formula."""
    guarded = isinstance(cell, str) and cell[:1] == "'" and cell[1:].startswith(FORMULA)
    return cell[1:] if guarded else cell


def _check_columns(path: Path, found: Iterable[str]) -> None:
    missing = [name for name in COLUMNS if name not in set(found)]
    if missing:
        raise StoreError(f"{path}: lacks the columns {', '.join(missing)}; write it again")


def _from_cells(cells: dict[str, Any]) -> ResultRow:
    """Give each cell the type of its column."""
    return ResultRow(
        study=cells["study"],
        encoder=cells["encoder"],
        intermediate=cells["intermediate"],
        target=cells["target"],
        language=cells["language"],
        seed=int(cells["seed"]),
        split=cells["split"],
        profile=cells["profile"],
        metric=cells["metric"],
        value=float(cells["value"]),
        n=int(cells["n"]),
        collapsed=cells["collapsed"],
        restarts=int(cells["restarts"]),
        stopped=cells["stopped"],
    )
