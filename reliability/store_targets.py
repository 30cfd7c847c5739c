"""What is fuzzed of the store and of what midway itself wrote: it may have been damaged since."""

import csv
import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

from midway.analysis.results import COLUMNS, read_csv
from midway.canonical import DigestCache, canonical_json, file_digest
from midway.errors import StoreError
from midway.graph.stage import Stage, StageKind
from midway.store.lease import is_dead, read_owner
from midway.store.local import Store, seal_outputs
from midway.store.manifest import Code, Manifest, read_manifest
from reliability.mutate import any_value, damaged, rearranged

Action = Callable[[random.Random], object]


def manifest(folder: Path) -> Action:
    """A manifest is believed only if it is what was written, to the bit."""
    store = Store(folder / "store")
    stage = Stage(StageKind("examples", 1, lambda *_: {}), {"seed": 1, "text": "é"}, label="x")
    staging = store.staging(stage)
    (staging / "a.txt").write_text("a", encoding="utf-8")
    outputs = seal_outputs(store, staging)
    facts = {"loss": 0.5, "list": [1, None, "ü"]}
    record = Manifest(
        key=stage.key, stage="examples", label="x", text=stage.text, inputs={}, outputs=outputs,
        code=Code("0" * 64, {"a": "b"}), started="2020-01-01", seconds=1.0, facts=facts,
    )  # fmt: skip
    store.commit(stage, staging, record)
    path = store.path(stage) / "manifest.json"
    whole = path.read_bytes()
    document = json.loads(whole)

    def action(rng: random.Random) -> None:
        if rng.random() < 0.7:
            content = damaged(whole, rng)
        else:
            content = json.dumps(rearranged(document, rng)).encode()
        path.write_bytes(content)
        assert (read_manifest(path) is not None) and content == whole, "believed what was changed"

    return action


def lease(folder: Path) -> Action:
    """A lease file that another program left: an owner, dead or alive."""
    path = folder / "lease.json"
    whole = {"host": "h", "pid": os.getpid(), "token": "t"}

    def action(rng: random.Random) -> None:
        text = json.dumps(rearranged(whole, rng)).encode()
        path.write_bytes(damaged(text, rng) if rng.random() < 0.5 else text)
        owner = read_owner(path)
        assert owner is not None
        is_dead(owner)
        str(owner)

    return action


def digests(folder: Path) -> Action:
    """The cache of digests only saves time: damaged, it must not give a wrong one."""
    file = folder / "data.txt"
    file.write_text("content", encoding="utf-8")
    os.utime(file, (1e9, 1e9))
    right, cache = file_digest(file), folder / "digests.jsonl"
    DigestCache(folder).digest(file)
    whole = cache.read_bytes()

    def action(rng: random.Random) -> None:
        cache.write_bytes(damaged(whole, rng))
        assert DigestCache(folder).digest(file) == right

    return action


def results(folder: Path) -> Action:
    """Tables of results that were edited by hand."""
    cells = (*("s", "e", "none", "squad", "en", "1", "test", "clean", "f1", "71.5", "100"), "", "0")
    table = io.StringIO()
    csv.writer(table).writerows([COLUMNS, cells[: len(COLUMNS)]])
    path, whole = folder / "results.csv", table.getvalue().encode()

    def action(rng: random.Random) -> None:
        path.write_bytes(damaged(whole, rng))
        try:
            read_csv(path)
        except StoreError as error:
            assert path.name in str(error)
            raise

    return action


def canonical(_: Path) -> Action:
    """Canonical JSON reads back as the value, whatever the order of keys."""

    def shuffled(value: object, rng: random.Random) -> object:
        if isinstance(value, dict):
            items = [(key, shuffled(item, rng)) for key, item in value.items()]
            rng.shuffle(items)
            return dict(items)
        return [shuffled(item, rng) for item in value] if isinstance(value, list) else value

    def action(rng: random.Random) -> None:
        value = any_value(rng)
        text = canonical_json(value)
        assert json.loads(text) == value
        assert canonical_json(shuffled(value, rng)) == text
        assert canonical_json(json.loads(text)) == text

    return action
