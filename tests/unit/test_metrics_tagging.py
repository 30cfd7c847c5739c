"""Tagging: chunks as in seqeval 0.0.12, strict IOB2 chunks, counts that add up."""

import time
import warnings

import pytest
import seqeval.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from midway.errors import DataError
from midway.metrics import tagging

UPOS = ["NOUN", "VERB", "INTJ", "SCONJ", "CCONJ", "SYM", "X", "PUNCT"]
IOB = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
PREFIXED = [*IOB, "S-LOC", "E-PER", "E-LOC", "S-PER"]


def sentences(tags):
    pairs = st.lists(st.tuples(st.sampled_from(tags), st.sampled_from(tags)), min_size=1)
    return st.lists(pairs, min_size=1, max_size=5).map(
        lambda rows: ([[g for g, _ in row] for row in rows], [[p for _, p in row] for row in rows])
    )


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("NOUN NOUN VERB", [("NOUN", 0, 1), ("VERB", 2, 2)]),  # neighbours merge
        ("SYM SYM", [("SYM", 0, 0), ("SYM", 1, 1)]),  # S is a chunk of one
        ("SCONJ CCONJ", [("SCONJ", 0, 0), ("CCONJ", 1, 1)]),  # the whole tag is the type
        ("INTJ INTJ X", [("INTJ", 0, 1), ("X", 2, 2)]),
        ("O I-PER I-PER O", [("PER", 1, 2)]),  # lenient: I- opens a chunk
        ("B-PER I-LOC", [("PER", 0, 0), ("LOC", 1, 1)]),
        ("B-PER B-PER I-PER", [("PER", 0, 0), ("PER", 1, 2)]),
        ("", []),
    ],
)
def test_official_chunks(tags, expected):
    assert tagging.chunks(tags.split()) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O I-PER I-PER O", []),
        ("B-PER I-LOC I-PER", [("PER", 0, 0)]),
        ("B-PER I-PER B-PER", [("PER", 0, 1), ("PER", 2, 2)]),
        ("O B-A-B I-A-B", [("A-B", 1, 2)]),
    ],
)
def test_strict_chunks(tags, expected):
    assert tagging.strict_chunks(tags.split()) == expected


def test_one_error_in_a_run_of_four():
    """Chunk F1 is 0 where accuracy is 75 (protocol: neighbouring equal tags are one chunk)."""
    gold, predicted = [["NOUN"] * 4], [["NOUN", "NOUN", "VERB", "NOUN"]]
    assert tagging.official_scores(gold, predicted)["f1"] == 0
    assert tagging.token_accuracy(gold, predicted) == 75
    assert tagging.clean_scores(gold, predicted, entities=False) == {"accuracy": 75}


def test_confusing_two_conjunctions_is_an_error():
    """Newer versions of seqeval cut the first letter off and see no difference."""
    assert tagging.official_scores([["SCONJ"]], [["CCONJ"]])["f1"] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert seqeval.metrics.f1_score([["SCONJ"]], [["CCONJ"]]) == 1


def test_counts_worked_by_hand():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "O"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["I-LOC", "O"]]
    official = tagging.sentence_counts(gold, predicted)
    assert official == [tagging.Counts(1, 2, 2), tagging.Counts(0, 1, 0)]
    assert tagging.summarise(official) == pytest.approx(
        {"f1": 40.0, "precision": 100 / 3, "recall": 50.0}
    )
    strict = tagging.sentence_counts(gold, predicted, scheme="strict")
    assert strict == [tagging.Counts(1, 2, 2), tagging.Counts(0, 0, 0)]
    assert tagging.clean_scores(gold, predicted, entities=True)["f1"] == 50
    assert tagging.token_counts(gold, predicted)[0] == tagging.Counts(3, 4, 4)


def test_nothing_to_find():
    assert tagging.official_scores([["O"]], [["O"]]) == {"f1": 0, "precision": 0, "recall": 0}
    assert tagging.token_accuracy([], []) == 0


def test_shapes_must_agree():
    with pytest.raises(DataError, match="2 predicted sentences, but 1 gold"):
        tagging.official_scores([["O"]], [["O"], ["O"]])
    with pytest.raises(DataError, match="sentence 2 has 1 predicted tags, but 2 gold"):
        tagging.token_accuracy([["O"], ["O", "O"]], [["O"], ["O"]])


@given(st.lists(st.sampled_from(PREFIXED)))
def test_chunks_equal_seqeval_on_prefixed_tags(tags):
    """On tags with a scheme prefix (and no further hyphen) all versions of seqeval agree."""
    assert tagging.chunks(tags) == [tuple(chunk) for chunk in get_entities(tags)]


@given(st.lists(st.sampled_from(IOB), min_size=1))
def test_strict_chunks_equal_seqeval(tags):
    found = Entities([tags], scheme=IOB2).entities[0]
    expected = [(entity.tag, entity.start, entity.end - 1) for entity in found]
    assert tagging.strict_chunks(tags) == expected


@given(sentences(IOB))
@settings(deadline=None)
def test_scores_equal_seqeval(data):
    gold, predicted = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "f1": 100 * seqeval.metrics.f1_score(gold, predicted),
            "precision": 100 * seqeval.metrics.precision_score(gold, predicted),
            "recall": 100 * seqeval.metrics.recall_score(gold, predicted),
        }
    assert tagging.official_scores(gold, predicted) == pytest.approx(expected, abs=1e-9)


@given(sentences(UPOS), st.sampled_from(["official", "strict"]))
def test_counts_of_sentences_add_up_to_the_corpus(data, scheme):
    """Joining the sentences with an O between them, as seqeval does, gives the same counts."""
    gold, predicted = data
    parts = tagging.sentence_counts(gold, predicted, scheme=scheme)
    joined = [[tag for sentence in side for tag in [*sentence, "O"]] for side in data]
    (whole,) = tagging.sentence_counts([joined[0]], [joined[1]], scheme=scheme)
    assert whole.correct == sum(part.correct for part in parts)
    assert whole.predicted == sum(part.predicted for part in parts)
    assert whole.gold == sum(part.gold for part in parts)


@given(sentences(UPOS), st.randoms())
def test_order_of_sentences_does_not_matter(data, random):
    gold, predicted = data
    before = tagging.official_scores(gold, predicted)
    order = list(range(len(gold)))
    random.shuffle(order)
    after = tagging.official_scores([gold[i] for i in order], [predicted[i] for i in order])
    assert after == before
    assert all(0 <= value <= 100 for value in after.values())


@given(sentences(UPOS))
def test_swapping_the_sides_swaps_precision_and_recall(data):
    gold, predicted = data
    there = tagging.official_scores(gold, predicted)
    back = tagging.official_scores(predicted, gold)
    assert (there["f1"], there["precision"]) == (back["f1"], back["recall"])


def test_a_million_tokens_take_seconds():
    gold = [[UPOS[(i * j) % 8] for j in range(20)] for i in range(50_000)]
    predicted = [[UPOS[(i * j + i % 2) % 8] for j in range(20)] for i in range(50_000)]
    start = time.perf_counter()
    tagging.official_scores(gold, predicted)
    assert time.perf_counter() - start < 6  # measured: 0.7
