import errno
import json
import subprocess
import time

import pytest
from toy_stages import EXAMPLES, Recorder, chain, toy

from midway.errors import StageError, StoreError, UsageError
from midway.graph.plan import build
from midway.graph.runner import run_plan
from midway.graph.stage import Runtime
from midway.store import upkeep
from midway.store.fs import written
from midway.store.lease import Lease, Owner, acquire, is_dead, read_owner
from midway.store.local import Store, seal_outputs
from midway.store.manifest import DamagedError, read_manifest, render
from midway.store.upkeep import gc, ls, unlock, verify


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def made(store):
    """A store in which a chain of three was computed."""
    stages = chain("x")
    run_plan(build([stages[2]]), store, Runtime())
    return stages


def test_manifest_says_what_it_is_and_reads_back(store, made):
    examples, train, _ = made
    path = store.path(train) / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    assert document["text"] == train.text
    assert document["inputs"]["data"]["key"] == examples.key
    assert set(document["outputs"]) == {"text.txt"}
    assert document["facts"]["flops"] == 2e9
    assert "toy_stages" in document["code"]["files"]
    assert document["environment"]["packages"]["torch"]
    assert render(read_manifest(path)) == path.read_text("utf-8")


def test_open_verifies(store, made):
    examples, *_ = made
    assert store.open(examples, full=True).manifest.label == "examples e-x"
    assert store.open(toy(EXAMPLES, "other")) is None
    path = store.path(examples) / "text.txt"
    path.write_text("y", encoding="utf-8")
    with pytest.raises(DamagedError, match="SHA-256"):
        store.open(examples)
    path.write_text("longer", encoding="utf-8")
    with pytest.raises(DamagedError, match="6 bytes instead of 1"):
        store.open(examples)
    path.unlink()
    with pytest.raises(DamagedError, match="is missing"):
        store.open(examples)


def test_open_compares_the_text_not_only_the_key(store, made, tmp_path):
    examples, train, _ = made
    store.path(train).rename(tmp_path / "aside")
    store.path(examples).rename(store.path(train).parent / train.key)
    with pytest.raises(DamagedError, match="another stage"):
        store.open(train)


def test_large_files_are_hashed_only_in_full(store, made, monkeypatch):
    examples, *_ = made
    monkeypatch.setattr("midway.store.local.SMALL_BYTES", 1)
    (store.path(examples) / "text.txt").write_text("y", encoding="utf-8")
    assert store.open(examples) is not None
    with pytest.raises(DamagedError):
        store.open(examples, full=True)


def test_drop_keeps_the_record(store, made):
    train = made[1]
    assert store.drop(train.key) > 0
    assert not store.has(train)
    assert store.record(train.key).text == train.text
    assert store.drop(train.key) == 0
    assert list((store.root / "staging").iterdir()) == []
    assert [m.key for m in store.records("train")] == [train.key]


def test_recomputing_removes_the_dropped_record(store, made):
    store.drop(made[1].key)
    run_plan(build([made[1]]), store, Runtime())
    assert store.has(made[1])
    assert list((store.root / "dropped").iterdir()) == []


def test_links_and_reserved_names_are_refused(store):
    stage = toy(EXAMPLES, "x")
    out = store.staging(stage)
    (out / "link").symlink_to("/etc/hostname")
    with pytest.raises(StageError, match="'link'"):
        seal_outputs(store, out)
    (out / "link").unlink()
    (out / "manifest.json").write_text("{}")
    with pytest.raises(StageError, match="manifest"):
        seal_outputs(store, out)


def test_outputs_in_folders(store):
    out = store.staging(toy(EXAMPLES, "x"))
    (out / "a" / "b").mkdir(parents=True)
    (out / "a" / "b" / "c.txt").write_text("c")
    assert set(seal_outputs(store, out)) == {"a/b/c.txt"}


def test_a_root_that_cannot_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "store")
    assert not store.has(toy(EXAMPLES, "x"))
    with pytest.raises(StoreError, match="cannot be used"):
        store.staging(toy(EXAMPLES, "x"))
    with pytest.raises(StoreError):
        run_plan(build([toy(EXAMPLES, "x")]), store, Runtime())


def test_ls_and_verify(store, made):
    assert {m.key for m in ls(store)} == {stage.key for stage in made}
    assert verify(store) == (3, [])
    assert verify(store, made[0].key[:8])[0] == 1
    with pytest.raises(UsageError, match="zzz"):
        verify(store, "zzz")
    (store.path(made[0]) / "extra.txt").write_text("")
    (store.path(made[1]) / "text.txt").write_text("other")
    _, findings = verify(store)
    assert {f.key for f in findings} == {made[0].key, made[1].key}


