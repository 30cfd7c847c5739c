"""A registry maps names to values, refuses duplicates and suggests near names."""

from typing import Generic, TypeVar

from midway.errors import UsageError, suggest

T = TypeVar("T")


class Registry(Generic[T]):
    """Named values of one kind; `noun` is what an error message calls them."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._values: dict[str, T] = {}

    def register(self, name: str, value: T) -> T:
        """Add `value` under `name`.

        Raises:
            ValueError: the name is taken; two modules claim it, which is a programming error.
        """
        if name in self._values:
            raise ValueError(f"two {self._noun}s are called {name!r}")
        self._values[name] = value
        return value

    def get(self, name: str) -> T:
        """Return the value called `name`.

        Raises:
            UsageError: there is none; the message names the nearest one.
        """
        if name not in self._values:
            known = ", ".join(self.names())
            raise UsageError(
                f"unknown {self._noun} {name!r}.{suggest(name, self._values)} Known: {known}"
            )
        return self._values[name]

    def names(self) -> list[str]:
        """Return all names in alphabetical order."""
        return sorted(self._values)
