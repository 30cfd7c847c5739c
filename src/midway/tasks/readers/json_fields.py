"""Fields of nested JSON, checked one by one; errors say where they stand and what was expected."""

from typing import Any, TypeVar

from midway.errors import DataError

T = TypeVar("T", str, int, list[Any], dict[str, Any])

_NAMES = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}


def field(place: str, parent: Any, key: str, kind: type[T]) -> T:
    r"""Return ``parent[key]`` if it is of type `kind`.

    Args:
        place: where `parent` stands, for messages: ``file:line`` or ``file: path in the document``.
        parent: what should be a JSON object.
        key: its key.
        kind: ``str``, ``int``, ``list`` or ``dict``. True and False are no whole numbers.

    Raises:
        DataError: `parent` is no object, the key is missing or of another type, or a string
            cannot be written as UTF-8 (``\ud800``).
    """
    if not isinstance(parent, dict):
        raise DataError(
            f"{place}: of type {type(parent).__name__}, expected an object with {key!r}"
        )
    value = parent.get(key)
    if type(value) is not kind:
        found = "is missing" if value is None else f"is of type {type(value).__name__}"
        raise DataError(f"{place}: {key!r} {found}, expected {_NAMES[kind]}")
    if isinstance(value, str):
        written(place, key, value)
    return value


def strings(place: str, parent: Any, key: str) -> list[str]:
    """Return ``parent[key]`` if it is a list of strings.

    Raises:
        DataError: as `field`, or one of them is no string.
    """
    values: list[Any] = field(place, parent, key, list)
    for value in values:
        if not isinstance(value, str):
            raise DataError(
                f"{place}: {key!r} holds a value of type {type(value).__name__}, expected strings"
            )
        written(place, key, value)
    return values


def integers(place: str, parent: Any, key: str) -> list[int]:
    """Return ``parent[key]`` if it is a list of whole numbers.

    Raises:
        DataError: as `field`, or one of them is no whole number.
    """
    values: list[Any] = field(place, parent, key, list)
    for value in values:
        if type(value) is not int:
            raise DataError(f"{place}: {key!r} holds {value!r:.30}, expected whole numbers")
    return values


def written(place: str, key: str, value: str) -> None:
    """Raise DataError if `value` cannot be written as UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"{place}: {key!r} holds half a surrogate pair; fetch the file again"
        ) from error
