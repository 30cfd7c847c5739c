import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from toy_stages import EXAMPLES, FEATURES, PREDICT, TRAIN, Recorder, chain, toy

from midway.errors import DataError, StoreError
from midway.graph.control import Interrupted
from midway.graph.plan import build
from midway.graph.runner import run_plan
from midway.graph.stage import Runtime
from midway.store.lease import acquire
from midway.store.local import Store
from midway.store.manifest import Code
from midway.store.upkeep import verify


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def log(tmp_path, monkeypatch):
    path = tmp_path / "log.txt"
    path.touch()
    monkeypatch.setenv("TOY_LOG", str(path))
    return lambda: path.read_text("utf-8").split()


def content(store, stage):
    return (store.path(stage) / "text.txt").read_text("utf-8")


@pytest.mark.parametrize("workers", [1, 2])
def test_computes_what_is_missing_once(store, log, workers):
    plan = build([chain("x")[2], chain("y")[2], chain("x")[2]])
    seen = Recorder()
    outcome = run_plan(plan, store, Runtime(), observer=seen, workers=workers)
    assert outcome.exit_code == 0
    assert sorted(log()) == ["e-x", "e-y", "p-x", "p-y", "t-x", "t-y"]
    assert set(outcome.done) == set(plan.by_key)
    assert content(store, plan.leaves[0]) == "|data=x|model=|data=x"
    assert sorted(seen.names("started")) == sorted(log()) == sorted(seen.names("finished"))
    assert seen.names("progressed")
    assert verify(store) == (6, [])
    assert not any((store.root / "work").iterdir())
    assert not any(store.leases.iterdir())


def test_second_run_computes_nothing(store, log):
    plan = build([chain("x")[2]])
    run_plan(plan, store, Runtime())
    again = Recorder()
    outcome = run_plan(plan, store, Runtime(), observer=again)
    assert len(log()) == 3
    assert outcome.done == ()
    assert outcome.cached == (plan.leaves[0].key,)
    assert again.names("started") == again.notices == []