def test_verify_finds_an_input_that_was_rebuilt_differently(store, made):
    examples, _, predict = made
    path = store.path(examples) / "manifest.json"
    (store.path(examples) / "text.txt").write_text("other", encoding="utf-8")
    manifest = read_manifest(path)
    other = seal_outputs(store, _copy_without_manifest(store, examples))
    path.write_text(render(_with_outputs(manifest, other)), encoding="utf-8")
    problems = [f.problem for f in verify(store)[1]]
    assert len(problems) == 2  # both readers
    assert all("another copy of its input 'data'" in p for p in problems)
    seen = Recorder()
    run_plan(build([predict]), store, Runtime(), observer=seen)
    assert any("another copy of its data" in text for text in seen.notices)


def _copy_without_manifest(store, stage):
    out = store.staging(stage)
    for path in store.path(stage).glob("*.txt"):
        (out / path.name).write_bytes(path.read_bytes())
    return out


def _with_outputs(manifest, outputs):
    from dataclasses import replace

    return replace(manifest, outputs=outputs)


def test_gc_is_dry_by_default_and_keeps_what_is_named(store, made):
    keep = {made[0].key}
    swept = gc(store, keep)
    assert {item.path.name for item in swept} == {made[1].key, made[2].key}
    assert store.has(made[1])
    gc(store, keep, dry=False)
    assert store.has(made[0])
    assert not store.has(made[1])
    assert not store.path(made[1]).exists()
    assert verify(store) == (1, [])


def test_gc_without_studies_sweeps_only_leftovers(store, made, monkeypatch):
    store.staging(made[0])
    store.quarantine(made[2])
    assert {s.what for s in gc(store, None)} == {"damaged result"}
    monkeypatch.setattr("midway.store.upkeep.STALE_SECONDS", -1.0)
    assert {s.what for s in gc(store, None, dry=False)} == {"damaged result", "unfinished result"}
    assert store.has(made[0])
    assert gc(store, None) == []


def test_gc_spares_what_is_leased(store, made):
    lease = acquire(store.leases, made[1].key)
    kept = {made[1].key}  # its study is named: what it needs is known, the rest may go
    gc(store, kept, dry=False)
    lease.release()
    assert [store.has(stage) for stage in made] == [False, True, False]


def test_gc_leaves_all_results_while_a_study_that_is_not_named_runs(store, made):
    """Nobody here can say what that run reads."""
    other = toy(EXAMPLES, "other")
    said = []
    lease = acquire(store.leases, other.key)
    store.work(other).joinpath("checkpoint").write_text("half")
    store.quarantine(made[2])
    swept = gc(store, {made[0].key}, dry=False, notice=said.append)
    assert {item.what for item in swept} == {"damaged result"}
    assert [store.has(stage) for stage in made] == [True, True, False]
    assert (store.work(other) / "checkpoint").is_file()
    assert other.key[:12] in said[0]
    lease.release()
    gc(store, {made[0].key}, dry=False)
    assert [store.has(stage) for stage in made] == [True, False, False]
    assert not (store.root / "work" / other.key).exists()


def test_gc_spares_what_is_taken_between_looking_and_removing(store, made, monkeypatch):
    leases = []
    real = upkeep.tree_bytes

    def take(path):  # called for each item once the list is made
        if path.name == made[1].key:
            leases.append(acquire(store.leases, made[1].key))
        return real(path)

    monkeypatch.setattr(upkeep, "tree_bytes", take)
    swept = gc(store, {made[0].key}, dry=False)
    leases[0].release()
    assert {item.path.name for item in swept} == {made[2].key}
    assert [store.has(stage) for stage in made] == [True, True, False]


def test_verify_in_parallel_finds_the_same_and_says_how_far_it_is(store):
    names = [f"n{i}" for i in range(12)]
    run_plan(build([toy(EXAMPLES, name) for name in names]), store, Runtime())
    for name in names[::3]:
        (store.path(toy(EXAMPLES, name)) / "text.txt").write_text("?", encoding="utf-8")
    one, many = [], []
    alone = verify(store, workers=1, seen=lambda *at: one.append(at))
    assert alone == verify(store, workers=5, seen=lambda *at: many.append(at))
    assert {f.key for f in alone[1]} == {toy(EXAMPLES, name).key for name in names[::3]}
    assert one == many == [(done, 12) for done in range(13)]


def test_verify_does_not_report_what_another_process_removes_meanwhile(store, made, monkeypatch):
    real = upkeep.read_manifest

    def removed_first(path):
        if path.parent.name == made[1].key:
            store.drop(made[1].key)
        return real(path)

    monkeypatch.setattr(upkeep, "read_manifest", removed_first)
    assert verify(store) == (3, [])


