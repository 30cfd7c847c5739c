"""Equal budgets, counted exactly before any training, in whole studies with a random encoder."""

import json
import re
import shutil

import pytest
import tiny_study
from tiny_study import midway

STUDY = """
name = "budgets"
encoder = "encoder"
seeds = [1, 2]

[train]
learning_rate = 3e-3
batch_size = 4
epochs = 2
max_length = 16
stride = 2
precision = "float32"

[[intermediate]]
name = "squad-en"
mix = [{ task = "squad", examples = 24 }]

[[intermediate]]
name = "xquad-ro"
mix = [{ task = "xquad", languages = ["ro"], examples = 24 }]

[[intermediate]]
name = "mixed"
epochs = 1
mix = [
  { task = "xquad", examples = 16 },
  { task = "udpos", languages = ["en", "fi"], examples = 12, batch_size = 2 },
  { task = "mlm", text = "tydiqa", languages = ["sw"], examples = 8 },
]
sampling = { rule = "uniform" }

[[intermediate]]
name = "squad-then-mixed"
after = "squad-en"
epochs = 1
mix = [{ task = "udpos", examples = 20 }]

[[target]]
task = "udpos"
train = { examples = 8 }
evaluate = { examples = 4 }
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("budgets")
    tiny_study.write_data(folder / "data")
    path = folder / "data/xquad/xquad.ro.json"
    long = json.loads(path.read_text(encoding="utf-8"))
    for paragraph in (p for article in long["data"] for p in article["paragraphs"]):
        paragraph["context"] = " ".join([paragraph["context"]] * 3)  # several windows
    path.write_text(json.dumps(long), encoding="utf-8")
    tiny_study.write_encoder(folder / "encoder")
    return folder


@pytest.fixture
def folder(source, tmp_path):
    shutil.copytree(source, tmp_path / "study")
    return tmp_path / "study"


def matched(unit):
    return f'{STUDY}\n[compare]\ncontrasts = [["xquad-ro", "squad-en"]]\nmatch = "{unit}"\n'


def call(folder, capfd, verb, text, *more, store="store"):
    (folder / "s.toml").write_text(text, encoding="utf-8")
    options = ["--store", folder / store, "--data", folder / "data", *more]
    return midway(capfd, verb, folder / "s.toml", *options)


def facts(folder, kind):
    """Facts of all artefacts of a kind, by label."""
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (folder / "store").glob(f"artefacts/{kind}/*/manifest.json")
    ]
    return {manifest["label"]: manifest["facts"] for manifest in found}


def test_budgets_are_what_training_then_does(folder, capfd):
    said = call(folder, capfd, "run", STUDY, "--out", folder / "out")
    assert said.code == 0, said.err
    done = [line for line in said.err.splitlines() if "started" in line or "done in" in line]
    counted = next(
        i for i, line in enumerate(done) if "budgets of the inter" in line and "done" in line
    )
    assert counted < next(
        i for i, line in enumerate(done) if "train " in line and "started" in line
    )
    (counted,) = facts(folder, "budgets").values()
    trained = facts(folder, "train")
    for seed in ("1", "2"):
        own = {}
        for name in ("squad-en", "xquad-ro", "mixed", "squad-then-mixed"):
            found = trained[f"train {name} · seed {seed}"]
            own[name] = (found["tokens"], found["steps"])
        own["squad-then-mixed"] = tuple(
            map(sum, zip(own["squad-en"], own["squad-then-mixed"], strict=True))
        )
        for name, (tokens, steps) in own.items():
            budget = counted["budgets"][name]["seeds"][seed]
            assert (budget["tokens"], budget["updates"]) == (tokens, steps)
    by_name = counted["budgets"]
    assert by_name["squad-en"]["examples"] == by_name["xquad-ro"]["examples"] == 48
    assert by_name["squad-then-mixed"]["examples"] == 68
    assert by_name["xquad-ro"]["updates"] > 48 / 4  # of windows
    assert by_name["mixed"]["seeds"]["1"] != by_name["mixed"]["seeds"]["2"]
    assert set(by_name["mixed"]["languages"]) == {"en", "fi", "ro", "sw"}
    report = (folder / "out/report.html").read_text(encoding="utf-8")
    table = report[report.index("<h3>Budgets</h3>") :]
    row = re.search(r'<th scope="row">squad-en</th><td>48</td><td>([\d,]+)</td>', table)
    assert row, table[:2000]
    assert row[1] == f"{by_name['squad-en']['tokens']:,.0f}"
    assert "does not demand that they be equal" in table


def test_unequal_tokens_are_refused_when_planning_and_the_suggestion_helps(folder, capfd):
    text = matched("tokens")
    said = call(folder, capfd, "plan", text)
    assert said.code == 2
    assert said.out == ""
    assert "match = 'tokens': reading and tokenising" in said.err
    message = said.err.strip().splitlines()[-1]
    assert "xquad-ro: 48 examples" in message
    assert "squad-en: 48 examples" in message
    assert "(mean over 2 seeds)" in message
    larger, fewer = re.search(r"Give (\S+) about examples = (\d+) \(now 24\)", message).groups()
    assert larger == "xquad-ro"
    assert not (folder / "store/artefacts/train").exists()
    # 24 short examples cannot be matched to 1 %, but come closer
    said = call(
        folder, capfd, "plan", text.replace('"ro"], examples = 24', f'"ro"], examples = {fewer}')
    )
    assert said.code in (0, 2)

    def apart(message):
        return float(re.search(r"([\d.]+) % less", message)[1])

    assert said.code == 0 or apart(said.err) < apart(message) / 2


def test_a_run_refuses_before_it_trains(folder, capfd):
    text = matched("tokens")
    ways = [], ["--workers", "2"], ["--only", "train*"], ["--only", "score*"]
    for number, more in enumerate(ways):
        store = f"store{number}"
        said = call(folder, capfd, "run", text, *more, store=store)
        assert said.code == 2, said.err
        assert "match = 'tokens' allows a difference of 1 %" in said.err.splitlines()[-1]
        assert not re.search(r"\] train .*: started", said.err)
        assert not (folder / store / "artefacts/train").exists()
    assert call(folder, capfd, "run", text, "--only", "features*").code == 0


def test_equal_budgets_are_counted_once_and_then_known(folder, capfd):
    text = matched("updates").replace('task = "squad"', 'task = "xquad", languages = ["ro"]')
    said = call(folder, capfd, "plan", text, "--json")
    assert said.code == 0, said.err
    states = {stage["stage"]: stage["state"] for stage in json.loads(said.out)["stages"]}
    assert (states["budgets"], states["train"]) == ("cached", "waiting")
    assert "reading and tokenising" in said.err
    assert "reading and tokenising" not in call(folder, capfd, "plan", text).err


def test_what_is_declared_needs_no_reading(folder, capfd):
    said = call(folder, capfd, "plan", matched("examples"))
    assert said.code == 0, said.err
    assert said.err == ""
    assert not (folder / "store/artefacts").exists()


def test_a_store_that_cannot_be_written_leaves_the_declared_numbers(folder, capfd):
    (folder / "file").write_text("no folder", encoding="utf-8")
    said = call(folder, capfd, "plan", matched("tokens"), store="file/store")
    assert said.code == 0, said.err
    assert "budgets were compared by declared numbers only" in said.err
    assert "stages (" in said.out
