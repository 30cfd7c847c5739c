import json
from dataclasses import replace

import pytest
from toy_stages import chain
from typer.testing import CliRunner

import midway.studies.session
from midway.cli import store_cmds
from midway.cli.store_cmds import SortName, age_in_words, app, size
from midway.errors import UsageError
from midway.graph.plan import build
from midway.graph.runner import run_plan
from midway.graph.stage import Runtime
from midway.store.lease import acquire
from midway.store.local import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def made(store):
    stages = chain("x")
    run_plan(build([stages[2]]), store, Runtime())
    return stages


def call(store, *args):
    return CliRunner().invoke(app, [args[0], "--store", str(store.root), *args[1:]])


def test_ls(store, made):
    result = call(store, "ls")
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines()] == [
        "examples",
        "train",
        "predict",
    ]
    document = json.loads(call(store, "ls", "--json").stdout)
    assert {item["key"] for item in document} == {stage.key for stage in made}
    assert (
        json.loads(call(store, "ls", "--json", made[0].key[:12]).stdout)[0]["name"]
        == "examples e-x"
    )


def test_ls_says_who_uses_a_result_and_sorts(store, made, monkeypatch, tmp_path):
    def plan_study(path, place, data):
        return build([made[1]] if path.stem == "first" else [made[2]])

    monkeypatch.setattr(midway.studies.session, "plan_study", plan_study)
    studies = [f"--study={tmp_path / name}.toml" for name in ("first", "second")]
    found = json.loads(call(store, "ls", "--json", "--sort", "readers", *studies).stdout)
    by_key = {item["key"]: item for item in found}
    examples, train, predict = (by_key[stage.key] for stage in made)
    assert examples["readers"] == [train["key"], predict["key"]] or examples["readers"] == [
        predict["key"],
        train["key"],
    ]
    assert predict["readers"] == []
    assert train["studies"] == ["first.toml", "second.toml"]
    assert predict["studies"] == ["second.toml"]
    assert [len(item["readers"]) for item in found] == [0, 1, 2]
    lines = call(store, "ls", *studies).stdout.splitlines()
    assert "read by 2" in lines[0]
    assert "first.toml, second.toml" in lines[0]
    assert lines[2].count("second.toml") == 1


@pytest.mark.parametrize("sort", list(SortName))
def test_every_order(store, made, sort):
    found = json.loads(call(store, "ls", "--json", "--sort", sort.value).stdout)
    key = {"size": "bytes"}.get(sort.value, sort.value)
    values = [len(item[key]) if key == "readers" else item[key] for item in found]
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (86400 * 12.4, "12 d")],
)
def test_age(seconds, text):
    assert age_in_words(seconds) == text


def test_a_clock_that_was_ahead_makes_no_negative_age(store, made, monkeypatch):
    real = store_cmds.ls
    ahead = [replace(m, started="2999-01-01T00:00:00+00:00") for m in real(store)]
    broken = [replace(m, started="yesterday") for m in real(store)]
    for manifests in (ahead, broken):
        monkeypatch.setattr(store_cmds, "ls", lambda *_, found=manifests: found)
        assert {item["age"] for item in json.loads(call(store, "ls", "--json").stdout)} == {0.0}


def test_ls_of_an_empty_store(store):
    result = call(store, "ls")
    assert result.exit_code == 0
    assert result.stdout == ""


def test_verify(store, made):
    whole = {"checked": 3, "problems": [], "repaired": False}
    assert json.loads(call(store, "verify", "--json").stdout) == whole
    (store.path(made[1]) / "text.txt").write_text("damaged")
    result = call(store, "verify")
    assert result.exit_code == 1
    assert made[1].key in result.stdout
    assert "midway store verify --repair" in result.stdout
    (problem,) = json.loads(call(store, "verify", "--json").stdout)["problems"]
    assert problem["key"] == made[1].key
    assert problem["damaged"]
    result = call(store, "verify", "--repair", "--workers", "2")
    assert result.exit_code == 1
    assert "midway run STUDY" in result.stdout
    assert call(store, "verify").exit_code == 0
    assert isinstance(call(store, "verify", "zzz").exception, UsageError)


def test_gc_keeps_what_studies_need(store, made, monkeypatch, tmp_path):
    asked = []

    def plan_study(path, place, data):
        asked.append((path, data))
        return build([made[1]])

    monkeypatch.setattr(midway.studies.session, "plan_study", plan_study)
    study = str(tmp_path / "study.toml")
    document = json.loads(call(store, "gc", study, "--data", "a:b", "--json").stdout)
    assert [item["what"] for item in document["items"]] == ["predict artefact"]
    assert store.has(made[2])
    assert [len(data) for _, data in asked] == [2]
    assert call(store, "gc", study, "--delete").exit_code == 0
    assert [store.has(stage) for stage in made] == [True, True, False]


def test_gc_says_what_it_leaves_alone(store, made, monkeypatch, tmp_path):
    monkeypatch.setattr(midway.studies.session, "plan_study", lambda *_: build([made[0]]))
    lease = acquire(store.leases, "f" * 64)
    result = call(store, "gc", str(tmp_path / "s.toml"), "--delete")
    lease.release()
    assert result.exit_code == 0
    assert "ffffffffffff is being computed by process" in result.stderr
    assert all(store.has(stage) for stage in made)


def test_gc_without_studies_keeps_all_results(store, made):
    assert call(store, "gc", "--delete").exit_code == 0
    assert all(store.has(stage) for stage in made)


def test_unlock(store, made):
    lease = acquire(store.leases, "abc123")
    assert "--force" in str(call(store, "unlock", "abc").exception)
    assert call(store, "unlock", "abc", "--force").stdout == "abc123 is free\n"
    lease.release()


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (4500, "4.5 kB"), (2e13, "20.0 TB")]
)
def test_size(number, text):
    assert size(number) == text
