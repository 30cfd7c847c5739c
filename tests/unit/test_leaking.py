"""Scores without what leaks: queries go, what is searched stays, predictions are not touched."""

import numpy as np
import pytest

from midway.families import FAMILIES
from midway.metrics.mining import Pair
from midway.stages.leak_kinds import DataSet, read_data_set
from midway.stages.leaking import (
    left,
    read_leaking,
    read_neighbours,
    write_leaking,
    write_neighbours,
)
from midway.stages.neighbours import translations
from midway.tasks import load_card
from midway.tasks.examples import (
    ChoiceExample,
    LabelledText,
    QAExample,
    RankedText,
    SentencePair,
    TaggedSentence,
)
from midway.tasks.storage import write_examples

GONE = ("en", frozenset({"1"}))


def scored(family, task, predictions, pool, language="en"):
    return FAMILIES[family].score(predictions, pool, load_card(task), language)


def test_both_files_come_back_as_they_were(tmp_path):
    write_leaking({"xquad": {"en": ["b", "a"]}}, tmp_path)
    assert read_leaking(tmp_path, "xquad") == {"en": frozenset({"a", "b"})}
    assert read_leaking(tmp_path, "tydiqa") == {}
    write_neighbours({0: {2: {7: "de:x"}}}, tmp_path)
    assert read_neighbours(tmp_path) == {0: {2: {7: "de:x"}}}


def test_aligned_lists_lose_the_same_place():
    pool = [LabelledText(str(i), "en", "d", "t", "", label) for i, label in enumerate("nec")]
    predictions, kept = left("classification", ["n", "e", "x"], pool, GONE)
    assert [example.id for example in kept] == ["0", "2"]
    assert predictions == ["n", "x"]
    choices = [ChoiceExample(str(i), "en", "d", "c", "q", ("a", "b"), 0) for i in range(3)]
    assert left("choice", [0, 1, 1], choices, GONE)[0] == [0, 1]


def test_answers_and_tags_are_found_by_id():
    questions = [QAExample(str(i), "en", "d", "Ada", "Who?", ("Ada",), (0,)) for i in range(3)]
    answers = {"0": "Ada", "1": "no", "2": "no"}
    scores = scored("span_qa", "xquad", *left("span_qa", answers, questions, GONE))
    assert (scores.n, scores.official["exact_match"]) == (2, 50.0)
    words = [TaggedSentence(str(i), "en", "d", ("Ada",), ("NOUN",)) for i in range(3)]
    tags = {"0": ("NOUN",), "1": ("VERB",), "2": ("NOUN",)}
    scores = scored("tagging", "udpos", *left("tagging", tags, words, GONE))
    assert (scores.n, scores.clean["accuracy"]) == (2, 100.0)


def test_a_retrieved_sentence_that_went_stays_a_wrong_one():
    pairs = [SentencePair(str(i), "en", "d", f"s{i}", f"e{i}") for i in range(4)]
    found = {"from_english": [0, 1, 1, 3], "to_english": [0, 1, 2, 2]}
    predictions, kept = left("retrieval", found, pairs, GONE)
    assert predictions["from_english"] == [0, -1, 2]
    scores = scored("retrieval", "tatoeba", predictions, kept)
    assert scores.official["accuracy"] == pytest.approx(200 / 3)
    assert scores.clean["accuracy_to_english"] == pytest.approx(200 / 3)


def test_only_queries_of_a_ranking_go():
    def text(name, side, key):
        return RankedText(name, "en", "d", side, name, "", (key,))

    pool = [text("0", "query", "k"), text("1", "query", "l"), text("1", "candidate", "l")]
    predictions, kept = left("ranking", {"0": [], "1": []}, pool, GONE)
    assert [(e.id, e.side) for e in kept] == [("0", "query"), ("1", "candidate")]
    assert scored("ranking", "lareqa", predictions, kept).n == 1


def test_mined_pairs_go_with_their_query():
    def text(name, side):
        return RankedText(name, "en", "d", side, name, "", (name[-1],))

    pool = [text(f"{side[0]}{i}", side) for side in ("query", "candidate") for i in range(3)]
    right: list[Pair] = [(f"q{i}", f"c{i}") for i in range(3)]
    mined = {"candidates": [(2.0 - i, pair) for i, pair in enumerate(right)], "pairs": right}
    predictions, kept = left("mining", mined, pool, ("en", frozenset({"q1"})))
    assert predictions["pairs"] == [right[0], right[2]]
    scores = scored("mining", "bucc2018", predictions, kept)
    assert (scores.n, scores.clean["f1"]) == (2, 100.0)


def test_other_languages_of_a_pool_stay():
    pool = [RankedText("1", code, "d", "query", "t", "", ("k",)) for code in ("en", "de")]
    assert [e.language for e in left("ranking", {}, pool, GONE)[1]] == ["de"]


def data_set(folder, language, count) -> DataSet:
    folder.mkdir()
    examples = [
        QAExample(f"{i}", language, "d", f"{language} {i}", "Who?", ("x",), (0,))
        for i in range(count)
    ]
    write_examples(examples, folder)
    return read_data_set(folder, "afriqa", "test")


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_translations_are_mutual_neighbours_from_a_margin_on(tmp_path):
    """Half of the texts have a translation; random directions are far from each other."""
    rng = np.random.default_rng(3)
    first = data_set(tmp_path / "a", "de", 60)
    second = data_set(tmp_path / "b", "fr", 60)
    ours = unit(rng.normal(size=(60, 32)))
    theirs = unit(rng.normal(size=(60, 32)))
    theirs[:30] = unit(ours[:30] + 0.05 * rng.normal(size=(30, 32)))
    every = {(i, j): score for i, j, score in translations(first, ours, second, theirs, 0.0)}
    right = {(i, i) for i in range(30)}
    assert right < every.keys()  # the nearest of unrelated texts are mutual now and then
    margin = min(every[pair] for pair in right)
    assert margin > 1.1 * max(score for pair, score in every.items() if pair not in right)
    found = {(i, j) for i, j, _ in translations(first, ours, second, theirs, margin)}
    assert found == right


def test_texts_of_one_language_are_no_translations(tmp_path):
    first, second = (data_set(tmp_path / name, "de", 8) for name in "ab")
    vectors = np.eye(8)
    assert list(translations(first, vectors, second, vectors, 0.0)) == []
