"""Compute what is missing of a plan, in an order that finds bad data early and is useful soon.

1. Wanted stages that are present are verified; damaged ones are moved away and count as missing.
2. Stages that read data run first, so that bad data end a run before anything is trained.
3. A stage that fails keeps its traceback; what needs it is not run, everything else is.
4. The first Ctrl-C ends the run cleanly, the second at once; the next run continues.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from midway.errors import StoreError
from midway.graph.budget import Budget
from midway.graph.control import Interrupted, StopFlag, stop_on_signals
from midway.graph.engines.base import Engine, Listener
from midway.graph.engines.local import local_engine
from midway.graph.execute import Result, as_error
from midway.graph.hits import drift, history, rebuilt_inputs, survey
from midway.graph.observer import Observer, Silent
from midway.graph.plan import Plan, select
from midway.graph.served import drop_served, has_served
from midway.graph.stage import Runtime, Stage
from midway.store.local import Store

Keep = Literal["intermediates", "all"]

DATA_KINDS = frozenset({"encoder", "examples", "leaks", "features", "budgets"})
_POLL_SECONDS = 0.5
_MOST_RESTARTS = 3  # an input that keeps vanishing is not only another run's doing


@dataclass(frozen=True)
class Outcome:
    """What became of the wanted stages.

    Attributes:
        done: keys computed now.
        cached: keys that were in the store, or that another run computed meanwhile.
        failed: one line for each key whose function raised.
        skipped: for each key that was not run, the key of the failed stage that it needs.
        left_out: keys that the budget left no room for.
    """

    done: tuple[str, ...]
    cached: tuple[str, ...]
    failed: Mapping[str, str]
    skipped: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 if all wanted stages are there, 1 if one failed, 3 if only the budget is used up."""
        return 1 if self.failed else 3 if self.left_out else 0


@dataclass
class _Run:
    """The state of a run that goes on."""

    plan: Plan
    store: Store
    observer: Observer
    roots: tuple[Stage, ...]
    first: frozenset[str]
    droppable: frozenset[str]
    budget: Budget | None
    queue: dict[str, Stage] = field(default_factory=dict)  # missing, in the order of work
    early: set[str] = field(default_factory=set)  # keys in the queue that all others wait for
    running: set[str] = field(default_factory=set)
    held: dict[str, float] = field(default_factory=dict)  # leased by others: time to ask again
    restarts: Counter[str] = field(default_factory=Counter)
    done: list[str] = field(default_factory=list)
    cached: dict[str, None] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    ending: BaseException | None = None


def run_plan(
    plan: Plan,
    store: Store,
    runtime: Runtime,
    *,
    observer: Observer | None = None,
    workers: int = 1,
    only: str | None = None,
    retry: bool = True,
    strict: bool = False,
    keep: Keep = "intermediates",
    droppable: Iterable[str] = (),
    first: Iterable[str] = DATA_KINDS,
    budget: Budget | None = None,
) -> Outcome:
    """Compute what is missing of `plan`.

    Args:
        plan: the stages.
        store: where artefacts are looked for and put.
        runtime: handed to the stages; with several workers the CPU cores are shared out.
        observer: hears what happens.
        workers: stages at a time; more than one runs them in processes of their own.
        only: glob on labels or kind names, or the start of a key; then these are wanted
            instead of the leaves.
        retry: run stages that failed in an earlier run again.
        strict: refuse artefacts that were made by source that has changed since.
        keep: ``intermediates`` removes `droppable` artefacts that have served; ``all`` does not.
        droppable: keys whose artefact only serves its readers, unless `only` asks for it.
        first: names of the kinds that everything else waits for.
        budget: stages that it has no room for are not started.

    Raises:
        MidwayError: a stage found that study, data or encoder are wrong (exit code 2).
        StoreError: the store cannot be used, or `strict` refuses an artefact.
        UsageError: `only` fits no stage.
        Interrupted: the user stopped the run; what is finished is kept.
    """
    roots = select(plan, only)
    run = _Run(
        plan=plan,
        store=store,
        observer=observer or Silent(),
        roots=roots,
        first=frozenset(first),
        droppable=frozenset(droppable if keep == "intermediates" else ()) - {s.key for s in roots},
        budget=budget,
    )
    _look(run)
    _check_history(run, strict=strict)
    if not retry:
        _refuse_failed(run)
    if run.queue:
        _work(run, runtime, workers=workers)
    drop_served(plan, store, run.droppable, run.observer.notice)
    return Outcome(tuple(run.done), tuple(run.cached), run.failed, run.skipped, tuple(run.queue))


def _work(run: _Run, runtime: Runtime, *, workers: int) -> None:
    observer, flag = run.observer, StopFlag()
    listener = Listener(observer.started, observer.progressed, observer.notice, flag)
    engine = local_engine(run.store, runtime, listener, workers=min(workers, len(run.queue)))

    def on_first() -> None:
        # In a thread: the signal may have come while this one was writing to the terminal.
        text = "stopping; finished stages are kept (once more to stop at once)"
        threading.Thread(target=observer.notice, args=(text,), daemon=True).start()

    try:
        with stop_on_signals(flag, on_first=on_first, on_second=engine.kill):
            _loop(run, engine, flag)
    finally:
        engine.close()


