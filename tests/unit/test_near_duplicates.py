"""Near duplicates against counting every pair."""

import random
from functools import cache
from itertools import product

import numpy as np
import pytest

from midway.stages.near_duplicates import (
    HASHES,
    SHORTEST,
    SIMILAR,
    grams_of,
    jaccard,
    sign,
    similar,
)

LETTERS = "abcdefghijklmnopqrstuvwxyzäößéあいう中文字"


@cache
def grams(text):
    return {text[i : i + 5] for i in range(len(text) - 4)}


def true_jaccard(left, right):
    a, b = grams(left), grams(right)
    return len(a & b) / len(a | b)


def edited(chance, text, edits):
    """`text` with so many characters replaced."""
    letters = list(text)
    for place in chance.sample(range(len(letters)), edits):
        letters[place] = chance.choice(LETTERS)
    return "".join(letters)


@pytest.fixture(scope="module")
def heaps():
    """Texts, and other texts of which some are those with 0 to 20 edits."""
    chance = random.Random(5)
    left = ["".join(chance.choices(LETTERS, k=chance.randrange(20, 400))) for _ in range(150)]
    right = [
        edited(chance, text, chance.randrange(min(20, len(text))))
        for text in left
        for _ in range(4)
    ]
    return left, right + ["".join(chance.choices(LETTERS, k=100)) for _ in range(50)]


def test_all_pairs_and_no_others(heaps):
    left, right = heaps
    near = {
        (i, j)
        for (i, a), (j, b) in product(enumerate(left), enumerate(right))
        if true_jaccard(a, b) >= SIMILAR
    }
    found = {(i, j): score for i, j, score in similar(sign(left), sign(right))}
    assert len(near) > 100
    assert found.keys() == near
    for (i, j), score in found.items():
        assert score == pytest.approx(true_jaccard(left[i], right[j]))


def test_signatures_agree_as_often_as_the_similarity_says(heaps):
    left, right = heaps
    one, two = sign(left), sign(right)
    pairs = [(j // 4, j) for j in range(4 * len(left))]
    estimate = [(one.signatures[i] == two.signatures[j]).mean() for i, j in pairs]
    true = [true_jaccard(left[i], right[j]) for i, j in pairs]
    errors = np.array(estimate) - np.array(true)
    assert abs(errors.mean()) < 0.01
    # The estimate is binomial: HASHES draws with the true similarity.
    expected = np.sqrt(np.mean([t * (1 - t) / HASHES for t in true]))
    assert errors.std() == pytest.approx(expected, rel=0.15)


def test_short_texts_have_no_near_duplicates():
    text = "a" * 3 + "bcdefghijklmnop"
    assert len(text) < SHORTEST
    assert list(similar(sign([text]), sign([text]))) == []


def test_the_likeliest_of_many_is_named_and_families_of_texts_do_not_explode():
    base = "".join(random.Random(1).choices(LETTERS, k=200))
    family = [base[:190] + f"{n:010d}" for n in range(2000)]
    found = list(similar(sign(family), sign([family[1234], base])))
    assert [right for _, right, _ in found] == [0, 1]
    assert all(score >= SIMILAR for *_, score in found)


def test_numbers_are_places_in_what_was_given():
    long = "a long enough sentence to be compared"
    assert list(similar(sign(["short", long]), sign(["x", "y", long]))) == [(1, 2, 1.0)]
    assert list(similar(sign([]), sign([long]))) == []


def test_jaccard_of_sets():
    assert jaccard(grams_of("abcdefg"), grams_of("abcdefx")) == pytest.approx(2 / 4)
