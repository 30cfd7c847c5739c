"""Everything that can go wrong, drawn once.

MidwayError
├── UsageError     a command line that cannot be understood                exit code 2
├── StudyError     a study file that is wrong                              exit code 2
├── DataError      data that are missing or damaged; names file and line   exit code 2
├── EncoderError   an encoder that cannot be found, read or trusted        exit code 2
├── StoreError     a store that cannot be read, written or believed        exit code 1
└── StageError     a stage that failed while it ran                        exit code 1

Each message is one line: what was found, what was expected, what to do next. Whatever data it
quotes, the line is kept short and holds nothing that a terminal would obey.
"""

import difflib
from collections.abc import Iterable

_LONGEST, _END = 1500, 500  # characters of a message; of its end, which says what to do


class MidwayError(Exception):
    """Root of all errors that a user can cause or meet."""

    exit_code = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message))


class UsageError(MidwayError):
    """The command line asks for something that does not exist."""


class StudyError(MidwayError):
    """The study file is wrong."""


class DataError(MidwayError):
    """Data are missing, truncated or malformed."""


class EncoderError(MidwayError):
    """An encoder cannot be found or read."""


class StoreError(MidwayError):
    """The store cannot be read or written, or an artefact is damaged."""

    exit_code = 1


class StageError(MidwayError):
    """A stage failed while it ran."""

    exit_code = 1


def one_line(text: str) -> str:
    """Return `text` in one line, its middle left out if it is very long.

    Line ends and tabs become spaces; escape sequences of terminals, half surrogate pairs and signs
    that turn the direction of writing become what Python writes for them.
    """
    if not text.isprintable():
        text = " ".join(text.split("\n")) if "\n" in text else text
        text = "".join(c if c.isprintable() else " " if c in "\t\r" else _escaped(c) for c in text)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - _END]} … {text[-_END:]}"
    return text


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
