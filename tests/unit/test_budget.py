import json
import time

import pytest
from toy_stages import EXAMPLES, PREDICT, TRAIN, chain, toy

from midway.errors import UsageError
from midway.graph.budget import Budget
from midway.graph.plan import build
from midway.graph.runner import run_plan
from midway.graph.stage import Runtime, Stage
from midway.store.local import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def seconds_of(stage):
    return stage.estimate["flops"] / 1e9  # ten for a toy


@pytest.mark.parametrize(
    ("text", "left", "words"),
    [
        ("90s", 90, "90 s"),
        ("30m", 1800, "30 min"),
        ("1.5h", 5400, "90 min"),
        ("500 tok", 500, "500 training tokens"),
        ("2ktok", 2000, "2,000 training tokens"),
        (" 5Mtok ", 5e6, "5,000,000 training tokens"),
    ],
)
def test_budgets_as_people_write_them(text, left, words):
    budget = Budget(text, seconds_of)
    assert budget.left == pytest.approx(left, abs=0.1)
    assert budget.in_words(left) == words
    assert budget.text == text.strip()


@pytest.mark.parametrize("text", ["", "5M", "30", "m", "-3m", "1h30m", "nan s", "1e3s", "3 days"])
def test_what_is_no_budget(text):
    with pytest.raises(UsageError, match=r"expected seconds, minutes or hours such as 90s"):
        Budget(text, seconds_of)


def test_time_goes_by_and_then_nothing_is_started(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    budget = Budget("30s", seconds_of)
    stage, free = toy(TRAIN, "t"), Stage(EXAMPLES, "e", {}, "e", {"flops": 0.0})
    assert budget.allows(stage)
    clock[0] += 20
    assert budget.allows(stage)
    clock[0] += 1
    assert not budget.allows(stage)
    assert budget.allows(free)
    clock[0] += 9
    assert not budget.allows(free)


def test_what_was_measured_corrects_the_estimates():
    budget = Budget("100s", seconds_of)
    stages = [toy(TRAIN, str(i)) for i in range(4)]
    budget.ended(stages[0], 30.0, {"steps": 5, "steps_here": 5})
    budget.ended(stages[1], 10.0, {"steps": 5, "steps_here": 5})
    assert budget.needs(stages[2]) == 20
    assert budget.needs(toy(PREDICT, "p")) == 10
    budget.ended(stages[2], 1.0, {"steps": 5, "steps_here": 1})  # the rest of an earlier run's
    budget.ended(stages[2], 1.0, None)  # failed
    assert budget.needs(stages[3]) == 20


def test_tokens_are_held_while_a_stage_runs_and_repeats_are_counted():
    budget = Budget("35tok", seconds_of)
    first, second, third = (toy(TRAIN, str(i)) for i in range(3))
    budget.started(first)
    budget.started(second)
    assert budget.left == 15
    budget.ended(second, 1.0, None)
    assert budget.left == 25
    budget.ended(first, 1.0, {"tokens": 6.0, "attempts": [1, 2]})
    assert budget.left == 23
    assert budget.needs(third) == 6  # where ten were expected, and no collapse
    predict = toy(PREDICT, "p")
    budget.started(predict)
    budget.ended(predict, 1.0, {"tokens": 1000})
    assert budget.left == 23
    budget.ended(third, 1.0, {"tokens": 60.0, "steps": 3, "steps_here": 1})
    assert budget.left == -37
    assert not budget.allows(third)
    assert budget.allows(predict)


def three(store, budget, **options):
    plan = build([chain(name)[2] for name in "xyz"])
    outcome = run_plan(
        plan, store, Runtime(), budget=budget and Budget(budget, seconds_of), **options
    )
    return plan, outcome, [plan.by_key[key].spec.name for key in outcome.left_out]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_stops_where_the_budget_ends_and_goes_on_with_the_next(store, workers):
    _, outcome, left = three(store, "25tok", workers=workers)
    assert outcome.exit_code == 3
    assert left == ["t-z", "p-z"]  # data are read and what is trained is predicted
    _, outcome, left = three(store, "5tok", workers=workers)
    assert (outcome.done, left) == ((), ["t-z", "p-z"])
    _, outcome, left = three(store, "10tok", workers=workers)
    assert (len(outcome.done), left, outcome.exit_code) == (2, [], 0)


def test_nothing_fits(store):
    plan, outcome, left = three(store, "5s", first=())
    assert outcome.exit_code == 3
    assert outcome.done == ()
    assert left == [stage.spec.name for stage in plan.stages]
    _, outcome, left = three(store, None)
    assert (outcome.exit_code, left) == (0, [])


def test_what_fits_of_a_plan(store):
    """The second chain is too large; the third fits, and the plan can be finished later."""
    big = toy(TRAIN, "big")
    big = Stage(TRAIN, big.spec, {}, big.label, {"tokens": 50.0})
    leaves = [toy(PREDICT, f"p-{name}", {"model": model}) for name, model in
              (("a", toy(TRAIN, "a")), ("big", big), ("c", toy(TRAIN, "c")))]  # fmt: skip
    plan = build(leaves)
    outcome = run_plan(plan, store, Runtime(), budget=Budget("25tok", seconds_of))
    assert [plan.by_key[key].spec.name for key in outcome.left_out] == ["big", "p-big"]
    assert [store.has(leaf) for leaf in leaves] == [True, False, True]
    keys = {stage.key for stage in plan.stages}
    assert run_plan(plan, store, Runtime()).exit_code == 0
    assert keys == {path.name for path in store.root.glob("artefacts/*/*")}
    manifest = json.loads((store.path(leaves[1]) / "manifest.json").read_text())
    assert "25tok" not in json.dumps(manifest)


def test_a_failure_counts_more_than_a_budget(store):
    bad, large = toy(TRAIN, "bad", action="fail"), toy(TRAIN, "large")
    large = Stage(TRAIN, large.spec, {}, large.label, {"tokens": 500.0})
    outcome = run_plan(build([bad, large]), store, Runtime(), budget=Budget("50tok", seconds_of))
    assert outcome.exit_code == 1
    assert outcome.left_out == (large.key,)
