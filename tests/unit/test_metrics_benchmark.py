"""Scoring folders: the shape of the result, and one clear error for every fault."""

import json

import pytest
import typer
from typer.testing import CliRunner

from midway.cli import score_cmd
from midway.errors import DataError, UsageError
from midway.metrics.benchmark import BENCHMARKS, XTREME, XTREME_R, benchmark_scores

PAWSX = XTREME.tasks["pawsx"].languages
TYDIQA = XTREME.tasks["tydiqa"].languages


def write(folder, task, texts, suffix):
    (folder / task).mkdir(parents=True, exist_ok=True)
    for language, text in texts.items():
        (folder / task / f"test-{language}.{suffix}").write_text(text, encoding="utf-8")


def squad_file(answers):
    questions = [{"id": key, "answers": [{"text": text}]} for key, text in answers.items()]
    return json.dumps({"data": [{"paragraphs": [{"context": "", "qas": questions}]}]})


@pytest.fixture
def folders(tmp_path):
    predictions, labels = tmp_path / "predictions", tmp_path / "labels"
    gold = dict.fromkeys(PAWSX, "1\n0\n1\n0\n")
    write(labels, "pawsx", gold, "tsv")
    write(predictions, "pawsx", gold | {"zh": "1\n1\n0\n0\n"}, "tsv")
    write(labels, "tydiqa", dict.fromkeys(TYDIQA, squad_file({"q": "red house"})), "json")
    write(predictions, "tydiqa", dict.fromkeys(TYDIQA, '{"q": "house"}'), "json")
    return predictions, labels


def test_averages(folders):
    scores = benchmark_scores(*folders, benchmark="xtreme")
    assert scores["overall"] == {}
    assert set(scores["tasks"]) == {"pawsx", "tydiqa"}
    pawsx, tydiqa = scores["tasks"]["pawsx"], scores["tasks"]["tydiqa"]
    assert pawsx["accuracy"]["zh"] == 50
    assert pawsx["avg_metric"] == pawsx["avg_accuracy"] == pytest.approx(650 / 7)
    assert tydiqa["avg_f1"] == pytest.approx(200 / 3)
    assert tydiqa["avg_metric"] == pytest.approx(100 / 3)


def test_group_means_need_all_their_tasks(folders):
    xnli = BENCHMARKS["xtreme"].tasks["xnli"].languages
    for folder in folders:
        write(folder, "xnli", dict.fromkeys(xnli, "neutral\n"), "tsv")
    scores = benchmark_scores(*folders, benchmark="xtreme")
    assert scores["overall"] == {"classification": pytest.approx((650 / 7 + 100) / 2)}
    assert "all_task" not in scores["overall"]


def test_language_lists():
    counts = {name: len(task.languages) for name, task in XTREME.tasks.items()}
    qa_and_pairs = {"xnli": 15, "pawsx": 7, "xquad": 11, "mlqa": 7, "tydiqa": 9}
    assert counts == qa_and_pairs | {"udpos": 33, "panx": 40, "bucc2018": 4, "tatoeba": 36}
    later = {name: len(XTREME_R.tasks[name].languages) for name in ("udpos", "panx", "tatoeba")}
    assert later == {"udpos": 38, "panx": 48, "tatoeba": 41}
    for benchmark in BENCHMARKS.values():
        assert all(name in benchmark.tasks for group in benchmark.groups.values() for name in group)


def check(folders, pattern):
    with pytest.raises(DataError, match=pattern) as caught:
        benchmark_scores(*folders, benchmark="xtreme")
    assert "\n" not in str(caught.value)


def test_missing_language(folders):
    (folders[0] / "pawsx" / "test-ko.tsv").unlink()
    check(folders, r"test-ko\.tsv is missing.*7 languages")


def test_missing_language_of_labels(folders):
    (folders[1] / "pawsx" / "test-ko.tsv").unlink()
    check(folders, r"labels.*test-ko\.tsv is missing")


def test_wrong_suffix(folders):
    path = folders[0] / "tydiqa" / "test-te.json"
    path.rename(path.with_suffix(".tsv"))
    check(folders, r"has test-te\.tsv, expected test-te\.json")


def test_wrong_number_of_lines(folders):
    write(folders[0], "pawsx", {"fr": "1\n0\n1\n"}, "tsv")
    check(folders, r"test-fr\.tsv does not fit .*: 3 predicted labels, but 4 gold labels")


def test_blank_line(folders):
    write(folders[0], "pawsx", {"fr": "1\n\n1\n0\n"}, "tsv")
    check(folders, r"test-fr\.tsv:2 is blank")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ('{"q": "house"', r"test-te\.json:1 is not JSON"),
        ('["house"]', "holds a JSON list"),
        ('{"q": 3}', "'q' has int; expected an answer text"),
    ],
)
def test_broken_predictions(folders, text, pattern):
    write(folders[0], "tydiqa", {"te": text}, "json")
    check(folders, pattern)


def test_labels_in_another_layout(folders):
    write(folders[1], "tydiqa", {"te": '{"data": [{"text": "x"}]}'}, "json")
    check(folders, "does not have SQuAD's layout")


