"""Weights chosen by validation, the best intermediate, and collapses, in whole studies."""

import json
import re

import pytest
from tiny_study import midway

from midway.analysis.results import read_csv
from midway.stages import specs
from midway.store.local import Store
from midway.studies.session import open_session

SELECTED = """
name = "selected"
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
mix = [{ task = "squad", examples = 24 }]
select = { rule = "average", every = 4, keep = 2 }

[[intermediate]]
name = "mixed"
mix = [
  { task = "squad", examples = 16 },
  { task = "mlm", text = "tydiqa", languages = ["sw"], examples = 8 },
]
select = { rule = "best" }

[[target]]
task = "tydiqa"
train = { languages = ["en"], examples = 16 }
evaluate = { examples = 12 }
select = { rule = "best", split = "train", examples = 6, every = 2 }

[[target]]
task = "tydiqa"
train = { languages = ["en"], examples = 16 }
evaluate = { examples = 12 }
select = { rule = "best", every = 2, oracle = true }

[[target]]
task = "tatoeba"

[compare]
best = true
"""


def write(folder, *changes, text=SELECTED):
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    study = folder / "study.toml"
    study.write_text(text, encoding="utf-8")
    return study


def run(folder, capfd, study):
    where = ("--store", folder / "store", "--data", folder / "data", "--out", folder / "out")
    return midway(capfd, "run", study, *where)


def trainings(folder, study):
    """Facts of all training stages by label."""
    session = open_session(study, Store(folder / "store"), (folder / "data",))
    stages = [stage for stage in session.plan.stages if stage.kind is specs.TRAIN]
    return {stage.label: session.record(stage).facts for stage in stages}, session


def test_weights_are_chosen_and_told(folder, capfd):
    study = write(folder)
    said = run(folder, capfd, study)
    assert said.code == 0, said.err
    facts, session = trainings(folder, study)
    squad = facts["train squad-en · seed 1"]
    assert [done for done, _ in squad["history"]] == [4, 8, 12]
    assert squad["kept_steps"] == [8, 12]
    mixed = facts["train mixed · seed 1"]
    assert [each["task"] for each in mixed["quality"]] == ["squad"]
    for label in ("tydiqa after squad-en", "tydiqa (oracle) after none", "tydiqa"):
        found = [f for name, f in facts.items() if re.search(rf"train {re.escape(label)} ·", name)]
        for each in found:
            scores = dict(map(tuple, each["history"]))
            assert scores[each["kept_steps"][0]] == max(scores.values())
            assert each["quality"][0]["held_out"]
    rows = {(row["who"], row["split"]): row for row in _summary(folder)["provenance"]["trained_on"]}
    assert rows["target tydiqa", "train"]["languages"] == ["en"]
    held = rows["validation of target tydiqa", "train"]
    assert (held["languages"], held["examples"]) == (["en"], 6)
    oracle = rows["validation of target tydiqa (oracle)", "validation"]
    assert oracle["languages"] == ["en", "fi", "sw"]
    ids = {}
    for who, stage in session.expansion.training:
        text = (session.store.path(stage) / "examples.jsonl").read_text(encoding="utf-8")
        ids[who] = {json.loads(line)["id"] for line in text.splitlines()}
    assert len(ids["target tydiqa"]) == 16
    assert not ids["target tydiqa"] & ids["validation of target tydiqa"]


def _summary(folder):
    return json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))


