"""How a run ends early: the signals of the user, and what a stage sees of them."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """The user stopped the run; everything finished is kept and the next run continues.

    Not a MidwayError: like KeyboardInterrupt, it must pass through ``except Exception``.
    """

    exit_code = 130


class StopFlag:
    """Set by the first SIGINT or SIGTERM."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Tell whether the run shall stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask the run to stop."""
        self._event.set()


@contextmanager
def stop_on_signals(
    flag: StopFlag, *, on_first: Callable[[], None], on_second: Callable[[], None]
) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM set `flag`, and the second end the process.

    Args:
        flag: set by the first signal.
        on_first: called after the flag is set.
        on_second: called before the process ends, to end its children.

    Only the main thread can have handlers; in others, signals do what they did before.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        if flag():
            on_second()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        flag.set()
        on_first()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
