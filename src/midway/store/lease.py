"""A lease says who is computing a key, so that two runs do not do the same work.

Leases are advisory: without them results are still right, only work is wasted. The owner
refreshes the time of the file; a file that is not refreshed belongs to a dead owner.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midway.errors import StoreError
from midway.store.fs import replace_text, trouble

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0


class LeaseLostError(StoreError):
    """Another run took the lease over; this one must stop computing."""


@dataclass(frozen=True)
class Owner:
    """Who holds a lease; `age` is the number of seconds since its last heartbeat."""

    host: str
    pid: int
    token: str
    age: float

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def is_dead(owner: Owner, *, stale: float = STALE_SECONDS) -> bool:
    """Tell whether an owner is gone: no heartbeat, or a process of this host that ended."""
    if owner.age > stale:
        return True
    return owner.host == socket.gethostname() and not process_runs(owner.pid)


def read_owner(path: Path) -> Owner | None:
    """Return the owner of the lease file at `path`; None if nobody holds it."""
    try:
        age = max(0.0, time.time() - path.stat().st_mtime)
        entry = json.loads(path.read_bytes())
        return Owner(str(entry["host"]), int(entry["pid"]), str(entry["token"]), age)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        # being written, or damaged: wait until it is stale
        return Owner("an unknown host", 0, "", age)


class Lease:
    """A lease that is held; a thread keeps it fresh until it is released or lost."""

    def __init__(self, path: Path, token: str, *, note: str, beat: float) -> None:
        self.note = note
        self._path = path
        self._token = token
        self._lost = threading.Event()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._keep, args=(beat,), daemon=True)
        self._thread.start()

    @property
    def lost(self) -> bool:
        """True once another run has taken the lease over."""
        return self._lost.is_set()

    def release(self) -> None:
        """Give the lease back; harmless if it was lost."""
        self._released.set()
        # The heartbeat must have ended, or it could refresh the lease of the next owner.
        self._thread.join()
        if self._is_ours():
            try:
                self._path.unlink(missing_ok=True)
            except OSError:  # it will be stale in a minute
                return

    def _keep(self, beat: float) -> None:
        while not self._released.wait(beat):
            if not self._is_ours():
                self._lost.set()
                return
            try:
                os.utime(self._path)
            except OSError:
                continue

    def _is_ours(self) -> bool:
        try:
            owner = read_owner(self._path)
        except OSError:  # cannot tell; assume so until the file says otherwise
            return True
        return owner is not None and owner.token == self._token


def acquire(
    folder: Path, key: str, *, beat: float = BEAT_SECONDS, stale: float = STALE_SECONDS
) -> Lease | Owner:
    """Take the lease of `key`, or return its living owner.

    A lease whose owner is dead is taken over; `Lease.note` then says so.

    Raises:
        StoreError: the store cannot be written.
    """
    path = folder / f"{key}.json"
    token = os.urandom(8).hex()
    entry = {"host": socket.gethostname(), "pid": os.getpid(), "token": token}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                json.dump(entry, file)
        except FileExistsError:
            return _take_over(path, entry, beat=beat, stale=stale)
    except OSError as error:
        raise trouble(folder.parent, "taking a lease", error) from error
    return Lease(path, token, note="", beat=beat)


def _take_over(path: Path, entry: Mapping[str, Any], *, beat: float, stale: float) -> Lease | Owner:
    owner = read_owner(path)
    if owner is not None and not is_dead(owner, stale=stale):
        return owner
    replace_text(path, json.dumps(entry))
    current = read_owner(path)
    if current is not None and current.token != entry["token"]:
        return current  # another run took it over just now
    note = f"took over from {owner}, last seen {owner.age:.0f} s ago" if owner else ""
    return Lease(path, entry["token"], note=note, beat=beat)


def process_runs(pid: int) -> bool:
    """Tell whether this host has a process `pid`."""
    if pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # OverflowError: no system has such a number
        return False
    except PermissionError:
        return True
    return True
