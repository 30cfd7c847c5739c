import sys
import time
from dataclasses import dataclass

import pytest
from toy_stages import EXAMPLES, PREDICT, TRAIN, chain, toy

from midway.errors import UsageError
from midway.graph.closure import changed_files, code_of
from midway.graph.explain import why
from midway.graph.plan import build, describe, select, states
from midway.graph.runner import run_plan
from midway.graph.stage import Deferred, Runtime, Stage
from midway.store.local import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_build_merges_equal_keys_and_orders_inputs_first():
    first, second = chain("x")[2], chain("x")[2]
    assert first is not second
    plan = build([first, second, chain("y")[1]])
    assert len(plan.stages) == 5
    assert len(plan.leaves) == 2
    place = {stage.key: i for i, stage in enumerate(plan.stages)}
    for stage in plan.stages:
        assert all(place[item.key] < place[stage.key] for item in stage.inputs.values())
    examples, train, predict = (stage.key for stage in chain("x"))
    assert plan.readers[examples] == (train, predict)
    assert plan.readers[predict] == ()


def test_order_is_depth_first():
    plan = build([chain("x")[2], chain("y")[2]])
    names = [stage.spec.name for stage in plan.stages]
    assert names == ["e-x", "t-x", "p-x", "e-y", "t-y", "p-y"]


def test_states_go_by_demand(store):
    examples, train, predict = chain("x")
    plan = build([predict])
    keys = [stage.key for stage in (examples, train, predict)]

    def state():
        return [states(plan, store)[key] for key in keys]

    assert state() == ["run", "waiting", "waiting"]
    run_plan(plan, store, Runtime(), only="train")
    assert state() == ["cached", "cached", "run"]
    run_plan(plan, store, Runtime())
    store.drop(train.key)
    assert state() == ["cached", "cached", "cached"]  # nobody needs it
    store.drop(predict.key)
    assert state() == ["cached", "run", "waiting"]


def test_select():
    plan = build([chain("x")[2], chain("y")[2]])
    assert select(plan, None) == plan.leaves
    assert [s.label for s in select(plan, "train *")] == ["train t-x", "train t-y"]
    assert len(select(plan, "predict")) == 2
    assert select(plan, plan.stages[0].key[:12]) == (plan.stages[0],)
    with pytest.raises(UsageError, match=r"'trian'.*examples, predict, train"):
        select(plan, "trian")


def seconds_of(stage):
    return stage.estimate.get("flops", 0) / 4e9


def test_describe_follows_the_contract(store):
    plan = build([chain("x")[2]])
    document = describe(plan, store, seconds_of, naive_stages=9, naive_train_tokens=30)
    first, _, last = document["stages"]
    assert first["state"] == "run"
    assert last["needs"] == [plan.stages[1].key, plan.stages[0].key]
    assert first["estimate"] == {
        "tokens": 10.0,
        "flops": 1e10,
        "seconds": 2.5,
        "bytes": 100.0,
    }
    totals = document["totals"]
    assert totals["stages"] == 3
    assert totals["naive_stages"] == 9
    assert totals["train_tokens"] == 10
    assert totals["disk_bytes"] == 300
    assert totals["seconds"] == 7.5
    run_plan(plan, store, Runtime(), only="train")
    totals = describe(plan, store, seconds_of, naive_stages=9, naive_train_tokens=30)["totals"]
    assert totals["seconds"] == 2.5
    assert totals["train_tokens"] == 10
    assert totals["disk_bytes"] == 100
    assert totals["cached"] == 2


@dataclass(frozen=True)
class Wide:
    seed: int
    rate: float = 5e-5
    languages: tuple[str, ...] = ("ar", "de", "en", "hi", "sw", "te")
    batch: int = 16
    epochs: int = 2
    precision: str = "bf16"
    data: str = "0" * 64


def test_ten_thousand_stages_are_planned_in_two_seconds(store):
    begin = time.perf_counter()
    roots = [Stage(EXAMPLES, Wide(i)) for i in range(100)]
    trained = [Stage(TRAIN, Wide(i), {"data": roots[i % 100]}) for i in range(4950)]
    leaves = [Stage(PREDICT, Wide(i), {"model": model}) for i, model in enumerate(trained)]
    plan = build(leaves)
    document = describe(plan, store, seconds_of, naive_stages=0, naive_train_tokens=0)
    assert len(document["stages"]) == 10_000
    assert time.perf_counter() - begin < 2


def test_why_names_the_fields_that_differ(store):
    run_plan(build([chain("x")[2]]), store, Runtime())
    changed = chain("x", value=3.0)
    by_kind = {e.stage: e for e in why(build([changed[2]]), store)}
    assert by_kind["examples"].reason == "in the store"
    assert by_kind["train"].state == "run"
    assert by_kind["train"].lines[1:] == ("spec.value: 1.0 → 3.0",)
    assert str(by_kind["train"]).startswith(f"run      {changed[1].key[:12]}  train t-x: not in")
    assert by_kind["predict"].state == "waiting"
    (difference,) = by_kind["predict"].differences
    assert difference.path == "inputs.model"
    assert changed[1].key[:12] in difference.new
    assert "train t-x" in difference.new


def test_why_takes_the_nearest_artefact_also_if_dropped(store):
    far, near = toy(TRAIN, "far", text="a", value=9.0), toy(TRAIN, "near", text="b")
    run_plan(build([far, near]), store, Runtime())
    store.drop(near.key)
    (told,) = why(build([toy(TRAIN, "near", text="c")]), store)
    assert told.nearest == near.key
    assert told.lines[1:] == ('spec.text: "b" → "c"',)


def test_why_in_other_words(store):
    stages = chain("x")
    plan = build([stages[2]])
    assert "nothing of this kind (train)" in why(plan, store, "train")[0].reason
    run_plan(plan, store, Runtime())
    store.drop(stages[1].key)
    assert "not needed" in why(plan, store, "train")[0].reason
    store.drop(stages[2].key)
    assert "dropped to save space; needed again" in why(plan, store, "train")[0].reason
    store.quarantine(stages[0])
    store.failure(stages[0].key).parent.mkdir(exist_ok=True)
    assert "was damaged" in why(plan, store, "examples")[0].reason
    broken = toy(EXAMPLES, "broken", action="fail")
    run_plan(build([broken]), store, Runtime())
    assert "RuntimeError: a toy broke" in why(build([broken]), store)[0].reason


def test_closure_follows_imports_and_packages(tmp_path, monkeypatch):
    package = tmp_path / "closurepkg"
    (package / "sub").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sub" / "__init__.py").write_text("from closurepkg.helper import x\n")
    (package / "helper.py").write_text("x = 1\n")
    (package / "lazy.py").write_text("y = 1\n")
    (package / "unused.py").write_text("z = 1\n")
    source = "import json\ndef run(*_):\n    from closurepkg import lazy\n    return {}\n"
    (package / "sub" / "stage.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__("closurepkg.sub.stage", fromlist=["run"])
    found = code_of(module.run)
    assert set(found.files) == {
        "closurepkg",
        "closurepkg.helper",
        "closurepkg.lazy",
        "closurepkg.sub",
        "closurepkg.sub.stage",
    }
    for name in [name for name in sys.modules if name.startswith("closurepkg")]:
        del sys.modules[name]


def test_closure_of_a_deferred_function_is_that_of_its_module():
    deferred = Deferred("midway.graph.plan", "build")
    assert code_of(deferred) == code_of(build)
    assert "midway.canonical" in code_of(deferred).files


def test_changed_files():
    assert changed_files({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b", "c"]
