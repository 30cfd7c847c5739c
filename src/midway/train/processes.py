"""One training stage in several processes, on one GPU each or on CPU.

1. Every process holds the whole model and plans the same steps. Of each step it computes a share of
   the items, and the gradients are summed over the processes; then all take the same step.
2. The first process alone validates, saves, reports and writes the artefact; what it finds out and
   the others must know, it tells them (`from_first`).
3. The stage's own process only watches: it passes on what the first one reports, and ends all as
   soon as one has failed or died, since those that are left would wait for it for ever.

Any number of processes gives the same result but for the order of sums; the masks of torch's own
dropout (on CUDA, or of attention) depend on how a step is cut (`midway.train.step`).
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from midway.errors import StageError, UsageError
from midway.graph.children import CONTEXT, Pipe, death, end_with_parent, nth_device, spawn
from midway.graph.stage import Context, Progress, Runtime, StageFunction

T = TypeVar("T")

# A process may wait for another one that validates; it never waits for one that has died.
PATIENCE = timedelta(hours=2)
POLL_SECONDS = 0.2
STOP_SECONDS = 120.0  # to save a checkpoint
# That contact was lost is only news if no process has died or failed, which shows as quickly.
CAUSE_SECONDS = 3.0


class LostContactError(StageError):
    """A process could not go on without another one."""


def rank() -> int:
    """Number of this process among those that train together; 0 is the first."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def from_first(find: Callable[[], T]) -> T:
    """What the first process finds, in all of them; the others do not call `find`."""
    if size() == 1:
        return find()
    found = [find() if rank() == 0 else None]
    with _contact():
        dist.broadcast_object_list(found, src=0)
    return found[0]  # type: ignore[return-value]


def sum_gradients(parameters: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
    """Sum gradients, in place, and a loss over all processes; returns the loss.

    A parameter has no gradient afterwards if it had none in any process: AdamW leaves the head of
    an entry that was not drawn as it is.
    """
    if size() == 1:
        return loss
    used = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.uint8)
    with _contact():
        dist.all_reduce(used, dist.ReduceOp.MAX)  # on the host, so that no GPU is waited for
        going = [dist.all_reduce(loss, async_op=True)]
        for parameter, is_used in zip(parameters, used.tolist(), strict=True):
            if is_used:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                going.append(dist.all_reduce(parameter.grad, async_op=True))
        for work in going:
            work.wait()
    return loss


@contextmanager
def _contact() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostContactError(
            f"a training process lost contact with the others ({error}); run again to go on from "
            "the last checkpoint"
        ) from None


@dataclass(frozen=True)
class _Task:
    """What one of `count` processes does; they meet at the file `meeting`."""

    number: int
    count: int
    meeting: Path
    function: StageFunction
    spec: Any
    inputs: Mapping[str, Path]
    out: Path
    work: Path
    runtime: Runtime


def run_together(
    function: StageFunction, spec: Any, inputs: Mapping[str, Path], context: Context
) -> Mapping[str, Any]:
    """Run a stage function in `context.runtime.processes` processes; returns the first one's facts.

    Args:
        function: defined in a module; sees a runtime with one process, one device, its threads.
        spec: see `midway.graph.stage.StageKind`.
        inputs: see there.
        context: of the stage.

    Raises:
        StageError: one of the processes died.
        UsageError: there are fewer GPUs than processes.
        Exception: what the function raised in one of them.
    """
    runtimes = _runtimes(context.runtime)
    stop, members = CONTEXT.Event(), []
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        try:
            for number, runtime in enumerate(runtimes):
                task = _Task(
                    number, len(runtimes), meeting, function, spec, dict(inputs),
                    context.out, context.work, runtime,
                )  # fmt: skip
                members.append(spawn(_member, task, stop))
            return _watch(members, stop, context)
        finally:
            for process, pipe in members:
                process.kill()
                process.join()
                pipe.close()


def _runtimes(runtime: Runtime) -> list[Runtime]:
    """Threads are shared out, and every process has a GPU of its own."""
    count = runtime.processes
    if runtime.device.startswith("cuda") and torch.cuda.device_count() < count:
        raise UsageError(
            f"--processes {count}, but {torch.cuda.device_count()} GPUs; "
            "every process needs one of its own: choose a smaller number"
        )
    threads = max(1, (runtime.threads or torch.get_num_threads()) // count)
    return [
        replace(runtime, processes=1, threads=threads, device=nth_device(runtime.device, number))
        for number in range(count)
    ]


def _watch(
    members: Sequence[tuple[SpawnProcess, "Pipe[Any, Any]"]], stop: Event, context: Context
) -> Mapping[str, Any]:
    """Pass on reports until the first process has its facts, or one has failed or died."""
    pipes = {pipe: number for number, (_, pipe) in enumerate(members)}
    until = math.inf
    reason: BaseException = StageError(
        f"the {len(members)} training processes ended without a result; run again to go on from "
        "the last checkpoint"
    )
    while pipes and time.monotonic() < until:
        connection.wait(list(pipes), POLL_SECONDS)
        for pipe, number in [pair for pair in pipes.items() if pair[0].poll()]:
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                how = f"training process {number + 1} of {len(members)} {death(members[number][0])}"
                message = StageError(f"{how}; run again to go on from the last checkpoint")
            if isinstance(message, Progress):
                context.report(message)
                continue
            del pipes[pipe]
            if isinstance(message, LostContactError) and not stop.is_set():
                until, reason = min(until, time.monotonic() + CAUSE_SECONDS), message
            elif isinstance(message, BaseException):
                if not stop.is_set():
                    raise message
                if number == 0:
                    raise reason
            elif number == 0:
                facts: Mapping[str, Any] = message
                return facts
        try:
            if not stop.is_set():
                context.check()
        except KeyboardInterrupt as error:  # the first process saves, and ends
            stop.set()
            until, reason = time.monotonic() + STOP_SECONDS, error
    raise reason


def _member(pipe: "Pipe[Any, Any]", task: _Task, stop: Event) -> None:
    """Run the function as one of several processes; the last message is facts or an error."""
    end_with_parent()
    first, device = task.number == 0, task.runtime.device

    def check() -> None:
        if first and stop.is_set():
            raise KeyboardInterrupt

    def report(progress: Progress) -> None:
        if first:
            pipe.send(progress)

    context = Context(task.out, task.work, task.runtime, report, check)
    try:
        if device != "cpu":
            torch.cuda.set_device(device)
        dist.init_process_group(
            "gloo" if device == "cpu" else "cpu:gloo,cuda:nccl",
            init_method=f"file://{task.meeting}",
            rank=task.number,
            world_size=task.count,
            timeout=PATIENCE,
        )
        facts = task.function(task.spec, task.inputs, context)
        pipe.send(dict(facts) if first else None)
    except BaseException as error:  # noqa: BLE001 - the stage's own process raises it
        pipe.send(ExceptionWithTraceback(error, error.__traceback__))
