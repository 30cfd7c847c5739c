"""Which weights a training stage keeps: the last, the best by validation, or a mean of some.

Validation scores are taken every few steps and after the last one. What is kept so far goes into
the checkpoint, so that an interrupted stage keeps the same weights as an undisturbed one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from midway.train.recipe import Selection

TENTHS = 10


@dataclass
class Keeper:
    """Validates at its steps and keeps weights by the rule.

    Attributes:
        selection: the rule.
        steps: of the whole stage.
        history: (steps done, validation score) of every validation so far.
        kept: steps whose weights are kept, or in the mean.
        tensors: the best weights, or the sum of those in the mean, one per parameter.
    """

    selection: Selection
    steps: int
    history: list[tuple[int, float]] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    tensors: list[torch.Tensor] = field(default_factory=list)

    @cached_property
    def _before_the_end(self) -> range:
        if self.selection.rule == "last" and not self.selection.every:
            return range(0)
        every = self.selection.every or max(1, self.steps // TENTHS)
        return range(every, self.steps, every)

    def due(self, done: int) -> bool:
        """Whether the model is validated after `done` steps; always after the last."""
        return done == self.steps or done in self._before_the_end

    def take(self, done: int, score: float, parameters: Sequence[torch.Tensor]) -> bool:
        """Note a score and keep the weights if the rule says so; returns whether to go on."""
        best = max((old for _, old in self.history), default=float("-inf"))
        self.history.append((done, score))
        if self.selection.rule == "best" and score > best:
            self.tensors = [p.detach().clone() for p in parameters]
            self.kept = [done]
        elif self.selection.rule == "average" and self._among_the_last(done):
            if not self.tensors:
                self.tensors = [torch.zeros_like(p) for p in parameters]
            for total, parameter in zip(self.tensors, parameters, strict=True):
                total += parameter.detach()
            self.kept.append(done)
        patience = self.selection.patience
        return not patience or self._without_gain() < patience

    def _among_the_last(self, done: int) -> bool:
        """Whether a validation is one of the last `keep`."""
        return done in [*self._before_the_end, self.steps][-self.selection.keep :]

    def _without_gain(self) -> int:
        scores = [score for _, score in self.history]
        return len(scores) - 1 - scores.index(max(scores))

    def finish(self, parameters: Sequence[torch.Tensor]) -> list[int]:
        """Put the kept weights into the model; returns the steps they come from, [] if the last."""
        if not self.kept:  # the rule `last`, or training diverged before the first was kept
            return []
        with torch.no_grad():
            for parameter, tensor in zip(parameters, self.tensors, strict=True):
                parameter.copy_(tensor / len(self.kept))
        return self.kept

    def state(self) -> dict[str, list[object]]:
        """What a checkpoint notes besides the tensors."""
        return {"history": [list(point) for point in self.history], "kept": list(self.kept)}

    def restore(self, state: Mapping[str, list[list[float]]], tensors: list[torch.Tensor]) -> None:
        """Go on from a checkpoint."""
        self.history = [(int(done), float(score)) for done, score in state["history"]]
        self.kept = [int(str(done)) for done in state["kept"]]
        self.tensors = tensors
