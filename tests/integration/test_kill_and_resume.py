"""Killed, stopped or damaged at any moment: the next run ends with the same bytes."""

import json
import shutil
import signal
import time

import pytest
from tiny_study import outputs, spawn, start

# Saved so often that a kill finds a checkpoint behind it.
SAVING = {"OMP_NUM_THREADS": "1", "MIDWAY_CHECKPOINT_SECONDS": "0.01"}


def checkpoint(store):
    """Whether some training has been saved."""
    try:
        return any(store.glob("work/*/attempt*/checkpoint.safetensors"))
    except FileNotFoundError:  # the stage ended while we looked
        return False


def trained(store):
    """How many training stages are complete; weights of targets are dropped again."""
    done = {path.parent.name for path in store.glob("artefacts/train/*/manifest.json")}
    return len(done | {path.stem for path in store.glob("dropped/*.json")})


def stop_at(tiny, condition, number, *arguments):
    """Start a run and send it a signal as soon as `condition` holds; returns what it said."""
    process = start("run", tiny.study, *tiny.run_options, *arguments, cwd=tiny.folder, **SAVING)
    end = time.monotonic() + 120
    while not condition(tiny.store):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.002)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def finish(tiny, *arguments):
    said = spawn("run", tiny.study, *tiny.run_options, *arguments, cwd=tiny.folder, **SAVING)
    assert said.code == 0, said.err
    return said


def assert_same(fresh, tiny):
    assert (fresh.out / "results.csv").read_bytes() == (tiny.out / "results.csv").read_bytes()
    assert outputs(fresh.store) == outputs(tiny.store)  # weights, logs, predictions: every file


def manifests(store):
    for path in [*store.glob("artefacts/train/*/manifest.json"), *store.glob("dropped/*.json")]:
        yield json.loads(path.read_text(encoding="utf-8"))


def test_kill_9_at_several_moments(tiny, fresh):
    moments = [
        lambda store: any(store.glob("artefacts/examples/*/manifest.json")),
        checkpoint,
        lambda store: trained(store) >= 2 and checkpoint(store),
        lambda store: trained(store) >= 5 and checkpoint(store),
        lambda store: any(store.glob("staging/*/predictions")) and trained(store) >= 6,
    ]
    for moment in moments:
        code, _, err = stop_at(fresh, moment, signal.SIGKILL)
        assert code == -signal.SIGKILL, err
    finish(fresh)
    assert_same(fresh, tiny)
    resumed = [m for m in manifests(fresh.store) if m["facts"]["steps_here"] < m["facts"]["steps"]]
    assert resumed, "no kill hit a training stage between two of its steps"


def test_kill_9_with_two_workers(tiny, fresh):
    code, _, err = stop_at(fresh, checkpoint, signal.SIGKILL, "--workers", "2")
    assert code == -signal.SIGKILL, err
    finish(fresh, "--workers", "2")
    assert_same(fresh, tiny)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_cleanly_and_the_next_run_continues(tiny, fresh, number):
    code, out, err = stop_at(fresh, checkpoint, number)
    assert code == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.rstrip().splitlines()[-1] == (
        "midway: interrupted; run the same command again to continue"
    )
    assert not list((fresh.store / "leases").glob("*.json"))
    assert outputs(fresh.store)
    if number == signal.SIGINT:
        finish(fresh)
        assert_same(fresh, tiny)


def flip(path):
    """Flip one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))


def gold_of_a_score(store):
    """The key of the examples that some score was computed with."""
    path = sorted(store.glob("artefacts/score/*/manifest.json"))[0]
    return json.loads(path.read_text(encoding="utf-8"))["inputs"]["examples"]["key"]


@pytest.mark.parametrize(
    ("place", "gone"),
    [
        ("score/*/scores.json", ()),
        ("predict/*/predictions/*", ("score",)),
        ("examples/{gold}/examples.jsonl", ("score",)),
        ("examples/{gold}/manifest.json", ("score",)),
        ("train/*/delta.safetensors", ("predict", "score")),
    ],
)
def test_a_flipped_bit_is_found_and_repaired(tiny, place, gone):
    """What was computed from the victim is removed first, so that the run has to read it."""
    expected, results = outputs(tiny.store), (tiny.out / "results.csv").read_bytes()
    pattern = place.format(gold=gold_of_a_score(tiny.store))
    victim = sorted(tiny.store.glob(f"artefacts/{pattern}"))[0]
    key = victim.relative_to(tiny.store).parts[2]
    for kind in gone:
        shutil.rmtree(tiny.store / "artefacts" / kind)
    flip(victim)
    said = spawn("store", "verify", "--json", "--store", tiny.store, cwd=tiny.folder)
    assert said.code == 1
    problems = json.loads(said.out)["problems"]
    assert [problem["key"] for problem in problems] == [key]
    said = finish(tiny)
    assert "it was moved away and is computed again" in said.err
    assert key in said.err
    assert outputs(tiny.store) == expected
    assert (tiny.out / "results.csv").read_bytes() == results
    assert len(list((tiny.store / "damaged").iterdir())) == 1
