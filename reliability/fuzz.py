"""Fuzzing: whatever the input, a result or one clear error; no traceback, no hang, little memory.

``python -m reliability.fuzz --cases 50000`` shares the cases out among the targets of
`reliability.targets`. Each target runs in a process of its own, with a limit on its address space
and on the time of a case, so that a crash, a hang or a full memory is a failure with a number:

    python -m reliability.fuzz --target study --case 1234

does that one case again and shows its traceback. A case is refused if it raises a `MidwayError` of
one line; it is accepted if it returns; anything else fails.
"""

import argparse
import json
import math
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from midway.errors import MidwayError
from reliability.targets import TARGETS

CASE_SECONDS = 10.0
EXTRA_BYTES = 2 << 30  # address space on top of what the loaded libraries take
MOST_FAILURES = 20
LONGEST_MESSAGE = 2000


class HangError(Exception):
    """A case took longer than it may."""


@dataclass
class Tally:
    """What became of the cases of one target.

    Attributes:
        target: its name.
        cases: done.
        refused: ended in one clear error.
        accepted: gave a result.
        slowest: seconds of the slowest case, of the processor's time.
        megabytes: by which the greatest memory in use rose.
        failures: (number, what happened) of the others.
    """

    target: str
    cases: int = 0
    refused: int = 0
    accepted: int = 0
    slowest: float = 0.0
    megabytes: float = 0.0
    failures: list[tuple[int, str]] = field(default_factory=list)


def generator(seed: int, target: str, case: int) -> random.Random:
    """Return the generator that makes a case: the same whatever ran before it."""
    return random.Random(f"{seed}/{target}/{case}")


@contextmanager
def limited(seconds: float):
    """Raise HangError in the middle of what takes more of the processor's time.

    On a busy machine a second lasts longer. What waits without computing is seen from outside.
    """

    def stop(*_):
        raise HangError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def judge(action, rng):
    """Do one case; return whether it was accepted.

    Raises:
        AssertionError: an error that is not one clear line.
    """
    try:
        action(rng)
    except MidwayError as error:
        text = str(error)
        assert text.strip(), "an empty message"
        assert "\n" not in text, f"more than one line: {text!r}"
        assert len(text) <= LONGEST_MESSAGE, f"{len(text)} characters: {text[:200]!r}"
        text.encode("utf-8")
        return False
    return True


def work(target, seed, numbers, pipe, extra_bytes):
    """Do the cases of one target; send the number of each before it begins, and the tally."""
    with tempfile.TemporaryDirectory() as folder:
        action = TARGETS[target].make(Path(folder))
        if TARGETS[target].warm:
            with suppress(MidwayError):
                action(generator(seed, target, -1))
        limit = _bytes_in_use("VmSize") + extra_bytes
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
        tally, before = Tally(target), _bytes_in_use("VmHWM")
        for number in numbers:
            pipe.send(number)
            begin = time.process_time()
            try:
                with limited(CASE_SECONDS):
                    accepted = judge(action, generator(seed, target, number))
                tally.accepted += accepted
                tally.refused += not accepted
            except BaseException as error:  # a failure, whatever it is
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                what = f"{type(error).__name__}: {str(error)[:200]} ({where})"
                tally.failures.append((number, what))
                if isinstance(error, KeyboardInterrupt) or len(tally.failures) >= MOST_FAILURES:
                    break
            tally.cases += 1
            tally.slowest = max(tally.slowest, time.process_time() - begin)
        tally.megabytes = (_bytes_in_use("VmHWM") - before) / 1e6
        pipe.send(tally)


def _bytes_in_use(what):
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def run(target, seed, cases):
    """Do the cases of a target in a process of its own; a crash or a hang in it is a failure."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=work, args=(target, seed, range(cases), theirs, EXTRA_BYTES), daemon=True
    )
    process.start()
    theirs.close()
    last = -1
    try:
        while ours.poll(CASE_SECONDS * 6):  # starting takes longer than a case
            message = ours.recv()
            if isinstance(message, Tally):
                return message
            last = message
        what = "hangs where no signal reaches it"
    except EOFError:
        process.join()
        what = f"the process died with exit code {process.exitcode}"
    finally:
        process.kill()
        process.join()
    return Tally(target, cases=last + 1, failures=[(last, what)])


def shares(cases, names):
    """Return how many cases each target gets, by weight."""
    total = sum(TARGETS[name].weight for name in names)
    return {name: math.ceil(cases * TARGETS[name].weight / total) for name in names}


def report(tallies, seconds):
    """Return the table that people read."""
    lines = [f"{'target':14}{'cases':>8}{'refused':>9}{'accepted':>9}{'slowest':>10}{'memory':>10}"]
    lines += [
        f"{t.target:14}{t.cases:8,}{t.refused:9,}{t.accepted:9,}{t.slowest:8.2f} s"
        f"{t.megabytes:7.0f} MB"
        for t in tallies
    ]
    total, failed = sum(t.cases for t in tallies), sum(len(t.failures) for t in tallies)
    lines.append(f"{total:,} cases in {seconds:.0f} s, {failed} failures")
    for tally in tallies:
        lines += [f"FAILED {tally.target} {number}: {what}" for number, what in tally.failures]
    return "\n".join(lines)


def main() -> None:
    """Run all targets, or one case again."""
    parser = argparse.ArgumentParser(prog="python -m reliability.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=50_000, help="in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    parser.add_argument("--case", type=int, help="only this one, with its traceback")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    names = given.target or list(TARGETS)
    if given.case is not None:
        with tempfile.TemporaryDirectory() as folder:
            action = TARGETS[names[0]].make(Path(folder))
            accepted = judge(action, generator(given.seed, names[0], given.case))
        print("accepted" if accepted else "refused with one line")
        return
    begin, tallies = time.monotonic(), []
    for name, cases in shares(given.cases, names).items():
        tallies.append(run(name, given.seed, cases))
        print(report(tallies[-1:], 0).splitlines()[1], file=sys.stderr, flush=True)
    print(report(tallies, time.monotonic() - begin))
    if given.json:
        given.json.write_text(json.dumps([asdict(tally) for tally in tallies], indent=1))
    sys.exit(any(tally.failures for tally in tallies))


if __name__ == "__main__":
    main()
