"""A target that is trained on two tasks in turn, with one head: XCOPA on Social IQa, then COPA."""

import json

import pytest
import tiny_study
from tiny_study import midway

from midway.store.local import Store
from midway.studies.session import open_session

STUDY = """
name = "turns"
encoder = "encoder"
seeds = [1]
[train]
learning_rate = 3e-3
batch_size = 4
epochs = 2
max_length = 64
precision = "float32"
[[intermediate]]
name = "squad-en"
mix = [{ task = "squad", examples = 8 }]
[[target]]
task = "xcopa"
train = { languages = ["en"], examples = 12 }
"""


def item(number):
    who, where = tiny_study.NAMES[number % 10], tiny_study.PLACES[number % 8]
    return f"{who} lives in {where}.", f"{who} sells bread.", f"{where} sells {who}."


def write_data(folder):
    """Small files of Social IQa, COPA and XCOPA in their publishers' layouts."""
    tiny_study.write_data(folder)
    rows, labels = [], []
    for number in range(20):
        premise, right, wrong = item(number)
        row = {"context": premise, "question": "What is true?"}
        rows.append(json.dumps(row | {"answerA": right, "answerB": wrong, "answerC": "No."}))
        labels.append("1")
    for part in ("train", "dev"):
        stem = folder / f"siqa/socialiqa-train-dev/{part}"
        tiny_study.write(stem.with_suffix(".jsonl"), "\n".join(rows) + "\n")
        tiny_study.write(stem.parent / f"{part}-labels.lst", "\n".join(labels) + "\n")
    items = []
    for number in range(1, 501):
        premise, right, wrong = item(number)
        items.append(
            f'<item id="{number}" asks-for="cause" most-plausible-alternative="1">\n'
            f"<p>{premise}</p>\n<a1>{right}</a1>\n<a2>{wrong}</a2>\n</item>"
        )
    head = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<copa-corpus version="1.0">\n'
    tiny_study.write(folder / "copa/copa-dev.xml", head + "\n".join(items) + "\n</copa-corpus>\n")
    for language in ("sw", "et"):
        lines = []
        for number in range(12):
            premise, right, wrong = item(number)
            row = {"premise": premise, "choice1": right, "choice2": wrong, "question": "cause"}
            lines.append(json.dumps(row | {"label": 0, "idx": number, "changed": False}))
        path = folder / f"xcopa/data/{language}/test.{language}.jsonl"
        tiny_study.write(path, "\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("turns")
    write_data(folder / "data")
    tiny_study.write_encoder(folder / "encoder")
    (folder / "turns.toml").write_text(STUDY, encoding="utf-8")
    return folder


def test_the_second_task_goes_on_from_the_first_with_its_head(folder):
    session = open_session(folder / "turns.toml", Store(folder / "store"), (folder / "data",))
    stages = {stage.label: stage for stage in session.plan.stages}
    for name in ("xcopa", "xcopa after squad-en"):
        first = stages[f"train {name} (1: siqa) · seed 1"]
        second = stages[f"train {name} (2: copa) · seed 1"]
        assert second.inputs["parent"].key == first.key
        assert first.spec.entries[0].head == ""
        assert second.spec.entries[0].head == "0.siqa"
        assert first.inputs["features0"].inputs["examples"].spec.total == 12
        assert second.inputs["features0"].inputs["examples"].spec.total is None
    intermediate = stages["train squad-en · seed 1"]
    after = stages["train xcopa after squad-en (1: siqa) · seed 1"]
    assert after.inputs["parent"].key == intermediate.key
    predict = stages["predict xcopa after none · seed 1"]
    assert predict.spec.head == "0.copa"
    assert predict.inputs["model"].key == stages["train xcopa (2: copa) · seed 1"].key


def test_it_learns_and_is_exported(folder, capfd):
    options = ["--store", folder / "store", "--data", folder / "data"]
    said = midway(capfd, "run", folder / "turns.toml", *options, "--out", folder / "out")
    assert said.code == 0, said.err
    results = midway(capfd, "results", folder / "turns.toml", *options, "--format", "json")
    values = {
        (row["intermediate"], row["language"]): row["value"]
        for row in json.loads(results.out)
        if row["metric"] == "accuracy" and row["profile"] == "official"
    }
    assert set(values) == {(i, c) for i in ("none", "squad-en") for c in ("sw", "et")}
    assert values["none", "sw"] > 80  # the right choice begins with the person: it can be learnt
    wanted = ["--benchmark", "xtreme-r", "--partial", "--out", folder / "submission"]
    said = midway(capfd, "export", folder / "turns.toml", *options, *wanted)
    assert said.code == 0, said.err
    assert "in part; missing: ht id it qu ta th tr vi zh" in said.err
    line = (folder / "submission/predictions/xcopa/test-sw.jsonl").read_text("utf-8").split("\n")[3]
    assert set(json.loads(line)) == {"idx", "label"}
    assert json.loads(line)["idx"] == 3


def test_an_intermediate_that_is_also_a_first_training_keeps_its_weights(folder, capfd):
    same = STUDY.replace('name = "turns"', 'name = "same"').replace(
        'name = "squad-en"\nmix = [{ task = "squad", examples = 8 }]',
        'name = "siqa-en"\nmix = [{ task = "siqa", examples = 12 }]',
    )
    path = folder / "same.toml"
    path.write_text(same, encoding="utf-8")
    store = folder / "same-store"
    options = ("--data", folder / "data", "--store", store, "--out", folder / "same-out")
    for _ in range(2):
        assert midway(capfd, "run", path, *options).code == 0
    session = open_session(path, Store(store), (folder / "data",))
    first = next(c for c in session.expansion.cells if c.intermediate == "none")
    parent = first.score.inputs["predictions"].inputs["model"].inputs["parent"]
    model = session.expansion.intermediates["siqa-en"]
    assert parent.key == model.key  # one stage serves as both
    assert session.store.has(model)
    assert model.key not in session.droppable
