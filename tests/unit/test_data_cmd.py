"""``midway data check``; for ``fetch`` see tests/integration/test_data_fetch.py."""

import gzip
import json

import pytest
from hub_files import write
from typer.testing import CliRunner

from midway.cli import data_cmd
from midway.cli.main import app
from midway.errors import DataError
from midway.tasks.hub.lock import Pinned, lock_text


def run(*arguments):
    return CliRunner().invoke(app, list(arguments), env={"MIDWAY_DATA": "", "COLUMNS": "100"})


def check(folder, *arguments):
    return run("data", "check", *arguments, "--data", str(folder))


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "tatoeba" / "v1"
    home.mkdir(parents=True)
    for side, text in (("deu", "eins\n\ndrei\n"), ("eng", "one\ntwo\nthree\n")):
        (home / f"tatoeba.deu-eng.{side}").write_text(text, encoding="utf-8")
    return tmp_path


def test_counts(folder):
    result = check(folder, "tatoeba", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    absent = document.pop("absent")
    assert document == {
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
        "languages": [
            {
                "task": "tatoeba",
                "split": "test",
                "language": "de",
                "examples": 2,
                "dropped": {"blank sentence": 1},
                "repaired": {},
                "warnings": [],
                "errors": [],
            }
        ],
        "errors": [],
    }
    assert list(absent) == ["tatoeba"]
    assert "de" not in absent["tatoeba"]["test"]
    assert len(absent["tatoeba"]["test"]) == 111


def test_table(folder):
    result = check(folder, "tatoeba")
    assert result.exit_code == 0
    assert "tatoeba test, left out: 1 blank sentence" in result.stdout
    assert "tatoeba test, no files: af ar " in result.stdout


def test_all_tasks(folder, monkeypatch):
    monkeypatch.setattr(data_cmd, "card_names", lambda: ["squad", "tatoeba", "xquad"])
    result = check(folder)
    assert result.exit_code == 0
    assert "no files at all: " in result.stdout
    assert result.stdout.endswith("no files at all: squad xquad\n")
    document = json.loads(check(folder, "--json").stdout)
    assert document["absent"]["squad"] == {"train": ["en"], "validation": ["en"]}


def test_every_damaged_file_is_named_and_the_code_is_2(folder):
    home = folder / "tatoeba" / "v1"
    for side in ("fra", "eng"):
        (home / f"tatoeba.fra-eng.{side}").write_bytes(b"\xff\n")
    (home / "tatoeba.spa-eng.spa").write_bytes(b"uno\n")
    result = check(folder, "tatoeba")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert "tatoeba.spa-eng.spa" in lines[0]
    assert "tatoeba.fra-eng.fra:1: byte 0xff" in lines[1]
    assert "2 damaged" in result.stdout
    document = json.loads(check(folder, "tatoeba", "--json").stdout)
    (french,) = [each for each in document["languages"] if each["language"] == "fr"]
    assert french["examples"] is None
    assert french["errors"] == document["checks"][0]["errors"][1:]


def test_one_file_for_many_languages_is_named_once(folder):
    (folder / "tydiqa-goldp").mkdir()
    (folder / "tydiqa-goldp/tydiqa-goldp-v1.1-dev.json.gz").write_bytes(gzip.compress(b"{}")[:-9])
    document = json.loads(check(folder, "tydiqa", "--json").stdout)
    assert len(document["errors"]) == 1
    assert len(document["languages"]) == 9


def test_placeholders_are_warned_of(folder):
    (folder / "udpos").mkdir()
    words = "".join(f"word{n}\tX\n" for n in range(20))
    (folder / "udpos/test-de.tsv").write_text(words, encoding="utf-8")
    result = check(folder, "udpos")
    assert result.exit_code == 0
    assert "warning: " in result.stdout
    (record,) = json.loads(check(folder, "udpos", "--json").stdout)["languages"]
    assert "test-de.tsv" in record["warnings"][0]


def test_files_of_the_hub_are_compared_with_the_lock(folder):
    name = "tatoeba.fin/validation/0000.parquet"
    columns = {"source_sentence": ["a"], "target_sentence": ["b"]}
    path = write(folder / "hub/google/xtreme" / name, columns)
    pinned = Pinned("main", "c" * 40, {name: ("0" * 64, 1)})
    lock = folder / "hub/lock.json"
    lock.write_text(lock_text({"google/xtreme": pinned}), encoding="utf-8")
    result = check(folder, "tatoeba")
    assert result.exit_code == 2
    assert f"error: {path}: differs from what {lock} says" in result.stderr


def test_a_task_without_files(folder):
    result = check(folder, "squad")
    assert result.exit_code == 2
    assert "no files of squad in" in result.stderr


def test_no_folder_and_no_files(tmp_path):
    assert isinstance(check(tmp_path / "nowhere").exception, DataError)
    result = run("data", "check", "squad", "--data", "")
    assert result.exit_code == 2
    assert "no data folder" in result.stderr