def test_data_kinds_run_first_and_the_rest_depth_first(store, log):
    leaves = []
    for name in "xy":
        trained = toy(TRAIN, f"t-{name}", {"data": toy(EXAMPLES, f"e-{name}", text=name)})
        features = toy(FEATURES, f"f-{name}", {"data": toy(EXAMPLES, f"g-{name}")})
        leaves.append(toy(PREDICT, f"p-{name}", {"model": trained, "features": features}))
    run_plan(build(leaves), store, Runtime())
    first, rest = log()[:6], log()[6:]
    assert {name[0] for name in first} == {"e", "f", "g"}
    assert rest == ["t-x", "p-x", "t-y", "p-y"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_stays_by_itself(store, log, workers):
    bad, good = chain("bad", action="fail"), chain("good")
    seen = Recorder()
    outcome = run_plan(build([bad[2], good[2]]), store, Runtime(), observer=seen, workers=workers)
    assert outcome.exit_code == 1
    assert outcome.failed == {bad[1].key: "RuntimeError: a toy broke"}
    assert outcome.skipped == {bad[2].key: bad[1].key}
    assert store.has(good[2])
    text = store.failure(bad[1].key).read_text("utf-8")
    assert "Traceback" in text
    assert "RuntimeError: a toy broke" in text
    assert seen.names("failed") == ["t-bad: RuntimeError: a toy broke"]
    assert any("not run because train t-bad failed: predict p-bad" in n for n in seen.notices)
    assert not any((store.root / "staging").iterdir())


def test_retry_and_no_retry(store, log):
    stage = toy(TRAIN, "once", action="once")
    assert run_plan(build([stage]), store, Runtime()).exit_code == 1
    refused = run_plan(build([stage]), store, Runtime(), retry=False)
    assert "--no-retry" in refused.failed[stage.key]
    assert log() == ["once"]
    assert run_plan(build([stage]), store, Runtime()).exit_code == 0
    assert not store.failure(stage.key).exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_data_end_the_run_before_anything_is_trained(store, log, workers):
    bad = toy(TRAIN, "t", {"data": toy(EXAMPLES, "bad", action="data")})
    plan = build([chain("x")[2], bad])
    with pytest.raises(DataError, match=r"table\.tsv, line 3"):
        run_plan(plan, store, Runtime(), workers=workers)
    assert not any(name.startswith("t") for name in log())


def test_facts_that_are_not_finite_are_one_failure(store):
    stage = toy(TRAIN, "nan", action="nan")
    outcome = run_plan(build([stage]), store, Runtime())
    assert "facts that cannot be recorded: facts.loss is nan" in outcome.failed[stage.key]
    assert not store.has(stage)


def test_served_artefacts_are_dropped_and_not_missed(store, log):
    stages = chain("x")
    plan, train = build([stages[2]]), stages[1]
    run_plan(plan, store, Runtime(), droppable={train.key}, keep="all")
    assert store.has(train)
    run_plan(plan, store, Runtime(), droppable={train.key})
    assert not store.has(train)
    assert store.record(train.key).label == "train t-x"
    outcome = run_plan(plan, store, Runtime(), droppable={train.key})
    assert outcome.done == ()
    assert len(log()) == 3


class Meanwhile(Recorder):
    """While the first stage of a run is computed, another run computes a plan."""

    def __init__(self, other):
        super().__init__()
        self.other = other

    def started(self, stage):
        super().started(stage)
        other, self.other = self.other, None
        if other is not None:
            other()


@pytest.mark.parametrize("length", [1, 2])
def test_what_another_run_computed_used_and_dropped_is_not_computed_again(store, log, length):
    """The run had looked before: what it trains is in its queue, and is no longer needed."""
    data = toy(EXAMPLES, "data")
    models = [toy(TRAIN, "model0", {"data": data})]
    if length == 2:
        models.append(toy(TRAIN, "model1", {"parent": models[0]}))
    predict = toy(PREDICT, "predict", {"model": models[-1]})
    plan = build([toy(TRAIN, "own", {"data": data}), predict])
    droppable = {model.key for model in models}

    def other():
        run_plan(build([predict]), store, Runtime(), droppable=droppable)
        assert not any(store.has(model) for model in models)

    seen = Meanwhile(other)
    run_plan(build([data]), store, Runtime())
    outcome = run_plan(plan, store, Runtime(), observer=seen, droppable=droppable)
    assert outcome.exit_code == 0
    assert store.has(predict)
    names = [name for name in log() if name.startswith("model")]
    assert names == [f"model{n}" for n in range(length)]
    assert set(outcome.cached) >= droppable
    assert [store.has(model) for model in models] == [False] * length


def test_a_model_goes_whose_reader_has_served_and_gone(store):
    """The first of two trainings in a row was left behind by a run that died."""
    first = toy(TRAIN, "first")
    second = toy(TRAIN, "second", {"parent": first})
    plan = build([toy(PREDICT, "predict", {"model": second})])
    run_plan(plan, store, Runtime(), droppable={second.key})
    assert store.has(first)
    assert not store.has(second)
    run_plan(plan, store, Runtime(), droppable={first.key, second.key})
    assert not store.has(first)


def test_what_served_is_computed_again_if_it_is_asked_for_itself(store, log):
    _, train, predict = chain("x")
    run_plan(build([predict]), store, Runtime(), droppable={train.key})
    run_plan(build([predict]), store, Runtime(), droppable={train.key}, only="train t-x")
    assert log().count("t-x") == 2
    assert store.has(train)


def test_droppable_stays_while_a_reader_is_missing(store):
    _, train, predict = chain("x")
    other = toy(PREDICT, "other", {"model": train}, action="fail")
    run_plan(build([predict, other]), store, Runtime(), droppable={train.key})
    assert store.has(predict)
    assert store.has(train)


def test_only(store, log):
    plan = build([chain("x")[2], chain("y")[2]])
    run_plan(plan, store, Runtime(), only="train t-y")
    assert log() == ["e-y", "t-y"]


def test_damaged_leaf_is_computed_again_with_what_it_needs(store, log):
    _, train, predict = chain("x")
    plan = build([predict])
    run_plan(plan, store, Runtime(), droppable={train.key})
    (store.path(predict) / "text.txt").write_text("wrong", encoding="utf-8")
    seen = Recorder()
    run_plan(plan, store, Runtime(), observer=seen)
    assert log()[3:] == ["t-x", "p-x"]
    assert any("moved away" in text for text in seen.notices)
    assert content(store, predict) == "|data=x|model=|data=x"
    assert len(list((store.root / "damaged").iterdir())) == 1


def test_damage_in_a_large_input_is_found_when_it_is_read(store, log, monkeypatch):
    monkeypatch.setattr("midway.store.local.SMALL_BYTES", 0)
    _, train, predict = chain("x")
    run_plan(build([train]), store, Runtime())
    path = store.path(train) / "text.txt"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    outcome = run_plan(build([predict]), store, Runtime())
    assert outcome.exit_code == 0
    assert log()[2:] == ["t-x", "p-x"]
    assert content(store, predict) == "|data=x|model=|data=x"


def test_code_drift_is_told_and_refused_if_strict(store, monkeypatch):
    train = chain("x")[1]
    plan = build([chain("x")[2]])
    run_plan(plan, store, Runtime(), droppable={train.key})
    monkeypatch.setattr("midway.graph.hits.code_of", lambda run: Code("new", {"toys": "1"}))
    seen = Recorder()
    run_plan(plan, store, Runtime(), observer=seen)
    # The weights were dropped and nothing is computed: their drift matters all the same.
    assert any("code drift: 1 train v1 result was computed before" in n for n in seen.notices)
    with pytest.raises(StoreError, match="--strict refuses"):
        run_plan(plan, store, Runtime(), strict=True)


def test_waits_for_another_run(store, log):
    plan = build([toy(EXAMPLES, "x")])
    lease = acquire(store.leases, plan.leaves[0].key)
    seen = Recorder()
    seen.progressed = lambda *_: None
    told = seen.notice

    def notice(text):
        told(text)
        lease.release()

    seen.notice = notice
    assert run_plan(plan, store, Runtime(), observer=seen).exit_code == 0
    assert "being computed by process" in seen.notices[0]
    assert log() == ["x"]


def test_lost_lease_stops_the_stage(store, monkeypatch):
    monkeypatch.setattr("midway.graph.execute.acquire", lambda f, k: acquire(f, k, beat=0.02))
    stage = toy(TRAIN, "slow", action="slow")
    path = store.leases / f"{stage.key}.json"
    seen = Recorder()

    def steal(*_):
        if path.exists():
            owner = json.loads(path.read_text())
            path.write_text(json.dumps(owner | {"token": "thief", "host": "elsewhere"}))

    def told(text):
        seen.events.append(("notice", text))
        if len(seen.notices) == 1:  # do not wait for the thief for ever
            os.kill(os.getpid(), signal.SIGINT)

    seen.progressed, seen.notice = steal, told
    with pytest.raises(Interrupted):
        run_plan(build([stage]), store, Runtime(), observer=seen)
    assert "another run took it over" in seen.notices[0]


def test_interrupt_ends_cleanly_and_the_next_run_continues(store, log, monkeypatch):
    stages = [toy(TRAIN, "a"), toy(TRAIN, "b", action="interrupt"), toy(TRAIN, "c")]
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        run_plan(build(stages), store, Runtime())
    assert signal.getsignal(signal.SIGINT) is handler
    assert store.has(stages[0])
    assert log() == ["a", "b"]
    assert not any(store.leases.iterdir())
    assert not any((store.root / "staging").iterdir())
    outcome = run_plan(build([stages[0], stages[2]]), store, Runtime())
    assert outcome.done == (stages[2].key,)


SCRIPT = """
    import sys
    from pathlib import Path
    from toy_stages import TRAIN, Recorder, toy
    from midway.graph.control import Interrupted
    from midway.graph.plan import build
    from midway.graph.runner import run_plan
    from midway.graph.stage import Runtime
    from midway.store.local import Store

    if __name__ == "__main__":
        plan = build([toy(TRAIN, name, action="slow") for name in "ab"])
        seen = Recorder()
        seen.progressed = lambda *_: Path(sys.argv[2]).touch()
        try:
            store, workers = Store(Path(sys.argv[1])), int(sys.argv[3])
            run_plan(plan, store, Runtime(), workers=workers, observer=seen)
        except Interrupted:
            sys.exit(130)
"""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_a_whole_process_group(tmp_path, workers, number):
    script, ready = tmp_path / "script.py", tmp_path / "ready"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "store"), str(ready), str(workers)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == ""
    assert not any((tmp_path / "store" / "leases").iterdir())


def test_a_worker_that_dies_is_one_failure(store, log):
    dies = toy(TRAIN, "dies", action="die")
    plan = build([dies, toy(TRAIN, "a"), toy(TRAIN, "b")])
    outcome = run_plan(plan, store, Runtime(), workers=2)
    assert set(outcome.failed) == {dies.key}
    assert "ended with code 9" in outcome.failed[dies.key]
    assert len(outcome.done) == 2


def test_hundreds_of_cached_stages_take_little_time(store):
    plan = build([toy(EXAMPLES, str(i)) for i in range(300)])
    run_plan(plan, store, Runtime())
    begin = time.perf_counter()
    assert run_plan(plan, store, Runtime()).done == ()
    assert time.perf_counter() - begin < 2
