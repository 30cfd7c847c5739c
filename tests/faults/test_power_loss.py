"""A power cut: what was not made durable may be lost, in any order.

The file system calls of a run are recorded with the tree after each. A crash after any of them
leaves a tree in which every file whose bytes were not fsynced is whole, empty or cut short, every
name whose folder was not fsynced since is there or not, and a rename that is not durable may not
have happened: the model of Pillai et al. (2014), All file systems are not created equal, for a file
system that orders nothing by itself. Afterwards a store must have the whole artefact or none, and
go on.
"""

import os
import random
import shutil
from pathlib import Path

import pytest
from test_store_faults import STAGE, assert_whole, compute

from midway.store.local import Store

CRASHES = 400


class Recorder:
    """Watches a folder through the calls that change it or make it durable."""

    def __init__(self, patch, root):
        self.root, self.moments = root, []
        self.synced, self.named, self.moved = {}, set(), {}
        for name in ("fsync", "rename", "replace", "mkdir"):
            patch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _inside(self, path):
        path = Path(os.path.abspath(os.fspath(path)))  # noqa: PTH100
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else None

    def _wrap(self, name, function):
        def called(first, *rest, **options):
            path = Path(f"/proc/self/fd/{first}").resolve() if name == "fsync" else Path(first)
            result = function(first, *rest, **options)
            here = self._inside(path)
            if here is None:
                return result
            if name == "fsync" and path.is_dir():
                self.named |= {self._inside(child) for child in path.iterdir()}
                self.moved = {
                    new: old for new, old in self.moved.items() if Path(new).parent != Path(here)
                }
            elif name == "fsync":
                self.synced[here] = path.read_bytes()
            elif name in ("rename", "replace"):
                self._move(here, self._inside(rest[0]))
            self.moments.append(
                (self._tree(), dict(self.synced), set(self.named), dict(self.moved))
            )
            return result

        return called

    def _move(self, old, new):
        def carried(path):
            return new + path[len(old) :] if path == old or path.startswith(old + "/") else path

        self.synced = {carried(path): data for path, data in self.synced.items()}
        inner = {carried(path) for path in self.named if path.startswith(old + "/")}
        self.named = {path for path in self.named if not path.startswith(old)} | inner
        self.moved[new] = old

    def _tree(self):
        return {
            path.relative_to(self.root).as_posix(): None if path.is_dir() else path.read_bytes()
            for path in self.root.rglob("*")
        }


def crash(moment, root, chance):
    """Make the folder that a power cut leaves."""
    tree, synced, named, moved = moment
    back = {new: old for new, old in moved.items() if chance.random() < 0.5}
    lost = {path for path in tree if path not in named and chance.random() < 0.2}
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for path, data in sorted(tree.items()):
        if any(path == gone or path.startswith(gone + "/") for gone in lost):
            continue
        place = path
        for new, old in back.items():
            if path == new or path.startswith(new + "/"):
                place = old + path[len(new) :]
        target = root / place
        if data is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        if synced.get(path) != data:
            data = chance.choice([data, b"", data[: len(data) // 2]])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    root = tmp_path_factory.mktemp("power") / "store"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        recorder = Recorder(patch, root)
        compute(Store(root))
    return recorder.moments


def test_the_recorder_sees_the_steps_of_the_writer(moments):
    tree, synced, named, _ = moments[-1]
    files = [
        path for path, data in tree.items() if path.startswith("artefacts/") and data is not None
    ]
    assert len(files) == 3
    assert all(synced[path] == tree[path] for path in files)
    assert set(files) <= named  # also those in a folder of the artefact
    assert len(moments) > 8


def test_a_power_cut_leaves_all_or_nothing(moments, tmp_path):
    chance, whole, none = random.Random(7), 0, 0
    for number in range(CRASHES):
        root = tmp_path / "store"
        crash(moments[number % len(moments)], root, chance)
        for lease in root.glob("leases/*"):
            lease.unlink()  # its owner, this process, is alive
        store = Store(root)
        if store.has(STAGE):
            assert_whole(store)
            whole += 1
        else:
            none += 1
        compute(store)
        assert_whole(store)
    assert whole > CRASHES / 20
    assert none > CRASHES / 4
