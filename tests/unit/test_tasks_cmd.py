"""``midway tasks``."""

import gzip
import json
import os

import pytest
from typer.testing import CliRunner

from midway.cli import tasks_cmd
from midway.cli.main import app
from midway.errors import DataError, UsageError
from midway.tasks import card_names


def run(*arguments, store=""):
    env = {"MIDWAY_DATA": "", "COLUMNS": "100", "MIDWAY_STORE": store}
    return CliRunner().invoke(app, list(arguments), env=env)


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "tatoeba" / "v1"
    home.mkdir(parents=True)
    for side, text in (("deu", "eins\n\ndrei\n"), ("eng", "one\ntwo\nthree\n")):
        (home / f"tatoeba.deu-eng.{side}").write_text(text, encoding="utf-8")
    return tmp_path


def test_list_as_json(folder, monkeypatch):
    names = ["django-messages", "squad", "tatoeba", "xnli"]
    monkeypatch.setattr(tasks_cmd, "card_names", lambda: names)
    result = run("tasks", "--json", "--data", str(folder), store=str(folder / "store"))
    assert result.exit_code == 0
    records = json.loads(result.stdout)
    assert [record["name"] for record in records] == names
    keys = {"name", "family", "roles", "languages", "metrics", "licence", "available"}
    assert all(keys <= set(record) for record in records)
    (tatoeba,) = [record for record in records if record["name"] == "tatoeba"]
    assert tatoeba["available"] == {"test": {"de": 2}}
    assert tatoeba["metrics"] == ["accuracy"]
    assert tatoeba["hub"] == "google/xtreme"
    assert next(record for record in records if record["name"] == "django-messages")["hub"] is None


def test_counts_are_remembered_in_the_store(folder):
    for path in (folder / "tatoeba" / "v1").iterdir():
        os.utime(path, (1e9, 1e9))
    arguments = ("tasks", "tatoeba", "--json", "--data", str(folder))
    first = run(*arguments, store=str(folder / "store"))
    assert len(list((folder / "store").rglob("counts.jsonl"))) == 1
    assert run(*arguments, store=str(folder / "store")).stdout == first.stdout


def test_a_damaged_file_does_not_spoil_the_list(folder):
    (folder / "squad").mkdir()
    (folder / "squad/dev-v1.1.json.gz").write_bytes(gzip.compress(b"{}" * 99)[:-9])
    (record,) = json.loads(
        run("tasks", "squad", "--json", "--data", str(folder), store=str(folder / "store")).stdout
    )
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
    assert "google/xtreme (midway data fetch tatoeba)" in page.stdout


def test_unknown_task_and_missing_folder(tmp_path):
    assert isinstance(run("tasks", "tatoba").exception, UsageError)
    result = run("tasks", "--data", str(tmp_path / "nowhere"))
    assert isinstance(result.exception, DataError)
    assert "nowhere does not exist" in str(result.exception)
