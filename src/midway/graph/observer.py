"""What a run tells while it goes on."""

from collections.abc import Mapping
from typing import Any, Protocol

from midway.graph.stage import Progress, Stage


class Observer(Protocol):
    """Hears what a run does."""

    def planned(self, total: int) -> None:
        """`total` stages are to be computed; called again when the number changes."""

    def started(self, stage: Stage) -> None:
        """A stage began."""

    def progressed(self, stage: Stage, progress: Progress) -> None:
        """A running stage got on."""

    def finished(self, stage: Stage, seconds: float, facts: Mapping[str, Any]) -> None:
        """A stage was computed."""

    def cached(self, stage: Stage) -> None:
        """A wanted stage was in the store already, or another run computed it."""

    def failed(self, stage: Stage, error: str) -> None:
        """A stage failed; `error` is one line."""

    def notice(self, text: str) -> None:
        """Something to tell the user in one line."""


class Silent:
    """An observer that tells nothing."""

    def planned(self, total: int) -> None:
        """See `Observer`."""

    def started(self, stage: Stage) -> None:
        """See `Observer`."""

    def progressed(self, stage: Stage, progress: Progress) -> None:
        """See `Observer`."""

    def finished(self, stage: Stage, seconds: float, facts: Mapping[str, Any]) -> None:
        """See `Observer`."""

    def cached(self, stage: Stage) -> None:
        """See `Observer`."""

    def failed(self, stage: Stage, error: str) -> None:
        """See `Observer`."""

    def notice(self, text: str) -> None:
        """See `Observer`."""
