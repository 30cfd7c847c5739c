"""Retrieval of translations: how often the nearest candidate is the right one.

Source: XTREME's evaluation script; English sentences are the queries, one direction only.
"""

from collections.abc import Collection, Sequence

from midway.errors import DataError


def hits(predicted: Sequence[int], gold: Sequence[int]) -> list[int]:
    """Return 1 or 0 per query: whether the predicted index is the gold one.

    Raises:
        DataError: the two differ in length.
    """
    if len(predicted) != len(gold):
        raise DataError(f"{len(predicted)} predicted indices, but {len(gold)} gold indices")
    return [int(guess == truth) for guess, truth in zip(predicted, gold, strict=True)]


def accuracy(predicted: Sequence[int], gold: Sequence[int]) -> float:
    """Return the share of queries whose predicted index is the gold one, in percent.

    0 if there are no queries.

    Raises:
        DataError: the two differ in length.
    """
    right = hits(predicted, gold)
    return 100.0 * sum(right) / len(right) if right else 0.0


def average_precision(ranking: Sequence[str], gold: Collection[str], *, depth: int) -> float:
    """Return the average precision, 0 to 1, of the first `depth` entries of a ranking.

    The divisor is the smaller of `depth` and the number of right entries, so that a perfect ranking
    has 1; with one right entry this is the reciprocal rank (Mewsli-X in XTREME-R). An empty ranking
    has 0. An entry that is named twice is right once, in its first place.
    """
    right, found, total = set(gold), 0, 0.0
    wanted = min(depth, len(right))
    for rank, entry in enumerate(ranking[:depth], start=1):
        if entry in right:
            right.remove(entry)
            found += 1
            total += found / rank
    return total / wanted if wanted else 0.0
