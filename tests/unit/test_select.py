"""Folds, budgets, subsets and language names."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midway.errors import DataError, StudyError
from midway.tasks import load_card
from midway.tasks.examples import QAExample, RankedText, SentencePair
from midway.tasks.folds import fold_of, folded
from midway.tasks.select import (
    counts,
    deal,
    present,
    resolve_languages,
    select,
    without_answer,
)


def pairs(language, number):
    return [
        SentencePair(
            id=f"q{i}", language=language, document=f"d{i // 3}", sentence="s", english="e"
        )
        for i in range(number)
    ]


POOL = [*pairs("de", 60), *pairs("sw", 20), *pairs("te", 60)]


def languages(examples):
    return Counter(example.language for example in examples)


def test_nothing_asked_for_gives_everything_in_order():
    assert select(POOL) == POOL


def test_folds_part_the_documents_and_agree_across_languages():
    a, b = select(POOL, fold="A"), select(POOL, fold="B")
    assert sorted(a + b, key=POOL.index) == POOL
    documents_a, documents_b = {e.document for e in a}, {e.document for e in b}
    assert not documents_a & documents_b
    assert all(fold_of(name) == "A" for name in documents_a)
    german = {e.document for e in a if e.language == "de"}
    assert german == {e.document for e in a if e.language == "te"}


def test_folds_are_about_half():
    sizes = Counter(fold_of(f"article {i}") for i in range(10_000))
    assert 4_800 < sizes["A"] < 5_200


def test_fold_is_pinned():
    # Literal, because stored results depend on it; checked with the sha256sum command.
    names = ("Super_Bowl_50", "Warsaw", "Normans", "")
    assert [fold_of(name) for name in names] == ["B", "B", "A", "B"]


def test_budget_is_dealt_equally_and_keeps_the_order():
    chosen = select(POOL, total=50, seed=7)
    assert languages(chosen) == {"de": 17, "sw": 17, "te": 16}
    assert chosen == sorted(chosen, key=POOL.index)


def test_what_a_small_language_lacks_goes_to_the_others():
    assert languages(select(POOL, total=101, seed=7)) == {"de": 41, "sw": 20, "te": 40}


@given(st.integers(1, 140), st.integers(1, 140), st.integers(0, 3))
def test_budgets_nest(first, second, seed):
    small, large = sorted((first, second))
    taken = set(select(POOL, total=small, seed=seed))
    assert len(taken) == small
    assert taken <= set(select(POOL, total=large, seed=seed))


def test_seeds_differ_and_languages_are_drawn_apart():
    one, two = select(POOL, total=60, seed=1), select(POOL, total=60, seed=2)
    assert one != two
    ids = {code: {e.id for e in one if e.language == code} for code in ("de", "te")}
    assert ids["de"] != ids["te"]


def test_evaluation_subset_is_parallel():
    chosen = select(POOL, per_language=10, seed=3)
    ids = {code: [e.id for e in chosen if e.language == code] for code in ("de", "sw", "te")}
    assert [len(found) for found in ids.values()] == [10, 10, 10]
    assert ids["de"] == ids["te"]


def test_a_subset_does_not_depend_on_the_other_languages():
    alone = select(pairs("te", 60), per_language=10, seed=3)
    assert alone == [e for e in select(POOL, per_language=10, seed=3) if e.language == "te"]


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        ({"total": 141}, DataError, r"141 examples asked for, but there are 140 \(de 60, sw 20"),
        ({"per_language": 21}, DataError, "21 examples per language asked for, but sw has 20"),
        ({"fold": "C"}, StudyError, "fold 'C' does not exist; expected A or B"),
        ({"total": 1, "per_language": 1}, StudyError, "give one of the two"),
        ({"total": 0}, StudyError, "0 examples asked for"),
        ({"per_language": -1}, StudyError, "-1 examples asked for"),
    ],
)
def test_impossible_requests(request_, error, message):
    with pytest.raises(error, match=message):
        select(POOL, **request_)


def test_too_many_for_a_fold_says_the_fold():
    with pytest.raises(DataError, match=r"but there are \d+ in fold A"):
        select(POOL, total=140, fold="A")


def test_an_empty_fold_is_an_error():
    one = [QAExample("i", "en", "Normans", "c", "q", (), ())]
    with pytest.raises(DataError, match=r"no examples in fold B \(of 1\)"):
        select(one, fold="B")


def ranked(language, number):
    """A query and a candidate per key, side by side, and a candidate that nobody asks for."""
    texts = []
    for i in range(number):
        where = {"language": language, "document": f"d{i // 3}", "text": "t", "context": ""}
        texts += [
            RankedText(id=f"q{i}", side="query", keys=(f"k{i}",), **where),
            RankedText(id=f"c{i}", side="candidate", keys=(f"k{i}",), **where),
            RankedText(id=f"x{i}", side="candidate", keys=(f"alone{i}",), **where),
        ]
    return texts


SEARCH = [*ranked("de", 40), *ranked("sw", 12)]


def of_side(examples, side):
    return [example for example in examples if example.side == side]


def test_an_evaluation_subset_searches_all_candidates():
    chosen = select(SEARCH, per_language=10, seed=3)
    assert languages(of_side(chosen, "query")) == {"de": 10, "sw": 10}
    assert of_side(chosen, "candidate") == of_side(SEARCH, "candidate")
    assert chosen == sorted(chosen, key=SEARCH.index)
    plain = select(of_side(SEARCH, "query"), per_language=10, seed=3)
    assert of_side(chosen, "query") == plain


@pytest.mark.parametrize("fold", ["A", "B"])
def test_a_fold_searches_its_own_candidates(fold):
    chosen = select(SEARCH, fold=fold)
    assert chosen == [example for example in SEARCH if fold_of(example.document) == fold]
    fewer = select(SEARCH, fold=fold, per_language=3)
    assert of_side(fewer, "candidate") == of_side(chosen, "candidate")
    assert languages(of_side(fewer, "query")) == {"de": 3, "sw": 3}


def test_a_training_budget_takes_the_candidates_of_its_queries():
    chosen = select(SEARCH, total=20, seed=7)
    asked = {(e.language, e.keys) for e in of_side(chosen, "query")}
    assert Counter(language for language, _ in asked) == {"de": 10, "sw": 10}
    assert {(e.language, e.keys) for e in of_side(chosen, "candidate")} == asked
    assert chosen == sorted(chosen, key=SEARCH.index)
    assert set(chosen) <= set(select(SEARCH, total=40, seed=7))


def test_everything_is_everything_of_a_search_too():
    assert select(SEARCH) == SEARCH


def test_candidates_are_not_counted():
    with pytest.raises(DataError, match=r"53 examples asked for, but there are 52 \(de 40, sw 12"):
        select(SEARCH, total=53)
    with pytest.raises(DataError, match="13 examples per language asked for, but sw has 12"):
        select(SEARCH, per_language=13)
    with pytest.raises(DataError, match="no examples"):
        select(of_side(SEARCH, "candidate"))


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50), min_size=1), st.data())
def test_deal_is_round_robin(sizes, data):
    total = data.draw(st.integers(0, sum(sizes.values())))
    expected, left = dict.fromkeys(sizes, 0), total
    while left:
        for code in sizes:
            if left and expected[code] < sizes[code]:
                expected[code] += 1
                left -= 1
    assert deal(sizes, total) == expected


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "xquad"
    home.mkdir()
    answers = [{"text": "c", "answer_start": 0}]
    for code in ("ar", "zh"):
        qas = [{"id": f"{i}", "question": "q", "answers": answers} for i in range(3)]
        data = {"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": qas}]}]}
        (home / f"xquad.{code}.json").write_text(json.dumps(data), encoding="utf-8")
    return tmp_path


def test_present_and_counts(folder):
    card = load_card("xquad")
    assert present(card, (folder,)) == {"test": ["ar", "zh"]}
    assert counts(card, (folder,)) == {"test": {"ar": 3, "zh": 3}}
    assert present(card, ()) == {"test": []}


def test_languages_are_resolved(folder):
    card = load_card("xquad")
    assert resolve_languages(card, "all", (folder,), "test") == ["ar", "zh"]
    assert resolve_languages(card, ["zh", "ar", "zho", "zh"], (folder,), "test") == ["zh", "ar"]
    assert resolve_languages(card, ["cmn", "arb_Arab"], (folder,), "test") == ["zh", "ar"]


@pytest.mark.parametrize(
    ("requested", "split", "error", "message"),
    [
        (["xx"], "test", StudyError, "xquad has no language 'xx'.* It has: ar de el"),
        (["swh"], "test", StudyError, "xquad has no language 'swh'"),
        (["de"], "test", DataError, r"no files of xquad \(test\) in language 'de'; at hand: ar zh"),
        ("every", "test", StudyError, "'every', expected a list or \"all\""),
        ("all", "tset", StudyError, "no split 'tset'. Did you mean 'test'"),
        ("all", "train", StudyError, "no split 'train'"),
    ],
)
def test_languages_that_cannot_be_had(folder, requested, split, error, message):
    with pytest.raises(error, match=message):
        resolve_languages(load_card("xquad"), requested, (folder,), split)


def test_no_files_at_all(tmp_path):
    with pytest.raises(DataError, match=r"no files of xquad \(test\) in .*--data or MIDWAY_DATA"):
        resolve_languages(load_card("xquad"), ["ar"], (tmp_path,), "test")
    with pytest.raises(DataError, match="in no data folder"):
        resolve_languages(load_card("xquad"), "all", (), "test")


@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    alpha=st.sampled_from([0.3, 0.5, 1.0]),
    share=st.floats(0.01, 0.99),
)
def test_budgets_by_power_nest_and_never_exceed_a_language(sizes, alpha, share):
    named = {str(place): size for place, size in enumerate(sizes)}
    total = max(1, int(share * sum(sizes)))
    small, large = deal(named, total, alpha=alpha), deal(named, sum(sizes), alpha=alpha)
    assert sum(small.values()) == total
    assert large == named
    assert all(small[name] <= named[name] for name in named)
    if total > 1:
        before = deal(named, total - 1, alpha=alpha)
        assert all(before[name] <= small[name] for name in named)


def test_power_of_sizes_is_followed():
    sizes = {"en": 1_000_000, "sw": 10_000, "yo": 1_000}
    powers = {name: size**0.3 for name, size in sizes.items()}
    dealt = deal(sizes, 1000, alpha=0.3)
    for name, size in powers.items():
        assert abs(dealt[name] - 1000 * size / sum(powers.values())) <= 1
    assert deal(sizes, 900, alpha=0.0) == dict.fromkeys(sizes, 300)
    assert deal({"a": 900, "b": 100}, 100, alpha=1.0) == {"a": 90, "b": 10}


def test_queries_without_a_right_candidate_are_counted():
    def text(side, name, *keys):
        return RankedText(name, "en", "d", side, "t", "", keys)

    queries = [text("query", "1", "a"), text("query", "2", "b", "c"), text("query", "3", "x")]
    candidates = [text("candidate", "1", "a"), text("candidate", "2", "c"), text("candidate", "3")]
    assert without_answer([*queries, *candidates]) == (1, 3)
    assert without_answer([text("query", "1"), *candidates]) == (0, 0)  # bitext without gold
    assert without_answer(POOL) == (0, 0)


def test_documents_that_share_a_paragraph_are_in_one_fold():
    """Also when they are joined by a third one, and when only white space differs."""

    def asked(number, document, context, language="en"):
        return QAExample(f"q{number}", language, document, context, "?", ("a",), (0,))

    names = [f"article {i}" for i in range(40)]
    examples = [asked(i, name, f"paragraph of {name}") for i, name in enumerate(names)]
    chain = ["article 3", "article 7", "article 20", "article 31"]
    assert {fold_of(name) for name in chain} == {"A", "B"}
    joints = [(chain[3], chain[1]), (chain[0], chain[2]), (chain[0], chain[3])]
    for number, (first, second) in enumerate(joints):
        examples += [
            asked(f"{number}a", first, f"a shared  paragraph {number}"),
            asked(f"{number}b", second, f"a shared paragraph\n{number}"),
            asked(f"{number}c", second, f"a shared paragraph {number}", "sw"),
        ]
    sides = [{e.document for e in folded(examples, fold) if e.language == "en"} for fold in "AB"]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == set(names)
    assert set(chain) <= sides[fold_of(min(chain)) == "B"]
    alone = [e for e in examples if e.document not in chain]
    assert all(e in folded(examples, fold_of(e.document)) for e in alone)