def _loop(run: _Run, engine: Engine, flag: StopFlag) -> None:
    while run.queue or run.running:
        if flag() and run.ending is None:
            run.ending = Interrupted("interrupted; run again to continue")
            engine.stop()
        if run.ending is None:
            while len(run.running) < engine.capacity and (stage := _next(run)) is not None:
                if has_served(run.plan, run.store, run.droppable, stage.key):
                    _handle(run, stage, Result("present"))
                    continue
                run.running.add(stage.key)
                if run.budget is not None:
                    run.budget.started(stage)
                engine.submit(stage)
            if not run.running and next(_ready(run), None) is None:
                return  # the budget has no room for what is left
        elif not run.running:
            raise run.ending
        for stage, result in engine.wait(_POLL_SECONDS):
            run.running.discard(stage.key)
            _handle(run, stage, result)
            if run.ending is not None:
                engine.stop()


def _next(run: _Run) -> Stage | None:
    """Return the first stage that can run now, or None if all wait for something."""
    return next((s for s in _ready(run) if run.held.get(s.key, 0.0) <= time.monotonic()), None)


def _ready(run: _Run) -> Iterator[Stage]:
    """Yield, in order, what waits for no other stage and fits the budget."""
    for key, stage in run.queue.items():
        if run.early and key not in run.early:
            return
        if key in run.running or any(item.key in run.queue for item in stage.inputs.values()):
            continue
        if run.budget is None or run.budget.allows(stage):
            yield stage


def _handle(run: _Run, stage: Stage, result: Result) -> None:
    if run.budget is not None:
        facts = result.facts if result.status == "done" else None
        run.budget.ended(stage, result.seconds, facts)
    match result.status:
        case "done":
            _remove(run, stage)
            run.done.append(stage.key)
            run.observer.finished(stage, result.seconds, result.facts)
            served = {item.key for item in stage.inputs.values()} & run.droppable
            drop_served(run.plan, run.store, served, run.observer.notice)
        case "present":
            _remove(run, stage)
            run.cached[stage.key] = None
            run.observer.cached(stage)
        case "busy" | "lost":
            if stage.key not in run.held:
                run.observer.notice(f"{result.message}; waiting for it")
            run.held[stage.key] = time.monotonic() + _POLL_SECONDS
        case "inputs":
            run.restarts[stage.key] += 1
            if run.restarts[stage.key] > _MOST_RESTARTS:
                _fail(run, stage, result.message)
                return
            run.observer.notice(result.message)
            _look(run)
        case "failed":
            _fail(run, stage, result.message)
        case "interrupted":
            run.ending = run.ending or Interrupted("interrupted; run again to continue")
        case "fatal" | "store":  # an interrupt or an earlier error stays what the user is told
            run.ending = run.ending or as_error(result)


def _look(run: _Run) -> None:
    """Find out what is missing now, and in which order to compute it."""
    found = survey(
        run.store,
        run.roots,
        trusted=run.cached.keys() | set(run.done),
        blocked=run.failed.keys() | run.skipped.keys(),
    )
    for line in found.damaged:
        run.observer.notice(line)
    early: set[str] = set()
    pending = [stage for stage in found.missing.values() if stage.kind.name in run.first]
    while pending:
        stage = pending.pop()
        if stage.key in found.missing and stage.key not in early:
            early.add(stage.key)
            pending += stage.inputs.values()
    order = [stage for stage in run.plan.stages if stage.key in found.missing]
    order.sort(key=lambda stage: stage.key not in early)  # stable: depth first within each part
    run.queue = {stage.key: stage for stage in order}
    run.early = early
    known = run.cached.keys() | run.running | set(run.done)
    for stage in found.hits:
        if stage.key not in known:
            run.cached[stage.key] = None
            run.observer.cached(stage)
    run.observer.planned(len(run.done) + len(run.failed) + len(run.queue))


def _remove(run: _Run, stage: Stage) -> None:
    run.queue.pop(stage.key, None)
    run.early.discard(stage.key)


def _fail(run: _Run, stage: Stage, message: str) -> None:
    """Record a failure; what needs the stage, and what only that needs, is not run."""
    run.failed[stage.key] = message
    run.observer.failed(stage, message)
    pending, lost = [stage.key], []
    while pending:
        for reader in run.plan.readers[pending.pop()]:
            if reader in run.queue and reader not in run.skipped:
                run.skipped[reader] = stage.key
                lost.append(run.plan.by_key[reader].label or reader[:12])
                pending.append(reader)
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        name = stage.label or stage.kind.name
        run.observer.notice(f"not run because {name} failed: {', '.join(lost[:3])}{more}")
    _look(run)


def _refuse_failed(run: _Run) -> None:
    for key, stage in list(run.queue.items()):
        if key in run.queue and run.store.failure(key).is_file():
            _fail(run, stage, "failed before; run without --no-retry to try it again")


def _check_history(run: _Run, *, strict: bool) -> None:
    manifests = history(run.plan, run.store, run.queue)
    drifted = drift(run.plan, manifests)
    if drifted and strict:
        raise StoreError(
            f"{'; '.join(drifted)}; --strict refuses them: use another --store, or run without "
            "--strict to accept them"
        )
    for line in drifted + rebuilt_inputs(run.plan, manifests):
        run.observer.notice(line)
