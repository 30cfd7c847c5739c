"""Successive halving in a whole study: the same choices however it is run, told in the report."""

import json
import shutil

import pytest
import tiny_study
from tiny_study import midway

from midway.analysis.results import read_csv
from midway.store.local import Store
from midway.studies.session import open_session

STUDY = """
name = "halved"
encoder = "encoder"
seeds = [1, 2, 3]

[train]
learning_rate = 3e-3
batch_size = 4
epochs = 2
max_length = 64
precision = "float32"
restarts = 0

[[intermediate]]
name = "squad-en"
mix = [{ task = "squad", examples = 24 }]

[[intermediate]]
name = "tags"
after = "squad-en"
mix = [{ task = "udpos", examples = 12 }]

[[intermediate]]
name = "xquad"
mix = [{ task = "xquad", languages = ["en", "ro"], examples = 24 }]

[[intermediate]]
name = "words"
mix = [{ task = "mlm", text = "tydiqa", languages = ["sw"], examples = 8 }]

[[target]]
task = "tydiqa"
train = { languages = ["en"], examples = 16 }
evaluate = { examples = 6 }
select = { rule = "last", split = "train", examples = 8 }

[[target]]
task = "udpos"
train = { languages = ["en"], examples = 8 }
evaluate = { languages = ["fi"], examples = 6 }
select = { rule = "last", split = "train", examples = 8 }

[[target]]
task = "tatoeba"
"""
VALIDATED = 'select = { rule = "last", split = "train", examples = 8 }'
HALVING = "\n[halving]\nkeep = 0.5\nrungs = [1, 2]\n"
NAMES = ["squad-en", "tags", "xquad", "words"]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Workers share the threads out, and another number of them rounds differently."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def study(folder):
    path = folder / "halved.toml"
    path.write_text(STUDY + HALVING, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def once(folder, study):
    """The study run without any disturbance, and the plan before it."""
    where = ("--store", folder / "once", "--data", folder / "data")
    planned = tiny_study.spawn("plan", study, "--json", *where, cwd=folder.parent)
    words = tiny_study.spawn("plan", study, *where, cwd=folder.parent).out
    said = tiny_study.spawn("run", study, "--out", folder / "out", *where, cwd=folder.parent)
    assert said.code == 0, said.err
    return json.loads(planned.out)["totals"], words, said


def opened(folder, study, store):
    return open_session(study, Store(folder / store), (folder / "data",))


def results(folder, out):
    return read_csv(folder / out / "results.csv")


def test_the_better_half_by_validation_goes_on(folder, study, once):
    _, _, said = once
    session = opened(folder, study, "once")
    first, second = session.halving.choices
    assert (first.seeds, first.kept, second.seeds, second.kept) == ((1,), 2, (1, 2), 1)
    assert sorted(first.scores) == sorted(NAMES)
    found = {}
    for cell in session.expansion.cells:
        if cell.trained and cell.seed == 1:
            model = cell.score.inputs["predictions"].inputs["model"]
            (quality,) = session.record(model).facts["quality"]
            assert quality["held_out"]
            found.setdefault(cell.intermediate, []).append(quality["score"])
    for name in NAMES:
        assert first.scores[name] == pytest.approx(sum(found[name]) / 2)
    best = sorted(NAMES, key=lambda name: (-first.scores[name], NAMES.index(name)))
    assert list(first.scores) == best
    assert sorted(second.scores) == sorted(best[:2])
    ran = {(row.intermediate, row.seed) for row in results(folder, "out")}
    winner = next(iter(second.scores))
    assert ran == {
        *(("none", seed) for seed in (1, 2, 3)),
        *((name, 1) for name in NAMES),
        *((name, 2) for name in best[:2]),
        (winner, 3),
    }
    assert len(session.plan.stages) == len(list((folder / "once").glob("*/*/*/manifest.json"))) + (
        len(list((folder / "once/dropped").iterdir()))
    )
    for name, why in session.halving.stopped.items():
        assert f"{name} is stopped {why}" in said.err


def test_what_is_said_of_what_was_stopped(folder, study, once):
    session = opened(folder, study, "once")
    stopped = session.halving.stopped
    assert len(stopped) == 3
    for row in results(folder, "out"):
        assert row.stopped == stopped.get(row.intermediate, "")
    summary = json.loads((folder / "out/summary.json").read_text(encoding="utf-8"))
    (note,) = [n for n in summary["verdict"]["caveats"] if n.startswith("Stopped by successive")]
    assert all(f"{name} {why}" in note for name, why in stopped.items())
    assert "may have been the better" in note
    assert "rest on the seeds it has" in note
    assert summary["provenance"]["halving"]["stopped"] == stopped
    assert summary["progress"]["scored"] == summary["progress"]["total"]
    winner = next(name for name in NAMES if name not in stopped)
    texts = {answer["key"]: answer["text"] for answer in summary["verdict"]["answers"]}
    assert winner in texts["help"]
    assert not [name for name in stopped if f"{name} " in texts["help"]]
    gains = {(g["intermediate"], g["target"]): g["mean"] for g in summary["gains"]}
    for name in NAMES:
        seeds = {row.seed for row in results(folder, "out") if row.intermediate == name}
        assert gains[name, "tydiqa"]["seeds"] == len(seeds)
        assert gains[name, "tydiqa"]["seed_variance_known"] == (len(seeds) > 1)
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    assert page.count("stopped, fewer seeds") == 3
    assert "<h3>Successive halving</h3>" in page
    assert page.count('<td class="words">stopped</td>') == 3


def test_a_plan_says_the_most_it_can_cost(folder, study, once, capfd):
    before, words, _ = once
    most = before["at_most"]
    assert f"at most {most['stages']} stages and {most['train_tokens']:,.0f} training" in words
    where = ("--store", folder / "once", "--data", folder / "data")
    after = json.loads(midway(capfd, "plan", study, "--json", *where).out)["totals"]
    assert "at_most" not in after
    assert before["stages"] < after["stages"] <= most["stages"]
    assert before["train_tokens"] < most["train_tokens"]
    assert most["seconds"] > before["seconds"]
    assert after["naive_stages"] == before["naive_stages"]  # of the whole grid
    # tags go on from squad-en, so the dearest choice has both
    empty = ("--store", folder / "none-yet", "--data", folder / "data")
    whole = folder / "whole.toml"
    whole.write_text(STUDY, encoding="utf-8")
    grid = json.loads(midway(capfd, "plan", whole, "--json", *empty).out)["totals"]
    assert most["train_tokens"] < grid["train_tokens"]
    assert "at_most" not in grid


@pytest.mark.parametrize("way", ["workers", "pieces", "whole grid"])
def test_the_choices_are_the_same_however_it_is_run(way, folder, study, once, capfd):
    where = ("--store", folder / way, "--data", folder / "data")
    if way == "workers":
        said = midway(capfd, "run", study, "--workers", 2, "--out", folder / f"{way}-out", *where)
    elif way == "pieces":
        runs = 0
        while True:
            budget = ("--budget", "2500tok", "--out", folder / f"{way}-out")
            said = midway(capfd, "run", study, *budget, *where)
            runs += 1
            if said.code != 3:
                break
            assert "Run the same command again to go on" in said.err
        assert runs > 3
    else:
        whole = folder / "whole.toml"
        whole.write_text(STUDY, encoding="utf-8")
        assert midway(capfd, "run", whole, "--out", folder / "grid", *where).code == 0
        said = midway(capfd, "run", study, "--out", folder / f"{way}-out", *where)
        assert "computed 0 of" in said.err
    assert said.code == 0, said.err
    assert results(folder, f"{way}-out") == results(folder, "out")
    assert opened(folder, study, way).halving == opened(folder, study, "once").halving
    if way != "whole grid":
        assert tiny_study.outputs(folder / way) == tiny_study.outputs(folder / "once")


def test_a_report_before_a_choice_says_that_runs_follow(folder, study, once, capfd, tmp_path):
    where = ("--store", folder / "early", "--data", folder / "data", "--out", tmp_path)
    shutil.copytree(folder / "once", folder / "early")
    record = opened(folder, study, "once").plan
    for stage in record.stages:
        if stage.label in ("train udpos after words · seed 1", "score udpos after words · seed 1",
                           "predict udpos after words · seed 1"):  # fmt: skip
            shutil.rmtree(folder / f"early/artefacts/{stage.kind.name}/{stage.key}", True)
            (folder / f"early/dropped/{stage.key}.json").unlink(missing_ok=True)
    said = midway(capfd, "run", study, "--budget", "1tok", *where)
    assert said.code == 3
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    notes = " ".join(summary["verdict"]["caveats"])
    assert "Incomplete: 14 of 15 runs are scored" in notes
    # two intermediates with seed 2 and one with seed 3, each beside the baseline, on three targets
    assert "a choice to make when all validation scores are there; 15 more runs follow" in notes
    assert summary["seeds"] == [1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            f'6 }}\n{VALIDATED}\n\n[[target]]\ntask = "udpos"',
            '6 }\n\n[[target]]\ntask = "udpos"',
            "halving needs validation scores, and target tydiqa has none; give select =",
        ),
        ("rungs = [1, 2]", "rungs = [1, 3]", "halving: rungs is [1, 3]"),
    ],
)
def test_what_cannot_be_halved_is_refused(old, new, message, folder, study, capfd):
    text = study.read_text(encoding="utf-8")
    assert text.count(old) == 1
    other = folder / "refused.toml"
    other.write_text(text.replace(old, new), encoding="utf-8")
    said = midway(capfd, "run", other, "--store", folder / "no", "--data", folder / "data")
    assert said.code == 2
    assert message in said.err


def test_a_run_that_halving_did_not_give_cannot_be_exported(folder, study, once, capfd):
    name = next(iter(opened(folder, study, "once").halving.stopped))
    where = ("--store", folder / "once", "--data", folder / "data")
    what = ("--what", "submission", "--partial", "--intermediate", name, "--seed", 3)
    said = midway(capfd, "export", study, *what, *where, "--out", folder / "exported")
    assert said.code == 2
    assert f"halving has given {name} no run with seed 3; name another seed" in said.err
