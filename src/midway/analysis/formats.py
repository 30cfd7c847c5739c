"""The results table as text: for reading, for spreadsheets, for programs."""

import csv
import io
import json
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from midway.analysis.results import COLUMNS, FORMULA, ResultRow

_NUMBERS = ("seed", "value", "n", "restarts")
_TEXT = tuple(place for place, name in enumerate(COLUMNS) if name not in _NUMBERS)


def as_table(rows: Sequence[ResultRow]) -> str:
    """Return rows as aligned columns, values with two decimals."""
    cells = [COLUMNS, *(_aligned(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    return "\n".join(lines) + "\n"


def csv_cell(value: object) -> object:
    """Keep a spreadsheet from reading text as a formula: an apostrophe stands before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def as_csv(rows: Sequence[ResultRow]) -> str:
    """Return rows as CSV with a header; floats keep all their digits.

    Text that a spreadsheet would read as a formula begins with an apostrophe, which
    `midway.analysis.read_csv` takes away.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    texts = {text for place in _TEXT for text in set(map(itemgetter(place), rows))}
    guarded = any(text.startswith(FORMULA) for text in texts)  # rare, and rows may be a million
    writer.writerows((map(csv_cell, row) for row in rows) if guarded else rows)
    return buffer.getvalue()


def write_csv(rows: Sequence[ResultRow], path: Path) -> None:
    """Write rows as CSV."""
    path.write_text(as_csv(rows), encoding="utf-8", newline="")


def as_json(rows: Sequence[ResultRow]) -> str:
    """Return rows as a JSON list of objects."""
    return json.dumps([row._asdict() for row in rows], ensure_ascii=False, indent=1) + "\n"


def _aligned(row: ResultRow) -> tuple[str, ...]:
    return tuple(f"{cell:6.2f}" if isinstance(cell, float) else str(cell) for cell in row)
