"""The fault harness, shortened: a few kills, failed writes and flipped bits on a real small study.

The long form is `python -m reliability`; docs/reliability.md has its figures.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = {"kills": 3, "writes": 6, "bits": 1}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the harness found."""
    path = tmp_path_factory.mktemp("harness") / "found.json"
    command = [sys.executable, "-m", "reliability", "--short", "--part", *PARTS]
    done = subprocess.run(
        [*command, "--json", str(path)],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", PARTS)
def test_every_fault_is_survived(found, part):
    tally = found[part]
    assert tally["failures"] == []
    assert tally["faults"] == PARTS[part]
    assert tally["recoveries"] >= 1
    assert tally["runs"] > tally["faults"] or part == "kills"
