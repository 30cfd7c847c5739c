"""A small real study, run by the command line: what every fault is put to.

Files of SQuAD, XQuAD, TyDiQA, Universal Dependencies and Tatoeba in their original layouts, a
random encoder of two layers, three intermediates, one of them a mixture, and three targets:
question answering, tagging and retrieval. About fifty stages.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests" / "integration"))

import tiny_study

MIXTURE = """
[[intermediate]]
name = "mixed"
mix = [{ task = "squad", examples = 24 }, { task = "udpos", languages = ["en"], examples = 24 }]

[[target]]
task = "tydiqa"
"""
QUIET = {"OMP_NUM_THREADS": "1", "MIDWAY_CHECKPOINT_SECONDS": "0", "PYTHONPATH": ""}
SECONDS = 240.0  # no run takes longer


@dataclass(frozen=True)
class Place:
    """A study with a store and outputs of its own; data and encoder are shared.

    Attributes:
        folder: of the study file, data and encoder.
        store: the results.
        out: what the study says.
    """

    folder: Path
    store: Path
    out: Path

    @property
    def command(self) -> list[str]:
        """Run the study."""
        return [sys.executable, "-m", "midway", *self.arguments]

    @property
    def arguments(self) -> list[str]:
        """The same, for the command line."""
        return [
            *("run", str(self.folder / "tiny.toml"), "--data", str(self.folder / "data")),
            *("--store", str(self.store), "--out", str(self.out)),
        ]


@dataclass(frozen=True)
class Said:
    """How a process ended."""

    code: int
    err: str


@dataclass(frozen=True)
class Truth:
    """What an undisturbed run comes to.

    Attributes:
        results: bytes of ``results.csv``.
        outputs: SHA-256 of every file of every artefact.
        seconds: it took.
    """

    results: bytes
    outputs: dict[tuple[str, str], dict[str, str]]
    seconds: float


def make(folder: Path) -> Place:
    """Write data, encoder and study."""
    folder.mkdir(parents=True, exist_ok=True)
    change = [('\n[[target]]\ntask = "tydiqa"\n', MIXTURE)]
    tiny_study.make(folder, epochs=2, change=change)
    return Place(folder, folder / "store", folder / "out")


def fresh(place: Place, name: str) -> Place:
    """The same study with an empty store."""
    folder = place.folder / "runs" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return Place(place.folder, folder / "store", folder / "out")


def copied(place: Place, name: str) -> Place:
    """The same study with a copy of what is computed."""
    new = fresh(place, name)
    shutil.copytree(place.store, new.store)
    shutil.copytree(place.out, new.out)
    return new


def environment(**more: str) -> dict[str, str]:
    """What a process of the study sees: nothing of the caller's own stores and data."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MIDWAY_", "HF_"))}
    own = {**QUIET, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return {**clean, **own, **more}


def start(place: Place, *options: str, **more: str) -> "subprocess.Popen[str]":
    """Start a run in a process group of its own."""
    return subprocess.Popen(
        [*place.command, *options],
        cwd=place.folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]") -> Said:
    """Wait for a run."""
    _, err = process.communicate(timeout=SECONDS)
    return Said(process.returncode, err)


def run(place: Place, *options: str, **more: str) -> Said:
    """Run the study."""
    return finish(start(place, *options, **more))


def midway(place: Place, *words: str) -> Said:
    """Another command on the store."""
    done = subprocess.run(
        [sys.executable, "-m", "midway", *words, "--store", str(place.store)],
        cwd=place.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Said(done.returncode, done.stderr + done.stdout)


def truth(place: Place) -> Truth:
    """Run the study undisturbed."""
    began = time.monotonic()
    said = run(place)
    if said.code:
        raise RuntimeError(f"the undisturbed run failed:\n{said.err}")
    seconds = time.monotonic() - began
    return Truth((place.out / "results.csv").read_bytes(), tiny_study.outputs(place.store), seconds)


def differs(place: Place, expected: Truth, said: Said, *, partly: bool = False) -> str:
    """Why a finished run is not as good as the undisturbed one; empty if it is.

    Args:
        place: where it ran.
        expected: the undisturbed one.
        said: how it ended.
        partly: artefacts that nobody needed again may be gone.
    """
    if said.code != 0:
        return f"ended with code {said.code}: {last_line(said.err)}"
    if "Traceback" in said.err:
        return "a traceback was printed"
    if (place.out / "results.csv").read_bytes() != expected.results:
        return "other results"
    try:
        found = tiny_study.outputs(place.store)
    except (ValueError, KeyError, TypeError):
        return "a damaged manifest"
    wanted = {key: files for key, files in expected.outputs.items() if key in found or not partly}
    return "" if found == wanted else f"other artefacts: {_difference(found, wanted)}"


def _difference(found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> str:
    both = found.keys() & wanted.keys()
    parts = {
        "missing": wanted.keys() - found.keys(),
        "not expected": found.keys() - wanted.keys(),
        "changed": {key for key in both if found[key] != wanted[key]},
    }
    return "; ".join(
        f"{what} {', '.join(f'{stage} {key[:12]}' for stage, key in sorted(keys))}"
        for what, keys in parts.items()
        if keys
    )


def unclear(said: Said, *codes: int) -> str:
    """Why a refusal was not one clear message; empty if it was."""
    if said.code not in codes:
        return f"code {said.code}, expected {codes}: {last_line(said.err)}"
    if "Traceback" in said.err:
        return f"a traceback: {last_line(said.err)}"
    line = last_line(said.err)
    return "" if line else "no message"


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def damaged_keys(place: Place) -> list[str]:
    """Keys that `store verify` complains of."""
    done = subprocess.run(
        [sys.executable, "-m", "midway", "store", "verify", "--json", "--store", str(place.store)],
        cwd=place.folder, env=environment(), capture_output=True, text=True, timeout=SECONDS,
        check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)["problems"]
    return sorted({problem["key"] for problem in found})
