"""How gains go with properties of languages, and how they divide into main effects.

1. `regress` is least squares with one intercept per block (a target). Its standard errors are
   robust to whatever cells of one cluster (a language) have in common: CR1 of Cameron and Miller
   (2015), A practitioner's guide to cluster-robust inference, section II, with clusters - 1 degrees
   of freedom.
2. `decompose` fits ``gain = mean + row + column`` to a complete table and says what share of the
   sum of squares is rows, columns and the rest; the rest is partly noise, whose expected share is
   computed from the cells' standard errors.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from midway.stats.bootstrap import Floats, Interval

LEAST = 8  # clusters; with fewer, robust errors are far too small


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of a table's sum of squares around its mean; the first three add up to 1.

    Attributes:
        rows: of the rows' means.
        columns: of the columns' means.
        interaction: the rest.
        noise: what share the rest would have if there were no interaction, from the cells' standard
            errors.
    """

    rows: float
    columns: float
    interaction: float
    noise: float


def regress(
    values: Floats,
    properties: Floats,
    blocks: Sequence[int],
    clusters: Sequence[int],
    *,
    seeds: int,
) -> list[Interval] | None:
    """Slopes of `values` on `properties`, with one intercept per block.

    Args:
        values: ``[cells]`` gains in points.
        properties: ``[cells, properties]``.
        blocks: of each cell.
        clusters: of each cell.
        seeds: behind the values, for the intervals' records.

    Returns:
        An interval for each property, in points per unit; None where there are fewer than `LEAST`
        clusters, or the properties cannot be told apart.
    """
    number = np.unique(clusters, return_inverse=True)[1]
    groups, wide = int(number.max(initial=-1)) + 1, properties.shape[1]
    dummies = (np.asarray(blocks)[:, None] == np.unique(blocks)[None, :]).astype(np.float64)
    design = np.concatenate([properties, dummies], axis=1)
    cells, width = design.shape
    if (
        groups < LEAST
        or groups <= wide + 1
        or cells <= width
        or np.linalg.matrix_rank(design) < width
    ):
        return None
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ values
    scores = np.zeros((groups, width))
    np.add.at(scores, number, design * (values - design @ slopes)[:, None])
    factor = groups / (groups - 1) * (cells - 1) / (cells - width)
    variance = factor * inverse @ scores.T @ scores @ inverse
    errors = np.sqrt(np.maximum(np.diag(variance), 0.0))
    half = student(groups - 1)
    return [
        Interval(slope, slope - half * error, slope + half * error, seeds, 0.0, error)
        for slope, error in list(zip(slopes.tolist(), errors.tolist(), strict=True))[:wide]
    ]


@cache
def student(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t, by integrating the density of its angle."""
    angles = np.linspace(0, math.pi / 2, 20_001)
    density = np.cos(angles[:-1] + angles[1] / 2) ** (min(degrees, 2000) - 1)
    cumulated = np.concatenate([[0.0], np.cumsum(density)])
    angle = float(np.interp(0.95 * cumulated[-1], cumulated, angles))
    return math.sqrt(min(degrees, 2000)) * math.tan(angle)


def decompose(table: Floats, errors: NDArray[np.float64]) -> Shares | None:
    """Divide a table into rows, columns and interaction.

    Args:
        table: ``[rows, columns]``, complete.
        errors: standard errors of its cells.

    Returns:
        None if it has fewer than two rows or columns, or does not vary.
    """
    height, width = table.shape
    centred = table - table.mean()
    total = float((centred**2).sum())
    if height < 2 or width < 2 or total <= 0:
        return None
    rows = centred.mean(axis=1, keepdims=True)
    columns = centred.mean(axis=0, keepdims=True)
    rest = centred - rows - columns
    free = (height - 1) * (width - 1) / (height * width)
    return Shares(
        rows=float(width * (rows**2).sum()) / total,
        columns=float(height * (columns**2).sum()) / total,
        interaction=float((rest**2).sum()) / total,
        noise=min(1.0, float((errors**2).sum()) * free / total),
    )
