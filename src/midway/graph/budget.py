"""What a run may use: seconds on the clock, or training tokens. Never in a key.

1. No stage is started that is expected to need more than is left; one that runs is never killed.
2. What a stage needs is the plan's estimate, times what the finished stages of its kind took over
   what was estimated for them.
3. Of tokens, only training uses any: what is trained is always evaluated.
"""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from midway.errors import UsageError
from midway.graph.stage import Stage

_UNITS = {"s": 1, "m": 60, "h": 3600, "tok": 1, "ktok": 1e3, "Mtok": 1e6, "Gtok": 1e9}


class Budget:
    """The budget of one run, and what is left of it."""

    def __init__(self, text: str, seconds_of: Callable[[Stage], float]) -> None:
        """Begin to count now.

        Args:
            text: ``90s``, ``30m``, ``2h`` on the clock, or training tokens: ``500ktok``, ``5Mtok``.
            seconds_of: estimate for a stage.

        Raises:
            UsageError: `text` is none of these.
        """
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)", text.strip())
        if found is None or found[2] not in _UNITS:
            raise UsageError(
                f"--budget is {text!r}; expected seconds, minutes or hours such as 90s, 30m or 2h, "
                "or training tokens such as 500ktok or 5Mtok"
            )
        self.text = text.strip()
        self.amount = float(found[1]) * _UNITS[found[2]]
        self._tokens = found[2].endswith("tok")
        self._seconds_of = seconds_of
        self._began = time.monotonic()
        self._spent: dict[str, float] = {}  # tokens by key; expected ones while a stage runs
        # By kind: what finished stages were estimated to need, and what they needed.
        self._finished: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    @property
    def left(self) -> float:
        """Seconds or tokens that are left."""
        spent = sum(self._spent.values()) if self._tokens else time.monotonic() - self._began
        return self.amount - spent

    def needs(self, stage: Stage) -> float:
        """Seconds or tokens that `stage` is expected to use."""
        estimated, used = self._finished[stage.kind.name]
        return self._estimate(stage) * (used / estimated if estimated else 1.0)

    def allows(self, stage: Stage) -> bool:
        """Whether `stage` may be started now."""
        needs, left = self.needs(stage), self.left
        return 0 < left >= needs or (self._tokens and not needs)

    def started(self, stage: Stage) -> None:
        """A stage begins."""
        if self._tokens:
            self._spent[stage.key] = self.needs(stage)

    def ended(self, stage: Stage, seconds: float, facts: Mapping[str, Any] | None) -> None:
        """A stage was computed, or, with None for facts, was not.

        Repeats after a collapse are used up, but not expected of others. Of a stage that went on
        from a checkpoint only a part was done here, from which nothing is learnt.
        """
        reserved = self._spent.pop(stage.key, 0.0)
        if facts is None:
            return
        attempts = len(facts.get("attempts", ())) or 1
        used = seconds
        if self._tokens:
            trained = stage.kind.name == "train"
            used = float(facts.get("tokens", reserved)) * attempts if trained else 0.0
            self._spent[stage.key] = used
        if facts.get("steps_here") == facts.get("steps"):
            totals = self._finished[stage.kind.name]
            totals[0] += self._estimate(stage)
            totals[1] += used / attempts

    def in_words(self, amount: float) -> str:
        """Write seconds or tokens, e.g. ``4 min`` or ``1,200,000 training tokens``."""
        if self._tokens:
            return f"{amount:,.0f} training tokens"
        return f"{amount:,.0f} s" if amount < 120 else f"{amount / 60:,.0f} min"

    def _estimate(self, stage: Stage) -> float:
        if not self._tokens:
            return self._seconds_of(stage)
        return stage.estimate.get("tokens", 0.0) if stage.kind.name == "train" else 0.0
