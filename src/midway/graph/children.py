"""Processes of our own on this machine: how they begin, and which GPU each of them takes."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from signal import SIG_BLOCK, SIG_SETMASK, SIGINT, SIGTERM, pthread_sigmask
from typing import Any

from midway.errors import UsageError
from midway.graph.stage import Runtime

CONTEXT = get_context("spawn")
Pipe = connection.Connection  # of pickled messages, in both directions


def spawn(target: Callable[..., None], *arguments: Any) -> tuple[SpawnProcess, "Pipe[Any, Any]"]:
    """Start ``target(pipe, *arguments)``; returns the process and our end of the pipe.

    It may start processes itself, and should call `end_with_parent` first.
    """
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=target, args=(theirs, *arguments))
    # Ctrl-C reaches the whole group, but the parent decides when its children stop: they are born
    # with these signals blocked, which leaves no moment at which one could hit them.
    before = pthread_sigmask(SIG_BLOCK, {SIGINT, SIGTERM})
    try:
        process.start()
    finally:
        pthread_sigmask(SIG_SETMASK, before)
    theirs.close()
    return process, ours


def end_with_parent() -> None:
    """End this process as soon as its parent has ended, also if that was killed."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def death(process: SpawnProcess) -> str:
    """How a process ended that has closed its pipe, in words."""
    process.join()
    hint = " (out of memory?)" if process.exitcode == -9 else ""
    return f"ended with code {process.exitcode}{hint}"


def runtime_of_worker(runtime: Runtime, workers: int) -> Runtime:
    """Several workers share out the threads; a single one keeps the library's default."""
    if runtime.threads or workers < 2:
        return runtime
    return replace(runtime, threads=max(1, (os.cpu_count() or 1) // workers))


def nth_device(device: str, place: int) -> str:
    """Return the device of the process at `place`: ``cuda:N`` counts on from N, and round.

    Raises:
        UsageError: there is no such GPU.
    """
    name, _, first = device.partition(":")
    if name != "cuda":
        return device
    import torch  # only where something is computed on a GPU

    number, count = int(first or 0), torch.cuda.device_count()
    if number >= count:
        raise UsageError(
            f"--device {device}, but torch finds {count} GPUs; choose another one, or --device cpu"
        )
    return f"cuda:{(number + place) % count}"
