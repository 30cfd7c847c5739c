"""Retrieval: accuracy and average precision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midway.errors import DataError
from midway.metrics import retrieval


def test_accuracy_by_hand():
    assert retrieval.hits([3, 1, 2], [3, 2, 2]) == [1, 0, 1]
    assert retrieval.accuracy([3, 1, 2, 0], [3, 2, 2, 0]) == 75
    assert retrieval.accuracy([], []) == 0


def test_lengths_must_agree():
    with pytest.raises(DataError, match="1 predicted indices, but 2 gold"):
        retrieval.accuracy([1], [1, 2])


def test_average_precision_by_hand():
    assert retrieval.average_precision(["a", "b", "c"], ["c"], depth=20) == pytest.approx(1 / 3)
    assert retrieval.average_precision(["a", "b", "c"], ["c"], depth=2) == 0
    ranking = retrieval.average_precision(["x", "a", "b"], ["a", "b"], depth=20)
    assert ranking == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert retrieval.average_precision(["a"], ["a", "b", "c"], depth=1) == 1
    assert retrieval.average_precision([], ["a"], depth=20) == 0
    assert retrieval.average_precision(["a"], [], depth=20) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1), st.randoms())
def test_order_of_queries_does_not_matter(pairs, random):
    before = retrieval.accuracy([p for p, _ in pairs], [g for _, g in pairs])
    random.shuffle(pairs)
    assert retrieval.accuracy([p for p, _ in pairs], [g for _, g in pairs]) == before
    assert 0 <= before <= 100


@pytest.mark.parametrize("ranking", [["b", "b", "b"], ["b", "b", "c"], ["x", "b", "b", "b"]])
def test_an_entry_that_is_named_twice_is_right_once(ranking):
    """Else a ranking of one right entry, over and over, had more than 100 %."""
    once = retrieval.average_precision(ranking, ["b"], depth=20)
    assert once == 1 / (ranking.index("b") + 1)
    assert retrieval.average_precision(["b"], ["b", "b"], depth=20) == 1.0
    both = retrieval.average_precision(ranking, ["b", "c"], depth=20)
    assert both <= 1.0
