"""Paired permutation test of differences between scores that are ratios of sums.

1. If two systems are alike, which of them gave which answer to an example is a coin toss. Under
   that hypothesis the two systems' contributions to each example are swapped with probability
   1/2, for all seeds of the example together, since these share its difficulty; the gain is
   computed anew each time (`swapped_gains`). No distribution is assumed, and ratios such as
   entity F1 need no approximation.
2. Swaps say how far the choice of examples moves a gain of *these trained models*. Between seeds
   it moves further: swapped gains are spread as an interval's replicates are
   (`midway.stats.bootstrap.with_seeds`), so that intervals and tests speak of the same thing. With
   one seed nothing is known to add.

Sources: Noreen (1989), Computer-Intensive Methods for Testing Hypotheses, chapter 2; Yeh (2000),
More accurate tests for the statistical significance of result differences, for F1; Phipson and
Smyth (2010), Permutation p-values should never be zero, for the count that includes the data.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midway.stats.bootstrap import Floats, SeedError, with_seeds

Pairs = Sequence[tuple[Sequence[int], Sequence[int]]]


def swapped_gains(
    numerators: Floats,
    denominators: Floats,
    pairs: Pairs,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> Floats:
    """Gains of some pairs of systems on one language with examples swapped at random.

    Args:
        numerators: ``[examples, runs]``.
        denominators: ``[examples, runs]``, not negative.
        pairs: for each the runs of the first system and those of the second, seed by seed.
        resamples: number of random swaps.
        rng: source of randomness; one draw serves all pairs.

    Returns:
        ``[pairs, resamples]`` in points, each the mean over the pair's seeds; 0 for a pair without
        runs.
    """
    swaps = rng.integers(0, 2, size=(resamples, len(numerators)), dtype=np.int8).astype(np.float64)
    gains = np.zeros((len(pairs), resamples))
    used = [number for number, (first, _) in enumerate(pairs) if len(first)]
    if not used:
        return gains
    sizes = [len(pairs[number][0]) for number in used]
    first = np.concatenate([pairs[number][0] for number in used])
    second = np.concatenate([pairs[number][1] for number in used])
    starts = np.cumsum([0, *sizes[:-1]])
    moved = numerators[:, second] - numerators[:, first]
    if (denominators == denominators[:, :1]).all():  # a mean: seeds can be averaged beforehand
        whole = denominators[:, 0].sum()
        each = np.add.reduceat(moved, starts, axis=1) / np.array(sizes)
        total = -each.sum(axis=0)
        gains[used] = ((total + 2 * (swaps @ each)) * 100 / (whole or 1.0)).T
        return gains
    tops = numerators.sum(axis=0)
    bottoms = denominators.sum(axis=0)
    top = swaps @ moved
    bottom = swaps @ (denominators[:, second] - denominators[:, first])
    one = _percent(tops[first] + top, bottoms[first] + bottom)
    other = _percent(tops[second] - top, bottoms[second] - bottom)
    gains[used] = (np.add.reduceat(one - other, starts, axis=1) / np.array(sizes)).T
    return gains


def p_value(
    observed: float, swapped: Floats, error: SeedError, *, rng: np.random.Generator
) -> float:
    """Two-sided p-value of a gain.

    Args:
        observed: the gain in points.
        swapped: ``[resamples]`` gains with examples swapped (`swapped_gains`).
        error: of the seeds.
        rng: source of randomness.

    Returns:
        The share of swapped gains at least as far from zero, the data themselves counted as one:
        at least ``1 / (resamples + 1)``.
    """
    swapped = with_seeds(swapped, error, rng=rng)
    far = int((np.abs(swapped) >= abs(observed) - 1e-9).sum())
    return (far + 1) / (len(swapped) + 1)


def _percent(top: Floats, bottom: Floats) -> NDArray[np.float64]:
    return 100 * np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 1e-12)
