"""Each target's best intermediate, named by validation data that are never evaluated.

Published gains are often those of the best of many intermediates, chosen by the very score that is
reported (Phang et al. 2020, draft, Table 2: three of nine targets have no development set of their
own). Both choices stand here side by side: the one that a user can make, by the validation score in
the training language, and the one that only the evaluation data allow. Either is a maximum of n,
and a maximum of n equally good ones is above their mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from midway.analysis.cube import Cube
from midway.analysis.estimate import Estimate, Term, estimate
from midway.analysis.gains import against_baseline, score, trained
from midway.analysis.results import BASELINE, ScoredRun


@dataclass(frozen=True, slots=True)
class Best:
    """The best intermediate of one target; gains are over all languages.

    Attributes:
        target: its name.
        validation: mean validation score over seeds of every candidate, the baseline among them.
        chosen: the candidate with the greatest of them.
        gain: of the chosen one; None if it is the baseline.
        by_score: the candidate with the greatest evaluated score: an oracle.
        by_score_gain: its gain; None if it is the baseline.
        regret: evaluated score of the oracle less that of the chosen one, in points.
    """

    target: str
    validation: Mapping[str, float]
    chosen: str
    gain: Estimate | None
    by_score: str
    by_score_gain: Estimate | None
    regret: float


def best_per_target(
    cubes: Sequence[Cube], runs: Sequence[ScoredRun], rng: np.random.Generator
) -> tuple[Best, ...]:
    """Return the best intermediate of every trained target whose runs were all validated."""
    found = []
    for cube in trained(cubes):
        scores = _validation(cube, runs)
        if len(scores) < 2:
            continue
        evaluated = {name: score(cube, name, cube.languages, cube.seeds) for name in scores}
        chosen, by_score = (max(each, key=each.__getitem__) for each in (scores, evaluated))
        found.append(
            Best(
                target=cube.target,
                validation=scores,
                chosen=chosen,
                gain=_gain(cube, chosen, rng),
                by_score=by_score,
                by_score_gain=_gain(cube, by_score, rng),
                regret=evaluated[by_score] - evaluated[chosen],
            )
        )
    return tuple(found)


def _validation(cube: Cube, runs: Sequence[ScoredRun]) -> dict[str, float]:
    """Mean validation score of the systems that have one, and a score, for every seed."""
    scores: dict[str, dict[int, float]] = {}
    for run in runs:
        if run.target == cube.target and run.validation is not None:
            scores.setdefault(run.intermediate, {})[run.seed] = run.validation
    whole = {
        name
        for row, name in enumerate(cube.systems)
        if not np.isnan(cube.values[row]).any() and scores.get(name, {}).keys() == set(cube.seeds)
    }
    return {name: mean(scores[name].values()) for name in cube.systems if name in whole}


def _gain(cube: Cube, name: str, rng: np.random.Generator) -> Estimate | None:
    if name == BASELINE:
        return None
    return estimate([Term(cube, cube.languages)], against_baseline(name), rng=rng)
