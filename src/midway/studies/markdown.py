"""Markdown from text that somebody else wrote: nothing in it becomes markup."""

import re
from collections.abc import Iterator, Sequence

Lines = Iterator[str]


def escape(value: object) -> str:
    """One line of plain text, also inside a table."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$!&])", r"\\\1", " ".join(str(value).split()))


def code(value: object) -> str:
    """One line set as code, whatever is in it."""
    text = " ".join(str(value).split())
    ticks = "`" * (_longest_run(text) + 1)
    return f"{ticks}{text}{ticks}" if len(ticks) == 1 else f"{ticks} {text} {ticks}"


def fenced(language: str, text: str) -> Lines:
    """A block of code, whatever is in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    yield from (f"{fence}{language}", text, fence, "")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Lines:
    """A table of cells that are Markdown already."""
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
