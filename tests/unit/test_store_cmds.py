import json

import pytest
from toy_stages import chain
from typer.testing import CliRunner

import midway.studies.session
from midway.cli.store_cmds import app, size
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


def test_ls_of_an_empty_store(store):
    result = call(store, "ls")
    assert result.exit_code == 0
    assert result.stdout == ""


def test_verify(store, made):
    assert json.loads(call(store, "verify", "--json").stdout) == {"checked": 3, "problems": []}
    (store.path(made[1]) / "text.txt").write_text("damaged")
    result = call(store, "verify")
    assert result.exit_code == 1
    assert made[1].key in result.stdout
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
