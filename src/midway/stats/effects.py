"""How large a gain is, whatever its metric and wherever its baseline stands.

Ten points from 40 to 50 and from 85 to 95 are not the same: the second removes two of three errors.
Neither number here depends on how many examples or seeds a study has, as a gain over its standard
error would; both are descriptions, and what is uncertain about a gain is in its interval.
"""

import math


def error_reduction(baseline: float, score: float) -> float | None:
    """Share of the baseline's errors that are gone, in percent; negative if there are more.

    Args:
        baseline: score in percent.
        score: score in percent.

    Returns:
        None if the baseline makes no error.
    """
    return None if baseline >= 100 else 100 * (score - baseline) / (100 - baseline)


def cohens_h(baseline: float, score: float) -> float:
    """Difference of two proportions on a scale where equal steps are equally hard to see.

    Exact in meaning for accuracies; for F1, a ratio of sums, only a description. Source: Cohen
    (1988), Statistical Power Analysis for the Behavioral Sciences, section 6.2: 0.2 is small, 0.5
    medium, 0.8 large.

    Args:
        baseline: score in percent.
        score: score in percent.
    """
    first, second = (
        2 * math.asin(math.sqrt(min(max(x, 0.0), 100.0) / 100)) for x in (baseline, score)
    )
    return second - first
