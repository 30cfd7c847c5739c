"""All that advice rests on, as tables of candidates and targets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midway.advice.pairs import QUANTITIES, Data, Probe, before, quantities, standard
from midway.analysis.results import BASELINE
from midway.errors import StudyError

Floats = NDArray[np.float64]
Gains = Mapping[tuple[str, str], tuple[float, float]]
"""(intermediate, target) → measured gain and its standard error, in points."""
HALF_WIDTH = 1.96  # standard errors on either side, in a normal variable's 95 % interval
PROBED = ("log_me", "h_score", "nearest")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of every candidate on every target.

    Attributes:
        candidates: intermediates, in the study's order: the rows.
        targets: trained targets, also of other studies: the columns.
        gains: measured gains in points, ``[rows, columns]``; NaN where there is none.
        errors: their standard errors.
        quantities: name → ``[rows, columns]`` (`midway.advice.pairs`), NaN for targets of other
            studies; ``before`` is their mean, ``log_me``, ``h_score`` and ``nearest`` are there
            for targets on which every candidate was probed.
        sizes: training examples of each candidate.
        tasks: tasks of each candidate.
    """

    candidates: tuple[str, ...]
    targets: tuple[str, ...]
    gains: Floats
    errors: Floats
    quantities: Mapping[str, Floats]
    sizes: tuple[int, ...]
    tasks: tuple[tuple[str, ...], ...]

    def told(self, name: str, column: int) -> Floats | None:
        """A quantity on one target, centred and scaled; None where it is not known."""
        values = self.quantities[name][:, column]
        return None if np.isnan(values).any() else standard(values.tolist())

    @property
    def measured(self) -> Floats:
        """How many gains there are on each target."""
        counts: Floats = (~np.isnan(self.gains)).sum(axis=0)
        return counts


def gather(
    intermediates: Mapping[str, Data],
    targets: Mapping[str, Data],
    probes: Mapping[tuple[str, str], Probe],
    gains: Gains,
) -> Evidence:
    """Lay out what is known.

    Args:
        intermediates: candidates.
        targets: trained targets of the study.
        probes: (model, target) → how its features tell the target's labels apart.
        gains: measured ones, also on targets of other studies.

    Raises:
        StudyError: there is nothing to choose from.
    """
    if not intermediates or not targets:
        raise StudyError(
            f"found {len(intermediates)} intermediates and {len(targets)} trained targets; advice "
            "needs at least one of each, add them to the study file"
        )
    rows = tuple(intermediates)
    others = (target for name, target in gains if name in intermediates and target not in targets)
    columns = tuple(dict.fromkeys((*targets, *others)))
    shape = len(rows), len(columns)
    table, errors = np.full(shape, np.nan), np.full(shape, np.nan)
    for (name, target), (gain, error) in gains.items():
        if name in intermediates:
            place = rows.index(name), columns.index(target)
            table[place], errors[place] = gain, error
    found = {name: np.full(shape, np.nan) for name in (*QUANTITIES, "before", *PROBED)}
    for column, (target, data) in enumerate(targets.items()):
        pairs = [quantities(intermediates[name], data) for name in rows]
        for name in QUANTITIES:
            found[name][:, column] = [pair[name] for pair in pairs]
        found["before"][:, column] = before(pairs)
        for row, name in enumerate(rows):
            for score in PROBED:
                found[score][row, column] = _gained(probes, name, target, score)
    return Evidence(
        candidates=rows,
        targets=columns,
        gains=table,
        errors=errors,
        quantities=found,
        sizes=tuple(data.examples for data in intermediates.values()),
        tasks=tuple(data.tasks for data in intermediates.values()),
    )


def _gained(probes: Mapping[tuple[str, str], Probe], name: str, target: str, score: str) -> float:
    """By how much a trained intermediate tells labels apart better than the pretrained encoder."""
    after, was = probes.get((name, target)), probes.get((BASELINE, target))
    if after is None or was is None:
        return float("nan")
    return float(getattr(after, score) - getattr(was, score))


def merged(tables: Iterable[Gains]) -> Gains:
    """Gains of several studies; of one pair, the mean weighted by precision.

    Errors below a hundredth of a point count as one, as in `midway.stats.mixed`.
    """
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for table in tables:
        for pair, (gain, error) in table.items():
            weight = 1 / max(error, 0.01) ** 2
            total, weights = sums.get(pair, (0.0, 0.0))
            sums[pair] = total + weight * gain, weights + weight
    return {pair: (total / weights, weights**-0.5) for pair, (total, weights) in sums.items()}
