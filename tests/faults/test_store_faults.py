"""Whatever happens while a result is written, it is afterwards wholly there or not at all."""

import builtins
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from midway.errors import StoreError
from midway.graph.observer import Silent
from midway.graph.plan import build
from midway.graph.runner import run_plan
from midway.graph.stage import Runtime, Stage, StageKind
from midway.store.local import Store, seal_outputs
from midway.store.manifest import Code, DamagedError, Manifest
from midway.store.upkeep import verify


@dataclass(frozen=True)
class Spec:
    name: str = "x"


def write(spec, inputs, context):
    (context.out / "deep").mkdir()
    (context.out / "deep" / "numbers.txt").write_text("1 2 3\n" * 50, encoding="utf-8")
    (context.out / "text.txt").write_text(spec.name, encoding="utf-8")
    return {"rows": 50}


KIND = StageKind("write", 1, write)
STAGE = Stage(KIND, Spec(), label="write x")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def compute(store):
    return run_plan(build([STAGE]), store, Runtime())


def assert_whole(store):
    assert store.open(STAGE, full=True).manifest.facts == {"rows": 50}
    assert verify(store) == (1, [])


class CrashError(BaseException):
    """The process dies: not an Exception, and nothing works any more afterwards."""


CHANGES = ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync", "utime", "open")


class Dying:
    """Lets `allowed` changes of the file system happen and then refuses all of them."""

    def __init__(self, monkeypatch, allowed):
        self.count, self.allowed = 0, allowed
        for name in CHANGES:
            monkeypatch.setattr(os, name, self._wrap(getattr(os, name)))
        monkeypatch.setattr(io, "open", self._wrap(io.open))
        monkeypatch.setattr(builtins, "open", io.open)

    def _wrap(self, function):
        def wrapped(*args, **kwargs):
            self.count += 1
            if self.count > self.allowed:
                raise CrashError
            return function(*args, **kwargs)

        return wrapped


def steps_of(action):
    with pytest.MonkeyPatch.context() as patch:
        dying = Dying(patch, allowed=10**9)
        action()
        return dying.count


def test_every_prefix_of_a_run_leaves_all_or_nothing(tmp_path):
    steps = steps_of(lambda: compute(Store(tmp_path / "count")))
    assert steps > 20
    seen = set()
    for allowed in range(steps):
        store = Store(tmp_path / str(allowed))
        with pytest.MonkeyPatch.context() as patch:
            Dying(patch, allowed)
            with suppress(CrashError):
                compute(store)
        seen.add(store.has(STAGE))
        if store.has(STAGE):
            assert_whole(store)
        else:
            # What a killed process left is not seen as a result, and does not hinder the next.
            for lease in store.leases.glob("*.json"):
                lease.unlink()  # its owner, this process, is alive
            assert compute(store).done == (STAGE.key,)
            assert_whole(store)
    assert seen == {True, False}


def test_every_prefix_of_a_drop_leaves_all_or_nothing(tmp_path):
    source = Store(tmp_path / "source")
    compute(source)
    shutil.copytree(source.root, tmp_path / "count")
    steps = steps_of(lambda: Store(tmp_path / "count").drop(STAGE.key))
    for allowed in range(steps):
        store = Store(tmp_path / str(allowed))
        shutil.copytree(source.root, store.root)
        with pytest.MonkeyPatch.context() as patch:
            Dying(patch, allowed)
            with suppress(CrashError):
                store.drop(STAGE.key)
        assert store.record(STAGE.key).text == STAGE.text
        if store.has(STAGE):
            assert_whole(store)
        compute(store)
        assert_whole(store)


