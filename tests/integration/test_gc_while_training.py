"""`store gc` beside a run that trains: nothing that the run needs is touched."""

import json
import time

import pytest
from tiny_study import outputs, spawn, start, write_study

from midway.store.local import Store
from midway.store.upkeep import verify

SLOW = {"OMP_NUM_THREADS": "1", "MIDWAY_CHECKPOINT_SECONDS": "0.01"}


@pytest.fixture
def running(fresh):
    """The study, stopped nowhere, at a moment at which it trains."""
    write_study(fresh.study, epochs=40)
    process = start("run", fresh.study, *fresh.run_options, cwd=fresh.folder, **SLOW)
    end = time.monotonic() + 120
    while not any(fresh.store.glob("work/*/attempt*/checkpoint.safetensors")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.01)
    yield fresh, process
    process.kill()
    process.communicate()


def gc(fresh, *arguments):
    said = spawn(
        "store", "gc", *arguments, "--delete", "--json", *fresh.options, cwd=fresh.folder, **SLOW
    )
    assert said.code == 0, said.err
    return json.loads(said.out), said.err


def test_another_studys_gc_touches_nothing_while_one_trains(running):
    fresh, process = running
    other = write_study(
        fresh.folder / "other.toml", change=[("learning_rate = 3e-3", "learning_rate = 1e-3")]
    )
    leases = [path.stem for path in fresh.store.glob("leases/*.json")]
    work = set(fresh.store.glob("work/*"))
    before = outputs(fresh.store)
    swept, said = gc(fresh, other)
    assert process.poll() is None, "it ended before it could be disturbed"
    assert leases
    assert "is being computed by process" in said
    assert swept["items"] == []
    assert before.items() <= outputs(fresh.store).items()
    assert any(path.exists() for path in work) or not work
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "moved away" not in err
    assert "removed while" not in err
    # Once it has ended, the same command removes what the other study does not need.
    swept, said = gc(fresh, other)
    kinds = {item["what"] for item in swept["items"]}
    assert "score artefact" in kinds
    assert "examples artefact" not in kinds  # both read the same data
    assert "is being computed" not in said


def test_gc_for_the_study_that_runs_removes_only_what_it_does_not_need(running):
    fresh, process = running
    stray = fresh.store / "artefacts/score" / ("0" * 64)
    stray.mkdir(parents=True)
    (stray / "x").write_text("x")
    swept, _ = gc(fresh, fresh.study)
    assert {item["what"] for item in swept["items"]} <= {"score artefact"}
    assert not stray.exists()
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "removed while" not in err
    assert verify(Store(fresh.store))[1] == []
