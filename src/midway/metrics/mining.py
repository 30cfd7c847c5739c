"""Bitext mining: margin scores, candidate pairs, and the threshold that separates them.

Sources: Artetxe and Schwenk 2019 (arXiv 1811.01136) for the ratio margin; LASER's
``mine_bitexts.py`` and XTREME's ``bucc2018`` script for the ways to retrieve and the threshold.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

WAYS = ("max", "forward", "backward", "intersection")

Pair = tuple[str, str]
Scored = tuple[float, Pair]


@dataclass(frozen=True)
class Neighbours:
    """The k nearest neighbours from one side to the other, best first.

    Attributes:
        scores: cosines, ``float[n, k]``.
        places: row numbers of the other side, ``int[n, k]``.
    """

    scores: np.ndarray
    places: np.ndarray


@dataclass(frozen=True)
class Mined:
    """Candidate pairs, best first, each of its own score.

    Attributes:
        scores: ratio margins, ``float[m]``.
        left: row numbers of the left side, ``int[m]``.
        right: row numbers of the right side, ``int[m]``.
    """

    scores: np.ndarray
    left: np.ndarray
    right: np.ndarray


def mine(forward: Neighbours, backward: Neighbours, *, way: str = "max") -> Mined:
    """Choose candidate pairs by their ratio margin.

    The margin of x and y is cos(x, y) over the mean of the mean cosine of x's neighbours and the
    mean cosine of y's neighbours.

    Args:
        forward: from left to right.
        backward: from right to left.
        way: ``forward``: the best right sentence for each left one; ``backward``: the other way
            round; ``intersection``: pairs that both agree on; ``max``: both lists together, taken
            greedily from the best on, each sentence once.
    """
    left_mean, right_mean = forward.scores.mean(1), backward.scores.mean(1)
    ahead = _best(forward, left_mean, right_mean)
    back = _best(backward, right_mean, left_mean)
    rows, columns = np.arange(len(ahead[1])), np.arange(len(back[1]))
    if way == "forward":
        return _sorted(ahead[0], rows, ahead[1])
    if way == "backward":
        return _sorted(back[0], back[1], columns)
    if way == "intersection":
        agreed = np.flatnonzero(back[1][ahead[1]] == rows)
        return _sorted(ahead[0][agreed], agreed, ahead[1][agreed])
    pairs = _sorted(
        np.concatenate([ahead[0], back[0]]),
        np.concatenate([rows, back[1]]),
        np.concatenate([ahead[1], columns]),
    )
    return _once(pairs)


def _best(
    found: Neighbours, own_mean: np.ndarray, other_mean: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Margin and row number of each row's best neighbour by margin."""
    margins = found.scores / ((own_mean[:, None] + other_mean[found.places]) / 2)
    choice = margins.argmax(1)
    rows = np.arange(len(choice))
    return margins[rows, choice], found.places[rows, choice]


def _sorted(scores: np.ndarray, left: np.ndarray, right: np.ndarray) -> Mined:
    order = np.argsort(-scores, kind="stable")
    return Mined(scores[order], left[order], right[order])


def _once(pairs: Mined) -> Mined:
    """The pairs that are left if each sentence is taken once, from the best pair on."""
    seen_left: set[int] = set()
    seen_right: set[int] = set()
    kept = []
    for place, (x, y) in enumerate(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)):
        if x not in seen_left and y not in seen_right:
            seen_left.add(x)
            seen_right.add(y)
            kept.append(place)
    return Mined(pairs.scores[kept], pairs.left[kept], pairs.right[kept])


def best_threshold(scores: Sequence[float], right: Sequence[bool], golds: int) -> float:
    """Return the threshold with the best F1; pairs that score at least as much are taken.

    It lies half-way between the last pair taken and the next one, and at the last pair itself if
    all are taken (XTREME's script fails there) or nothing lies between. Pairs of equal scores are
    taken together.

    Args:
        scores: of the candidate pairs, best first.
        right: whether each pair is in the gold.
        golds: how many pairs the gold has.
    """
    best, threshold, hits = 0.0, float("inf"), 0
    for place, (score, correct) in enumerate(zip(scores, right, strict=True)):
        hits += correct
        last = place + 1 == len(scores)
        following = score if last else scores[place + 1]
        f1 = 2 * hits / (place + 1 + golds)
        if f1 > best and (last or following < score):
            middle = (score + following) / 2
            best, threshold = f1, middle if middle > following else score
    return threshold


def tuned(pairs: Sequence[Scored], gold: Collection[Pair]) -> float:
    """Return the threshold with the best F1 on these pairs, best first."""
    return best_threshold([s for s, _ in pairs], [p in gold for _, p in pairs], len(gold))


def above(pairs: Sequence[Scored], threshold: float) -> list[Pair]:
    """Return the pairs that score at least `threshold`."""
    return [pair for score, pair in pairs if score >= threshold]
