"""What does not fit in memory is cut smaller, with the same result."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import artefact, tiny_model
from tiny_predict import prepare, run, trained
from tiny_training import QUIET, RECIPE, Case

from midway.encoders.load import Encoder
from midway.errors import StageError
from midway.graph.stage import Runtime
from midway.train import memory
from midway.train.memory import Shortage, is_shortage, limit_of, smaller

DROPOUT = dataclasses.replace(RECIPE, dropout=0.2)
ALL_AT_ONCE = Runtime(checkpoint_seconds=1e9, micro_batch_tokens=100_000)
CUDA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
CPU = RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory")


class Small:
    """Memory for `room` tokens; a backward pass fails after some gradients have been added."""

    def __init__(self, monkeypatch, room, error, *, backward):
        self.room, self.error, self.backward, self.failures = room, error, backward, 0
        self.real = Encoder.hidden_states
        monkeypatch.setattr(Encoder, "hidden_states", lambda *a, **k: self.states(*a, **k))

    def states(self, encoder, ids, *arguments, **options):
        if len(ids) > self.room and not self.backward:
            self.fail()
        found = self.real(encoder, ids, *arguments, **options)
        if len(ids) > self.room and self.backward:
            found[-1].register_hook(lambda _: self.fail())  # the head has its gradient by now
        return found

    def fail(self, *_):
        self.failures += 1
        raise self.error


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("error", [CUDA, CPU, MemoryError()], ids=["cuda", "cpu", "python"])
@pytest.mark.parametrize("family", ["span_qa", "choice"])
def test_training_that_meets_its_limit_equals_training_that_knew_it(
    family, error, backward, tmp_path, monkeypatch
):
    """Bit for bit, with dropout: nothing of a failed pass is left in the gradients."""
    case = Case(tmp_path, family)
    steps = sorted(
        case.steps[:8], key=lambda s: -case.features.lengths[case.items.of(s.items)].sum()
    )
    with monkeypatch.context() as patch:
        small = Small(patch, 110, error, backward=backward)
        encoder, head, got = case.run(
            tmp_path / "a", recipe=DROPOUT, runtime=ALL_AT_ONCE, steps=steps
        )
    assert small.failures >= 1
    assert 1 < got.micro_batch_tokens <= 110
    known = dataclasses.replace(QUIET, micro_batch_tokens=got.micro_batch_tokens)
    want_encoder, want_head, want = case.run(
        tmp_path / "b", recipe=DROPOUT, runtime=known, steps=steps
    )
    assert got.losses == want.losses
    for mine, other in ((encoder.model, want_encoder.model), (head.module, want_head.module)):
        for (name, a), b in zip(mine.named_parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b), name


def test_the_smaller_size_is_kept_and_survives_an_interruption(tmp_path, monkeypatch):
    case = Case(tmp_path)

    def stop():
        if small.failures and len(calls) > 3:
            raise KeyboardInterrupt
        calls.append(1)

    calls = []
    small = Small(monkeypatch, 60, CUDA, backward=False)
    with pytest.raises(KeyboardInterrupt):
        case.run(tmp_path / "work", runtime=ALL_AT_ONCE, check=stop)
    failures = small.failures
    _, _, trained = case.run(tmp_path / "work", runtime=ALL_AT_ONCE)
    assert small.failures == failures
    assert trained.micro_batch_tokens <= 60


@pytest.mark.parametrize(("family", "room"), [("span_qa", 3), ("ranking", 40)])
def test_what_cannot_be_cut_is_one_clear_error(family, room, tmp_path, monkeypatch):
    """A single row, or a step whose items are compared with each other."""
    case = Case(tmp_path, family)
    Small(monkeypatch, room, CPU, backward=False)
    with pytest.raises(StageError, match=r"\d tokens .* do not fit; .*--gradient-checkpointing"):
        case.run(tmp_path / "work", runtime=ALL_AT_ONCE)


def test_other_errors_are_not_taken_for_a_lack_of_memory(tmp_path, monkeypatch):
    case = Case(tmp_path)
    small = Small(monkeypatch, 0, RuntimeError("mat1 and mat2 shapes"), backward=False)
    with pytest.raises(RuntimeError, match="shapes"):
        case.run(tmp_path / "work")
    assert small.failures == 1
    assert not is_shortage(KeyboardInterrupt())
    assert not is_shortage(RuntimeError("no memory of that"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits address space")
def test_a_process_that_may_take_little_memory_trains_all_the_same(tmp_path):
    """Nothing is pretended: the allocator itself refuses.

    Kernels may round differently where memory lies differently, so bits are not compared here; the
    tests above do.

    The C library maps large blocks one by one, so that it can give them back; a heap never shrinks
    below its topmost block, and oneDNN would find no room for its code beside it.
    """
    script = Path(__file__).with_name("little_memory.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": str(2**18)}
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-800:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["first"]["limit"] == memory.CPU_TOKENS
    assert 100 < found["little"]["limit"] < 60_000
    little, plenty = found["little"], found["plenty"]
    assert little["limit"] == plenty["limit"]
    assert little["losses"] == pytest.approx(plenty["losses"], rel=1e-5)
    assert little["losses"][2] < little["losses"][1] - 0.01  # the second step changed the model


@pytest.mark.parametrize("family", ["span_qa", "tagging"])
def test_prediction_is_cut_smaller_too(family, tmp_path, monkeypatch):
    encoder = artefact(tiny_model("bert"), tmp_path)
    prepare(family, tmp_path, count=8)
    trained(family, encoder, tmp_path)
    written = []
    for place, room in enumerate((10**9, 70)):
        with monkeypatch.context() as patch:
            small = Small(patch, room, CPU, backward=False)
            _, out = run(
                family, encoder, tmp_path, model=tmp_path / "model", tokens=100_000, head="0.task"
            )
        assert (small.failures > 0) == bool(place)
        files = [path for path in sorted(Path(out).rglob("*")) if path.is_file()]
        written.append({path.name: path.read_text() for path in files if "nbest" not in path.name})
    assert len(written[0]) > 2
    assert written[0] == written[1]


def test_a_row_too_long_to_predict_is_one_clear_error(tmp_path, monkeypatch):
    encoder = artefact(tiny_model("bert"), tmp_path)
    prepare("tagging", tmp_path)
    trained("tagging", encoder, tmp_path)
    Small(monkeypatch, 1, CUDA, backward=False)
    with pytest.raises(StageError, match="do not fit; choose a smaller max_length"):
        run("tagging", encoder, tmp_path, model=tmp_path / "model", head="0.task")


def test_the_limit_falls_to_half_of_what_failed():
    assert smaller(4096, Shortage(4000, 9, ""), "") == 2000
    assert smaller(4096, Shortage(300, 2, ""), "") == 150  # half of the limit would not have cut it
    assert smaller(10, Shortage(30, 2, ""), "") == 5
    assert smaller(1, Shortage(30, 2, ""), "") == 1


@pytest.mark.parametrize(
    ("peak", "free", "parameters", "want"),
    [
        (2.0, 60, 10**9, 16384),  # 0.8 x (60 - 8) GB at 2 MB a token: 20,800
        (0.02, 60, 10**9, 32768),  # no more than is of use
        (2.0, 18, 10**9, 2048),  # 4,000
        (2.0, 7, 10**9, 1),  # nothing is left: the least, and recovery for the rest
    ],
)
def test_the_limit_on_cuda_is_what_fits_beside_the_optimiser(
    peak, free, parameters, want, monkeypatch
):
    gb, trials = 10**9, []
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 5 * gb)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: trials.append("reset"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: int((5 + peak) * gb))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free * gb, 80 * gb))
    tokens = 1000

    def trial():
        trials.append("run")
        return tokens

    assert limit_of(trial, parameters, torch.device("cuda")) == want
    assert trials == ["run", "reset", "run"]  # gradients are not taken for activations
