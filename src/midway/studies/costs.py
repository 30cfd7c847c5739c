"""From units (`midway.studies.estimate`) to seconds, by what this machine was seen to do.

1. A calibration (`midway.stages.calibrate`) tells what each kind of stage costs by itself and per
   step, token or example. It is kept in the store's cache, by encoder, precision, threads, workers,
   machine, libraries and source; it is never in a key.
2. Stages in the store that the same source computed under the same conditions say how far off
   that was for their kind and family: estimates are multiplied by what these took over what they
   were expected to take, a few seconds of doubt (`DOUBT`) added to both.
3. Without a calibration the seconds are rough, at `ROUGH` operations a second.
"""

import json
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from midway.canonical import digest
from midway.errors import StageError
from midway.graph.children import death, nth_device, runtime_of_worker, spawn
from midway.graph.closure import code_of
from midway.graph.execute import conditions
from midway.graph.stage import Deferred, Stage
from midway.stages import specs
from midway.store.fs import replace_text
from midway.studies.build import recipe
from midway.studies.session import Session

ROUGH = 2e11  # the order of what two CPU cores reach with all that is around a matrix product
DOUBT = 5.0  # seconds
_READ = 100  # manifests of a kind
_MEASURE = Deferred("midway.stages.calibrate", "measure")
_KINDS = (specs.EXAMPLES, specs.FEATURES, specs.TRAIN, specs.PREDICT, specs.SCORE)
_TERMS = {  # the most important first
    "examples": ("examples",),
    "features": ("tokens", "stage"),
    "train": ("tokens", "steps", "stage", "attention"),
    "predict": ("tokens", "stage", "attention"),
    "score": ("examples",),
}

Run = tuple[str, Mapping[str, float], float]  # kind, units, seconds
Kinds = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Rates:
    """What stages cost.

    Attributes:
        kinds: seconds by kind and unit; the unit ``stage`` is what a stage costs by itself.
        start: seconds a process takes to load what trains and predicts.
        calibrated: whether these were measured.
        levels: by kind and family: what stages took over what `kinds` says.
    """

    kinds: Kinds
    start: float = 0.0
    calibrated: bool = False
    levels: Mapping[str, float] = field(default_factory=dict)

    def seconds(self, stage: Stage) -> float:
        """What `stage` is expected to take in a process that has started."""
        spec = stage.spec
        entries = getattr(spec, "entries", (spec,))
        families = [getattr(entry, "family", "") for entry in entries]
        level = self.levels.get(_group(stage.kind.name, families), 1.0)
        return level * self.of(stage.kind.name, stage.estimate)

    def of(self, kind: str, units: Mapping[str, float]) -> float:
        """Seconds of so many units, by `kinds` alone."""
        known = {"stage": 1.0, **units}
        return sum(cost * known.get(unit, 0.0) for unit, cost in self.kinds.get(kind, {}).items())


_IMPORT = {"encoder": {"bytes": 1e-8}}  # it is there before anything is calibrated


def rates_of(session: Session, workers: int) -> Rates:
    """The best that is known for a run with so many workers; measures nothing."""
    rough = {"flops": workers / ROUGH}  # the cores are shared
    found = Rates({**_IMPORT, "train": rough, "predict": rough})
    with suppress(OSError, ValueError, TypeError):  # not there, or of another version
        found = Rates(**json.loads(_place(session, workers).read_text(encoding="utf-8")))
    return replace(found, levels=_levels(session, workers, found))


def calibrate(session: Session, workers: int) -> None:
    """Measure this machine as a run with so many workers will find it.

    The encoder must be in the store.

    Raises:
        StageError: a process that measures has died.
    """
    runtime, encoder = (
        runtime_of_worker(session.runtime, workers),
        session.store.path(encoder_of(session)),
    )
    settings = [replace(runtime, device=nth_device(runtime.device, i)) for i in range(workers)]
    precision = recipe(session.study.train).precision
    children = [spawn(_measure, time.time(), encoder, each, precision) for each in settings]
    try:
        while (said := [_answer(*child) for child in children])[0] is None:
            for _, pipe in children:
                pipe.send(None)
    finally:
        for process, _ in children:
            process.kill()
            process.join()
    runs = [
        (same[0][0], same[0][1], float(np.mean([seconds for _, _, seconds in same])))
        for same in zip(*(runs for _, runs in said), strict=True)
    ]
    rates = Rates(fitted(runs), float(np.mean([start for start, _ in said])), calibrated=True)
    replace_text(_place(session, workers), json.dumps(asdict(rates)))


