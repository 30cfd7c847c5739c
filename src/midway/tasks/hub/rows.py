"""A row of a Parquet file of the hub, read strictly.

`midway.tasks.readers.parquet` makes rows, the modules ``to_…`` here turn them into examples.
Whatever is not as expected is a `DataError` that says which column; the reader adds file and row.
A column inside another one is named with a dot: ``answers.text``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from midway.errors import DataError, suggest

T = TypeVar("T")


@dataclass(slots=True)
class Row:
    """One row and where it stands.

    Attributes:
        values: column → value; labels of the type ClassLabel are names, or None where a row has
            no label.
        language: the benchmark's code.
        split: train, validation or test.
        number: position from 0 over all files of the split and language, so that it is the same
            in all languages of parallel data.
        part: the hub's name of the split, for a split that is several on the hub.
        repaired: to count what was put right, by reason.
    """

    values: Mapping[str, Any]
    language: str
    split: str
    number: int
    part: str = ""
    repaired: Counter[str] = field(default_factory=Counter)

    def count(self, reason: str, number: int) -> None:
        """Count what was put right."""
        if number:
            self.repaired[reason] += number

    def value(self, column: str) -> Any:
        """Return what stands in `column`.

        Raises:
            DataError: there is no such column.
        """
        found: Any = self.values
        for name in column.split("."):
            if not isinstance(found, Mapping) or name not in found:
                known = list(found) if isinstance(found, Mapping) else []
                raise DataError(
                    f"no column {column!r}.{suggest(name, known)} "
                    f"Found: {', '.join(known) or 'nothing'}"
                )
            found = found[name]
        return found

    def text(self, column: str) -> str:
        """Return a string with something in it.

        Raises:
            DataError: it is of another type, or blank.
        """
        value = self.line(column)
        if not value.strip():
            raise DataError(f"{column!r} is blank, expected text")
        return value

    def line(self, column: str) -> str:
        """Return a string, which may be empty.

        Raises:
            DataError: it is of another type.
        """
        return _checked(column, self.value(column), str, "a string")

    def integer(self, column: str) -> int:
        """Return a whole number.

        Raises:
            DataError: it is of another type.
        """
        return _checked(column, self.value(column), int, "a whole number")

    def index(self, column: str, size: int) -> int:
        """Return a whole number that says which of `size` things is meant, from 0.

        Raises:
            DataError: it is of another type, or no such number.
        """
        value = self.integer(column)
        if not 0 <= value < size:
            raise DataError(f"{column!r} is {value}, expected 0 to {size - 1}")
        return value

    def texts(self, column: str) -> tuple[str, ...]:
        """Return a list of strings.

        Raises:
            DataError: it is no list, or not of strings.
        """
        values = _checked(column, self.value(column), list, "a list")
        return tuple(_checked(column, value, str, "strings only") for value in values)

    def integers(self, column: str) -> tuple[int, ...]:
        """Return a list of whole numbers.

        Raises:
            DataError: it is no list, or not of whole numbers.
        """
        values = _checked(column, self.value(column), list, "a list")
        return tuple(_checked(column, value, int, "whole numbers only") for value in values)

    def label(self, column: str, known: Mapping[str, str] | Sequence[str]) -> str | None:
        """Return a label of the card, or None if the row has none.

        Args:
            column: a ClassLabel or a string.
            known: the card's labels, or the publisher's spelling → the card's.

        Raises:
            DataError: it is an integer without a name, or not one of `known`.
        """
        value = self.value(column)
        return None if value is None else name_of(column, value, known)

    def labels(self, column: str, known: Mapping[str, str] | Sequence[str]) -> tuple[str, ...]:
        """Return a list of labels of the card.

        Raises:
            DataError: as `label`, or one of them is missing.
        """
        values = _checked(column, self.value(column), list, "a list")
        return tuple(name_of(column, value, known) for value in values)


def name_of(column: str, value: Any, known: Mapping[str, str] | Sequence[str]) -> str:
    """Return the card's label for `value`.

    Raises:
        DataError: it is an integer without a name, or not one of `known`.
    """
    if isinstance(value, int):
        raise DataError(
            f"{column!r} is {value!r:.20} and the file does not name its labels, whose order is "
            "not guessed; get the publisher's files"
        )
    names = known if isinstance(known, Mapping) else dict(zip(known, known, strict=True))
    if not isinstance(value, str) or value not in names:
        raise DataError(
            f"{column!r} {value!r:.30} is unknown.{suggest(str(value), names)} "
            f"Expected: {' '.join(names)}"
        )
    return names[value]


def _checked(column: str, value: Any, kind: type[T], expected: str) -> T:
    if type(value) is not kind:
        found = "missing" if value is None else f"of type {type(value).__name__}"
        raise DataError(f"{column!r} is {found}, expected {expected}")
    return value