def test_the_best_is_named_by_validation_and_the_oracle_stands_apart(folder, capfd):
    study = write(folder)
    assert run(folder, capfd, study).code == 0
    summary = _summary(folder)
    (best,) = summary["best"]
    assert best["target"] == "tydiqa"
    assert best["candidates"] == 3
    assert best["chosen"] == max(best["validation"], key=best["validation"].get)
    facts, _ = trainings(folder, study)
    found = facts["train tydiqa after mixed · seed 1"]["quality"][0]["score"]
    assert best["validation"]["mixed"] == pytest.approx(found, abs=1e-3)
    gains = {(row["target"], row["intermediate"]): row["score"] for row in summary["gains"]}
    evaluated = {name: gains["tydiqa", name] for name in ("squad-en", "mixed")}
    evaluated["none"] = next(r for r in summary["gains"] if r["target"] == "tydiqa")["baseline"]
    # Tiny models may tie, and then either is the best.
    assert evaluated[best["by_score"]] == pytest.approx(max(evaluated.values()), abs=1e-9)
    assert best["regret"] == pytest.approx(
        evaluated[best["by_score"]] - evaluated[best["chosen"]], abs=1e-9
    )
    assert ("tydiqa (oracle)", "mixed") in gains
    assert all(row["targets"] in (["tydiqa"], ["tydiqa", "tatoeba"]) for row in summary["averages"])
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "Best intermediate of each target" in page
    assert "tydiqa (oracle)" in page
    where = ("--store", folder / "store", "--data", folder / "data", "--out", folder / "sub")
    said = midway(capfd, "export", study, "--what", "submission", "--partial", "--json", *where)
    assert said.code == 0, said.err
    assert not [remark for remark in json.loads(said.out)["remarks"] if "of the targets" in remark]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [('split = "train", examples = 6, every = 2', "every = 2")],
            r"tydiqa validation \(en\) is what target tydiqa evaluates; give split = 'train'",
        ),
        (
            [("[train]\n", "[train]\nselect = { oracle = true }\n")],
            r"\[train\]: oracle goes with a target",
        ),
        (
            [('rule = "average", every = 4', 'rule = "average", patience = 2, every = 4')],
            r"patience goes with rule = 'best'",
        ),
        (
            [('select = { rule = "best", split = "train", examples = 6, every = 2 }', "")],
            r"best needs validation scores, and target tydiqa has none",
        ),
        (
            [('task = "tatoeba"', 'task = "tatoeba"\nselect = { rule = "best" }')],
            r"tatoeba is a retrieval target, not trained; drop 'select'",
        ),
        (
            [('  { task = "squad", examples = 16 },\n', "")],
            r"intermediate mixed: select needs an entry with labels",
        ),
        (
            [('select = { rule = "best" }', 'select = { rule = "best", split = "test" }')],
            r"squad has no test data at hand in en; give split = 'train'",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message, folder, capfd):
    said = run(folder, capfd, write(folder, *changes))
    assert said.code == 2
    assert re.search(message, said.err), said.err


ABSURD = """
name = "absurd"
encoder = "encoder"
seeds = [1]

[train]
learning_rate = 1.0
batch_size = 4
epochs = 3
precision = "float32"

[[intermediate]]
name = "tags"
mix = [{ task = "udpos", languages = ["en"], examples = 16 }]

[[target]]
task = "udpos"
train = { languages = ["fi"], examples = 16 }
evaluate = { languages = ["en"], examples = 8 }
"""


def test_a_provoked_collapse_is_in_results_and_report(folder, capfd):
    study = write(folder, text=ABSURD)
    said = run(folder, capfd, study)
    assert said.code == 0, said.err
    assert re.search(r"warning: Collapsed: tags · seed 1 \(.*repeated 2 times", said.err)
    facts, _ = trainings(folder, study)
    collapsed = {label.removeprefix("train ") for label, each in facts.items() if each["collapsed"]}
    assert {"tags · seed 1", "udpos after tags · seed 1"} <= collapsed
    rows = read_csv(folder / "out" / "results.csv")
    behind = [row for row in rows if row.intermediate == "tags"]
    assert behind
    assert all(row.collapsed.count(" · seed 1: ") == 2 for row in behind)
    assert all(row.restarts == 4 for row in behind)
    summary = _summary(folder)
    assert {run["run"] for run in summary["provenance"]["collapsed"]} == collapsed
    (note,) = [n for n in summary["verdict"]["caveats"] if n.startswith("Collapsed in every")]
    assert all(run in note for run in collapsed)
    assert "Collapsed runs" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_adapters_train_in_a_study(folder, capfd):
    changes = [("learning_rate = 1.0", "learning_rate = 1e-2\nlora = { rank = 4 }\nrestarts = 0")]
    study = write(folder, *changes, ("epochs = 3", "epochs = 8"), text=ABSURD)
    said = run(folder, capfd, study)
    assert said.code == 0, said.err
    facts, session = trainings(folder, study)
    stages = [stage for stage in session.plan.stages if stage.kind is specs.TRAIN]
    assert all(stage.spec.lora.rank == 4 for stage in stages)
    tags = facts["train tags · seed 1"]
    assert tags["collapsed"] == ""
    assert tags["quality"][0]["score"] > 3 * tags["quality"][0]["chance"]
