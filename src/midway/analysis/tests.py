"""Adjust p-values for how many tests a study makes.

Stated contrasts were chosen before the data were seen: Holm's bound on any false rejection. Maps of
gains, by target and by language, are looked at in search of something: Benjamini and Hochberg's
bound on the share of false rejections, a family for each map.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from midway.stats import benjamini_hochberg, holm

Row = TypeVar("Row")
Adjust = Callable[[Sequence[float]], list[float]]
LEVEL = 0.05


def stated(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows with the estimate ``mean``, adjusted by Holm."""
    return _adjusted(rows, holm)


def explored(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows with the estimate ``mean``, adjusted by Benjamini and Hochberg."""
    return _adjusted(rows, benjamini_hochberg)


def _adjusted(rows: Sequence[Row], adjust: Adjust) -> tuple[Row, ...]:
    found: list[Any] = list(rows)
    tested = [place for place, row in enumerate(found) if row.mean.p is not None]
    for place, q in zip(tested, adjust([found[place].mean.p for place in tested]), strict=True):
        found[place] = replace(found[place], mean=replace(found[place].mean, q=q))
    return tuple(found)


def counted(rows: Sequence[Any]) -> tuple[int, int, int]:
    """How many were tested, how many of these have p < 0.05, and how many still after adjusting."""
    means = [row.mean for row in rows if row.mean.p is not None]
    return (
        len(means),
        sum(mean.p < LEVEL for mean in means),
        sum(mean.q is not None and mean.q < LEVEL for mean in means),
    )
