"""What other programs rely on: names of commands, JSON keys, exit codes, stdout."""

import json
import sys
from pathlib import Path

import pytest

import midway

sys.path.append(str(Path(__file__).parent.parent / "integration"))
import tiny_study

COMMANDS = {
    "run": {"--engine", "--workers", "--store", "--data", "--out", "--only", "--no-retry",
            "--strict"},
    "plan": {"--json", "--store", "--data"},
    "why": {"--store", "--data"},
    "results": {"--format", "--store", "--data"},
    "report": {"--out", "--format", "--figures", "--store", "--data"},
    "score": {"--benchmark", "--profile", "--json"},
    "tasks": {"--json", "--data"},
    "data check": {"--json", "--data"},
    "data fetch": {"--languages", "--splits", "--data", "--update", "--dry-run", "--json"},
    "encoders": {"--json"},
    "claims": {"--json", "--store", "--data"},
    "bench": {"--json", "--store", "--encoder"},
    "export": {"--what", "--intermediate", "--target", "--task", "--seed", "--out"},
    "store ls": {"--store"},
    "store verify": {"--store"},
    "store gc": {"--store"},
    "store unlock": {"--store"},
}  # fmt: skip
STAGE = {"key", "stage", "name", "state", "needs", "estimate"}
ESTIMATE = {"tokens", "flops", "seconds", "bytes"}
TOTALS = {
    *("stages", "naive_stages", "train_tokens", "naive_train_tokens"),
    *("seconds", "disk_bytes"),
}
TASK = {"name", "family", "roles", "languages", "metrics", "licence", "available"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    tiny_study.make(folder, seeds="1, 2")
    return folder


def call(capfd, place, *arguments):
    options = ("--data", place / "data", "--store", place / "store")
    return tiny_study.midway(capfd, *arguments, *options)


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_and_options(capfd, words):
    said = tiny_study.midway(capfd, *words.split(), "--help")
    assert said.code == 0
    assert said.err == ""
    for option in COMMANDS[words]:
        assert f"{option} " in said.out, option


def test_version(capfd):
    assert tiny_study.midway(capfd, "--version") == (0, f"midway {midway.__version__}\n", "")


def test_plan(capfd, place):
    said = call(capfd, place, "plan", place / "tiny.toml", "--json")
    assert said.code == 0
    document = json.loads(said.out)  # one document and nothing else
    assert set(document) == {"stages", "totals"}
    keys = set()
    for stage in document["stages"]:
        assert set(stage) >= STAGE
        assert set(stage["estimate"]) >= ESTIMATE
        assert stage["state"] in ("run", "waiting")
        assert (stage["state"] == "run") == (not stage["needs"])
        assert set(stage["needs"]) <= keys  # inputs come before their readers
        assert len(stage["key"]) == 64
        keys.add(stage["key"])
    totals = document["totals"]
    assert set(totals) >= TOTALS
    assert totals["stages"] == len(document["stages"]) < totals["naive_stages"]
    assert 0 < totals["train_tokens"] < totals["naive_train_tokens"]
    names = [stage["name"] for stage in document["stages"]]
    assert len(names) == len(set(names))
    # A retrieval target after no intermediate is one stage, whatever the seeds.
    assert sum(name.startswith("predict tatoeba after none") for name in names) == 1
    assert not (place / "store" / "artefacts").exists()


def test_plan_for_people(capfd, place):
    said = call(capfd, place, "plan", place / "tiny.toml")
    assert said.code == 0
    assert "without sharing" in said.out
    assert "train squad-en · seed 2" in said.out


def test_tasks(capfd, place):
    said = call(capfd, place, "tasks", "--json")
    assert said.code == 0
    tasks = {task["name"]: task for task in json.loads(said.out)}
    assert {"squad", "xquad", "tydiqa", "udpos", "tatoeba"} <= set(tasks)
    for task in tasks.values():
        assert set(task) >= TASK
    assert tasks["tydiqa"]["available"]["validation"] == {"en": 14, "fi": 14, "sw": 14}
    assert tasks["tatoeba"]["available"] == {"test": {"fi": 20, "sw": 20}}


def test_encoders(capfd):
    said = tiny_study.midway(capfd, "encoders", "--json")
    assert said.code == 0
    assert "offline:multilingual-e5-small" in said.out
    json.loads(said.out)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("no-such-command",), 2),
        (("run", "no-such-file.toml"), 2),
        (("plan",), 2),
    ],
)
def test_exit_codes(capfd, arguments, code):
    assert tiny_study.midway(capfd, *arguments).code == code
