"""The results table as text: for reading, for spreadsheets, for programs."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path

from midway.analysis.results import COLUMNS, ResultRow

_cells = attrgetter(*COLUMNS)


def as_table(rows: Sequence[ResultRow]) -> str:
    """Return rows as aligned columns, values with two decimals."""
    cells = [COLUMNS, *(_aligned(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    return "\n".join(lines) + "\n"


def as_csv(rows: Sequence[ResultRow]) -> str:
    """Return rows as CSV with a header; floats keep all their digits."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_cells, rows))
    return buffer.getvalue()


def write_csv(rows: Sequence[ResultRow], path: Path) -> None:
    """Write rows as CSV."""
    path.write_text(as_csv(rows), encoding="utf-8", newline="")


def as_json(rows: Sequence[ResultRow]) -> str:
    """Return rows as a JSON list of objects."""
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n"


def _aligned(row: ResultRow) -> tuple[str, ...]:
    values = dict(zip(COLUMNS, _cells(row), strict=True))
    values["value"] = f"{row.value:6.2f}"
    return tuple(str(value) for value in values.values())
