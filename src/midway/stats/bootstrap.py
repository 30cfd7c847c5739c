"""Hierarchical paired bootstrap of differences between scores that are ratios of sums.

1. A score is ``100 * sum(numerator) / sum(denominator)`` over examples: accuracy, mean F1 of
   answers (denominator 1), entity F1 (twice the correct chunks over predicted plus gold chunks).
2. Examples are resampled once for all systems and seeds (`resample_ratios`), so differences are
   paired. Seeds and examples are crossed, every seed is evaluated on the same test set: drawing
   examples afresh for each seed would make intervals too narrow.
3. Resampling two or three seeds with replacement covers the truth far less often than claimed.
   Seed variance is estimated instead (`seed_error`), pooled over the compared systems as in a
   randomised block design with seeds as blocks. What chance in single answers adds to it is in the
   resampled examples already and is taken out, as in two-way clustered errors. Student's t of that
   size is added to the resampled examples (`with_seeds`). docs/decisions/0013 has the coverage in
   simulation.
4. A macro mean over languages resamples examples within each language, and, for a claim about
   languages in general, the languages themselves (`resample_weights`).

Sources: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 8 and 13; Owen
(2007), The pigeonhole bootstrap, for crossed factors; Box, Hunter and Hunter (2005), Statistics for
Experimenters, chapter 4, for randomised blocks; Cameron, Gelbach and Miller (2011), Robust
inference with multiway clustering, for the part that is counted twice.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_CACHED = 12_000  # draws counted at once; allocating arrays above 128 KiB costs more than they do
_PRODUCT = 1 << 19  # multiplications; from twice as many on OpenBLAS starts threads of its own


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with a confidence interval, all in the unit of the scores (percentage points).

    Attributes:
        estimate: value on the data as they are.
        low: lower end of the interval.
        high: upper end.
        seeds: number of seeds behind it; with one, `low` and `high` know nothing of seed variance.
        example_error: standard error from the choice of examples (and languages, if resampled).
        seed_error: standard error from seeds; 0 with one: unknown.
    """

    estimate: float
    low: float
    high: float
    seeds: int
    example_error: float = 0.0
    seed_error: float = 0.0

    @property
    def error(self) -> float:
        """Standard error in all."""
        return math.hypot(self.example_error, self.seed_error)

    @property
    def seed_variance_known(self) -> bool:
        """Whether the interval covers variation between seeds."""
        return self.seeds > 1

    @property
    def sign(self) -> int:
        """1 or -1 when the whole interval lies on one side of zero, else 0: cannot tell."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, slots=True)
class SeedError:
    """Standard error that a weighted sum of systems has from seeds, and its degrees of freedom."""

    standard_error: float
    degrees: int


def resample_ratios(
    numerators: Floats, denominators: Floats, *, resamples: int, rng: np.random.Generator
) -> Floats:
    """Score many systems on the same resampled examples.

    Args:
        numerators: ``[examples, systems]``.
        denominators: ``[examples, systems]``, not negative.
        resamples: number of bootstrap samples.
        rng: source of randomness.

    Returns:
        ``[resamples, systems]`` scores in percent, a system's one after another in memory; 0 where
        a sample's denominators add up to 0.

    Raises:
        ValueError: the shapes differ or there is no example.
    """
    if numerators.shape != denominators.shape or numerators.ndim != 2 or not len(numerators):
        raise ValueError(
            f"expected two equal [examples, systems] arrays with at least one example, found "
            f"{numerators.shape} and {denominators.shape}"
        )
    examples, systems = numerators.shape
    bottoms = denominators
    if (denominators == denominators[:, :1]).all():
        bottoms = denominators[:, :1]
    both = np.ascontiguousarray(np.concatenate([numerators, bottoms], axis=1).T)
    sums = np.empty((len(both), resamples))
    side = max(1, math.isqrt(_PRODUCT // examples))
    for start in range(0, resamples, side):
        part = sums[:, start : start + side]
        counts = _counts(examples, part.shape[1], rng).T
        for first in range(0, len(both), side):
            np.matmul(both[first : first + side], counts, out=part[first : first + side])
    top, bottom = sums[:systems], sums[systems:]
    empty = bottom <= 0
    bottom[empty] = 1.0
    top /= bottom
    top *= 100.0
    if empty.any():
        top[np.broadcast_to(empty, top.shape)] = 0.0
    return top.T


def _counts(examples: int, size: int, rng: np.random.Generator) -> Floats:
    """How often each example is drawn: ``[size, examples]``, rows add up to `examples`."""
    counts = np.empty((size, examples))
    rows = max(1, _CACHED // examples)
    offsets = np.arange(0, rows * examples, examples, dtype=np.int64)[:, None]
    for start in range(0, size, rows):
        part = counts[start : start + rows]
        draws = rng.integers(0, examples, size=part.shape, dtype=np.uint32)
        cells = np.add(draws, offsets[: len(part)]).ravel()
        part[:] = np.bincount(cells, minlength=part.size).reshape(part.shape)
    return counts


def resample_weights(members: int, *, resamples: int, rng: np.random.Generator) -> Floats:
    """Draw weights of a mean over a resampled set of `members` (languages).

    The spread around equal weights is widened by sqrt(m / (m - 1)), which makes the variance of
    the mean unbiased for small sets (Efron and Tibshirani 1993, section 6.5, make the same
    remark). One member always has weight 1.

    Returns:
        ``[resamples, members]``, rows add up to 1.
    """
    if members == 1:
        return np.ones((resamples, 1))
    spread = _counts(members, resamples, rng) / members - 1 / members
    weights: Floats = 1 / members + spread * np.sqrt(members / (members - 1))
    return weights


def seed_error(
    values: Floats,
    weights: Floats,
    *,
    fixed: NDArray[np.bool_] | None = None,
    noise: float = 0.0,
) -> SeedError:
    """Estimate how much seeds move a weighted sum of systems' mean scores.

    Where every weighted system depends on the seed, the variance is the residual of ``score ~
    system + seed``, pooled over all such systems: (systems - 1)(seeds - 1) degrees of freedom.
    Against a fixed system (an encoder that is not trained has one score for all seeds) the seed
    effects do not cancel; the variance within systems is pooled: systems × (seeds - 1).

    Args:
        values: ``[systems, seeds]`` scores; the more systems, the more degrees of freedom.
        weights: ``[systems]``, e.g. 1 and -1 for a difference, 0 for those that only lend variance.
        fixed: ``[systems]``, True where a system does not depend on the seed; none by default.
        noise: variance that resampled examples have too (`interaction`), in points squared.

    Returns:
        The standard error of ``weights @ values.mean(axis=1)``; 0 with one seed: unknown, not nil.
    """
    seeds = values.shape[1]
    free = np.ones(len(values), dtype=bool) if fixed is None else ~fixed
    used = free & (weights != 0)
    if seeds < 2 or not used.any():
        return SeedError(0.0, 0)
    pool = values[free]
    residual = pool - pool.mean(axis=1, keepdims=True)
    degrees = len(pool) * (seeds - 1)
    if free[weights != 0].all() and len(pool) > 1:
        residual = residual - residual.mean(axis=0, keepdims=True)
        degrees = (len(pool) - 1) * (seeds - 1)
    variance = float((residual**2).sum()) / degrees
    factor = float((weights[used] ** 2).sum())
    return SeedError(math.sqrt(max(0.0, variance * factor / seeds - noise)), degrees)


def interaction(replicates: Floats) -> float:
    """Variance of a mean over seeds from what example and seed have in common.

    Args:
        replicates: ``[seeds, resamples]``, scores on the same resampled examples.

    Returns:
        In points squared; 0 with one seed.
    """
    if len(replicates) < 2:
        return 0.0
    apart = replicates - replicates.mean(axis=0)
    return float(apart.var(axis=1).mean()) / (len(replicates) - 1)


def summarise(
    estimate: float,
    replicates: Floats,
    *,
    seeds: int,
    error: SeedError,
    rng: np.random.Generator,
    level: float = 0.95,
) -> Interval:
    """Join resampled examples and seed variance into a percentile interval.

    Args:
        estimate: value on the data as they are.
        replicates: ``[resamples]`` values on resampled examples, averaged over seeds.
        seeds: number of seeds averaged.
        error: from `seed_error`; drawn as Student's t and added.
        rng: source of randomness.
        level: coverage.
    """
    spread = float(replicates.std())
    joined = with_seeds(replicates, error, rng=rng)
    tail = 50 * (1 - level)
    low, high = _percentile(joined, tail), _percentile(joined, 100 - tail)
    return Interval(float(estimate), low, high, seeds, spread, error.standard_error)


def with_seeds(replicates: Floats, error: SeedError, *, rng: np.random.Generator) -> Floats:
    """Replicates of a mean over examples, spread further as seeds would: by Student's t."""
    if error.standard_error <= 0:
        return replicates
    return replicates + error.standard_error * rng.standard_t(error.degrees, len(replicates))


def _percentile(values: Floats, percent: float) -> float:
    """``numpy.percentile`` of a vector, without its general and slow preparations."""
    place = percent / 100 * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    ordered = np.partition(values, (below, above))
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
