import io

import pytest
from rich.console import Console
from toy_stages import TRAIN, chain, toy

from midway.cli.progress import LiveProgress, Pace, PlainProgress, duration, progress_observer
from midway.graph.plan import build
from midway.graph.runner import run_plan
from midway.graph.stage import Progress, Runtime
from midway.store.local import Store


def run(tmp_path, console):
    stages = [chain("[x]")[2], toy(TRAIN, "bad", action="fail")]
    with progress_observer(console) as observer:
        run_plan(build(stages), Store(tmp_path), Runtime(), observer=observer)
    return observer, console.file.getvalue()


def test_plain_lines(tmp_path):
    observer, text = run(tmp_path, Console(file=io.StringIO(), width=60))
    assert isinstance(observer, PlainProgress)
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0] == "4 stages to compute, 0 in the store"
    assert "[0/4] examples e-[x]: started" in lines
    assert "[2/4] train t-[x]: done in 0 s" in lines
    assert "[4/4] train bad: FAILED: RuntimeError: a toy broke" in lines


def test_live_on_a_terminal(tmp_path):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)
    observer, text = run(tmp_path, console)
    assert isinstance(observer, LiveProgress)
    assert "examples e-[x]" in text  # not read as markup
    assert "RuntimeError: a toy broke" in text
    assert "4/4" in text


def test_pace_counts_only_what_is_new(monkeypatch):
    now = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr("midway.cli.progress.time.monotonic", lambda: next(now))
    pace = Pace()
    # The stage continues from a checkpoint at 500.
    assert pace.describe(Progress(500, 1000, "tokens", {"loss": "1.5"})) == "loss 1.5"
    text = pace.describe(Progress(600, 1000, "tokens", {"loss": "1.2"}))
    assert text == "10 tokens/s · loss 1.2 · 40 s left"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (3900, "1 h 5 min"), (-3, "0 s")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