def fitted(runs: Sequence[Run]) -> Kinds:
    """Costs that explain `runs`: least squares of relative errors.

    Where a disturbed run would make a cost negative, the least important ones are left out.
    """
    kinds: dict[str, dict[str, float]] = dict(_IMPORT)
    for kind, terms in _TERMS.items():
        own = [({"stage": 1.0, **units}, seconds) for name, units, seconds in runs if name == kind]
        for number in range(len(terms) if own else 0, 0, -1):
            rows = np.array([[u.get(t, 0.0) / s for t in terms[:number]] for u, s in own])
            scale = rows.max(axis=0) + 1e-30  # units differ by orders of magnitude
            costs = np.linalg.lstsq(rows / scale, np.ones(len(own)), rcond=None)[0] / scale
            if (costs >= 0).all():
                kinds[kind] = dict(zip(terms, costs.tolist(), strict=False))
                break
    kinds["train"]["probed"] = kinds["predict"]["tokens"]
    return kinds


def _measure(*arguments: Any) -> None:
    _MEASURE(*arguments)


def _answer(process: Any, pipe: Any) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError) as error:
        raise StageError(f"calibrating: a process {death(process)}; try fewer --workers") from error


def _levels(session: Session, workers: int, rates: Rates) -> dict[str, float]:
    here, encoder = conditions(runtime_of_worker(session.runtime, workers)), encoder_of(session).key
    totals: dict[str, list[float]] = {}
    for kind in (specs.FEATURES, specs.TRAIN, specs.PREDICT):
        source = code_of(kind.run).digest
        records = session.store.records(kind.name, dropped=kind is specs.TRAIN)
        for manifest in islice(records, _READ):
            read, facts = manifest.inputs.get("encoder"), manifest.facts
            whole = facts.get("steps_here") == facts.get("steps")  # else only a part was timed
            same = manifest.environment == here and manifest.code.digest == source
            if not same or not whole or read is None or read.key != encoder:
                continue
            spec = json.loads(manifest.text)["spec"]
            families = [entry["family"] for entry in spec.get("entries", (spec,))]
            total = totals.setdefault(_group(kind.name, families), [DOUBT, DOUBT])
            total[0] += rates.of(kind.name, _done(facts))
            total[1] += manifest.seconds
    return {group: took / expected for group, (expected, took) in totals.items()}


def _done(facts: Mapping[str, Any]) -> dict[str, float]:
    """Units of a stage that was computed, from what its manifest tells."""
    tokens, rows = facts["tokens"], facts.get("rows") or facts["examples"]
    times = len(facts.get("attempts", ())) or 1  # again after a collapse
    checked = sum(probe["n"] for probe in facts.get("quality", ()))
    checked *= max(1, len(facts.get("history", ())))
    units = {
        "tokens": tokens,
        "attention": tokens**2 / max(rows, 1),
        "steps": facts.get("steps", 0),
        "probed": checked * tokens / max(rows, 1),
        "flops": facts.get("flops", 0),
    }
    return {name: times * number for name, number in units.items()}


def _group(kind: str, families: Iterable[str]) -> str:
    return f"{kind} {' '.join(sorted(set(families)))}"


def encoder_of(session: Session) -> Stage:
    """The stage that imports the encoder."""
    return next(stage for stage in session.plan.stages if stage.kind is specs.ENCODER)


def _place(session: Session, workers: int) -> Path:
    """Where the calibration is kept."""
    name = digest(
        [
            encoder_of(session).key,
            recipe(session.study.train).precision,
            workers,
            _processor(),
            conditions(runtime_of_worker(session.runtime, workers)),
            [code_of(kind.run).digest for kind in _KINDS],
        ]
    )
    return session.store.cache / "rates" / f"{name}.json"


def _processor() -> str:
    """The processor's name, as well as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
