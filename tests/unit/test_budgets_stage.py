"""Budgets counted on planned steps are those that training will report."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from midway.errors import StudyError
from midway.families import FAMILIES
from midway.families.features import read_features, write_features
from midway.families.tokens import table, with_languages
from midway.graph.stage import Context, Runtime
from midway.stages import budgets
from midway.stages.specs import BudgetsSpec, EntrySpec, PlannedTraining, TrainSpec
from midway.stages.steps import planned_steps
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling
from midway.train.step import Entry

RECIPE = Recipe(batch_size=4, epochs=2.0)


def rows(folder, examples, tokens, spoken, **columns):
    """A feature table: the example of each row, its tokens, the language of each example."""
    made = {name: ("int32", values) for name, values in columns.items()}
    made |= {
        "ids": ("list", [np.full(n, 5, np.int32) for n in tokens]),
        "example": ("int32", examples),
    }
    folder.mkdir()
    write_features(with_languages(table(made), spoken), folder)
    return folder


def plan(name, *families, features, after="", recipe=RECIPE, sampling=None, sizes=()):
    entries = tuple(
        EntrySpec(task=f"{family}-task", family=family, batch_size=size)
        for family, size in zip(families, sizes or [0] * len(families), strict=True)
    )
    train = TrainSpec(entries=entries, recipe=recipe, sampling=sampling or Sampling(), seed=1)
    return PlannedTraining(name=name, after=after, train=train, features=features)


def run(tmp_path, plans, folders, *, match="", seeds=(1,), pairs=(("a", "b"),)):
    out = tmp_path / "out"
    out.mkdir()
    spec = BudgetsSpec(intermediates=tuple(plans), seeds=seeds, pairs=pairs, match=match)
    inputs = {f"features{i}": folder for i, folder in enumerate(folders)}
    facts = budgets.run(
        spec, inputs, Context(out, tmp_path, Runtime(), lambda progress: None, lambda: None)
    )
    assert json.loads((out / "budgets.json").read_text(encoding="utf-8")) == facts
    return facts["budgets"]


@pytest.fixture
def windows(tmp_path):
    """Ten questions, of which every other one has three windows."""
    examples = [number for number in range(10) for _ in range(3 if number % 2 else 1)]
    spoken = ["de" if number < 4 else "sw" for number in range(10)]
    return rows(tmp_path / "windows", examples, [10] * 20, spoken)


@pytest.fixture
def sentences(tmp_path):
    return rows(tmp_path / "sentences", list(range(12)), range(5, 17), ["en"] * 12, label=[0] * 12)


@pytest.fixture
def ranked(tmp_path):
    """Seven queries that share three candidates, which are the last rows."""
    right = [7 + number % 3 for number in range(7)] + [-1] * 3
    tokens = [6] * 7 + [20] * 3
    return rows(tmp_path / "ranked", list(range(10)), tokens, ["en"] * 7 + ["fi"] * 3, right=right)


def test_an_example_of_several_windows_is_seen_once_when_all_of_them_are(tmp_path, windows):
    found = run(tmp_path, [plan("a", "span_qa", features=(0,))], [windows], pairs=())["a"]
    assert found["examples"] == 20  # ten questions, two epochs
    assert found["tokens"] == 400  # twenty windows of ten tokens, two epochs
    assert found["updates"] == 10  # of four windows
    assert found["languages"] == {
        "de": {"examples": 8, "tokens": 160},
        "sw": {"examples": 12, "tokens": 240},
    }


@pytest.mark.parametrize("rule", ["proportional", "uniform"])
def test_tokens_and_updates_are_those_that_training_counts(
    tmp_path, windows, sentences, ranked, rule
):
    """Against the pieces that the training loop cuts, step by step."""
    families = ("span_qa", "classification", "ranking")
    made = plan("a", *families, features=(0, 1, 2), sampling=Sampling(rule), sizes=(0, 2, 8))
    folders = [windows, sentences, ranked]
    found = run(tmp_path, [made], folders, seeds=(1, 2), pairs=())["a"]
    entries = [
        Entry(FAMILIES[name], read_features(folder), None)
        for name, folder in zip(families, folders, strict=True)
    ]
    for seed in (1, 2):
        steps = planned_steps(replace(made.train, seed=seed), [len(e.items) for e in entries])
        items = Counter()
        for step in steps:
            items[step.entry] += len(step.items)
        assert len(set(items.values())) == 3
        each = found["seeds"][str(seed)]
        assert each["updates"] == len(steps)
        assert each["tokens"] == sum(entries[s.entry].pieces.tokens(s.items) for s in steps)
        shared = sum(
            1 / (3 if read_features(windows).table["example"][int(item)].as_py() % 2 else 1)
            for step in steps
            if step.entry == 0
            for item in step.items
        )
        assert each["examples"] == pytest.approx(shared + items[1] + items[2], abs=0.01)
    for unit in ("examples", "tokens", "updates"):
        mean = np.mean([each[unit] for each in found["seeds"].values()])
        assert found[unit] == pytest.approx(mean, abs=0.01)
        if unit != "updates":
            total = sum(language[unit] for language in found["languages"].values())
            assert found[unit] == pytest.approx(total, abs=0.05)
    assert found["seeds"]["1"] != found["seeds"]["2"]


def test_a_chain_has_the_budget_of_what_it_follows(tmp_path, windows, sentences):
    plans = [
        plan("a", "span_qa", features=(0,)),
        plan("b", "classification", features=(1,), after="a"),
        plan("c", "classification", features=(1,), after="b"),
    ]
    found = run(tmp_path, plans, [windows, sentences], pairs=())
    totals = {name: [each[u] for u in budgets.UNITS] for name, each in found.items()}
    assert totals == {"a": [20, 400, 10], "b": [44, 652, 16], "c": [68, 904, 22]}
    assert list(found["c"]["languages"]) == ["de", "sw", "en"]


def test_too_different_budgets_are_refused_with_all_numbers_and_a_way_out(
    tmp_path, windows, sentences
):
    plans = [
        plan("a", "span_qa", features=(0,)),
        plan("b", "classification", features=(1,)),
        plan("c", "classification", features=(1,), recipe=replace(RECIPE, batch_size=3)),
    ]
    pairs = (("a", "b"), ("b", "c"), ("a", "c"))
    for match, begin, end in (
        ("tokens", "a has 400 tokens and b 252, 37.0 % less", "Give a about examples = 6 (now 10)"),
        ("examples", "b has 24 examples and a 20, 16.7 % less", "Give b examples = 10 (now 12)"),
        ("updates", "a has 10 updates and b 6, 40.0 % less", "Give a about examples = 6 (now 10)"),
    ):
        (tmp_path / match).mkdir()
        with pytest.raises(StudyError) as caught:
            run(tmp_path / match, plans, [windows, sentences], match=match, pairs=pairs)
        message = str(caught.value)
        assert "\n" not in message
        assert message.startswith(begin)
        assert "a: 20 examples, 400 tokens, 10 updates; b: 24 examples, 252 tokens, 6 up" in message
        assert end in message
        more = {"tokens": 1, "examples": 1, "updates": 2}[match]
        assert message.endswith(f"{more} more of the compared pairs differ")
    kept = plan("a", "span_qa", features=(0,)), plan("b", "span_qa", features=(0,))
    assert run(tmp_path, kept, [windows], match="tokens")["a"]["tokens"] == 400


def test_without_match_nothing_is_refused(tmp_path, windows, sentences):
    plans = [plan("a", "span_qa", features=(0,)), plan("b", "classification", features=(1,))]
    found = run(tmp_path, plans, [windows, sentences])
    assert found["a"]["tokens"] != found["b"]["tokens"]


def test_one_percent_is_allowed_and_no_more(tmp_path):
    spoken = ["en"] * 100
    folders = [
        rows(tmp_path / str(extra), list(range(100)), [10] * 99 + [10 + extra], spoken)
        for extra in (0, 10, 11)
    ]
    plans = [plan(name, "classification", features=(i,)) for i, name in enumerate("abc")]
    run(tmp_path, plans, folders, match="tokens")  # 1,000 and 1,010 by epoch
    (tmp_path / "more").mkdir()
    with pytest.raises(StudyError, match=r"c has 2,022 tokens and a 2,000, 1.1 % less"):
        run(tmp_path / "more", plans, folders, match="tokens", pairs=(("a", "c"),))


def test_the_suggestion_leaves_what_a_chain_follows_alone(tmp_path, windows, sentences):
    plans = [
        plan("a", "span_qa", features=(0,)),
        plan("b", "classification", features=(1,), after="a"),
        plan("c", "span_qa", "classification", features=(0, 1)),
        plan("d", "classification", features=(1,)),
    ]
    folders = [windows, sentences]
    for pair, end in (
        (("a", "b"), "It goes on from a, which alone has 400: shorten that one"),
        (("c", "a"), "Multiply 'examples' of every entry of c by 0."),
        (("b", "d"), "It goes on from a, which alone has 400"),
    ):
        (tmp_path / "".join(pair)).mkdir()
        with pytest.raises(StudyError) as caught:
            run(tmp_path / "".join(pair), plans, folders, match="tokens", pairs=(pair,))
        assert end in str(caught.value), str(caught.value)


def test_following_the_suggestion_makes_budgets_equal(tmp_path):
    long = rows(tmp_path / "long", list(range(2000)), [30] * 2000, ["en"] * 2000)
    short = rows(tmp_path / "short", list(range(2000)), [23] * 2000, ["en"] * 2000)
    plans = [plan(name, "classification", features=(i,)) for i, name in enumerate("ab")]
    with pytest.raises(StudyError, match=r"Give a about examples = 1533 \(now 2000\)"):
        run(tmp_path, plans, [long, short], match="tokens")
    (tmp_path / "again").mkdir()
    fewer = rows(tmp_path / "fewer", list(range(1533)), [30] * 1533, ["en"] * 1533)
    run(tmp_path / "again", plans, [fewer, short], match="tokens")
