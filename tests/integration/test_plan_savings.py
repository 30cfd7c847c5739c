"""What a plan saves: stages shared by targets, and an order that is useful early."""

import json

import pytest
import tiny_study
from tiny_study import midway

from midway.stages import specs
from midway.store.local import Store
from midway.studies.session import open_session

STUDY = """
name = "shared"
encoder = "encoder"
seeds = [1, 2]

[train]
learning_rate = 3e-3
batch_size = 4
epochs = 1
max_length = 64
restarts = 0
precision = "float32"

[[intermediate]]
name = "tags"
mix = [{ task = "udpos", examples = 8 }]

[[target]]
task = "xquad"
train = { examples = 8 }

[[target]]
task = "mlqa"
train = { examples = 8 }
"""


@pytest.fixture(scope="module")
def shared(folder):
    for language, source in (("en", "en"), ("de", "fi")):
        name = f"mlqa/test/test-context-{language}-question-{language}.json"
        tiny_study.write(folder / "data" / name, tiny_study.squad(source, 8, 6))
    study = folder / "shared.toml"
    study.write_text(STUDY, encoding="utf-8")
    return study


def stages_of(folder, study):
    return open_session(study, Store(folder / "store"), (folder / "data",)).plan.stages


def test_targets_with_the_same_training_train_once(folder, shared, capfd):
    where = ("--store", folder / "store", "--data", folder / "data")
    planned = json.loads(midway(capfd, "plan", shared, "--json", *where).out)["totals"]
    # encoder, examples and features of 4 data sets, leaks; 2 intermediates, 4 targets' models;
    # 8 cells predicted and scored
    assert planned["stages"] == 1 + 4 * 2 + 1 + 2 + 4 + 8 * 2
    # a cell alone: encoder, 2 × (examples, features), training, predict, score; and after an
    # intermediate its examples, features and training
    assert planned["naive_stages"] == 4 * 8 + 4 * 11
    said = midway(capfd, "run", shared, *where, "--out", folder / "out")
    assert said.code == 0, said.err
    assert len(list((folder / "store/dropped").glob("*.json"))) == 4  # the models of the targets
    assert len(list((folder / "store/artefacts/train").iterdir())) == 2
    assert len(list((folder / "store/artefacts/score").iterdir())) == 8
    exact = json.loads(midway(capfd, "plan", shared, "--json", *where).out)
    train = [each["estimate"]["tokens"] for each in exact["stages"] if each["stage"] == "train"]
    intermediate, target = min(train), max(train)
    assert sorted(train) == [intermediate] * 2 + [target] * 4
    assert exact["totals"]["train_tokens"] == pytest.approx(4 * target + 2 * intermediate)
    assert exact["totals"]["naive_train_tokens"] == pytest.approx(8 * target + 4 * intermediate)


def test_all_of_the_first_seed_comes_before_the_second(folder, shared):
    names = [stage.label for stage in stages_of(folder, shared) if stage.kind is specs.SCORE]
    first = [f"score {target} after {i} · seed 1" for target in ("xquad", "mlqa")
             for i in ("none", "tags")]  # fmt: skip
    assert names == [*first, *(name.replace("seed 1", "seed 2") for name in first)]
    names = [stage.label for stage in stages_of(folder, shared) if stage.kind is specs.TRAIN]
    assert names[:3] == ["train xquad · seed 1", "train tags · seed 1",
                         "train xquad after tags · seed 1"]  # fmt: skip


def test_a_run_within_a_budget_ends_early_with_a_report_and_is_gone_on_with(folder, shared, capfd):
    where = ("--store", folder / "small", "--data", folder / "data", "--out", folder / "part")
    said = midway(capfd, "run", shared, "--budget", "5M", *where)
    assert said.code == 2
    assert "expected seconds, minutes or hours" in said.err
    said = midway(capfd, "run", shared, "--budget", "1tok", *where)
    assert said.code == 3
    assert "The next, train xquad · seed 1, is expected to need" in said.err
    assert "1 training tokens are left. Give at least that much to go on" in said.err
    assert not (folder / "small/artefacts/train").exists()
    exact = json.loads(midway(capfd, "plan", shared, "--json", *where[:4]).out)
    train = [each["estimate"]["tokens"] for each in exact["stages"] if each["stage"] == "train"]
    enough = round(sum(train) / 2)  # for the first seed; known once data are tokenised
    where = ("--store", folder / "empty", *where[2:])
    said = midway(capfd, "run", shared, "--budget", f"{enough}tok", *where)
    assert said.code == 3
    # of the second seed: 3 trainings, and 4 cells predicted and scored
    assert f"{3 + 4 * 2} of 32 stages were not started" in said.err
    assert "The next, train xquad · seed 2" in said.err
    assert "Run the same command again to go on" in said.err
    summary = json.loads((folder / "part/summary.json").read_text(encoding="utf-8"))
    assert summary["progress"] == {"scored": 4, "total": 8}
    assert summary["verdict"]["caveats"][0].startswith("Incomplete: 4 of 8 runs are scored")
    assert {row["target"] for row in summary["gains"]} == {"xquad", "mlqa"}
    assert midway(capfd, "run", shared, "--budget", "2h", *where).code == 0
    assert tiny_study.outputs(folder / "empty") == tiny_study.outputs(folder / "store")
