"""Progress on stderr: live bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from midway.graph.observer import Observer
from midway.graph.stage import Progress as StageProgress
from midway.graph.stage import Stage

_LINE_SECONDS = 10.0
_SHOWN_FACTS = 3


def stderr_console() -> Console:
    """Return the console for progress and notices."""
    return Console(stderr=True, highlight=False)


@contextmanager
def counting(text: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr; call what it gives with how many of how many are done."""
    console = stderr_console()
    columns = (TextColumn(text), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def name_of(stage: Stage) -> str:
    """Return what people call `stage`."""
    return stage.label or f"{stage.kind.name} {stage.key[:12]}"


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``4 s``, ``3 min 20 s``, ``1 h 5 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


class Pace:
    """Speed of one running stage and the time it has left."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._first: StageProgress | None = None
        self.last: StageProgress | None = None

    def describe(self, progress: StageProgress) -> str:
        """Return speed, facts and time left, e.g. ``3,100 tokens/s · loss 1.23 · 40 s left``."""
        now = time.monotonic()
        if self._first is None:
            # A stage may continue from a checkpoint: only what is done since counts as speed.
            self._first, self._begin = progress, now
        self.last = progress
        parts = [f"{name} {value}" for name, value in list(progress.facts.items())[:_SHOWN_FACTS]]
        done, elapsed = progress.done - self._first.done, now - self._begin
        if done > 0 and elapsed > 0:
            speed = done / elapsed
            parts.insert(0, f"{speed:,.0f} {progress.unit}/s")
            parts.append(f"{duration((progress.total - progress.done) / speed)} left")
        return " · ".join(parts)


class PlainProgress:
    """A line when a stage begins and ends, and every ten seconds between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._paces: dict[str, Pace] = {}
        self._spoke: dict[str, float] = {}
        self._total = self._ended = self._cached = 0

    def __enter__(self) -> "PlainProgress":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def planned(self, total: int) -> None:
        """See `Observer`."""
        if total != self._total:
            self._total = total
            self.notice(f"{total} stages to compute, {self._cached} in the store")

    def started(self, stage: Stage) -> None:
        """See `Observer`."""
        self._paces[stage.key] = Pace()
        self._spoke[stage.key] = time.monotonic()
        self._say(stage, "started")

    def progressed(self, stage: Stage, progress: StageProgress) -> None:
        """See `Observer`."""
        text = self._paces.setdefault(stage.key, Pace()).describe(progress)
        if time.monotonic() - self._spoke.get(stage.key, 0.0) >= _LINE_SECONDS:
            self._spoke[stage.key] = time.monotonic()
            share = f"{progress.done:,}/{progress.total:,} {progress.unit}"
            self._say(stage, f"{share} · {text}" if text else share)

    def finished(self, stage: Stage, seconds: float, facts: Mapping[str, Any]) -> None:
        """See `Observer`."""
        self._ended += 1
        self._say(stage, f"done in {duration(seconds)}")

    def cached(self, stage: Stage) -> None:
        """See `Observer`."""
        self._cached += 1

    def failed(self, stage: Stage, error: str) -> None:
        """See `Observer`."""
        self._ended += 1
        self._say(stage, f"FAILED: {error}")

    def notice(self, text: str) -> None:
        """See `Observer`."""
        self._console.print(text, markup=False, soft_wrap=True)

    def _say(self, stage: Stage, text: str) -> None:
        self.notice(f"[{self._ended}/{self._total}] {name_of(stage)}: {text}")


class LiveProgress:
    """All stages in one bar, and a bar for each that runs; what failed scrolls by above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._paces: dict[str, Pace] = {}
        self._tasks: dict[str, TaskID] = {}
        self._overall = Progress(
            TextColumn("[bold]stages"), BarColumn(), MofNCompleteColumn(), console=console
        )
        self._stages = Progress(
            TextColumn("{task.description}", table_column=Column(ratio=2, no_wrap=True)),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}", table_column=Column(ratio=3, no_wrap=True)),
            console=console,
            expand=True,
        )
        self._all = self._overall.add_task("stages", total=None)
        self._live = Live(
            Group(self._overall, self._stages),
            console=console,
            refresh_per_second=8,
            transient=True,
        )

    def __enter__(self) -> "LiveProgress":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def planned(self, total: int) -> None:
        """See `Observer`."""
        self._overall.update(self._all, total=total)

    def started(self, stage: Stage) -> None:
        """See `Observer`."""
        self._paces[stage.key] = Pace()
        name = escape(name_of(stage))
        self._tasks[stage.key] = self._stages.add_task(name, total=None, text="")

    def progressed(self, stage: Stage, progress: StageProgress) -> None:
        """See `Observer`."""
        if stage.key not in self._tasks:
            self.started(stage)
        text = escape(self._paces[stage.key].describe(progress))
        total = max(progress.total, 1)
        task = self._tasks[stage.key]
        self._stages.update(task, completed=progress.done, total=total, text=text)

    def finished(self, stage: Stage, seconds: float, facts: Mapping[str, Any]) -> None:
        """See `Observer`."""
        self._end(stage)
        self._console.print(
            f"[green]✓[/green] {escape(name_of(stage))} [dim]{duration(seconds)}[/dim]"
        )

    def cached(self, stage: Stage) -> None:
        """See `Observer`."""

    def failed(self, stage: Stage, error: str) -> None:
        """See `Observer`."""
        self._end(stage)
        self._console.print(
            f"[red]✗ {escape(name_of(stage))}: {escape(error)}[/red]", soft_wrap=True
        )

    def notice(self, text: str) -> None:
        """See `Observer`."""
        self._console.print(f"[yellow]{escape(text)}[/yellow]", soft_wrap=True)

    def _end(self, stage: Stage) -> None:
        task = self._tasks.pop(stage.key, None)
        if task is not None:
            self._stages.remove_task(task)
        self._overall.advance(self._all)


def progress_observer(console: Console | None = None) -> LiveProgress | PlainProgress:
    """Return the observer for `console` (stderr by default), to be used in a ``with`` block."""
    console = console or stderr_console()
    observer = LiveProgress(console) if console.is_terminal else PlainProgress(console)
    _conforms: Observer = observer
    return observer
