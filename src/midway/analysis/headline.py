"""The first sentence of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from midway.analysis.gains import Average
from midway.analysis.stages import Progress
from midway.analysis.wording import MIXED, NO, YES, how_many, name_targets, points


@dataclass(frozen=True, slots=True)
class Standing:
    """What a study has, whatever its numbers are.

    Attributes:
        progress: how many evaluations are scored.
        leaks: training texts found in evaluation data.
        intermediates: names, also of those not scored yet.
        trained: trained targets with at least one score.
        baseline: those of them that the baseline is scored on.
        started: those of them that some intermediate is scored on.
        untrained: targets that are never trained, with at least one score.
        collapsed: training runs that collapsed at least once.
        stopped: intermediates that successive halving stopped, and why.
        waiting: evaluations that wait for a choice of successive halving.
    """

    progress: Progress
    leaks: Sequence[Mapping[str, Any]]
    intermediates: tuple[str, ...]
    trained: tuple[str, ...]
    baseline: tuple[str, ...]
    started: tuple[str, ...]
    untrained: tuple[str, ...]
    collapsed: Sequence[Mapping[str, Any]] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    waiting: int = 0


def untested(standing: Standing) -> str:
    """Say why a study has no mean gain on trained targets."""
    if not standing.intermediates:
        return "This study has no intermediate: it shows what the encoder scores without one."
    if not standing.trained:
        return "No trained target was scored, so whether intermediate training helps is not tested."
    if not standing.started:
        return (
            "On trained targets only the baseline has been scored, so whether intermediate "
            "training helps is not tested."
        )
    if not standing.baseline:
        return (
            "The baseline has not been scored on a trained target, so whether intermediate "
            "training helps is not tested."
        )
    return (
        "No intermediate has been scored on every trained target beside the baseline, so whether "
        "intermediate training helps cannot be told."
    )


def in_a_sentence(answer: str, averages: Sequence[Average]) -> str:
    """Say what intermediate training does to the mean of trained targets."""
    ordered = best_first(averages)
    up = [row for row in ordered if row.mean.interval.sign > 0]
    down = [row for row in ordered if row.mean.interval.sign < 0]
    where, total = name_targets(ordered[0].targets), len(ordered)
    if answer == YES:
        most = f"{up[0].intermediate} by {abs(up[0].mean.interval.estimate):.1f} points"
        many = how_many(len(up), total, "raise")
        most = f"{most} most of all" if len(up) > 1 else most
        return f"Intermediate training helps here: {many} the score on {where}, {most}."
    if answer == NO:
        least = f"{down[0].intermediate} by {abs(down[0].mean.interval.estimate):.1f} points"
        least = f"{least} least of all" if len(down) > 1 else least
        many = how_many(len(down), total, "lower")
        return f"Intermediate training hurts here: {many} the score on {where}, {least}."
    if answer == MIXED:
        gain, loss = up[0].mean.interval.estimate, abs(down[-1].mean.interval.estimate)
        return (
            f"It depends on the intermediate: on {where}, {up[0].intermediate} adds {gain:.1f} "
            f"points and {down[-1].intermediate} costs {loss:.1f}."
        )
    best = ordered[0]
    others = f"; {how_many(len(down), total, 'lower')} the score" if down else ""
    return (
        f"This study cannot tell whether intermediate training helps: on {where} the best is "
        f"{best.intermediate} with {points(best.mean.interval.estimate)} points, and its interval "
        f"includes zero{others}."
    )


def best_first(averages: Sequence[Average]) -> list[Average]:
    """Order by gain, the largest first."""
    return sorted(averages, key=lambda row: -row.mean.interval.estimate)