def test_repair_moves_the_damaged_away_and_the_next_run_computes_them(store, made):
    (store.path(made[1]) / "text.txt").write_text("damaged", encoding="utf-8")
    before = (store.path(made[2]) / "text.txt").read_text(encoding="utf-8")
    assert [f.key for f in verify(store, repair=True)[1]] == [made[1].key]
    assert not store.has(made[1])
    assert verify(store) == (2, [])
    run_plan(build([made[1]]), store, Runtime())
    assert verify(store) == (3, [])
    assert (store.path(made[2]) / "text.txt").read_text(encoding="utf-8") == before


def test_repair_leaves_what_is_whole_but_made_from_another_copy(store, made):
    path = store.path(made[0]) / "manifest.json"
    (store.path(made[0]) / "text.txt").write_text("other", encoding="utf-8")
    other = seal_outputs(store, _copy_without_manifest(store, made[0]))
    path.write_text(render(_with_outputs(read_manifest(path), other)), encoding="utf-8")
    findings = verify(store, repair=True)[1]
    assert len(findings) == 2
    assert not any(found.damaged for found in findings)
    assert all(store.has(stage) for stage in made)


def test_a_manifest_cannot_name_files_outside_its_artefact(store, made):
    path = store.path(made[0]) / "manifest.json"
    manifest = read_manifest(path)
    for name in ("../x", "/etc/passwd", "a/../../x", "./x"):
        moved = {name: next(iter(manifest.outputs.values()))}
        path.write_text(render(_with_outputs(manifest, moved)), encoding="utf-8")
        with pytest.raises(DamagedError, match="not a manifest"):
            read_manifest(path)


def test_lease_is_exclusive_and_released(tmp_path):
    lease = acquire(tmp_path, "k")
    other = acquire(tmp_path, "k")
    assert isinstance(lease, Lease)
    assert isinstance(other, Owner)
    assert other.token == read_owner(tmp_path / "k.json").token
    lease.release()
    again = acquire(tmp_path, "k")
    assert isinstance(again, Lease)
    assert again.note == ""
    again.release()
    assert list(tmp_path.iterdir()) == []


def test_lease_of_a_dead_process_is_taken_over_and_says_so(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    lease = acquire(tmp_path, "k")
    entry = json.loads((tmp_path / "k.json").read_text())
    lease.release()
    (tmp_path / "k.json").write_text(json.dumps(entry | {"pid": dead.pid}))
    taken = acquire(tmp_path, "k")
    assert f"took over from process {dead.pid}" in taken.note
    taken.release()


def test_lease_without_heartbeat_is_stale(tmp_path):
    entry = {"host": "elsewhere", "pid": 1, "token": "t"}
    (tmp_path / "k.json").write_text(json.dumps(entry))
    assert isinstance(acquire(tmp_path, "k", stale=60), Owner)
    time.sleep(0.05)
    taken = acquire(tmp_path, "k", stale=0.01)
    assert "process 1 on elsewhere" in taken.note
    taken.release()


def test_heartbeat_keeps_a_lease_fresh_and_notices_its_loss(tmp_path):
    lease = acquire(tmp_path, "k", beat=0.02)
    before = (tmp_path / "k.json").stat().st_mtime_ns
    deadline = time.monotonic() + 5
    while (tmp_path / "k.json").stat().st_mtime_ns == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not lease.lost
    (tmp_path / "k.json").write_text(json.dumps({"host": "h", "pid": 1, "token": "other"}))
    while not lease.lost:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    lease.release()
    assert (tmp_path / "k.json").exists()  # it belongs to the other one


def test_damaged_lease_waits_until_it_is_stale(tmp_path):
    (tmp_path / "k.json").write_bytes(b"\x00\xff")
    assert isinstance(acquire(tmp_path, "k"), Owner)
    time.sleep(0.02)
    assert is_dead(read_owner(tmp_path / "k.json"), stale=0.01)


def test_unlock(store):
    lease = acquire(store.leases, "abc123")
    with pytest.raises(StoreError, match="--force"):
        unlock(store, "abc")
    assert unlock(store, "abc", force=True) == ["abc123"]
    lease.release()
    for prefix in ("abc", "", "../x"):
        with pytest.raises(UsageError, match="no lease"):
            unlock(store, prefix)


def test_outputs_replace_old_ones_together_or_not_at_all(tmp_path):
    folder = tmp_path / "out"
    with written(folder) as new:
        (new / "a").write_text("1")
        (new / "b").write_text("1")
    full = pytest.raises(StoreError, match=r"out cannot be written \(.*\); make room")
    with full as error, written(folder) as new:
        (new / "a").write_text("2")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.exit_code == 1
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "1", "b": "1"}
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file cannot be written"), written(tmp_path / "file"):
        pass
