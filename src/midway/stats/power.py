"""What a study of this size can see, and what it would take to see more.

Source of the minimum detectable effect: Bloom (1995), Minimum detectable effects: a simple way to
report the statistical power of experimental designs. Tests check its power by simulation.
"""

import math

import numpy as np

from midway.stats.bootstrap import Interval

POWER, MOST_SEEDS = 0.8, 100
# Standard normal quantiles: of 97.5 %, and of the power.
_LEVEL, _POWER = 1.959964, 0.841621
_DRAWS = 200_000


def detectable(interval: Interval) -> float:
    """The true gain, in points, that such a study finds in 80 of 100 cases, at a level of 5 %.

    The half width of a 95 % interval is about 1.96 standard errors, a detectable effect 2.80.
    """
    return (interval.high - interval.low) / 2 * (_LEVEL + _POWER) / _LEVEL


def seeds_needed(interval: Interval, half_width: float) -> int | None:
    """How many seeds bring the half width of a 95 % interval down to `half_width` points.

    Args:
        interval: of the study as it is, with at least two seeds.
        half_width: in points.

    Returns:
        The least number up to 100; None if none is enough, because of the choice of examples alone,
        or if nothing is known of seeds.
    """
    if interval.seeds < 2:
        return None
    left = (half_width / _LEVEL) ** 2 - interval.example_error**2  # for the seeds' variance
    if left <= 0:
        return None
    seeds = max(2, math.ceil(interval.seeds * interval.seed_error**2 / left - 1e-9))
    return seeds if seeds <= MOST_SEEDS else None


def expected_maximum(count: int) -> float:
    """Mean of the greatest of `count` standard normal numbers.

    That many equal intermediates, each measured with one standard error, would put the best of them
    so many standard errors above their mean by chance alone.
    """
    draws = np.random.default_rng(0).standard_normal((_DRAWS // max(count, 1), count))
    return float(draws.max(axis=1).mean())
