"""Statistics on plain arrays: numpy only, a random generator is always passed in."""

from midway.stats.bootstrap import (
    Interval,
    SeedError,
    difference_of_ratios,
    resample_ratios,
    resample_weights,
    seed_error,
    summarise,
)

__all__ = [
    "Interval",
    "SeedError",
    "difference_of_ratios",
    "resample_ratios",
    "resample_weights",
    "seed_error",
    "summarise",
]
