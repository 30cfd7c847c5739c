"""Classification metrics, in percent; labels are compared as text.

`weighted_f1` and `macro_f1` are scikit-learn's ``f1_score`` with ``average="weighted"`` and
``average="macro"`` and ``zero_division=0``.
"""

from collections import Counter
from collections.abc import Sequence

from midway.errors import DataError


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the share of equal labels; 0 if there are none.

    Raises:
        DataError: the two differ in length.
    """
    _same_length(gold, predicted)
    right = sum(truth == guess for truth, guess in zip(gold, predicted, strict=True))
    return 100.0 * right / len(gold) if gold else 0.0


def label_f1(gold: Sequence[str], predicted: Sequence[str], label: str) -> float:
    """Return the F1 of one label; 0 where it neither occurs nor is predicted.

    Raises:
        DataError: the two differ in length.
    """
    _same_length(gold, predicted)
    right = sum(a == b == label for a, b in zip(gold, predicted, strict=True))
    both = sum(a == label for a in gold) + sum(b == label for b in predicted)
    return 200.0 * right / both if both else 0.0


def macro_f1(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> float:
    """Return the mean F1 over `labels`, also over those that do not occur.

    Raises:
        DataError: the two differ in length.
    """
    if not labels:
        return 0.0
    return sum(label_f1(gold, predicted, label) for label in labels) / len(labels)


def weighted_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the mean F1 of the gold labels, each weighed by how often it occurs.

    Raises:
        DataError: the two differ in length.
    """
    _same_length(gold, predicted)
    counts = Counter(gold)
    total = sum(count * label_f1(gold, predicted, label) for label, count in counts.items())
    return total / len(gold) if gold else 0.0


def weighted_f1_shares(gold: Sequence[str], predicted: Sequence[str]) -> list[float]:
    """Divide the weighted F1 among the examples, to first order, for resampling.

    With t, p and g the shares of a label's hits, predictions and gold, the weighted F1 is the sum
    over labels of 2 t g / (p + g). It is homogeneous of degree 1, so the derivatives at the
    observed shares, times what an example adds to each share, have the weighted F1 as their mean
    (Euler) and its resampling distribution to first order (the delta method).

    Returns:
        A number per example, 0 to 1 on the whole; their mean × 100 is the weighted F1.

    Raises:
        DataError: the two differ in length.
    """
    _same_length(gold, predicted)
    hits = Counter(a for a, b in zip(gold, predicted, strict=True) if a == b)
    golds, guesses = Counter(gold), Counter(predicted)
    by_hit, by_guess, by_gold = {}, {}, {}
    for label in golds | guesses:
        t, p, g = hits[label], guesses[label], golds[label]
        by_hit[label] = 2 * g / (p + g)
        by_guess[label] = -2 * t * g / (p + g) ** 2
        by_gold[label] = 2 * t / (p + g) + by_guess[label]
    return [
        by_gold[truth] + by_guess[guess] + (by_hit[truth] if truth == guess else 0.0)
        for truth, guess in zip(gold, predicted, strict=True)
    ]


def _same_length(gold: Sequence[str], predicted: Sequence[str]) -> None:
    if len(gold) != len(predicted):
        raise DataError(f"{len(predicted)} predicted labels, but {len(gold)} gold labels")
