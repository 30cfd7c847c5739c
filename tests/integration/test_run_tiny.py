"""A whole study from the command line: what is written, what is computed again, and when not."""

import json
import re
import time
from html.parser import HTMLParser

import pyarrow.parquet as pq
import tiny_study
from tiny_study import midway, outputs, spawn, write_study

from conftest import CALM
from midway.analysis import read_csv

COLUMNS = [
    *("study", "encoder", "intermediate", "target", "language", "seed"),
    *("split", "profile", "metric", "value", "n"),
    *("collapsed", "restarts", "stopped"),
]


def scores(path):
    """Main results by cell."""
    return {
        (row.intermediate, row.target, row.language): row.value
        for row in read_csv(path)
        if row.profile == "official" and row.metric in ("f1", "accuracy")
    }


def test_outputs_are_written_and_agree(tiny):
    text = (tiny.out / "results.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0].split(",") == COLUMNS
    table = pq.read_table(tiny.out / "results.parquet")
    assert table.column_names == COLUMNS
    assert table.num_rows == len(text.splitlines()) - 1
    summary = json.loads((tiny.out / "summary.json").read_text(encoding="utf-8"))
    assert summary["study"] == "tiny"
    assert {gain["intermediate"] for gain in summary["gains"]} == {"squad-en", "xquad-both"}
    cells = scores(tiny.out / "results.csv")
    assert {(i, t) for i, t, _ in cells} == {
        (i, t)
        for i in ("none", "squad-en", "xquad-both")
        for t in ("tydiqa", "udpos", "tatoeba")
    }  # fmt: skip
    assert {code for _, target, code in cells if target == "tydiqa"} == {"en", "fi", "sw"}
    # A random encoder learns the patterns of its English training data, so training happened.
    assert cells["none", "tydiqa", "en"] > 80
    assert cells["none", "udpos", "en"] > 80
    for row in read_csv(tiny.out / "results.csv"):
        assert row.n == {"tydiqa": 12, "udpos": 12, "tatoeba": 20}[row.target]


def test_stdout_is_the_report_and_progress_is_on_stderr(tiny):
    assert tiny.said.out.strip() == "report: runs/tiny/report.html"
    assert re.search(r"computed (\d+) of \1 stages", tiny.said.err)
    assert "train squad-en · seed 1: done" in tiny.said.err
    assert "\x1b" not in tiny.said.err


class Resources(HTMLParser):
    """Everything that a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "srcset", "data", "poster", "action") or (
                name == "href" and tag in ("link", "use", "image", "base")
            ):
                self.found.append((tag, value))


def test_the_report_loads_nothing(tiny):
    html = (tiny.out / "report.html").read_text(encoding="utf-8")
    assert all(value.startswith("data:") for _, value in Resources(html).found)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", html)
    for word in ("squad-en", "xquad-both", "tydiqa", "tatoeba"):
        assert word in html


def test_second_run_computes_nothing_and_is_fast(tiny):
    before = outputs(tiny.store)
    results = (tiny.out / "results.csv").read_bytes()
    begin = time.perf_counter()
    said = spawn("run", tiny.study, *tiny.run_options, cwd=tiny.folder)
    assert time.perf_counter() - begin < 5
    assert said.code == 0
    assert re.search(r"computed 0 of \d\d stages", said.err)
    assert "started" not in said.err
    assert outputs(tiny.store) == before
    assert (tiny.out / "results.csv").read_bytes() == results


def test_a_moved_study_is_the_same_study(tiny, capfd):
    moved = tiny.folder.parent / "elsewhere"
    tiny.folder.rename(moved)
    said = midway(
        capfd, "plan", moved / "tiny.toml", "--json", "--data", moved / "data",
        "--store", moved / "store",
    )  # fmt: skip
    assert {stage["state"] for stage in json.loads(said.out)["stages"]} == {"cached"}


def test_why_names_the_field_that_was_edited(tiny, capfd):
    said = midway(capfd, "why", tiny.study, *tiny.options)
    assert said.code == 0
    assert all(line.startswith("cached") for line in said.out.splitlines())
    write_study(tiny.study, change=[("learning_rate = 3e-3", "learning_rate = 1e-3")])
    said = midway(capfd, "why", tiny.study, "train squad-en*", *tiny.options)
    assert "spec.recipe.learning_rate: 0.003 → 0.001" in said.out
    assert "tydiqa" not in said.out
    write_study(tiny.study)
    data = tiny.data / "squad/train-v1.1.json"
    data.write_text(tiny_study.squad("en", 41, 1), encoding="utf-8")
    said = midway(capfd, "why", tiny.study, "examples of squad*", *tiny.options)
    assert "train-v1.1.json" in said.out
    assert "→" in said.out


def test_only_what_an_edit_touches_is_computed(tiny, capfd):
    write_study(tiny.study, change=[("epochs = 8", "epochs = 1")])
    document = json.loads(midway(capfd, "plan", tiny.study, "--json", *tiny.options).out)
    todo = {stage["name"] for stage in document["stages"] if stage["state"] != "cached"}
    assert len(todo) == 9
    assert all("udpos" in name for name in todo)
    assert document["totals"]["cached"] == len(document["stages"]) - 9


def test_only_runs_what_the_glob_names_and_what_that_needs(fresh, capfd):
    options = (*fresh.run_options, "--only", "examples of *")
    said = midway(capfd, "run", fresh.study, *options)
    assert said.code == 0
    assert {stage for stage, _ in outputs(fresh.store)} == {"examples"}
    assert not fresh.out.exists()
    said = midway(capfd, "run", fresh.study, *fresh.run_options, "--only", "no such stage")
    assert said.code == 2
    assert "no such stage" in said.err


def test_two_workers_give_the_same_bytes(tiny, fresh):
    said = spawn("run", fresh.study, *fresh.run_options, "--workers", "2", cwd=fresh.folder, **CALM)
    assert said.code == 0, said.err
    assert outputs(fresh.store) == outputs(tiny.store)
    assert (fresh.out / "results.csv").read_bytes() == (tiny.out / "results.csv").read_bytes()


def test_a_failed_stage_costs_only_what_needs_it(tiny, capfd, monkeypatch):
    from midway.errors import StageError
    from midway.stages import train

    real = train.run

    def sometimes(spec, inputs, context):
        if spec.recipe.epochs == 3:
            raise StageError("the loss is inf at step 5; lower the learning rate")
        return real(spec, inputs, context)

    monkeypatch.setattr(train, "run", sometimes)
    old = 'name = "squad-en"\n'
    write_study(tiny.study, change=[(old, f"{old}epochs = 3\n"), ('match = "examples"\n', "")])
    said = midway(capfd, "run", tiny.study, *tiny.run_options)
    assert said.code == 1, said.err
    assert "failed: train squad-en · seed 1: the loss is inf" in said.err
    assert "not run because of that: 8 stages" in said.err
    cells = scores(tiny.out / "results.csv")
    assert {intermediate for intermediate, _, _ in cells} == {"none", "xquad-both"}
    (failure,) = (tiny.store / "failures").glob("*.txt")
    assert "Traceback" in failure.read_text(encoding="utf-8")
    again = midway(capfd, "run", tiny.study, *tiny.run_options, "--no-retry")
    assert again.code == 1
    assert "failed before" in again.err
    monkeypatch.undo()
    said = midway(capfd, "run", tiny.study, *tiny.run_options)
    assert said.code == 0
    assert "squad-en" in {intermediate for intermediate, _, _ in scores(tiny.out / "results.csv")}
    assert not list((tiny.store / "failures").iterdir())


def test_strict_refuses_results_of_changed_code(tiny, capfd, monkeypatch):
    from midway.graph import hits
    from midway.store.manifest import Code

    assert midway(capfd, "run", tiny.study, *tiny.run_options, "--strict").code == 0
    monkeypatch.setattr(hits, "code_of", lambda _: Code("0" * 64, {"midway.train.loop": "0" * 64}))
    said = midway(capfd, "run", tiny.study, *tiny.run_options)
    assert said.code == 0
    assert "code drift" in said.err
    said = midway(capfd, "run", tiny.study, *tiny.run_options, "--strict")
    assert said.code == 1
    assert "--strict refuses" in said.err


def test_weights_of_targets_go_and_those_of_intermediates_stay(tiny):
    kept = {key for stage, key in outputs(tiny.store) if stage == "train"}
    assert len(kept) == 2
    assert len(list((tiny.store / "dropped").glob("*.json"))) == 6
    assert not list((tiny.store / "work").glob("*/*"))
    assert not list((tiny.store / "staging").glob("*"))


def test_results_in_every_format(tiny, capfd):
    said = midway(capfd, "results", tiny.study, "--format", "csv", *tiny.options)
    assert said.code == 0
    assert said.out == (tiny.out / "results.csv").read_text(encoding="utf-8")
    rows = json.loads(midway(capfd, "results", tiny.study, "--format", "json", *tiny.options).out)
    assert len(rows) == len(said.out.splitlines()) - 1
    assert all(set(COLUMNS) <= set(row) for row in rows)
    table = midway(capfd, "results", tiny.study, *tiny.options)
    assert "squad-en" in table.out
    folder = tiny.folder / "parquet"
    said = midway(
        capfd, "results", tiny.study, "--format", "parquet", "--out", folder, *tiny.options
    )
    assert said.out == ""
    assert pq.read_table(folder / "results.parquet").num_rows == len(rows)


def test_report_can_be_written_again_and_elsewhere(tiny, capfd):
    page = tiny.folder / "elsewhere/page.html"
    said = midway(capfd, "report", tiny.study, "--out", page, *tiny.options)
    assert said.code == 0
    assert said.out == f"report: {page}\n"
    assert "xquad-both" in page.read_text(encoding="utf-8")


def test_results_of_nothing_say_what_to_do(fresh, capfd):
    for verb in ("results", "report"):
        said = midway(capfd, verb, fresh.study, *fresh.options)
        assert said.code == 2
        assert "midway run" in said.err
        assert said.err.count("\n") == 1


def test_store_commands_on_a_real_store(tiny, capfd):
    listed = json.loads(midway(capfd, "store", "ls", "--json", "--store", tiny.store).out)
    assert {(item["stage"], item["key"]) for item in listed} == set(outputs(tiny.store))
    kept = midway(capfd, "store", "gc", tiny.study, *tiny.options, "--json")
    assert json.loads(kept.out)["items"] == []
    write_study(tiny.study, change=[("epochs = 8", "epochs = 1")])
    swept = json.loads(midway(capfd, "store", "gc", tiny.study, *tiny.options, "--json").out)
    assert swept["removed"] is False
    assert swept["items"]
    assert (tiny.store / "artefacts/train").is_dir()
    checked = json.loads(midway(capfd, "store", "verify", "--json", "--store", tiny.store).out)
    assert checked == {"checked": len(listed), "problems": [], "repaired": False}
