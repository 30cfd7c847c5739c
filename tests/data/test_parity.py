"""Scores equal those of XTREME's own evaluation script to 1e-9."""

import json
import os
from pathlib import Path

import pytest

from midway.metrics.benchmark import BENCHMARKS, benchmark_scores


def fixture_folder() -> Path:
    default = Path(os.environ.get("MIDWAY_DATA", ".")).parent / "parity"
    return Path(os.environ.get("MIDWAY_PARITY", default))


def flatten(tree, prefix=()):
    if isinstance(tree, dict):
        return {k: v for key, sub in tree.items() for k, v in flatten(sub, (*prefix, key)).items()}
    return {prefix: tree}


@pytest.mark.parametrize("benchmark", sorted(BENCHMARKS))
def test_equals_the_official_script(benchmark):
    folder = fixture_folder()
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    wanted = flatten(expected[benchmark]["seqeval-0.0.12"])
    found = flatten(
        benchmark_scores(folder / "predictions", folder / "labels", benchmark=benchmark)
    )
    assert len(wanted) > 100
    assert found == pytest.approx(wanted, rel=0, abs=1e-9)


def test_newer_seqeval_differs_where_we_say_it_does():
    """The fixture tells the two versions of seqeval apart, so equality above means something."""
    expected = json.loads((fixture_folder() / "expected.json").read_text(encoding="utf-8"))
    old, new = (expected["xtreme"][key]["tasks"] for key in ("seqeval-0.0.12", "seqeval-1.2.2"))
    differing = {task for task in old if old[task] != new[task]}
    assert differing == {"udpos"}


def test_the_clean_profile_scores_the_same_files():
    folder = fixture_folder()
    scores = benchmark_scores(
        folder / "predictions", folder / "labels", benchmark="xtreme-r", profile="clean"
    )
    assert set(scores["tasks"]["udpos"]) == {"accuracy", "avg_accuracy", "avg_metric"}
    assert all(0 <= value <= 100 for value in flatten(scores).values())
    assert scores["tasks"]["tatoeba"]["avg_metric"] == pytest.approx(62.601626016260155)
