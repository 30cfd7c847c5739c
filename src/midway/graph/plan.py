"""A plan is every stage that some leaves need, each once, inputs before their readers.

1. `build` walks from the leaves depth first; stages with equal keys are one stage.
2. Work is found by demand: leaves are wanted, and the inputs of wanted stages that are missing.
3. An artefact that nobody wants any more (weights whose predictions exist) is not missed.
"""

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from midway.errors import UsageError
from midway.graph.stage import Stage
from midway.store.local import Store

State = Literal["cached", "run", "waiting"]


@dataclass(frozen=True, eq=False)
class Plan:
    """A graph of stages.

    Attributes:
        stages: all stages, unique by key, inputs before their readers.
        leaves: the stages that were asked for, unique by key.
        by_key: stages by key.
        readers: for each key, the keys of the stages that read it.
    """

    stages: tuple[Stage, ...]
    leaves: tuple[Stage, ...]
    by_key: Mapping[str, Stage]
    readers: Mapping[str, tuple[str, ...]]


def build(leaves: Iterable[Stage]) -> Plan:
    """Return the plan of `leaves` and everything that they need."""
    by_key: dict[str, Stage] = {}
    readers: dict[str, list[str]] = {}
    roots = {stage.key: stage for stage in leaves}
    # A stack instead of recursion; a stage is pushed again, marked, below its inputs.
    stack = [(stage, False) for stage in reversed(roots.values())]
    while stack:
        stage, expanded = stack.pop()
        if stage.key in by_key:
            continue
        if expanded:
            by_key[stage.key] = stage
            readers[stage.key] = []
            for key in {item.key: None for item in stage.inputs.values()}:
                readers[key].append(stage.key)
            continue
        stack.append((stage, True))
        stack += [(item, False) for item in reversed(list(stage.inputs.values()))]
    return Plan(
        stages=tuple(by_key.values()),
        leaves=tuple(by_key[key] for key in roots),
        by_key=by_key,
        readers={key: tuple(items) for key, items in readers.items()},
    )


def select(plan: Plan, pattern: str | None) -> tuple[Stage, ...]:
    """Return the leaves, or the stages that `pattern` names.

    Args:
        plan: the plan.
        pattern: a glob on labels or kind names, or the first 6 or more digits of a key.

    Raises:
        UsageError: no stage fits.
    """
    if pattern is None:
        return plan.leaves
    found = tuple(
        stage
        for stage in plan.stages
        if fnmatch.fnmatchcase(stage.label, pattern)
        or fnmatch.fnmatchcase(stage.kind.name, pattern)
        or (len(pattern) >= 6 and stage.key.startswith(pattern))
    )
    if not found:
        kinds = ", ".join(sorted({stage.kind.name for stage in plan.stages}))
        raise UsageError(
            f"no stage of this plan is called {pattern!r}; give a kind ({kinds}), a label with "
            "* for any text, or the start of a key"
        )
    return found


def demand(
    roots: Iterable[Stage],
    present: Callable[[Stage], bool],
    blocked: Collection[str] = frozenset(),
) -> dict[str, Stage]:
    """Return the stages that must be computed so that all of `roots` are there.

    Args:
        roots: wanted in any case.
        present: tells whether a stage has its artefact; called once per wanted stage.
        blocked: keys that are not to be looked at.

    Returns:
        The missing wanted stages by key.
    """
    missing: dict[str, Stage] = {}
    seen: set[str] = set()
    pending = list(roots)
    while pending:
        stage = pending.pop()
        if stage.key in seen or stage.key in blocked:
            continue
        seen.add(stage.key)
        if not present(stage):
            missing[stage.key] = stage
            pending += stage.inputs.values()
    return missing


def states(plan: Plan, store: Store) -> dict[str, State]:
    """Return for each key ``cached``, ``run`` (its inputs are there) or ``waiting``.

    A stage that is absent but that nobody needs is ``cached``.
    """
    missing = demand(plan.leaves, store.has)
    return {stage.key: _state(stage, missing) for stage in plan.stages}


def _state(stage: Stage, missing: Mapping[str, Stage]) -> State:
    if stage.key not in missing:
        return "cached"
    waits = any(item.key in missing for item in stage.inputs.values())
    return "waiting" if waits else "run"


def describe(
    plan: Plan,
    store: Store,
    seconds_of: Callable[[Stage], float],
    *,
    naive_stages: int,
    naive_train_tokens: float,
) -> dict[str, Any]:
    """Return the plan as the document of ``midway plan --json``.

    ``train_tokens`` is over the whole plan, to be compared with ``naive_train_tokens``, what
    separate runs would train on; ``seconds`` (of computing) and ``disk_bytes`` (written, before
    anything is dropped) are of the work still to do.
    """
    state = states(plan, store)
    stages: list[dict[str, Any]] = [
        {
            "key": stage.key,
            "stage": stage.kind.name,
            "name": stage.label,
            "state": state[stage.key],
            "needs": [item.key for item in stage.inputs.values()],
            "estimate": {
                "tokens": stage.estimate.get("tokens", 0),
                "flops": stage.estimate.get("flops", 0),
                "seconds": seconds_of(stage),
                "bytes": stage.estimate.get("bytes", 0),
            },
        }
        for stage in plan.stages
    ]
    todo = [stage["estimate"] for stage in stages if stage["state"] != "cached"]
    train = [stage["estimate"] for stage in stages if stage["stage"] == "train"]
    totals = {
        "stages": len(plan.stages),
        "naive_stages": naive_stages,
        "train_tokens": sum(estimate["tokens"] for estimate in train),
        "naive_train_tokens": naive_train_tokens,
        "seconds": sum(estimate["seconds"] for estimate in todo),
        "disk_bytes": sum(estimate["bytes"] for estimate in todo),
        "cached": len(plan.stages) - len(todo),
    }
    return {"stages": stages, "totals": totals}
