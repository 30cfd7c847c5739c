r"""Texts with a label: what the readers of the classification tasks share.

1. Labels are matched by name. A reader gives the publisher's spellings and the card's label for
   each; any other one is a DataError. Rows labelled ``-`` (no agreement) or not at all are
   dropped and counted; a file without a single label is a DataError that says what to get.
2. A row with a blank text is dropped and counted.
3. A tab-separated file has been through a CSV writer if every cell with a quotation mark is in
   quotation marks, those within it are doubled, and there are some of the latter. These cells
   are unquoted, once, and the rows counted. If a single cell is written otherwise, quotation
   marks are part of the text.
4. The files are known by their header, if they have one, otherwise by the order of their columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from midway.errors import DataError, suggest
from midway.tasks.examples import LabelledText, Reading
from midway.tasks.sources import read_lines
from midway.tasks.tables import one_of, text_cell

BLANK = "row with a blank text"
NO_LABEL = "row without a label"
BROKEN = "row cut in two by a line end"
UNQUOTED = "row with its CSV quoting undone"
UNLABELLED = ("", "-")
TEXTS = ("text", "pair")

Row = tuple[int, dict[str, str]]  # line number from 1, cells by role: text, pair, label, id


class Labelled:
    """Collects the examples of one split and language.

    Attributes:
        reading: what has been read so far.
    """

    def __init__(self, language: str, labels: Mapping[str, str], *, instead: str) -> None:
        """Begin with nothing.

        Args:
            language: given to every example.
            labels: the publisher's spelling → the card's label.
            instead: the file to get where labels have been removed.
        """
        self.reading = Reading([])
        self._language = language
        self._labels = labels
        self._instead = instead
        self._seen: set[str] = set()

    def rows(
        self,
        path: Path,
        names: Mapping[str, str],
        *,
        bare: Sequence[str] = (),
        lossy: bool = False,
    ) -> list[Row]:
        """Return the rows of a tab-separated file, with CSV quoting undone.

        Args:
            path: the file.
            names: role → name of the column, for a file with a header. ``label`` must be there.
            bare: the columns' roles in a file without a header; empty if there is always one.
            lossy: whether the file is known to hold broken UTF-8 and, with a header, lines that
                are cut in two; these are dropped and counted.

        Raises:
            DataError: the header lacks a column, or a line has another number of cells.
        """
        lines = [line.split("\t") for line in read_lines(path, lossy=lossy)]
        header = lines[0] if lines else []
        headed = not bare or sum(name in header for name in names.values()) > 1
        roles = self._places(path, header, names) if headed else {r: n for n, r in enumerate(bare)}
        width = len(header) if headed else len(bare)
        if not headed and len(header) == width - 1 and bare[-1] == "label":
            raise DataError(f"{path}:1: {width - 1} columns and no label; {self._instead}")
        rows: list[Row] = []
        for number, cells in enumerate(lines[headed:], start=1 + headed):
            if len(cells) == width:
                rows.append((number, {role: cells[place] for role, place in roles.items()}))
            elif lossy and headed:
                self.reading.dropped[BROKEN] += 1
            else:
                raise DataError(
                    f"{path}:{number}: {len(cells)} columns, expected {width} separated by tabs"
                )
        self.reading.repaired[UNQUOTED] += undo_quoting(cells for _, cells in rows)
        return rows

    def _places(
        self, path: Path, header: Sequence[str], names: Mapping[str, str]
    ) -> dict[str, int]:
        """Return each role's place in the header."""
        for role, name in names.items():
            if name not in header:
                found = ", ".join(cell[:20] for cell in header[:12]) or "nothing"
                hint = suggest(name, header)
                what = f"; {self._instead}" if role == "label" and not hint else ""
                raise DataError(
                    f"{path}:1: no column {name!r}.{hint} Found: {found}, expected a header "
                    f"line{what}"
                )
        return {role: header.index(name) for role, name in names.items()}

    def add(
        self, path: Path, number: int, cells: Mapping[str, str], *, identity: str, document: str
    ) -> bool:
        """Append the example of one row, or count why there is none.

        Args:
            path: the row's file.
            number: its line.
            cells: ``text``, ``pair`` (none for a single text) and ``label``.
            identity: the example's id; the line number is added if it has been given before.
            document: what its folds go by.

        Returns:
            Whether there is an example.

        Raises:
            DataError: the label is unknown, or the id blank.
        """
        if not identity.strip():
            raise DataError(f"{path}:{number}: the id is blank, expected the publisher's")
        if cells["label"] in UNLABELLED:
            self.reading.dropped[NO_LABEL] += 1
            return False
        label = self._labels[one_of(path, number, cells["label"], tuple(self._labels))]
        if not all(cells[role].strip() for role in TEXTS if role in cells):
            self.reading.dropped[BLANK] += 1
            return False
        while identity in self._seen:
            identity = f"{identity}#{number}"
        self._seen.add(identity)
        self.reading.examples.append(
            LabelledText(
                id=identity,
                language=self._language,
                document=document,
                text=cells["text"],
                pair=cells.get("pair", ""),
                label=label,
            )
        )
        return True

    def done(self, files: Sequence[Path]) -> Reading:
        """Return the reading.

        Raises:
            DataError: there is no example; says so if labels are what is missing.
        """
        reading = self.reading
        reading.repaired = +reading.repaired  # only what happened
        if not reading.examples:
            names = ", ".join(map(str, files)) or "no file"
            if reading.dropped[NO_LABEL]:
                count = reading.dropped[NO_LABEL]
                raise DataError(f"{names}: none of {count} rows has a label; {self._instead}")
            why = ", ".join(f"{reason}: {count}" for reason, count in reading.dropped.items())
            raise DataError(f"{names}: no examples ({why or 'no rows'}); expected labelled texts")
        return reading


def undo_quoting(rows: Iterable[dict[str, str]]) -> int:
    """Undo CSV quoting if all cells that could have it do; return the number of rows changed."""
    found = [
        (cells, role) for cells in rows for role in TEXTS if role in cells and '"' in cells[role]
    ]
    doubled = any('""' in cells[role][1:-1] for cells, role in found)
    if not doubled or not all(_is_quoted(cells[role]) for cells, role in found):
        return 0
    for cells, role in found:
        cells[role] = cells[role][1:-1].replace('""', '"')
    return len({id(cells) for cells, _ in found})


def _is_quoted(cell: str) -> bool:
    """Whether a cell with a quotation mark is as a CSV writer writes it."""
    ends = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return ends and '"' not in cell[1:-1].replace('""', "")


def string_cell(path: Path, number: int, row: Mapping[str, Any], key: str) -> str:
    """Return ``row[key]`` of a JSON line: as `text_cell`, but it may be blank.

    Raises:
        DataError: it is missing, not a string, or cannot be written as UTF-8.
    """
    value = row.get(key)
    if isinstance(value, str) and not value.strip():
        return ""
    return text_cell(path, number, row, key)
