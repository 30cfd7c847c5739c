"""Shrinkage of a table whose cells have known errors, with cells that were never measured.

A cell is ``mean + sum of random effects``, measured with an error of known size:

    y = 1 m + sum_k Z_k u_k + e,   u_k ~ N(0, v_k I),   e ~ N(0, diag(errors²))

1. The variances v_k maximise the restricted likelihood, by the multiplicative updates of Zhou, Hu,
   Zhou and Lange (2019), MM algorithms for variance components models, section 3: they cannot
   become negative, and the likelihood never falls.
2. Cells are predicted as in Henderson (1975), Best linear unbiased estimation and prediction under
   a selection model, measured or not: what is noisy moves towards what is expected of its row and
   column, what was not measured is expected alone.
3. The error of a prediction counts that of the mean, not that of the variances; callers widen
   intervals by Student's t with as many degrees as there are levels to learn variances from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS, CONVERGED = 300, 1e-4
LEAST_ERROR = 0.01  # points: no score is known better


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is expected of every cell.

    Attributes:
        mean: of all cells.
        variances: of each kind of random effect.
        estimates: of the true values, ``[cells]``.
        errors: their standard errors, ``[cells]``.
    """

    mean: float
    variances: tuple[float, ...]
    estimates: Floats
    errors: Floats


def shrink(values: Floats, errors: Floats, parts: Sequence[Floats]) -> Shrunk:
    """Predict all cells from those that were measured.

    Args:
        values: ``[cells]``; NaN where nothing was measured.
        errors: standard errors, ``[cells]``; not read where nothing was measured.
        parts: a design ``[cells, levels]`` for each kind of random effect.

    Raises:
        ValueError: fewer than two cells were measured.
    """
    seen = np.flatnonzero(~np.isnan(values))
    if len(seen) < 2:
        raise ValueError(f"expected at least two measured cells, found {len(seen)}")
    y = values[seen]
    known = np.diag(np.maximum(errors[seen], LEAST_ERROR) ** 2)
    alike = [part @ part.T for part in parts]
    within = [matrix[np.ix_(seen, seen)] for matrix in alike]
    variances = _variances(y, known, within)
    whole: Floats = np.zeros((len(values), len(values)))
    for variance, matrix in zip(variances, alike, strict=True):
        whole += variance * matrix
    inverse = np.linalg.inv(whole[np.ix_(seen, seen)] + known)
    ones = inverse.sum(axis=0)
    mean = float(ones @ y / ones.sum())
    weights = whole[:, seen] @ inverse
    estimates = mean + weights @ (y - mean)
    left = 1 - weights.sum(axis=1)
    doubt = np.diag(whole) - np.einsum("ij,ij->i", weights, whole[:, seen])
    doubt = np.maximum(doubt, 0.0) + left**2 / ones.sum()
    return Shrunk(mean, tuple(variances), estimates, np.sqrt(doubt))


def _variances(y: Floats, known: Floats, within: Sequence[Floats]) -> list[float]:
    """Maximise the restricted likelihood."""
    spread = float(y.var()) or LEAST_ERROR
    scales = [max(float(np.trace(matrix)) / len(y), 1e-12) for matrix in within]
    variances = [spread / len(within) / scale for scale in scales]
    for _ in range(ROUNDS):
        total = known.copy()
        for variance, matrix in zip(variances, within, strict=True):
            total += variance * matrix
        inverse = np.linalg.inv(total)
        ones = inverse.sum(axis=0)
        projection = inverse - np.outer(ones, ones) / ones.sum()
        moved, rest = 0.0, projection @ y
        for place, matrix in enumerate(within):
            expected = float(np.einsum("ij,ij->", projection, matrix))
            found = max(0.0, float(rest @ matrix @ rest))
            factor = np.sqrt(found / expected) if expected > 1e-12 else 0.0
            new = variances[place] * float(factor)
            moved = max(moved, abs(new - variances[place]) * scales[place])
            variances[place] = new
        if moved < CONVERGED * spread:
            break
    return variances
