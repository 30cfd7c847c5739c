"""Many tests at once.

Source: Holm (1979), A simple sequentially rejective multiple test procedure; Benjamini and
Hochberg (1995), Controlling the false discovery rate. Both are given as adjusted p-values: reject
where these are below the level.
"""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the chance of any false rejection; for stated contrasts."""
    order = np.argsort(p_values, kind="stable")
    ordered = np.asarray(p_values, dtype=np.float64)[order]
    raised = np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1))
    return _placed(np.minimum(raised, 1.0), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (q) that bound the share of false rejections; for exploratory maps."""
    order = np.argsort(p_values, kind="stable")
    ordered = np.asarray(p_values, dtype=np.float64)[order]
    raised = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
    lowered = np.minimum.accumulate(raised[::-1])[::-1]
    return _placed(np.minimum(lowered, 1.0), order)


def _placed(values: np.ndarray, order: np.ndarray) -> list[float]:
    found = np.empty(len(values))
    found[order] = values
    return [float(value) for value in found]
