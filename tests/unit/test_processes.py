"""One training stage in two processes: the same result, and nobody waits for the dead."""

import json
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny import artefact, context, tiny_model
from tiny_predict import prepare
from tiny_training import rows_of

from midway.errors import StageError, UsageError
from midway.families import FAMILIES
from midway.families.features import Pieces
from midway.graph.control import Interrupted
from midway.stages import train as stage
from midway.stages.specs import EntrySpec, TrainSpec
from midway.train.processes import rank, run_together, sum_gradients
from midway.train.recipe import Recipe, Selection
from midway.train.schedule import Sampling

TASKS = {"tagging": "udpos", "span_qa": "xquad", "ranking": "lareqa", "choice": "xcopa"}
RECIPE = Recipe(
    learning_rate=1e-4, batch_size=5, epochs=4, precision="float32", dropout=0.0, weight_decay=0.1
)
FREE = ("key.bias", "xcopa.out.bias")  # no gradient, see `tiny_training`
LONG = replace(RECIPE, epochs=60)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return artefact(tiny_model("bert"), tmp_path_factory.mktemp("encoder"))


class Run:
    """A training stage on some families, in a folder of its own."""

    def __init__(self, encoder, folder, *families, recipe=RECIPE, **spec):
        self.inputs, self.folder = {"encoder": encoder}, folder
        for i, family in enumerate(families):
            (folder / family).mkdir()
            prepare(family, folder / family)
            if spec.get("selection"):
                prepare(family, folder / family, prefix="validation_", first=5, count=3)
            for name in (path.name for path in (folder / family).iterdir()):
                self.inputs[f"{name}{i}"] = folder / family / name
        entries = tuple(EntrySpec(task=TASKS[family], family=family) for family in families)
        self.spec = TrainSpec(entries=entries, recipe=recipe, seed=1, **spec)

    def __call__(self, where, *, check=lambda: None, **runtime):
        place = replace(context(self.folder / where, **runtime), check=check)
        facts = stage.run(self.spec, self.inputs, place)
        return facts, Made(place.out)


class Made:
    """Losses and weights of an artefact."""

    def __init__(self, folder):
        log = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        self.losses = [json.loads(line)["loss"] for line in log]
        self.weights = load_file(folder / "delta.safetensors")
        self.weights |= load_file(folder / "heads.safetensors")

    def assert_like(self, other, tolerance=1e-6, *, losses=1e-6):
        assert self.losses == pytest.approx(other.losses, abs=losses, rel=losses)
        assert self.weights.keys() == other.weights.keys()
        for name, weight in self.weights.items():
            if not name.endswith(FREE):
                torch.testing.assert_close(
                    weight, other.weights[name], atol=tolerance, rtol=0, msg=name
                )


@pytest.mark.parametrize("family", ["tagging", "choice", "ranking"])
@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_processes_share_the_items_of_a_step(family, of, tmp_path):
    features = rows_of(family, tmp_path)
    items = FAMILIES[family].items(features.table)
    pieces = Pieces(items, features.lengths, FAMILIES[family].whole)
    for seed in range(20):
        chosen = np.random.default_rng(seed).permutation(len(items))[: 1 + seed % 12]
        shares = [pieces.share(chosen, place, of) for place in range(of)]
        together = np.concatenate([mine for mine, _ in shares])
        assert sorted(together) == sorted(chosen)
        before = np.cumsum([0, *(len(mine) for mine, _ in shares)])
        tokens = [pieces.tokens(mine) for mine, _ in shares]
        if family == "ranking":
            assert [len(mine) for mine, _ in shares] == [len(chosen), *[0] * (of - 1)]
            continue
        assert [first for _, first in shares] == before[:-1].tolist()
        assert max(tokens) <= sum(tokens) / of + pieces.sizes[chosen].max()


def test_a_mixture_in_two_processes_is_that_in_one(encoder, tmp_path):
    families = ("tagging", "choice", "ranking")
    run = Run(encoder, tmp_path, *families, sampling=Sampling("uniform"))
    want, one = run("one")
    got, two = run("two", processes=2)
    two.assert_like(one, losses=3e-5)  # scores of the dual encoder are a hundred cosines
    assert got["processes"] == 2
    same = ("steps", "rows", "tokens", "flops", "mixture", "attempts", "quality", "kept_steps")
    assert {name: got[name] for name in same} == {name: want[name] for name in same}
    assert {share["steps"] > 0 for share in got["mixture"]} == {True}


