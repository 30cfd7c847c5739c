"""Mixtures, chains, controls and kept heads, in a whole study with a random encoder."""

import json
import re

import pytest
from tiny_study import midway

from midway.store.local import Store
from midway.studies.provenance import provenance
from midway.studies.session import open_session

MIXED = """
name = "mixed"
encoder = "encoder"
seeds = [1]

[train]
learning_rate = 3e-3
batch_size = 4
epochs = 1
max_length = 64
precision = "float32"

[[intermediate]]
name = "squad-en"
mix = [{ task = "squad", examples = 24 }]

[[intermediate]]
name = "mixed"
mix = [
  { task = "xquad", examples = 16, weight = 3 },
  { task = "udpos", languages = ["en", "fi"], examples = 12, batch_size = 2 },
  { task = "mlm", text = "tydiqa", languages = ["sw"], examples = 8 },
]
sampling = { rule = "weights" }

[[intermediate]]
name = "squad-then-xquad"
after = "squad-en"
mix = [{ task = "xquad", examples = 16 }]

[[intermediate]]
name = "control"
mix = [{ task = "squad", examples = 24, control = true }]

[[target]]
task = "tydiqa"
train = { languages = ["en"], examples = 16 }
evaluate = { examples = 12 }
keep_head = true
"""


def run(folder, capfd, text=MIXED, verb="run"):
    study = folder / "mixed.toml"
    study.write_text(text, encoding="utf-8")
    options = ["--store", folder / "store", "--data", folder / "data"]
    out = ["--out", folder / "out"] if verb == "run" else []
    return midway(capfd, verb, study, *options, *out)


def manifests(folder):
    """Training manifests by label."""
    found = {}
    for path in (folder / "store").glob("artefacts/train/*/manifest.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found[path.parent.name] = manifest
    return found


def test_every_variant_trains_and_is_reported(folder, capfd):
    said = run(folder, capfd)
    assert said.code == 0, said.err
    text = (folder / "out/report.html").read_text(encoding="utf-8")
    for name in ("squad-en", "mixed", "squad-then-xquad", "control"):
        assert f'<th scope="row">{name}</th>' in text
    plan = json.loads(
        midway(
            capfd, "plan", folder / "mixed.toml", "--json",
            "--store", folder / "store", "--data", folder / "data",
        ).out
    )  # fmt: skip
    stages = {stage["name"]: stage for stage in plan["stages"]}
    first = stages["train squad-en · seed 1"]["key"]
    assert first in stages["train squad-then-xquad · seed 1"]["needs"]
    assert "examples of squad (control) train, en" in stages
    mixed = manifests(folder)[stages["train mixed · seed 1"]["key"]]
    shares = {share["task"]: share for share in mixed["facts"]["mixture"]}
    assert {task: share["intended"] for task, share in shares.items()} == {
        "xquad": 0.6,
        "udpos": 0.2,
        "mlm": 0.2,
    }
    assert sum(share["steps"] for share in shares.values()) == mixed["facts"]["steps"]
    assert shares["udpos"]["examples"] == 2 * shares["udpos"]["steps"]
    assert shares["xquad"]["examples"] == 4 * shares["xquad"]["steps"]
    assert set(shares["udpos"]["languages"]) == {"en", "fi"}
    assert sum(s["tokens"] for s in shares.values()) == mixed["facts"]["tokens"]
    assert set(shares["mlm"]["languages"]) == {"sw"}


def test_a_kept_head_is_that_of_the_intermediate(folder, capfd):
    changed = MIXED.replace("keep_head = true", "keep_head = false")
    names = {}
    for text in (MIXED, changed):
        (folder / "mixed.toml").write_text(text, encoding="utf-8")
        said = midway(
            capfd, "plan", folder / "mixed.toml", "--json",
            "--store", folder / "store", "--data", folder / "data",
        )  # fmt: skip
        for stage in json.loads(said.out)["stages"]:
            names.setdefault(stage["name"], set()).add(stage["key"])
    assert len(names["train tydiqa after squad-en · seed 1"]) == 2
    assert len(names["train tydiqa · seed 1"]) == 1  # the baseline has no head to keep


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('after = "squad-en"', 'after = "squad-em"', r"no earlier intermediate\. Did you mean 'sq"),
        ('after = "squad-en"', 'after = "control"', "no earlier intermediate"),
        ('task = "mlm", text = "tydiqa"', 'task = "xquad", text = "tydiqa"', "goes with task = 'm"),
        ('{ task = "squad", examples = 24, control = true }',
         '{ task = "mlm", text = "squad", examples = 8, control = true }', "needs labels or spans"),
        ('{ task = "squad", examples = 24, control = true }',
         '{ task = "udpos", examples = 8 }', "keep_head: tydiqa needs a span_qa head, but control"),
        ('train = { languages = ["en"], examples = 16 }',
         'train = { languages = ["en"], examples = 16, control = true }', "go with a mix, not"),
        ('rule = "weights"', 'rule = "temperature", temperature = 0.5', "temperature"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_one_line(folder, capfd, old, new, message):
    assert old in MIXED
    said = run(folder, capfd, MIXED.replace(old, new), verb="plan")
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1

    assert re.search(message, said.err), said.err


def test_a_chain_has_seen_what_came_before(folder, capfd):
    assert run(folder, capfd).code == 0
    session = open_session(folder / "mixed.toml", Store(folder / "store"), (folder / "data",))
    found = provenance(session)["intermediates"]["squad-then-xquad"]
    assert found["tasks"] == ["squad", "xquad"]
    assert found["languages"] == ["en", "ro"]
    assert found["examples"] == 40


def test_a_chain_counts_what_came_before(folder, capfd):
    text = (
        MIXED + '\n[compare]\nmatch = "examples"\ncontrasts = [["squad-then-xquad", "squad-en"]]\n'
    )
    said = run(folder, capfd, text, verb="plan")
    assert said.code == 2
    assert "squad-then-xquad has 40 examples and squad-en 24" in said.err
