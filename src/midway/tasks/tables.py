r"""Rows of delimited and JSON Lines files, each with its line number, read strictly.

1. Tab-separated files are split at every tab; quotes mean nothing. Comma-separated files follow
   RFC 4180: quoted cells may hold commas, doubled quotes and line ends.
2. A header is matched by name, so columns may come in any order.
3. Lines end at ``\n`` only (`midway.tasks.sources`).
"""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from midway.errors import DataError, suggest
from midway.tasks.sources import read_lines, read_text

CELL_LIMIT = 1 << 24


def tab_rows(path: Path, *, columns: int, lossy: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of a tab-separated file without a header.

    Args:
        path: the file.
        columns: cells that every line must have.
        lossy: replace bytes that are not UTF-8 instead of refusing them.

    Raises:
        DataError: a line has another number of cells.
    """
    for number, line in enumerate(read_lines(path, lossy=lossy), start=1):
        cells = line.split("\t")
        if len(cells) != columns:
            raise DataError(
                f"{path}:{number}: {len(cells)} columns, expected {columns} separated by tabs"
            )
        yield number, cells


def named_tab_rows(path: Path, names: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, {name: cell}) of a tab-separated file with a header.

    Args:
        path: the file.
        names: columns that are needed; others are ignored.

    Raises:
        DataError: a column is missing from the header, or a line has another number of cells.
    """
    lines = read_lines(path)
    header = lines[0].split("\t") if lines else []
    places = _places(path, header, names)
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise DataError(
                f"{path}:{number}: {len(cells)} columns, expected {len(header)} separated by tabs"
            )
        yield number, {name: cells[place] for name, place in places.items()}


def named_csv_rows(path: Path, names: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (number of the row's last line, {name: cell}) of a comma-separated file with a header.

    Raises:
        DataError: as `named_tab_rows`, or quotes do not match.
    """
    csv.field_size_limit(CELL_LIMIT)
    text = read_text(path).replace("\r\n", "\n")
    reader = csv.reader((line + "\n" for line in text.split("\n")), strict=True)
    header: list[str] | None = None
    places: dict[str, int] = {}
    try:
        for cells in reader:
            if not cells or cells == ["\n"]:
                continue
            if header is None:
                header = cells
                places = _places(path, header, names)
            elif len(cells) != len(header):
                raise DataError(
                    f"{path}:{reader.line_num}: {len(cells)} columns, expected {len(header)} "
                    "separated by commas"
                )
            else:
                row = {name: cells[place] for name, place in places.items()}
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(
            f"{path}:{reader.line_num}: not comma-separated values ({error}); fetch it again"
        ) from error
    if header is None:
        raise DataError(f"{path}: no header, expected the columns {', '.join(names)}")


def _places(path: Path, header: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    for name in names:
        if name not in header:
            found = ", ".join(" ".join(cell[:20].split()) for cell in header[:12]) or "nothing"
            raise DataError(
                f"{path}:1: no column {name!r}.{suggest(name, header)} Found: {found}; "
                "expected a header line"
            )
    return {name: header.index(name) for name in names}


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON Lines file; blank lines are skipped.

    Raises:
        DataError: a line is not a JSON object.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            yield number, json_object(path, number, line)


def json_object(path: Path, number: int, line: str) -> dict[str, Any]:
    """Return the JSON object that a line is.

    Raises:
        DataError: it is something else.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}:{number}: not JSON ({error}); fetch it again") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}:{number}: of type {type(value).__name__}, expected a JSON object")
    return value


def text_cell(path: Path, number: int, row: Any, key: str) -> str:
    r"""Return ``row[key]`` if it is a string with anything in it that can be written as UTF-8.

    Raises:
        DataError: it is missing, of another type, blank, or holds ``\ud800`` and the like.
    """
    value = row.get(key) if isinstance(row, dict) else None
    if not isinstance(value, str):
        found = "is missing" if value is None else f"is of type {type(value).__name__}"
        raise DataError(f"{path}:{number}: {key!r} {found}, expected a string")
    if not value.strip():
        raise DataError(f"{path}:{number}: {key!r} is blank, expected text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"{path}:{number}: {key!r} holds half a surrogate pair; fetch it again"
        ) from error
    return value


def one_of(path: Path, number: int, value: Any, known: Sequence[str], what: str = "label") -> str:
    """Return `value` if it is one of `known`.

    Raises:
        DataError: it is not; suggests the nearest one.
    """
    if value not in known:
        hint = suggest(str(value), known)
        raise DataError(
            f"{path}:{number}: {what} {value!r:.30} is unknown.{hint} Expected: {' '.join(known)}"
        )
    return str(value)
