"""A difference of two systems from the package's statistics, without cubes and studies."""

from collections.abc import Sequence

import numpy as np

from midway.stats import (
    Interval,
    interaction,
    resample_ratios,
    resample_weights,
    seed_error,
    summarise,
)
from midway.stats.bootstrap import Floats


def difference_of_ratios(
    first: Sequence[tuple[Floats, Floats]],
    second: Sequence[tuple[Floats, Floats]],
    *,
    resamples: int,
    rng: np.random.Generator,
    level: float = 0.95,
    over_languages: bool = False,
) -> Interval:
    """Interval of the macro mean over languages of score(first) - score(second).

    Args:
        first: per language a pair (numerators, denominators), each ``[seeds, examples]``.
        second: the same languages, seeds and examples, in the same order, for the other system.
        resamples: number of bootstrap samples.
        rng: source of randomness.
        level: coverage.
        over_languages: resample the languages too; the claim is then about languages in general.

    Returns:
        The interval, in points. With one seed it covers the choice of examples only.

    Raises:
        ValueError: the two systems do not have the same languages and shapes.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"expected the same languages, found {len(first)} and {len(second)}")
    seeds = len(first[0][0])
    values, samples = [], []
    for one, other in zip(first, second, strict=True):
        top = np.concatenate([one[0], other[0]]).T
        bottom = np.concatenate([one[1], other[1]]).T
        samples.append(resample_ratios(top, bottom, resamples=resamples, rng=rng))
        totals = bottom.sum(axis=0)
        ratio = np.divide(top.sum(axis=0), totals, out=np.zeros_like(totals), where=totals > 0)
        values.append(100.0 * ratio)
    means = np.mean(values, axis=0).reshape(2, seeds)
    stacked = np.stack(samples, axis=2)  # [resamples, systems × seeds, languages]
    gains = stacked[:, :seeds].mean(axis=1) - stacked[:, seeds:].mean(axis=1)
    if over_languages:
        drawn = resample_weights(len(first), resamples=resamples, rng=rng)
        replicates = (gains * drawn).sum(axis=1)
    else:
        replicates = gains.mean(axis=1)
    each = stacked.transpose(2, 1, 0).reshape(-1, seeds, resamples)
    noise = sum(map(interaction, each)) / len(first) ** 2
    return summarise(
        float(means[0].mean() - means[1].mean()),
        replicates,
        seeds=seeds,
        error=seed_error(means, np.array([1.0, -1.0]), noise=noise),
        rng=rng,
        level=level,
    )