def test_bytes_that_are_not_utf8(folders):
    (folders[0] / "pawsx" / "test-fr.tsv").write_bytes(b"1\n0\n\xff\n0\n")
    check(folders, r"test-fr\.tsv:3 is not UTF-8")


def test_no_folder_and_no_task(folders, tmp_path):
    check((tmp_path / "nowhere", folders[1]), "is not a folder")
    (tmp_path / "empty").mkdir()
    check((tmp_path / "empty", folders[1]), "no task has a folder in both")


def test_unknown_benchmark(folders):
    with pytest.raises(UsageError, match="unknown benchmark 'xtrem'"):
        benchmark_scores(*folders, benchmark="xtrem")


def test_tags_of_another_length(folders):
    languages = XTREME.tasks["udpos"].languages
    write(folders[1], "udpos", dict.fromkeys(languages, "NOUN\nVERB\n\nX\n"), "tsv")
    write(folders[0], "udpos", dict.fromkeys(languages, "NOUN\nVERB\n\nX\n"), "tsv")
    assert benchmark_scores(*folders, benchmark="xtreme")["tasks"]["udpos"]["avg_f1"] == 100
    write(folders[0], "udpos", {"yo": "NOUN\n\nX\n"}, "tsv")
    check(folders, r"test-yo\.tsv does not fit .*: sentence 1 has 1 predicted tags, but 2")
    write(folders[0], "udpos", {"yo": "NOUN\tx\n\nX\n"}, "tsv")
    check(folders, r"test-yo\.tsv:1 is .*; expected one tag a line")


def test_indices_must_be_numbers(folders):
    languages = XTREME.tasks["tatoeba"].languages
    for folder in folders:
        write(folder, "tatoeba", dict.fromkeys(languages, "0\n1\n"), "tsv")
    write(folders[0], "tatoeba", {"sw": "0\none\n"}, "tsv")
    check(folders, r"test-sw\.tsv:2 is 'one'; expected one 0-based index")


@pytest.fixture
def app():
    application = typer.Typer()
    application.callback()(lambda: None)
    score_cmd.register(application)
    return application


def test_command_prints_one_json_document(app, folders):
    arguments = ["score", *map(str, folders), "--benchmark", "xtreme", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == benchmark_scores(*folders, benchmark="xtreme")


def test_command_prints_tables(app, folders):
    arguments = ["score", *map(str, folders), "--benchmark", "xtreme", "--profile", "clean"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert any(line.split() == ["pawsx", "92.86"] for line in lines)
    assert any(line.split() == ["sw", "66.67", "0.00"] for line in lines)


def test_command_wants_a_benchmark(app, folders):
    result = CliRunner().invoke(app, ["score", *map(str, folders)])
    assert result.exit_code == 2


def warned(folders, benchmark="xtreme"):
    said = []
    scores = benchmark_scores(*folders, benchmark=benchmark, warn=said.append)
    return scores, said


def test_placeholder_labels_are_warned_of_by_file(folders):
    write(folders[1], "pawsx", {"de": "0\n" * 12}, "tsv")
    write(folders[0], "pawsx", {"de": "0\n" * 12}, "tsv")
    _, said = warned(folders)
    assert len(said) == 1
    assert str(folders[1] / "pawsx" / "test-de.tsv") in said[0]
    assert "all 12 labels are '0'" in said[0]


@pytest.mark.parametrize("tag", ["O", "X"])
def test_placeholder_tags_are_warned_of(folders, tag):
    languages = XTREME.tasks["udpos"].languages
    for folder in folders:
        write(folder, "udpos", dict.fromkeys(languages, "NOUN\nVERB\n\n" * 6), "tsv")
    write(folders[1], "udpos", {"yo": f"{tag}\n{tag}\n\n" * 6}, "tsv")
    _, said = warned(folders)
    assert len(said) == 1
    assert "test-yo.tsv" in said[0]
    assert f"all 12 labels are {tag!r}" in said[0]


def test_missing_answers_are_warned_of(folders):
    write(folders[0], "tydiqa", {"te": "{}"}, "json")
    scores, said = warned(folders)
    assert scores["tasks"]["tydiqa"]["f1"]["te"] == 0
    assert len(said) == 1
    assert "test-te.json: 1 of 1 questions have no answer, e.g. 'q'" in said[0]


def test_lareqa_weighs_questions_of_all_languages_equally(folders):
    languages = XTREME_R.tasks["lareqa"].languages
    gold = dict.fromkeys(languages, '{"a": ["en/1", "de/1"]}')
    guess = dict.fromkeys(languages, '{"a": ["en/1", "x", "de/1"]}')
    gold["ar"] = '{"a": ["en/1"], "b": ["en/2"], "c": ["en/3"]}'
    guess["ar"] = '{"a": ["en/1"], "b": ["x", "en/2"]}'
    write(folders[1], "lareqa", gold, "json")
    write(folders[0], "lareqa", guess, "json")
    lareqa = benchmark_scores(*folders, benchmark="xtreme-r")["tasks"]["lareqa"]
    single = 100 * (1 + 2 / 3) / 2
    assert lareqa["map@20"]["en"] == pytest.approx(single)
    assert lareqa["map@20"]["ar"] == pytest.approx(50)
    assert lareqa["avg_metric"] == pytest.approx((10 * single + 3 * 50) / 13)
