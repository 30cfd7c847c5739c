"""``midway tasks`` and ``midway data check``."""

import gzip
import json

import pytest
import typer
from typer.testing import CliRunner

from midway.cli.tasks_cmd import register
from midway.errors import DataError, UsageError
from midway.tasks import card_names

APP = typer.Typer()
register(APP)


def run(*arguments):
    return CliRunner().invoke(APP, list(arguments), env={"MIDWAY_DATA": "", "COLUMNS": "100"})


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "tatoeba" / "v1"
    home.mkdir(parents=True)
    for side, text in (("deu", "eins\n\ndrei\n"), ("eng", "one\ntwo\nthree\n")):
        (home / f"tatoeba.deu-eng.{side}").write_text(text, encoding="utf-8")
    return tmp_path


def test_list_as_json(folder):
    result = run("tasks", "--json", "--data", str(folder))
    assert result.exit_code == 0
    records = json.loads(result.stdout)
    assert [record["name"] for record in records] == card_names()
    keys = {"name", "family", "roles", "languages", "metrics", "licence", "available"}
    assert all(keys <= set(record) for record in records)
    (tatoeba,) = [record for record in records if record["name"] == "tatoeba"]
    assert tatoeba["available"] == {"test": {"de": 2}}
    assert tatoeba["metrics"] == ["accuracy"]


def test_a_damaged_file_does_not_spoil_the_list(folder):
    (folder / "squad").mkdir()
    (folder / "squad/dev-v1.1.json.gz").write_bytes(gzip.compress(b"{}" * 99)[:-9])
    (record,) = json.loads(run("tasks", "squad", "--json", "--data", str(folder)).stdout)
    assert record["available"] == {}
    assert "dev-v1.1.json.gz" in record["unreadable"][0]


def test_table_and_page(folder):
    table = run("tasks", "--data", str(folder))
    assert table.exit_code == 0
    assert "test 1/112" in table.stdout
    assert all(name in table.stdout for name in card_names())
    page = run("tasks", "tatoeba", "--data", str(folder))
    assert page.exit_code == 0
    assert "Artetxe and Schwenk (2019)" in page.stdout
    assert "1: de" in page.stdout
    assert "CC BY 2.0 FR" in page.stdout


def test_unknown_task_and_missing_folder(tmp_path):
    assert isinstance(run("tasks", "tatoba").exception, UsageError)
    result = run("tasks", "--data", str(tmp_path / "nowhere"))
    assert isinstance(result.exception, DataError)
    assert "nowhere does not exist" in str(result.exception)


def test_check_counts(folder):
    result = run("data", "check", "tatoeba", "--data", str(folder), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "checks": [
            {
                "task": "tatoeba",
                "split": "test",
                "examples": {"de": 2},
                "dropped": {"blank sentence": 1},
                "repaired": {},
                "errors": [],
            }
        ],
        "errors": [],
    }
    table = run("data", "check", "tatoeba", "--data", str(folder))
    assert table.exit_code == 0
    assert "tatoeba test, left out: 1 blank sentence" in table.stdout


def test_check_names_every_damaged_file_and_ends_with_2(folder):
    home = folder / "tatoeba" / "v1"
    for side in ("fra", "eng"):
        (home / f"tatoeba.fra-eng.{side}").write_bytes(b"\xff\n")
    (home / "tatoeba.spa-eng.spa").write_bytes(b"uno\n")
    result = run("data", "check", "tatoeba", "--data", str(folder))
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert "tatoeba.spa-eng.spa" in lines[0]
    assert "tatoeba.fra-eng.fra:1: byte 0xff" in lines[1]


def test_check_of_a_task_without_files(folder):
    result = run("data", "check", "squad", "--data", str(folder))
    assert result.exit_code == 2
    assert "no files of squad in" in result.stderr
