"""The steps of a training stage: planned the same way by training and by the budgets."""

from collections.abc import Sequence

from midway.stages.specs import TrainSpec
from midway.train.schedule import Step, plan_steps

UNITS = ("examples", "tokens", "updates")  # of budgets
# Examples and tokens of a check for collapse, at most (at least 20 examples).
SAMPLE_EXAMPLES, SAMPLE_TOKENS = 200, 12_000
TOLERANCE = 0.01  # by which budgets that are compared may differ


def planned_steps(spec: TrainSpec, sizes: Sequence[int]) -> list[Step]:
    """All optimiser steps of a training stage.

    Args:
        spec: of the stage.
        sizes: items of each entry (`midway.families.family.Items`).
    """
    return plan_steps(
        sizes,
        [entry.weight for entry in spec.entries],
        spec.sampling,
        batch_size=spec.recipe.batch_size,
        epochs=spec.recipe.epochs,
        seed=spec.seed,
        batch_sizes=[entry.batch_size for entry in spec.entries],
    )
