"""Engines of one machine: in this process, or in worker processes with the threads shared out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from typing import Any

from midway.graph.children import (
    CONTEXT,
    Pipe,
    death,
    end_with_parent,
    nth_device,
    runtime_of_worker,
    spawn,
)
from midway.graph.engines.base import Engine, Listener
from midway.graph.execute import Hooks, Result, execute
from midway.graph.stage import Progress, Runtime, Stage
from midway.store.local import Store

_PROGRESS_SECONDS = 0.1


class InProcess:
    """Executes one stage at a time in this process, when it is waited for."""

    capacity = 1

    def __init__(self, store: Store, runtime: Runtime, listener: Listener) -> None:
        self._store, self._runtime, self._listener = store, runtime, listener
        self._pending: list[Stage] = []

    def submit(self, stage: Stage) -> None:
        """See `Engine`."""
        self._pending.append(stage)

    def wait(self, seconds: float) -> list[tuple[Stage, Result]]:
        """See `Engine`; runs the stage to its end."""
        if not self._pending:
            time.sleep(seconds)
            return []
        stage, listener = self._pending.pop(0), self._listener
        hooks = Hooks(
            started=lambda: listener.started(stage),
            progressed=lambda progress: listener.progressed(stage, progress),
            notice=listener.notice,
            stopping=listener.stopping,
        )
        return [(stage, execute(stage, self._store, self._runtime, hooks))]

    def stop(self) -> None:
        """See `Engine`; the stage asks the listener."""

    def kill(self) -> None:
        """See `Engine`; this process ends itself."""

    def close(self) -> None:
        """See `Engine`."""


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: "Pipe[Any, Any]"
    stage: Stage | None = field(default=None)


class Workers:
    """Executes stages in spawned processes, one stage each at a time."""

    def __init__(self, store: Store, runtime: Runtime, listener: Listener, *, count: int) -> None:
        self.capacity = count
        self._store, self._runtime = store, runtime_of_worker(runtime, count)
        self._listener = listener
        self._stop = CONTEXT.Event()
        self._workers = [self._spawn(number) for number in range(count)]

    def _spawn(self, number: int) -> _Worker:
        runtime = self._runtime
        if runtime.device == "cuda":  # else the user has named one of them
            runtime = replace(runtime, device=nth_device("cuda", number * runtime.processes))
        return _Worker(*spawn(_work, self._stop, self._store, runtime))

    def submit(self, stage: Stage) -> None:
        """See `Engine`."""
        worker = next(worker for worker in self._workers if worker.stage is None)
        worker.stage = stage
        worker.pipe.send(stage)

    def wait(self, seconds: float) -> list[tuple[Stage, Result]]:
        """See `Engine`."""
        ended = []
        busy = {worker.pipe: worker for worker in self._workers if worker.stage is not None}
        if not busy:
            time.sleep(seconds)
        for pipe in connection.wait(list(busy), timeout=seconds) if busy else []:
            worker = busy[pipe]  # type: ignore[index]
            stage = worker.stage
            assert stage is not None
            result = self._receive(worker, stage)
            if result is not None:
                worker.stage = None
                ended.append((stage, result))
        return ended

    def _receive(self, worker: _Worker, stage: Stage) -> Result | None:
        """Pass on what a worker says; return its result if the stage has ended."""
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            number = self._workers.index(worker)
            self._workers[number] = self._spawn(number)
            return Result("failed", f"its worker process {death(worker.process)}", "died")
        match message:
            case Result():
                return message
            case Progress():
                self._listener.progressed(stage, message)
            case str():
                self._listener.notice(message)
            case _:
                self._listener.started(stage)
        return None

    def stop(self) -> None:
        """See `Engine`."""
        self._stop.set()

    def kill(self) -> None:
        """See `Engine`."""
        for worker in self._workers:
            worker.process.kill()

    def close(self) -> None:
        """See `Engine`; idle workers end by themselves, others are killed."""
        for worker in self._workers:
            if worker.stage is not None:
                worker.process.kill()
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join()
            worker.process.close()


def _work(pipe: "Pipe[Any, Any]", stop: Event, store: Store, runtime: Runtime) -> None:
    """Execute the stages that arrive until the pipe is closed."""
    end_with_parent()
    while True:
        try:
            stage = pipe.recv()
        except (EOFError, OSError):
            return
        hooks = Hooks(
            started=lambda: pipe.send(None),
            progressed=_throttled(pipe.send),
            notice=pipe.send,
            stopping=stop.is_set,
        )
        pipe.send(execute(stage, store, runtime, hooks))


def _throttled(send: Callable[[Progress], None]) -> Callable[[Progress], None]:
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PROGRESS_SECONDS or progress.done == progress.total:
            last = now
            send(progress)

    return report


def local_engine(store: Store, runtime: Runtime, listener: Listener, *, workers: int) -> Engine:
    """Return the engine for `workers` stages at a time on this machine."""
    if workers <= 1:
        device = nth_device(runtime.device, 0)
        return InProcess(store, replace(runtime, device=device), listener)
    return Workers(store, runtime, listener, count=workers)
