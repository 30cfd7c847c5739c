"""Every number that the analysis states is one linear function of the scores, with an interval.

A `Term` is a coefficient times the mean of a target's scores over some languages; a quantity is a
sum of terms; a comparison weighs systems (1 for an intermediate, -1 for the baseline). Gains, means
over targets, low-resource minus high-resource, and the contrast of contrasts are all of this form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midway.analysis.cube import Cube
from midway.analysis.results import BASELINE
from midway.canonical import digest
from midway.stats import (
    Interval,
    detectable,
    p_value,
    resample_weights,
    seed_error,
    summarise,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient` times the mean over `languages` of the scores in `cube`."""

    cube: Cube
    languages: tuple[str, ...]
    coefficient: float = 1.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """An interval and the value for each seed.

    Attributes:
        interval: over the seeds that all weighted systems have.
        per_seed: seed → value.
        p: two-sided p-value of a difference between two systems (`midway.stats.permutation`); None
            where languages are resampled, or more than two systems are weighed.
        q: adjusted for all tests of its kind (`midway.analysis.tests`); None until then.
    """

    interval: Interval
    per_seed: Mapping[int, float]
    p: float | None = None
    q: float | None = None

    @property
    def detectable(self) -> float:
        """The true gain that such a study finds in 80 of 100 cases, in points."""
        return detectable(self.interval)


def mean_over(
    cubes: Sequence[Cube], languages: Mapping[str, tuple[str, ...]] | None = None, sign: float = 1
) -> tuple[Term, ...]:
    """Return the mean over targets of the mean over languages.

    Args:
        cubes: targets, each with equal weight.
        languages: target → its languages; all if not given. Targets with none are left out.
        sign: -1 to subtract the mean.
    """
    chosen = {
        cube.target: cube.languages if languages is None else languages.get(cube.target, ())
        for cube in cubes
    }
    used = [cube for cube in cubes if chosen[cube.target]]
    return tuple(Term(cube, chosen[cube.target], sign / len(used)) for cube in used)


def estimate(
    terms: Sequence[Term],
    weights: Mapping[str, float],
    *,
    rng: np.random.Generator,
    over_languages: bool = False,
) -> Estimate | None:
    """Estimate a weighted sum of systems of a sum of terms.

    Args:
        terms: what is measured; all cubes must have the same number of resamples.
        weights: system → weight; weights that add up to zero make a paired difference.
        rng: its seed counts, not its state: a quantity asked for twice has the same interval.
        over_languages: resample the languages within each term too.

    Returns:
        None when there is no term, or no seed that all these systems have in all targets.
    """
    if not terms:
        return None
    targets = {term.cube.target: term.cube for term in terms}.values()
    seeds = _common_seeds(list(targets), [name for name, weight in weights.items() if weight])
    if not seeds:
        return None
    whole = set.intersection(*(_scored(cube, seeds) for cube in targets))
    systems = [
        name
        for name in dict.fromkeys(system for cube in targets for system in cube.systems)
        if weights.get(name) or name in whole
    ]
    rng = _own_stream(rng, terms, weights, over_languages)
    resamples = terms[0].cube.resamples
    values = np.zeros((len(systems), len(seeds)))
    replicates = np.zeros(resamples)
    vector, noise = np.array([weights.get(name, 0.0) for name in systems]), 0.0
    for term in terms:
        rows = _places(term.cube.systems, systems)
        columns = _places(term.cube.languages, term.languages)
        picks = _places(term.cube.seeds, seeds)
        values += term.coefficient * term.cube.values[np.ix_(rows, picks, columns)].mean(axis=2)
        drawn: Floats | None = None
        if over_languages:
            drawn = resample_weights(len(columns), resamples=resamples, rng=rng).T.copy()
        for row, weight in zip(rows, vector.tolist(), strict=True):
            if not weight:
                continue
            scores, doubt = term.cube.over_seeds(row, tuple(picks))
            scores = scores if len(columns) == len(scores) else scores[columns]
            macro = scores.mean(axis=0) if drawn is None else _weighted(scores, drawn)
            replicates += term.coefficient * weight * macro
            share = term.coefficient * weight / len(columns)
            noise += share**2 * float(doubt[columns].sum())
    trained = any(cube.trained for cube in targets)
    fixed = np.array([name == BASELINE and not trained for name in systems])
    by_seed, error = vector @ values, seed_error(values, vector, fixed=fixed, noise=noise)
    mean = float(by_seed.mean())
    interval = summarise(mean, replicates, seeds=len(seeds), error=error, rng=rng)
    swapped = None if over_languages else _swapped(terms, weights, seeds)
    p = None if swapped is None else p_value(mean, swapped, error, rng=rng)
    return Estimate(interval, dict(zip(seeds, by_seed.tolist(), strict=True)), p)


def _swapped(
    terms: Sequence[Term], weights: Mapping[str, float], seeds: Sequence[int]
) -> Floats | None:
    """The difference of two systems with examples swapped; None if this was not prepared."""
    names = sorted((weight, name) for name, weight in weights.items() if weight)
    if [weight for weight, _ in names] != [-1.0, 1.0]:
        return None
    (_, second), (_, first) = names
    total = np.zeros(terms[0].cube.resamples)
    for term in terms:
        cube = term.cube
        for pair in ((first, second), (second, first)):  # swapping is symmetric
            if pair in cube.pairs and cube.paired(pair) == tuple(seeds):
                row = cube.pairs[pair]
                break
        else:
            return None
        columns = _places(cube.languages, term.languages)
        mean = sum(cube.swapped[column][row] for column in columns) / len(columns)
        total += term.coefficient * mean
    return total


def _own_stream(
    rng: np.random.Generator,
    terms: Sequence[Term],
    weights: Mapping[str, float],
    over_languages: bool,
) -> np.random.Generator:
    """A generator that depends on the seed of `rng` and on what is estimated."""
    asked = [(term.cube.target, list(term.languages), float(term.coefficient)) for term in terms]
    used = {name: float(weight) for name, weight in weights.items() if weight}
    key = digest([asked, used, over_languages])
    sequence = rng.bit_generator.seed_seq
    entropy = getattr(sequence, "entropy", 0)
    return np.random.default_rng([int(key[:16], 16), int(entropy or 0)])


def _weighted(scores: Floats, weights: Floats) -> Floats:
    """Sum over languages of two ``[language, resample]`` arrays' product."""
    total: Floats = np.einsum("lr,lr->r", scores, weights)
    return total


def _common_seeds(cubes: Sequence[Cube], systems: Sequence[str]) -> tuple[int, ...]:
    """Return the seeds for which all `systems` were scored in all `cubes`."""
    if any(name not in cube.systems for cube in cubes for name in systems):
        return ()
    shared = set.intersection(*(set(cube.seeds) for cube in cubes))
    return tuple(
        seed
        for seed in sorted(shared)
        if all(
            cube.complete[cube.systems.index(name), cube.seeds.index(seed)]
            for cube in cubes
            for name in systems
        )
    )


def _scored(cube: Cube, seeds: Sequence[int]) -> set[str]:
    """The systems that were scored with all `seeds`."""
    complete = cube.complete[:, _places(cube.seeds, seeds)]
    return {name for name, row in zip(cube.systems, complete, strict=True) if row.all()}


def _places(among: Sequence[Any], wanted: Sequence[Any]) -> list[int]:
    """Where each of `wanted` is in `among`."""
    place = {item: number for number, item in enumerate(among)}
    return [place[item] for item in wanted]
