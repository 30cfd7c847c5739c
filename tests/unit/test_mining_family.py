from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TEXTS, bert_tokenizer

from midway.families import mining
from midway.metrics.mining import above, tuned
from midway.tasks.examples import RankedText


def sentence(side, number, text, *keys, language="de"):
    side = {"f": mining.FOREIGN, "e": mining.ENGLISH}[side]
    return RankedText(f"{side[0]}{number}", language, "d", side, text, "", keys)


EXAMPLES = [
    sentence("f", 0, TEXTS["de"], "1"),
    sentence("f", 1, TEXTS["ru"]),
    sentence("f", 2, TEXTS["de"], "2"),  # as f0
    sentence("e", 0, TEXTS["en"], "1"),
    sentence("e", 1, TEXTS["de"], "2"),  # as f0, but on the other side
    sentence("e", 2, TEXTS["en"], "3"),  # as e0
    sentence("f", 3, TEXTS["de"], "4", language="fr"),  # as f0, but in another language
]


def test_a_repeated_sentence_is_encoded_once():
    tokenizer = bert_tokenizer()
    rows = mining.encode(EXAMPLES, tokenizer, None, max_length=16, stride=0).to_pylist()
    assert [row["example"] for row in rows] == [0, 1, 3, 4, 6]
    assert [row["side"] for row in rows] == [0, 0, 1, 1, 0]
    for row in rows:
        ids = tokenizer.encode(EXAMPLES[row["example"]].text).ids
        assert row["ids"] == (ids if len(ids) <= 16 else [*ids[:15], ids[-1]])
        assert row["boundary"] == len(row["ids"])


def test_encoding_in_chunks(monkeypatch):
    want = mining.encode(EXAMPLES, bert_tokenizer(), None, max_length=99, stride=0)
    monkeypatch.setattr(mining, "CHUNK", 2)
    assert mining.encode(EXAMPLES, bert_tokenizer(), None, max_length=99, stride=0).equals(want)


def test_what_a_side_has_more_than_once():
    assert mining.repeated(EXAMPLES[:6]) == {
        (mining.FOREIGN, TEXTS["de"]),
        (mining.ENGLISH, TEXTS["en"]),
    }


def test_gold_pairs_share_a_key():
    assert mining.gold_pairs(EXAMPLES[:6]) == {("q0", "c0"), ("q2", "c1")}
    several = [sentence("f", 0, "a", "1", "2"), *(sentence("e", n, "b", str(n)) for n in range(4))]
    assert mining.gold_pairs(several) == {("q0", "c1"), ("q0", "c2")}


def made(seed, size=60):
    """Candidate pairs, best first, the right ones somewhat better; and the gold."""
    random = np.random.default_rng(seed)
    right = random.random(size) < 0.5
    scores = random.normal(right * 1.0, 0.8)
    order = np.argsort(-scores)
    candidates = [(float(scores[i]), (f"q{i}", f"c{i}")) for i in order]
    gold = {(f"q{i}", f"c{i}") for i in np.flatnonzero(right)}
    return candidates, gold | {("q_missed", "c_missed")}


def test_a_threshold_tuned_on_the_development_set_is_applied_as_it_is():
    development, (candidates, gold) = made(1), made(2)
    threshold = tuned(*development)
    taken = mining.choose(candidates, gold, development)
    assert taken == [pair for score, pair in candidates if score >= threshold]
    assert taken == mining.choose(candidates, set(), development)
    assert threshold != tuned(candidates, gold)
    assert 0 < len(taken) < len(candidates)


def half(pair):
    return sha256(pair[0].encode()).digest()[0] % 2


@pytest.mark.parametrize("seed", range(4))
def test_without_one_each_half_is_tuned_on_the_other(seed):
    candidates, gold = made(seed)
    taken = mining.choose(candidates, gold, None)
    assert len(taken) == len(set(taken)) > 5
    for part in (0, 1):
        mine = [found for found in candidates if half(found[1]) == part]
        other = [found for found in candidates if half(found[1]) != part]
        assert len(mine) > 15
        threshold = tuned(other, {pair for pair in gold if half(pair) != part})
        assert [p for p in taken if half(p) == part] == above(mine, threshold)


@given(st.integers(0, 1000), st.integers(0, 1))
@settings(deadline=None, max_examples=30)
def test_a_half_does_not_see_its_own_gold(seed, part):
    candidates, gold = made(seed)
    blind = {pair for pair in gold if half(pair) != part}
    for known in (gold, blind):
        taken = mining.choose(candidates, known, None)
        seen = [pair for pair in taken if half(pair) == part]
        assert seen == [p for p in mining.choose(candidates, gold, None) if half(p) == part]


@pytest.mark.parametrize("candidates", [[], [(1.0, ("q1", "c1"))]])
def test_nothing_right_means_nothing_taken(candidates):
    assert mining.choose(candidates, set(), None) == []
    assert mining.choose(candidates, set(), ([], set())) == []
    assert mining.choose(candidates, set(), (candidates, {("q9", "c9")})) == []


def f1(pairs, gold):
    right = len(pairs & gold)
    precision, recall = right / max(len(pairs), 1), right / max(len(gold), 1)
    return 100 * 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


@pytest.mark.parametrize("seed", range(3))
def test_official_takes_the_best_threshold_and_clean_the_pairs(seed):
    candidates, gold = made(seed)
    examples = []
    for n in range(60):
        keys = (str(n),) if (f"q{n}", f"c{n}") in gold else ()
        examples += [sentence("f", n, f"{n}", *keys), sentence("e", n, f"{n}", *keys)]
    gold = mining.gold_pairs(examples)
    pairs = mining.choose(candidates, gold, made(seed + 7))
    scores = mining.score({"candidates": candidates, "pairs": pairs}, examples, None, "de")
    cuts = [{pair for _, pair in candidates[: n + 1]} for n in range(60)]
    best = max(cuts, key=lambda cut: f1(cut, gold)[0])
    for profile, taken in ((scores.official, best), (scores.clean, set(pairs))):
        value, precision, recall = f1(taken, gold)
        want = {"f1": value, "precision": 100 * precision, "recall": 100 * recall}
        assert profile == pytest.approx(want)
    assert scores.official["f1"] > scores.clean["f1"]
    assert scores.n == len(gold)
    assert scores.ids == [f"q{n}" for n in range(60)]
    share = 100 * sum(scores.numerator) / sum(scores.denominator)
    assert share == pytest.approx(scores.official["f1"])


def test_no_candidates_and_no_gold():
    scores = mining.score({"candidates": [], "pairs": []}, EXAMPLES[1:2], None, "de")
    assert (scores.n, scores.official["f1"], scores.clean["f1"]) == (0, 0.0, 0.0)