def test_dropout_is_the_same_however_many_processes_and_pieces(encoder, tmp_path):
    recipe = replace(RECIPE, dropout=0.3)
    run = Run(encoder, tmp_path, "tagging", recipe=recipe, selection=Selection("best", every=3))
    want, one = run("one", micro_batch_tokens=1)
    got, two = run("two", processes=2)
    two.assert_like(one)
    assert np.array(got["history"]) == pytest.approx(np.array(want["history"]), abs=1e-6)
    assert len(got["history"]) > 2
    _, whole = run("whole")
    whole.assert_like(one)


def test_a_collapse_is_decided_by_the_first_process(encoder, tmp_path):
    recipe = replace(RECIPE, learning_rate=1.0)
    run = Run(encoder, tmp_path, "tagging", recipe=recipe, restarts=1)
    want, _ = run("one")
    got, _ = run("two", processes=2)
    assert len(got["attempts"]) == 2
    assert [a["seed"] for a in got["attempts"]] == [a["seed"] for a in want["attempts"]]
    assert all(attempt["collapse"] for attempt in got["attempts"])


def in_background(action, condition):
    """Do something as soon as a condition holds."""

    def wait():
        end = time.monotonic() + 60
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        action()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_is_told_at_once_and_the_stage_goes_on_later(encoder, tmp_path, victim):
    run = Run(encoder, tmp_path, "tagging", recipe=LONG)
    killed = []

    def kill():
        members = sorted(multiprocessing.active_children(), key=lambda child: child.pid)
        os.kill(members[victim].pid, signal.SIGKILL)
        killed.append(time.monotonic())

    checkpoint = tmp_path / "two/work/attempt0/checkpoint.safetensors"
    thread = in_background(kill, checkpoint.exists)
    with pytest.raises(StageError, match=rf"process {victim + 1} of 2 ended with code -9.*again"):
        run("two", processes=2, checkpoint_seconds=0)
    assert time.monotonic() - killed[0] < 5
    thread.join()
    assert not multiprocessing.active_children()
    if victim == 0:
        return
    got, two = run("two", processes=2)
    assert 0 < got["steps_here"] < got["steps"]
    _, one = run("one")
    two.assert_like(one, 1e-5, losses=1e-5)


def test_ctrl_c_saves_and_the_stage_goes_on_later_in_one_process(encoder, tmp_path):
    run = Run(encoder, tmp_path, "tagging", recipe=LONG)
    seen = []

    def check():
        if seen:
            raise Interrupted("stopped by the user")

    place = replace(
        context(tmp_path / "two", processes=2), check=check, report=lambda p: seen.append(p)
    )
    with pytest.raises(Interrupted):
        stage.run(run.spec, run.inputs, place)
    assert not multiprocessing.active_children()
    assert (place.work / "attempt0/checkpoint.safetensors").exists()
    got, _ = run("two")
    assert 0 < got["steps_here"] < got["steps"]


def fail_in_the_second(spec, inputs, context):
    """A stage function; the first process waits for the second, which fails."""
    if rank() == 1:
        raise StageError(f"only one item of {spec}")
    sum_gradients([torch.nn.Parameter(torch.ones(3))], torch.ones(()))


def test_an_error_in_one_process_is_the_error_of_the_stage(tmp_path):
    with pytest.raises(StageError, match="only one item of 7") as caught:
        run_together(fail_in_the_second, 7, {}, context(tmp_path, processes=2))
    assert "in fail_in_the_second" in str(caught.value.__cause__)
    assert not multiprocessing.active_children()


def test_every_process_needs_a_gpu_of_its_own(encoder, tmp_path):
    run = Run(encoder, tmp_path, "tagging")
    with pytest.raises(UsageError, match=r"--processes 99, but \d+ GPUs; every process needs"):
        run("two", processes=99, device="cuda")
