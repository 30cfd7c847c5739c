"""From units to seconds, and to a time on the clock."""

import pytest
from toy_stages import EXAMPLES, FEATURES, PREDICT, TRAIN, toy

from midway.graph.plan import build
from midway.studies.costs import Rates, fitted
from midway.studies.forecast import forecast

TRUE = {
    "features": {"stage": 0.5, "tokens": 1e-6},
    "train": {"stage": 0.4, "steps": 0.1, "tokens": 4e-4, "attention": 2e-7},
    "predict": {"stage": 0.2, "tokens": 1e-4, "attention": 1e-7},
}


def a_run(kind, **units):
    costs = TRUE.get(kind, {"examples": 1e-5})
    return kind, units, sum(costs[unit] * {"stage": 1, **units}[unit] for unit in costs)


RUNS = [
    a_run("examples", examples=4000),
    a_run("features", tokens=800),
    a_run("features", tokens=13_000),
    a_run("train", steps=1, tokens=200, attention=10_000),
    a_run("train", steps=8, tokens=1700, attention=90_000),
    a_run("train", steps=4, tokens=6700, attention=350_000),
    a_run("train", steps=4, tokens=6000, attention=1_100_000),
    a_run("predict", tokens=800, attention=50_000),
    a_run("predict", tokens=13_000, attention=700_000),
    a_run("predict", tokens=11_000, attention=2_000_000),
    a_run("score", examples=64),
]


def test_costs_are_told_apart():
    found = fitted(RUNS)
    for kind, costs in TRUE.items():
        assert {unit: found[kind][unit] for unit in costs} == pytest.approx(costs, rel=1e-6)
    assert found["examples"] == {"examples": pytest.approx(1e-5)}
    assert found["train"]["probed"] == found["predict"]["tokens"]  # a check predicts


def test_no_cost_is_negative_when_a_run_was_disturbed():
    def slower(kind, units, seconds):
        return kind, units, seconds * (3 if (kind, units.get("tokens")) == ("train", 6700) else 1)

    disturbed = fitted([slower(*run) for run in RUNS])
    assert all(cost >= 0 for costs in disturbed.values() for cost in costs.values())
    rates = Rates(disturbed)
    assert 0.4 < rates.of("train", {"steps": 1, "tokens": 200, "attention": 10_000}) < 1.0


RATES = Rates({"train": {"tokens": 1.0}, "predict": {"tokens": 0.1}, "examples": {"stage": 2.0}})


def expected(leaves, workers, rates=RATES, missing=None):
    plan = build(leaves)
    keys = {stage.key for stage in plan.stages} if missing is None else missing
    return forecast(plan, keys, rates, workers)


def study(number):
    """Examples (2 s), two trainings (10 s each) and their predictions (1 s each)."""
    data = toy(EXAMPLES, f"e{number}")
    trained = [toy(TRAIN, f"t{number}{i}", {"data": data}) for i in range(2)]
    return [toy(PREDICT, f"p-{stage.spec.name}", {"model": stage}) for stage in trained]


def test_one_worker_takes_the_sum_and_two_share_what_does_not_wait():
    assert expected(study(1), 1)["wall"] == pytest.approx(2 + 2 * 11)
    assert expected(study(1), 2)["wall"] == pytest.approx(2 + 11)
    assert expected(study(1), 9)["wall"] == pytest.approx(2 + 11)


def test_all_data_are_read_before_anything_is_trained():
    # Two studies: 4 s of data on one worker each, then four chains of 11 s on three workers.
    assert expected(study(1) + study(2), 3)["wall"] == pytest.approx(2 + 2 * 11)
    data, trained = toy(EXAMPLES, "late"), toy(TRAIN, "alone")
    late = toy(PREDICT, "p", {"data": data})
    assert expected([trained, late], 2)["wall"] == pytest.approx(2 + 10)


def test_each_process_starts_once():
    slow = Rates(RATES.kinds, start=5.0)
    made = expected(study(1), 2, slow)
    assert made["wall"] == pytest.approx(2 + 5 + 11)
    seconds = sorted(s["seconds"] for s in made["stages"].values())
    assert seconds == pytest.approx([1, 1, 2, 15, 15])
    features = toy(FEATURES, "f")
    assert expected([features], 1, slow)["wall"] == pytest.approx(5)


def test_only_what_is_missing_is_forecast():
    leaves = study(1)
    made = expected(leaves, 1, missing={leaf.key for leaf in leaves})
    assert made["wall"] == pytest.approx(2)
    assert set(made["stages"]) == {leaf.key for leaf in leaves}
    first = made["stages"][leaves[0].key]
    assert (first["kind"], first["tokens"], first["bytes"]) == ("predict", 10.0, 100.0)
    assert expected(leaves, 1, missing=set()) == {"stages": {}, "wall": 0.0}


def test_what_stages_took_before_corrects_their_kind():
    rates = Rates(RATES.kinds, levels={"train ": 2.0})
    assert rates.seconds(toy(TRAIN, "t")) == pytest.approx(20)
    assert rates.seconds(toy(PREDICT, "p")) == pytest.approx(1)
