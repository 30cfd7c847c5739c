"""Toy stage kinds for tests of store, plan and runner: small, and importable by workers."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from midway.errors import DataError
from midway.graph.stage import Progress, Stage, StageKind


@dataclass(frozen=True)
class Toy:
    name: str
    text: str = ""
    action: str = "write"
    value: float = 1.0


def note(spec):
    """Append the name to a log, so that tests see what was really computed, and in which order."""
    log = os.environ.get("TOY_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{spec.name}\n")


def run_toy(spec, inputs, context):
    note(spec)
    match spec.action:
        case "fail":
            raise RuntimeError("a toy broke")
        case "data":
            raise DataError("table.tsv, line 3: found 2 columns, expected 3")
        case "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                context.check()
                time.sleep(0.01)
            raise AssertionError("the signal was not seen")
        case "slow":
            for step in range(600):
                context.report(Progress(step, 600, "steps"))
                context.check()
                time.sleep(0.1)
        case "die":
            os._exit(9)
        case "once":  # fails the first time; the work folder survives
            flag = context.work / "tried"
            if not flag.exists():
                flag.touch()
                raise RuntimeError("first time")
        case "nan":
            return {"loss": float("nan")}
    read = {role: (folder / "text.txt").read_text("utf-8") for role, folder in inputs.items()}
    body = spec.text + "".join(f"|{role}={text}" for role, text in sorted(read.items()))
    (context.out / "text.txt").write_text(body, encoding="utf-8")
    context.report(Progress(1, 1, "steps", {"loss": "0.5"}))
    return {"flops": 2e9, "length": len(body)}


EXAMPLES = StageKind("examples", 1, run_toy)
FEATURES = StageKind("features", 1, run_toy)
TRAIN = StageKind("train", 1, run_toy)
PREDICT = StageKind("predict", 1, run_toy)


def toy(kind, name, inputs=None, **spec):
    estimate = {"tokens": 10.0, "flops": 1e10, "bytes": 100.0}
    return Stage(
        kind, Toy(name, **spec), inputs or {}, label=f"{kind.name} {name}", estimate=estimate
    )


def chain(name, **train):
    """Return examples → train → predict, called `name`."""
    examples = toy(EXAMPLES, f"e-{name}", text=name)
    trained = toy(TRAIN, f"t-{name}", {"data": examples}, **train)
    return examples, trained, toy(PREDICT, f"p-{name}", {"model": trained, "data": examples})


class Recorder:
    """An observer that keeps what it hears."""

    def __init__(self):
        self.events = []

    def names(self, event):
        return [what for kind, what in self.events if kind == event]

    @property
    def notices(self):
        return self.names("notice")

    def planned(self, total):
        self.events.append(("planned", total))

    def started(self, stage):
        self.events.append(("started", stage.spec.name))

    def progressed(self, stage, progress):
        self.events.append(("progressed", stage.spec.name))

    def finished(self, stage, seconds, facts):
        self.events.append(("finished", stage.spec.name))

    def cached(self, stage):
        self.events.append(("cached", stage.spec.name))

    def failed(self, stage, error):
        self.events.append(("failed", f"{stage.spec.name}: {error}"))

    def notice(self, text):
        self.events.append(("notice", text))