KILLED = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    import test_store_faults as toys
    from midway.store import local

    def slow(*args):
        print("sealing", flush=True)
        time.sleep(60)

    if sys.argv[3] == "seal":
        local.write_durable = slow  # the manifest is about to be written
    else:
        toys.STAGE.kind.__dict__["run"] = lambda spec, inputs, context: (
            toys.write(spec, inputs, context), slow())[0]
    toys.compute(local.Store(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("moment", ["seal", "run"])
def test_kill_9_while_writing(store, moment):
    here = str(Path(__file__).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(store.root), here, moment],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "sealing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(list((store.root / "staging").iterdir())) == 1
    assert not store.has(STAGE)
    notices = []

    class Hear(Silent):
        def notice(self, text):
            notices.append(text)

    outcome = run_plan(build([STAGE]), store, Runtime(), observer=Hear())
    assert outcome.done == (STAGE.key,)
    assert f"took over from process {process.pid}" in notices[0]
    assert list((store.root / "staging").iterdir()) == []
    assert_whole(store)


def test_every_flipped_bit_is_found(store):
    compute(store)
    folder = store.path(STAGE)
    for path in (folder / "manifest.json", folder / "text.txt", folder / "deep" / "numbers.txt"):
        whole = path.read_bytes()
        # Every byte, the bits in turn.
        for i in range(len(whole)):
            bit = 1 << (i % 8)
            path.write_bytes(whole[:i] + bytes([whole[i] ^ bit]) + whole[i + 1 :])
            with pytest.raises(DamagedError):
                store.open(STAGE, full=True)
        path.write_bytes(whole)
    assert_whole(store)


def test_case_of_an_escape_in_the_manifest_is_not_free(store):
    stage = Stage(KIND, Spec("a\x1fb"), label="write \x1f")
    run_plan(build([stage]), store, Runtime())
    path = store.path(stage) / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"\\u001f", b"\\u001F"))
    with pytest.raises(DamagedError):  # the same JSON, other bytes
        store.open(stage)


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_truncated_manifest_is_computed_again(store, cut):
    compute(store)
    path = store.path(STAGE) / "manifest.json"
    path.write_bytes(path.read_bytes()[:cut])
    assert verify(store)[1]
    assert compute(store).done == (STAGE.key,)
    assert_whole(store)


def manifest_of(store, out, **facts):
    return Manifest(
        key=STAGE.key,
        stage="write",
        label="write x",
        text=STAGE.text,
        inputs={},
        outputs=seal_outputs(store, out),
        code=Code("0"),
        started="2026-01-01T00:00:00+00:00",
        seconds=0.0,
        facts=facts,
    )


def test_of_two_writers_the_first_wins_and_the_second_discards(store):
    outs = [store.staging(STAGE), store.staging(STAGE)]
    for i, out in enumerate(outs):
        (out / "text.txt").write_text(str(i))
    assert store.commit(STAGE, outs[1], manifest_of(store, outs[1], writer=1))
    assert not store.commit(STAGE, outs[0], manifest_of(store, outs[0], writer=0))
    assert store.open(STAGE, full=True).manifest.facts == {"writer": 1}
    assert list((store.root / "staging").iterdir()) == []


def test_remains_without_a_manifest_do_not_hinder(store):
    store.path(STAGE).mkdir(parents=True)
    (store.path(STAGE) / "text.txt").write_text("half")
    assert not store.has(STAGE)
    compute(store)
    assert_whole(store)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("where", ["fsync", "rename", "mkdir"])
def test_a_full_disk_is_one_clear_line(store, monkeypatch, code, where):
    def full(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, where, full)
    with pytest.raises(
        StoreError, match=r"the disk of the store .* is full.*midway store gc"
    ) as info:
        compute(store)
    assert "\n" not in str(info.value)
    assert info.value.exit_code == 1
    monkeypatch.undo()
    assert not store.has(STAGE)
    assert not any((store.root / "staging").glob("*"))
    compute(store)
    assert_whole(store)


def run_full(spec, inputs, context):
    # What a writer in another language says when the disk is full.
    raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_a_full_disk_met_by_a_stage_ends_the_run(store):
    stage = Stage(StageKind("full", 1, run_full), Spec(), label="full")
    with pytest.raises(StoreError, match="computing full"):
        run_plan(build([stage]), store, Runtime())


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_store_that_cannot_be_written_is_one_clear_line(store, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(StoreError, match=r"cannot be written .* choose another with --store"):
        compute(store)


def test_a_complete_store_can_be_read_only(store, monkeypatch):
    compute(store)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("mkdir", "rename", "replace", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    assert compute(store).cached == (STAGE.key,)


def test_stale_lease_of_another_host_is_taken_over(store):
    path = store.leases / f"{STAGE.key}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "token": "t"}))
    then = time.time() - 61
    os.utime(path, (then, then))
    assert compute(store).done == (STAGE.key,)
    assert not path.exists()


def test_two_processes_share_a_store(store):
    here = str(Path(__file__).parent)
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "import test_store_faults as t; print(t.compute(t.Store(Path(sys.argv[1]))).exit_code)"
    )
    command = [sys.executable, "-c", code, str(store.root), here]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=60)[0] for process in running] == ["0\n"] * 3
    assert_whole(store)
