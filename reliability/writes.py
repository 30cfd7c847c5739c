"""Every change of the file system that a run makes fails once, one in each run.

A process that has loaded everything is forked for each case; in the child one call fails, the
others work. Calls are those of Python (`CALLS`, files opened for writing) and the writers in other
languages (`WRITERS`). The study is a small part of `reliability.study`'s: tagging and retrieval.
"""

import builtins
import errno
import io
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reliability.faults import Tally
from reliability.forked import fork, load
from reliability.study import Place, Said, Truth, last_line, tiny_study

CALLS = ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync", "utime", "open", "link")
WRITERS = (("safetensors.torch", "save_file"), ("pyarrow.parquet", "write_table"))
CODES = (errno.ENOSPC, errno.EIO, errno.EACCES)
STUDY = """
name = "mini"
encoder = "encoder"
seeds = [1]

[train]
learning_rate = 3e-3
batch_size = 8
max_length = 64
precision = "float32"

[[target]]
task = "udpos"
train = { languages = ["en"], examples = 16 }

[[target]]
task = "tatoeba"
"""


def writes(place: Place, expected: Truth, rng: random.Random, number: int) -> Tally:
    """Fail `number` calls, evenly spread over all, or all of them if there are fewer."""
    del expected
    load()
    (place.folder / "mini.toml").write_text(STUDY, encoding="utf-8")
    root = place.folder / "runs" / "writes"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    count = root / "count"
    said = _run(place, root / "truth", -1, 0, count)
    if said.code:
        raise RuntimeError(f"the undisturbed run failed:\n{said.err}")
    whole = int(count.read_text())
    truth = _state(root / "truth")
    cases = range(whole) if number >= whole else sorted(rng.sample(range(whole), number))
    tally = Tally(runs=1)
    for case in cases:
        here, code = root / "case", CODES[case % len(CODES)]
        shutil.rmtree(here, ignore_errors=True)
        name = f"call {case} of {whole}, {errno.errorcode[code]}"
        said = _run(place, here, case, code, None)
        tally.runs += 2
        tally.faults += 1
        if "Traceback" in said.err or said.code not in (0, 1, 2):
            tally.failures.append(f"{name}: code {said.code}, {last_line(said.err)}")
        elif said.code and not last_line(said.err):
            tally.failures.append(f"{name}: no message")
        said = _run(place, here, -1, 0, None)
        problem = f"code {said.code}, {last_line(said.err)}" if said.code else ""
        tally.check(problem or ("" if _state(here) == truth else "other results"), name)
    return tally


def _state(folder: Path) -> tuple[bytes, Any]:
    return (folder / "out" / "results.csv").read_bytes(), tiny_study.outputs(folder / "store")


def _run(place: Place, folder: Path, fails: int, code: int, count: Path | None) -> Said:
    """Run the study in a fork whose call number `fails` fails."""
    arguments = ["run", "mini.toml", "--data", "data", "--store", str(folder / "store")]
    arguments += ["--out", str(folder / "out")]
    seen = [0]

    def before() -> None:
        seen[0] = 0
        _patch(seen, fails, code)

    def after() -> None:
        if count is not None:
            calls = seen[0]
            count.write_text(str(calls), encoding="utf-8")

    log = folder.with_suffix(".log")
    return fork(arguments, place.folder, log, before=before, after=after).finish()


def _patch(seen: list[int], fails: int, code: int) -> None:
    """Count calls in `seen`, and let the one with number `fails` fail."""

    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            number = seen[0]
            seen[0] += 1
            if number == fails:
                raise OSError(code, os.strerror(code))
            return function(*args, **kwargs)

        return call

    plain = io.open

    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        return (writing if set(mode) & set("wax+") else plain)(file, mode, *args, **kwargs)

    writing = wrapped(plain)
    for name in CALLS:
        setattr(os, name, wrapped(getattr(os, name)))
    io.open = builtins.open = opened  # type: ignore[assignment]
    for module, name in WRITERS:
        loaded = sys.modules.get(module)
        if loaded is not None:
            setattr(loaded, name, wrapped(getattr(loaded, name)))
