"""Statistics on plain arrays: numpy only, a random generator is always passed in."""

from midway.stats.bootstrap import (
    Interval,
    SeedError,
    interaction,
    resample_ratios,
    resample_weights,
    seed_error,
    summarise,
)
from midway.stats.effects import cohens_h, error_reduction
from midway.stats.mixed import Shrunk, shrink
from midway.stats.multiple import benjamini_hochberg, holm
from midway.stats.permutation import p_value, swapped_gains
from midway.stats.power import detectable, expected_maximum, seeds_needed
from midway.stats.regression import Shares, decompose, regress, student

__all__ = [
    "Interval",
    "SeedError",
    "Shares",
    "Shrunk",
    "benjamini_hochberg",
    "cohens_h",
    "decompose",
    "detectable",
    "error_reduction",
    "expected_maximum",
    "holm",
    "interaction",
    "p_value",
    "regress",
    "resample_ratios",
    "resample_weights",
    "seed_error",
    "seeds_needed",
    "shrink",
    "student",
    "summarise",
    "swapped_gains",
]
