"""Everything that can go wrong, drawn once.

MidwayError
├── UsageError     a command line that cannot be understood                exit code 2
├── StudyError     a study file that is wrong                              exit code 2
├── DataError      data that are missing or damaged; names file and line   exit code 2
├── EncoderError   an encoder that cannot be found, read or trusted        exit code 2
├── StoreError     a store that cannot be read, written or believed        exit code 1
└── StageError     a stage that failed while it ran                        exit code 1

Each message is one line: what was found, what was expected, what to do next.
"""

import difflib
from collections.abc import Iterable


class MidwayError(Exception):
    """Root of all errors that a user can cause or meet."""

    exit_code = 2


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


def suggest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
