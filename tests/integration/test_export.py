"""A submission scores what the study scored; nothing that is not ours is ever removed."""

import json

import pytest
from tiny_study import midway

from midway.analysis import read_csv
from midway.metrics.benchmark import BENCHMARKS
from midway.metrics.file_scores import Context


def export(tiny, capfd, *more):
    return midway(capfd, "export", tiny.study, *tiny.options, *more)


def values(tiny, intermediate):
    """Official scores by task, language and metric."""
    return {
        (row.target, row.language, row.metric): row.value
        for row in read_csv(tiny.out / "results.csv")
        if row.profile == "official" and row.intermediate == intermediate
    }


@pytest.mark.parametrize("intermediate", ["none", "xquad-both"])
def test_every_file_scores_what_the_results_say(tiny, capfd, intermediate):
    out = tiny.folder / "submission"
    said = export(tiny, capfd, "--intermediate", intermediate, "--partial", "--out", out, "--json")
    assert said.code == 0, said.err
    done = json.loads(said.out)
    assert set(done["tasks"]) == {"tydiqa", "udpos", "tatoeba"}
    assert done["tasks"]["tatoeba"] == ["fi", "sw"]
    want = values(tiny, intermediate)
    compared = 0
    for name, languages in done["tasks"].items():
        task = BENCHMARKS["xtreme"].tasks[name]
        for language in languages:
            file = f"test-{language}.{task.suffix}"
            at = Context(language, "official", lambda _: None)
            scores = task.score(out / "predictions" / name / file, out / "labels" / name / file, at)
            for metric, value in scores.items():
                if (name, language, metric) in want:
                    assert value == pytest.approx(want[name, language, metric], abs=1e-9)
                    compared += 1
    assert compared >= 10


def test_tatoeba_queries_are_in_the_benchmarks_order(tiny, capfd):
    out = tiny.folder / "submission"
    assert export(tiny, capfd, "--partial", "--out", out).code == 0
    english = (tiny.data / "tatoeba/v1/tatoeba.fin-eng.eng").read_text("utf-8").splitlines()
    order = [i for i, _ in sorted(enumerate(english), key=lambda pair: pair[1])]
    gold = (out / "labels/tatoeba/test-fi.tsv").read_text("utf-8").split()
    assert [int(line) for line in gold] == order


def test_incomplete_tasks_are_listed_and_left_out(tiny, capfd):
    said = export(tiny, capfd, "--out", tiny.folder / "submission")
    assert said.code == 2
    assert "no task of xtreme has predictions in all of its languages" in said.err
    assert "tydiqa: ar bn id ko ru te" in said.err
    assert not (tiny.folder / "submission").exists()


def test_remarks_name_what_makes_it_another_score(tiny, capfd):
    said = export(tiny, capfd, "--partial", "--out", tiny.folder / "submission")
    assert "tydiqa: 12 examples per language, not the whole split" in said.err
    assert "udpos: tokens are the treebanks' syntactic words" in said.err


def test_a_second_export_replaces_the_first_and_nothing_else(tiny, capfd):
    out = tiny.folder / "submission"
    assert export(tiny, capfd, "--partial", "--out", out).code == 0
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    stale = out / "predictions/tydiqa/test-xx.json"
    stale.write_text("{}", encoding="utf-8")
    assert export(tiny, capfd, "--partial", "--out", out).code == 0
    assert not stale.exists()
    assert (out / "notes.txt").read_text("utf-8") == "mine"
    (tiny.folder / "other/labels").mkdir(parents=True)
    said = export(tiny, capfd, "--partial", "--out", tiny.folder / "other")
    assert said.code == 2
    assert "not from an earlier export" in said.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--intermediate", "squad-em"), "Did you mean 'squad-en'?"),
        (("--seed", "9"), "no seed 9; there are: 1"),
    ],
)
def test_what_does_not_exist_is_one_line(tiny, capfd, options, message):
    said = export(tiny, capfd, *options)
    assert said.code == 2
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_nothing_computed_says_what_to_do(fresh, capfd):
    said = export(fresh, capfd, "--partial")
    assert said.code == 2
    assert "no task of xtreme has predictions" in said.err
