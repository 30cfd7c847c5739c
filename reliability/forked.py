"""Run the command line in forks of a process that has loaded everything: seconds saved each."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reliability.study import Said, environment


def load() -> None:
    """Import what a run imports, once."""
    import midway.cli.main
    import midway.stages.predict
    import midway.stages.score
    import midway.stages.search
    import midway.stages.train

    del midway


@dataclass(frozen=True)
class Fork:
    """A run in a process group of its own.

    Attributes:
        pid: of the process.
        log: what it says on stderr.
    """

    pid: int
    log: Path

    def wait(self, seconds: float) -> bool:
        """Wait up to so many seconds; whether it has ended (it is not reaped)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return True
            time.sleep(0.01)
        return False

    def kill(self) -> None:
        """SIGKILL to it and its children."""
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def finish(self) -> Said:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        return Said(os.waitstatus_to_exitcode(status), self.log.read_text(encoding="utf-8"))


def fork(
    arguments: Sequence[str],
    cwd: Path,
    log: Path,
    *,
    before: Callable[[], None] = lambda: None,
    after: Callable[[], None] = lambda: None,
) -> Fork:
    """Start ``midway`` with some arguments.

    Args:
        arguments: of the command line.
        cwd: where.
        log: for its stderr.
        before: called in the fork before it begins.
        after: called in it at the end.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Fork(pid, log)
    status = 70
    try:
        os.setsid()
        os.chdir(cwd)
        os.environ.update(environment())
        with log.open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        before()
        status = _command(arguments)
        after()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _command(arguments: Sequence[str]) -> int:
    from midway.cli.main import main

    sys.argv = ["midway", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
