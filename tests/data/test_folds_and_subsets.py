"""Folds and budgets on real files, through the whole stage that chooses examples."""

import os
from collections import Counter
from dataclasses import replace

import pytest

from midway.canonical import file_digest
from midway.graph.stage import Context, Runtime
from midway.stages import examples as stage
from midway.stages.leak_texts import normal, texts
from midway.studies import build
from midway.studies.estimate import Estimator
from midway.tasks import load_card
from midway.tasks.sources import parse_folders
from midway.tasks.storage import read_examples


@pytest.fixture
def chosen(tmp_path):
    """Examples that a study's part would train on."""

    def choose(name, split, languages="all", *, seed=0, **request):
        runtime = Runtime(data=parse_folders(os.environ["MIDWAY_DATA"]))
        estimator = Estimator(lambda stage: None, None)
        builder = build.Builder(None, runtime, file_digest, None, estimator)
        made = build.examples(builder, load_card(name), split, languages, **request)
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        out.mkdir()
        context = Context(out, tmp_path, runtime, lambda progress: None, lambda: None)
        stage.run(replace(made.spec, seed=seed), {}, context)
        return read_examples(out, load_card(name).family)

    return choose


def by_language(examples, attribute):
    found = {}
    for example in examples:
        found.setdefault(example.language, set()).add(getattr(example, attribute))
    return found


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("xquad", "test"),
        ("mlqa", "validation"),
        ("squad", "validation"),
        ("tydiqa", "validation"),
        ("tydiqa", "train"),
    ],
)
def test_folds_share_no_paragraph_and_lose_no_question(chosen, name, split):
    """In TyDiQA a paragraph may stand under two titles; then both are on the same side."""
    a, b = (chosen(name, split, fold=fold) for fold in "AB")
    whole = chosen(name, split)
    assert {(e.language, e.id) for e in whole} == {(e.language, e.id) for e in [*a, *b]}
    assert len(whole) == len(a) + len(b)
    documents = [{(e.language, e.document) for e in part} for part in (a, b)]
    assert not documents[0] & documents[1]
    paragraphs = [{normal(text) for e in part for text in texts(e)} for part in (a, b)]
    assert min(map(len, paragraphs)) > 50
    assert not paragraphs[0] & paragraphs[1]


@pytest.mark.parametrize(("name", "split"), [("xquad", "test"), ("mlqa", "validation")])
def test_an_article_is_in_the_same_fold_in_every_language(chosen, name, split):
    """By the ids of its questions, which are parallel, not by its title, which is translated."""
    a, b = (by_language(chosen(name, split, fold=fold), "id") for fold in "AB")
    assert len(a) == len(b) == {"xquad": 9, "mlqa": 7}[name]
    assert not set().union(*a.values()) & set().union(*b.values())
    if name == "xquad":
        assert all(ids == a["en"] for ids in a.values())
        articles = by_language(chosen(name, split, fold="A"), "document")
        assert len(articles["en"]) > 15
        assert all(documents == articles["en"] for documents in articles.values())


def test_an_aligned_fold_can_be_trained_on_and_the_other_evaluated(chosen):
    """Training languages and evaluation languages differ: no paragraph's translation is shared."""
    trained = chosen("xquad", "test", ["ar", "de", "hi", "tr", "zh"], fold="A", total=1000)
    evaluated = chosen("xquad", "test", ["en", "el", "ro"], fold="B", per_language=100)
    assert not {e.document for e in trained} & {e.document for e in evaluated}
    assert not {e.id for e in trained} & {e.id for e in evaluated}


@pytest.mark.parametrize("fold", [None, "A"])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("name", "split"), [("xquad", "test"), ("tydiqa", "validation"), ("tydiqa", "train")]
)
def test_2000_are_among_more_in_every_language(chosen, name, split, alpha, fold):
    larger = 2400 if fold and split == "validation" else 3800
    request = {"alpha": alpha, "fold": fold}
    small = chosen(name, split, total=2000, **request)
    large = chosen(name, split, total=larger, **request)
    assert (len(small), len(large)) == (2000, larger)
    few, many = by_language(small, "id"), by_language(large, "id")
    assert all(few[code] <= many[code] for code in few)
    assert small != chosen(name, split, total=2000, seed=1, **request)
    sizes = Counter(e.language for e in chosen(name, split, fold=fold))
    assert set(few) == set(sizes)
    free = {code: size**alpha for code, size in sizes.items() if len(few[code]) < size}
    left = 2000 - sum(size for code, size in sizes.items() if code not in free)
    for code, power in free.items():  # what the others could not give is shared in the same way
        assert abs(len(few[code]) - left * power / sum(free.values())) <= 1
