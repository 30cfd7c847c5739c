"""``midway run --processes``: nothing is left behind by a kill, and the next run goes on."""

import json
import signal
import time
from pathlib import Path

import pytest
from test_kill_and_resume import SAVING, checkpoint
from tiny_study import spawn, start

TRAINING = ("--only", "train squad-en*", "--processes", "2", "--workers", "2")


def children(pid):
    """Process ids below a process, at any depth."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for child in (task / "children").read_text(encoding="utf-8").split():
            found += [child, *children(child)]
    return found


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_kill_9_leaves_no_process_and_the_next_run_goes_on(fresh):
    arguments = ("run", fresh.study, *fresh.run_options, *TRAINING)
    process = start(*arguments, cwd=fresh.folder, **SAVING)
    end = time.monotonic() + 120
    while not checkpoint(fresh.store):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.002)
    family = children(process.pid)
    assert len(family) >= 3  # a worker and its two processes
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < end, "a process of the run goes on without it"
        time.sleep(0.01)
    said = spawn(*arguments, cwd=fresh.folder, **SAVING)
    assert said.code == 0, said.err
    (path,) = fresh.store.glob("artefacts/train/*/manifest.json")
    facts = json.loads(path.read_text(encoding="utf-8"))["facts"]
    assert facts["processes"] == 2
    assert 0 < facts["steps_here"] < facts["steps"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "gpu"), "--device gpu: expected cpu, cuda or cuda:N"),
        (("--device", "cuda:99"), "--device cuda:99, but torch finds"),
        (("--device", "cuda:99", "--workers", "2", "--processes", "99"), "--processes 99, but"),
    ],
)
def test_a_device_that_is_not_there(fresh, arguments, message):
    said = spawn("run", fresh.study, *fresh.run_options, *arguments, cwd=fresh.folder)
    assert said.code == 2
    assert message in said.err
    assert "Traceback" not in said.err
