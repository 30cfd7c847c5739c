"""Run one stage: lease, inputs verified, function, files made durable, renamed into place.

The same code runs in this process or in a worker; everything that happened comes back as one
`Result` of plain values.
"""

import os
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from midway import errors
from midway.errors import MidwayError, StoreError
from midway.graph.closure import code_of
from midway.graph.control import Interrupted
from midway.graph.stage import Context, Progress, Runtime, Stage
from midway.store.fs import is_full, remove, replace_text, trouble
from midway.store.lease import Lease, LeaseLostError, Owner, acquire
from midway.store.local import Store, seal_outputs
from midway.store.manifest import (
    DamagedError,
    InputRead,
    Manifest,
    current_environment,
    outputs_digest,
)

Status = Literal[
    "done",  # computed now
    "present",  # another run has computed it meanwhile
    "busy",  # another run is computing it
    "inputs",  # an input is missing or was damaged, and must be made first
    "lost",  # another run took the lease over
    "failed",  # the function raised
    "fatal",  # the function found that the study, data or encoder are wrong
    "store",  # the store cannot be written
    "interrupted",
]


@dataclass(frozen=True)
class Result:
    """What became of one stage.

    Attributes:
        status: see `Status`.
        message: one line for the user; empty if all is well.
        error: name of the class of the error, if there was one.
        seconds: wall time of the function.
        facts: what the function returned.
    """

    status: Status
    message: str = ""
    error: str = ""
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)


def as_error(result: Result) -> MidwayError:
    """Return the error of a ``fatal`` or ``store`` result, which another process may have met."""
    if result.status == "store":
        return StoreError(result.message)
    kind = getattr(errors, result.error, MidwayError)
    return kind(result.message) if issubclass(kind, MidwayError) else MidwayError(result.message)


@dataclass(frozen=True)
class Hooks:
    """Calls out of a running stage: it began, it got on, something to tell; shall it stop?"""

    started: Callable[[], None]
    progressed: Callable[[Progress], None]
    notice: Callable[[str], None]
    stopping: Callable[[], bool]


def conditions(runtime: Runtime) -> dict[str, Any]:
    """What the time of a stage depends on besides its work: machine, libraries, device, threads."""
    own = {
        "device": runtime.device.partition(":")[0],
        "threads": str(runtime.threads or os.environ.get("OMP_NUM_THREADS") or os.cpu_count()),
        "processes": runtime.processes,
        "micro_batch_tokens": runtime.micro_batch_tokens,
        "gradient_checkpointing": runtime.gradient_checkpointing,
    }
    return {**current_environment(), **own}


def execute(stage: Stage, store: Store, runtime: Runtime, hooks: Hooks) -> Result:
    """Compute the artefact of `stage`, whose inputs must be in the store. Never raises.

    Input artefacts are verified in full, once per process as long as they do not change.
    """
    try:
        lease = acquire(store.leases, stage.key)
        if isinstance(lease, Owner):
            return Result("busy", f"{stage.label} is being computed by {lease}")
        try:
            if lease.note:
                hooks.notice(f"{stage.label}: {lease.note}")
            if store.has(stage):
                return Result("present")
            return _compute(stage, store, runtime, hooks, lease)
        finally:
            lease.release()
    except KeyboardInterrupt:
        return Result("interrupted")
    except LeaseLostError as error:
        return Result("lost", str(error))
    except MidwayError as error:  # of the store; those of the function are dealt with below
        return Result("store", str(error), type(error).__name__)
    except OSError as error:
        return Result("store", str(trouble(store.root, f"preparing {stage.label}", error)))


def _compute(stage: Stage, store: Store, runtime: Runtime, hooks: Hooks, lease: Lease) -> Result:
    reads, problem = _read_inputs(stage, store)
    if problem:
        return Result("inputs", problem)
    out, work = store.staging(stage), store.work(stage)
    hooks.started()
    started, begin = datetime.now(UTC), time.perf_counter()

    def check() -> None:
        if hooks.stopping():
            raise Interrupted("stopped by the user")
        if lease.lost:
            raise LeaseLostError(
                f"{stage.label}: another run took it over; its result will be used"
            )

    folders = {role: store.path(item) for role, item in stage.inputs.items()}
    try:
        context = Context(out, work, runtime, hooks.progressed, check)
        facts = dict(stage.kind.run(stage.spec, folders, context))
        seconds = round(time.perf_counter() - begin, 3)
        check()
        manifest = Manifest(
            key=stage.key,
            stage=stage.kind.name,
            label=stage.label,
            text=stage.text,
            inputs=reads,
            outputs=seal_outputs(store, out),
            code=code_of(stage.kind.run),
            started=started.isoformat(timespec="milliseconds"),
            seconds=seconds,
            facts=facts,
            environment=conditions(runtime),
        )
        store.commit(stage, out, manifest)
    except Exception as error:  # noqa: BLE001 - whatever a stage raises, the others go on
        return _failure(stage, store, error)
    finally:
        remove(out)
    remove(work)
    return Result("done", seconds=seconds, facts=facts)


def _failure(stage: Stage, store: Store, error: Exception) -> Result:
    name = type(error).__name__
    if isinstance(error, LeaseLostError):
        raise error
    if isinstance(error, StoreError):
        return Result("store", str(error), name)
    if is_full(error):
        doing = f"computing {stage.label or stage.kind.name}"
        return Result("store", str(trouble(store.root, doing, error)), "StoreError")
    if isinstance(error, MidwayError) and error.exit_code == 2:
        return Result("fatal", str(error), name)
    if any(not store.has(item) for item in stage.inputs.values()):
        return Result("inputs", f"{stage.label}: an input was removed while it was read")
    text = "".join(traceback.format_exception(error))
    with suppress(OSError):  # the message below is shown in any case
        replace_text(store.failure(stage.key), f"{stage.label}\n{stage.text}\n\n{text}")
    message = str(error) if isinstance(error, MidwayError) else f"{name}: {error}"
    return Result("failed", " ".join(message.split()), name)


_verified: dict[tuple[str, str], tuple[int, ...]] = {}


def _read_inputs(stage: Stage, store: Store) -> tuple[dict[str, InputRead], str]:
    """Verify every byte of the inputs; damaged ones are moved away and must be made again."""
    reads = {}
    for role, item in stage.inputs.items():
        place = (str(store.root), item.key)
        try:
            seen = _state_of(store.path(item))
            artefact = store.open(item, full=_verified.get(place) != seen)
        except DamagedError as error:
            store.quarantine(item)
            return {}, f"{error}; it was moved away and is computed again"
        except FileNotFoundError:
            artefact = None
        if artefact is None:
            return {}, f"{item.label} is not in the store any more and is computed again"
        _verified[place] = seen
        manifest = artefact.manifest
        reads[role] = InputRead(item.kind.name, item.key, outputs_digest(manifest.outputs))
    return reads, ""


def _state_of(folder: Path) -> tuple[int, ...]:
    """Return sizes and times of all files: while these stay, verified bytes are not read again."""
    stats = [path.stat() for path in sorted(folder.rglob("*"))]
    return tuple(n for stat in stats for n in (stat.st_size, stat.st_mtime_ns, stat.st_ino))
