"""Faults of the world around a run: killed processes, damaged bits, full disks, crowds, odd places.

Each function takes the study, the truth and a random generator, injects faults of one kind, and
returns a `Tally`. Whatever happens, the study is run again with the same command, as a user would,
and must end with the bytes of the undisturbed run.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from reliability.forked import fork, load
from reliability.study import (
    Place,
    Said,
    Truth,
    copied,
    damaged_keys,
    differs,
    environment,
    finish,
    fresh,
    midway,
    run,
    start,
    unclear,
)

CROWD = 8
TRIES = 400  # kills of one round at most


@dataclass
class Tally:
    """What was done and what came of it.

    Attributes:
        runs: processes that were started.
        faults: injected: kills, failed writes, flipped bits and so on.
        recoveries: rounds that ended with the bytes of the undisturbed run.
        failures: in words.
    """

    runs: int = 0
    faults: int = 0
    recoveries: int = 0
    failures: list[str] = field(default_factory=list)

    def check(self, problem: str, where: str) -> None:
        """Note how a round ended."""
        if problem:
            self.failures.append(f"{where}: {problem}")
        else:
            self.recoveries += 1


def kills(place: Place, expected: Truth, rng: random.Random, number: int) -> Tally:
    """SIGKILL to all processes of a run at random instants, until `number` have been killed.

    Every fifth round runs with two workers.
    """
    load()
    tally, turn, longest = Tally(), 0, 0.2 * expected.seconds
    while tally.faults < number:
        turn += 1
        here = fresh(place, f"kills{turn}")
        options = ["--workers", "2"] if turn % 5 == 0 else []
        for _ in range(TRIES):
            began = time.monotonic()
            process = fork([*here.arguments, *options], here.folder, here.store.parent / "log")
            tally.runs += 1
            if not process.wait(rng.uniform(0.1, longest)) and tally.faults < number:
                process.kill()
                tally.faults += 1
                continue
            said = process.finish()
            longest = 0.7 * (longest + time.monotonic() - began)
            tally.check(differs(here, expected, said), f"round {turn} of kills")
            break
        if damaged := damaged_keys(here):
            tally.failures.append(f"round {turn} of kills: {len(damaged)} damaged artefacts")
        shutil.rmtree(here.store.parent)
    return tally


def bits(place: Place, expected: Truth, rng: random.Random, number: int) -> Tally:
    """One bit of one file of a finished store, or of a checkpoint, is flipped."""
    tally = Tally()
    for turn in range(number):
        here = copied(place, "bits")
        files = sorted(p for p in here.store.glob("artefacts/*/*/**/*") if p.is_file())
        victim = rng.choice(files)
        data = bytearray(victim.read_bytes())
        if not data:
            continue
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        victim.write_bytes(data)
        tally.faults += 1
        key = victim.relative_to(here.store).parts[2]
        found = damaged_keys(here)
        if key not in found:
            tally.failures.append(f"bit {turn}: {victim.name} of {key[:12]} was not found")
        shutil.rmtree(here.store / "artefacts" / "score")  # whatever is read is read again
        said = run(here)
        tally.runs += 2
        problem = differs(here, expected, said)
        if problem.startswith(("other artefacts", "a damaged manifest")):  # nobody reads the victim
            midway(here, "store", "verify", "--repair")
            problem = differs(here, expected, run(here), partly=True)
        tally.check(problem, f"bit {turn} in {victim.name} of {key[:12]}")
    return tally


def full(place: Place, expected: Truth, rng: random.Random, number: int) -> Tally:
    """A file system that is full after so many kilobytes, and grows afterwards."""
    tally = Tally()
    top = sum(p.stat().st_size for p in place.store.rglob("*") if p.is_file()) // 1024
    for turn in range(number):
        kilobytes = rng.randrange(64, max(65, int(top * 0.9)))
        here = fresh(place, "full")
        with small_disk(here.store.parent / "disk", kilobytes) as disk:
            if disk is None:
                break
            small = replace(here, store=disk / "store")
            said = run(small)
            tally.runs += 1
            tally.faults += 1
            if problem := unclear(said, 1):
                tally.failures.append(f"{kilobytes} KiB: {problem}")
            subprocess.run(["mount", "-o", "remount,size=256m", str(disk)], check=True)
            tally.runs += 1
            tally.check(differs(small, expected, run(small)), f"turn {turn}, {kilobytes} KiB")
    return tally


@contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[Path | None]:
    """A tmpfs of that size; None where mounting is not allowed."""
    path.mkdir(parents=True)
    options = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(path)]
    if os.geteuid() or subprocess.run(options, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


def crowd(place: Place, expected: Truth, rng: random.Random, number: int) -> Tally:
    """Eight runs of one study on one store at once; some of them are killed."""
    tally = Tally()
    for turn in range(number):
        here = fresh(place, "crowd")
        many = [replace(here, out=here.out.with_name(f"out{i}")) for i in range(CROWD)]
        processes = [start(one) for one in many]
        tally.runs += CROWD
        doomed = rng.sample(range(CROWD), 3 if turn % 2 else 0)
        time.sleep(rng.uniform(0.3, 0.6) * expected.seconds if doomed else 0)
        for i in doomed:
            if processes[i].poll() is None:
                os.killpg(processes[i].pid, signal.SIGKILL)
                tally.faults += 1
        tally.faults += 1
        for i, (one, process) in enumerate(zip(many, processes, strict=True)):
            said = finish(process)
            if i not in doomed:
                tally.check(differs(one, expected, said), f"crowd {turn}, process {i}")
        if damaged := damaged_keys(here):
            tally.failures.append(f"crowd {turn}: {len(damaged)} damaged artefacts")
    return tally


def odd(place: Place, expected: Truth, rng: random.Random, number: int) -> Tally:
    """Signals, clocks, permissions, strange names, leftovers of other programs; each once."""
    del rng, number
    tally = Tally()
    for name, way in ODD.items():
        here = fresh(place, name)
        tally.runs += 2
        tally.faults += 1
        tally.check(way(here, expected), name)
        subprocess.run(["umount", "-l", str(here.store)], capture_output=True, check=False)
    return tally


def _terminated(here: Place, expected: Truth) -> str:
    process = start(here)
    time.sleep(0.6 * expected.seconds)
    process.send_signal(signal.SIGTERM)
    said = finish(process)
    if said.code not in (0, 130) or "Traceback" in said.err:
        return f"SIGTERM: code {said.code}"
    return differs(here, expected, run(here))


def _worker_killed(here: Place, expected: Truth) -> str:
    process = start(here, "--workers", "2")
    time.sleep(0.6 * expected.seconds)
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        with suppress(ProcessLookupError, FileNotFoundError):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():  # not Python's tracker
                os.kill(int(child), signal.SIGKILL)
    said = finish(process)
    if "Traceback" in said.err:
        return "a traceback"
    return differs(here, expected, run(here))


def _clock(here: Place, expected: Truth, days: float) -> str:
    """A lease of another machine whose clock is far off."""
    process = start(here)
    time.sleep(0.5 * expected.seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for lease in here.store.glob("leases/*.json"):
        then = time.time() + days * 86_400
        os.utime(lease, (then, then))
    return differs(here, expected, run(here))


def _strays(here: Place, expected: Truth) -> str:
    """Half-written files of other programs, in every folder of the store."""
    process = start(here)
    time.sleep(0.5 * expected.seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for folder in [p for p in here.store.rglob("*") if p.is_dir()]:
        (folder / ".nfs000001").write_bytes(b"\0" * 100)
        (folder / "half.tmp").write_bytes(b"{")
    said = run(here)
    for name in (".nfs000001", "half.tmp"):
        for path in here.store.rglob(name):
            path.unlink()
    return differs(here, expected, said)


def _read_only(here: Place, expected: Truth) -> str:
    """A store that cannot be written is refused; one that is complete can still be read."""
    here.store.mkdir()
    mount = ["mount", "--bind", "-o", "ro", str(here.store), str(here.store)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        return ""
    problem = unclear(run(here), 1, 2)
    subprocess.run(["umount", str(here.store)], check=True)
    return problem or differs(here, expected, run(here))


def _forbidden(here: Place, expected: Truth) -> str:
    """A store of another user."""
    here.store.mkdir(mode=0o755)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *here.command]
    if os.geteuid() or shutil.which("setpriv") is None:
        return ""
    here.out.mkdir()
    here.out.chmod(0o777)
    done = subprocess.run(
        command, cwd="/", env=environment(HOME="/nonexistent"), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    problem = unclear(Said(done.returncode, done.stderr), 1, 2)
    shutil.rmtree(here.out)
    return problem or differs(here, expected, run(here))


def _named(here: Place, expected: Truth) -> str:
    """A store and outputs with spaces, signs of other scripts, and a very long name."""
    long = "ein sehr langer Ordner mit Ünïcödé और हिन्दी " * 2
    there = replace(here, store=here.store / long / "a b", out=here.out / "результаты 'q' \"z\"")
    return differs(there, expected, run(there))


ODD: dict[str, Callable[[Place, Truth], str]] = {
    "terminated": _terminated,
    "worker killed": _worker_killed,
    "clock ahead": lambda here, expected: _clock(here, expected, 30),
    "clock behind": lambda here, expected: _clock(here, expected, -30),
    "strays": _strays,
    "read-only": _read_only,
    "forbidden": _forbidden,
    "named": _named,
}
