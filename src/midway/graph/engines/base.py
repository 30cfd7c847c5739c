"""What the runner asks of an engine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from midway.graph.execute import Result
from midway.graph.stage import Progress, Stage


@dataclass(frozen=True)
class Listener:
    """What an engine calls while stages run."""

    started: Callable[[Stage], None]
    progressed: Callable[[Stage, Progress], None]
    notice: Callable[[str], None]
    stopping: Callable[[], bool]


class Engine(Protocol):
    """Executes up to `capacity` stages at a time."""

    @property
    def capacity(self) -> int:
        """How many stages can run at once."""

    def submit(self, stage: Stage) -> None:
        """Begin to execute `stage`; its inputs are in the store."""

    def wait(self, seconds: float) -> list[tuple[Stage, Result]]:
        """Return what has ended; after `seconds` at the latest if nothing has."""

    def stop(self) -> None:
        """Ask everything that runs to stop soon."""

    def kill(self) -> None:
        """End everything that runs at once."""

    def close(self) -> None:
        """Release processes."""
