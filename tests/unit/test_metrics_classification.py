"""Classification metrics against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from midway.errors import DataError
from midway.metrics import classification

LABELS = ["neutral", "entailment", "ё", "d"]
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1)


@given(PAIRS)
@settings(deadline=None, max_examples=200)
def test_equal_to_scikit_learn(pairs):
    gold, guess = map(list, zip(*pairs, strict=True))
    assert classification.accuracy(gold, guess) == pytest.approx(
        100 * sklearn.accuracy_score(gold, guess)
    )
    each = sklearn.f1_score(gold, guess, labels=LABELS, average=None, zero_division=0)
    for label, value in zip(LABELS, each, strict=True):
        assert classification.label_f1(gold, guess, label) == pytest.approx(100 * value)
    for labels in (LABELS, LABELS[:2]):
        macro = sklearn.f1_score(gold, guess, labels=labels, average="macro", zero_division=0)
        assert classification.macro_f1(gold, guess, labels) == pytest.approx(100 * macro)
    weighted = sklearn.f1_score(gold, guess, average="weighted", zero_division=0)
    assert classification.weighted_f1(gold, guess) == pytest.approx(100 * weighted)


@given(PAIRS)
def test_shares_have_the_weighted_f1_as_their_mean(pairs):
    gold, guess = map(list, zip(*pairs, strict=True))
    shares = classification.weighted_f1_shares(gold, guess)
    assert len(shares) == len(gold)
    assert 100 * np.mean(shares) == pytest.approx(classification.weighted_f1(gold, guess))


@pytest.mark.parametrize("skew", [(0.7, 0.2, 0.06, 0.04), (0.9, 0.08, 0.02)])
def test_shares_resample_as_the_weighted_f1_does(skew):
    """Bootstrap: the mean of the drawn shares follows the statistic of the drawn examples."""
    random = np.random.default_rng(0)
    gold = random.choice(len(skew), 500, p=skew)
    guess = np.where(random.random(500) < 0.7, gold, random.integers(0, len(skew), 500))
    names = gold.astype(str), guess.astype(str)
    shares = np.array(classification.weighted_f1_shares(*(part.tolist() for part in names)))
    draws = [random.integers(0, 500, 500) for _ in range(400)]
    real = [classification.weighted_f1(*(part[d].tolist() for part in names)) for d in draws]
    linear, accuracy = ([100 * x[d].mean() for d in draws] for x in (shares, gold == guess))
    assert np.std(linear) == pytest.approx(np.std(real), rel=0.02)
    assert np.corrcoef(real, linear)[0, 1] > 0.998
    assert np.std(accuracy) > 1.1 * np.std(real)  # shares of right answers would not do


def test_by_hand():
    gold, guess = ["a", "a", "b", "c"], ["a", "b", "b", "b"]
    assert classification.accuracy(gold, guess) == 50
    assert classification.label_f1(gold, guess, "b") == 50
    assert classification.label_f1(gold, guess, "c") == 0
    assert classification.label_f1(gold, guess, "never") == 0
    assert classification.macro_f1(gold, guess, "abc") == pytest.approx(100 * (2 / 3 + 1 / 2) / 3)
    assert classification.weighted_f1(gold, guess) == pytest.approx(100 * (4 / 3 + 1 / 2) / 4)


def test_nothing_to_score():
    assert classification.accuracy([], []) == classification.weighted_f1([], []) == 0
    assert classification.macro_f1([], [], LABELS) == classification.macro_f1(["a"], ["a"], []) == 0
    assert classification.weighted_f1_shares([], []) == []


def test_lengths_must_agree():
    for metric in (
        classification.accuracy,
        classification.weighted_f1,
        classification.weighted_f1_shares,
        lambda gold, guess: classification.label_f1(gold, guess, "a"),
        lambda gold, guess: classification.macro_f1(gold, guess, ["a"]),
    ):
        with pytest.raises(DataError, match="1 predicted labels, but 2 gold labels"):
            metric(["a", "b"], ["a"])
