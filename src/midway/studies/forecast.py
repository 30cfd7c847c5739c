"""A forecast of a run, kept from its start, so that what happened can be compared with it.

The file ``forecasts/<digest of the study's name>.json`` in the store holds for each stage what the
last run that was to compute it expected, and for each run its time on the clock.
"""

import heapq
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from midway.canonical import digest
from midway.graph.plan import Plan, demand
from midway.graph.runner import DATA_KINDS
from midway.graph.stage import Stage
from midway.store.fs import guarded, replace_text
from midway.studies.costs import Rates
from midway.studies.session import Session

RUNS = 10  # that are remembered
_LIGHT = ("encoder", "examples", "leaks")  # kinds that load nothing that takes long


def forecast(plan: Plan, missing: Collection[str], rates: Rates, workers: int) -> dict[str, Any]:
    """Expected seconds of the stages that are missing, and of the whole on the clock.

    Args:
        plan: the stages.
        missing: keys of those to compute.
        rates: what they cost.
        workers: stages at a time.

    Returns:
        ``stages``: for each key its kind, ``tokens``, ``seconds`` and ``bytes``; ``wall`` seconds.
    """
    todo = {stage.key: stage for stage in plan.stages if stage.key in missing}
    seconds, wall = _worked_off(todo, rates, workers)
    stages = {
        key: {
            "kind": stage.kind.name,
            "tokens": stage.estimate.get("tokens", 0.0),
            "seconds": seconds[key],
            "bytes": stage.estimate.get("bytes", 0.0),
        }
        for key, stage in todo.items()
    }
    return {"stages": stages, "wall": wall}


def _worked_off(
    todo: Mapping[str, Stage], rates: Rates, workers: int
) -> tuple[dict[str, float], float]:
    """Seconds of each stage, the first in a process with those of starting it, and of the whole.

    Each free worker takes the first stage whose inputs are there; what reads data comes first, as
    in `midway.graph.runner`.
    """
    first = [stage for stage in todo.values() if stage.kind.name in DATA_KINDS]
    early = demand(first, lambda stage: stage.key not in todo).keys()
    seconds: dict[str, float] = {}
    cold, now = set(range(workers)), 0.0
    for keys in (early, todo.keys() - early):
        order = [stage for key, stage in todo.items() if key in keys]
        inputs = [{i.key for i in stage.inputs.values()} & keys for stage in order]
        readers: dict[str, list[int]] = {}
        for number, needed in enumerate(inputs):
            for key in needed:
                readers.setdefault(key, []).append(number)
        ready = [number for number, needed in enumerate(inputs) if not needed]
        idle = list(range(workers))
        running: list[tuple[float, int, str]] = []
        while ready or running:
            while ready and idle:
                stage, worker = order[heapq.heappop(ready)], heapq.heappop(idle)
                seconds[stage.key] = rates.seconds(stage)
                if worker in cold and stage.kind.name not in _LIGHT:
                    cold.remove(worker)
                    seconds[stage.key] += rates.start
                heapq.heappush(running, (now + seconds[stage.key], worker, stage.key))
            now, worker, done = heapq.heappop(running)
            heapq.heappush(idle, worker)
            for number in readers.get(done, ()):
                inputs[number].discard(done)
                if not inputs[number]:
                    heapq.heappush(ready, number)
    return seconds, now


def remember(session: Session, made: Mapping[str, Any], workers: int, calibrated: bool) -> None:
    """Keep a forecast; what earlier runs expected of other stages of the plan stays.

    Raises:
        StoreError: the store cannot be written.
    """
    known = recall(session)
    stages = {key: of for key, of in known["stages"].items() if key in session.plan.by_key}
    run = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "workers": workers,
        "calibrated": calibrated,
        "stages": len(made["stages"]),
        "wall": made["wall"],
        "took": None,
    }
    _write(session, {"stages": stages | made["stages"], "runs": [*known["runs"], run][-RUNS:]})


def fulfil(session: Session, took: float) -> None:
    """Note how many seconds on the clock the last run took that computed all it was to compute."""
    known = recall(session)
    known["runs"][-1]["took"] = took
    _write(session, known)


def recall(session: Session) -> dict[str, Any]:
    """What was expected: ``stages`` by key, and ``runs``, the last one last; both may be empty."""
    try:
        found = json.loads(_place(session).read_text(encoding="utf-8"))
        return {"stages": dict(found["stages"]), "runs": list(found["runs"])}
    except (OSError, ValueError, TypeError, KeyError):
        return {"stages": {}, "runs": []}


def _write(session: Session, known: Mapping[str, Any]) -> None:
    with guarded(session.store.root, "keeping the forecast"):
        replace_text(_place(session), json.dumps(known))


def _place(session: Session) -> Path:
    return session.store.root / "forecasts" / f"{digest(session.study.name)[:32]}.json"
