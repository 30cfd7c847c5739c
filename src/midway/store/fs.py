"""Files that survive a crash: fsync, atomic replacement, and errors said in one line."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from midway.errors import MidwayError, StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BLOCK = 1 << 20


def is_full(error: BaseException) -> bool:
    """Tell whether `error` says that the disk, or the user's share of it, is full."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    # Writers in other languages report the errno only in their text.
    return "No space left on device" in str(error) and not isinstance(error, MidwayError)


def trouble(root: Path, doing: str, error: BaseException) -> StoreError:
    """Return `error` as a StoreError of one clear line."""
    if is_full(error):
        return StoreError(
            f"the disk of the store {root} is full ({doing}); make room, e.g. with `midway store "
            "gc`, then run again: everything finished is kept"
        )
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if isinstance(error, OSError) and error.errno in _REFUSED:
        return StoreError(
            f"the store {root} cannot be written ({doing}: {reason}); choose another with "
            "--store or MIDWAY_STORE"
        )
    return StoreError(
        f"the store {root} cannot be used ({doing}: {reason}); choose another with --store or "
        "MIDWAY_STORE"
    )


@contextmanager
def guarded(root: Path, doing: str) -> Iterator[None]:
    """Turn any OSError inside into a StoreError about the store at `root`."""
    try:
        yield
    except OSError as error:
        raise trouble(root, doing, error) from error


@contextmanager
def written(folder: Path) -> Iterator[Path]:
    """A new folder; at the end its files replace those of `folder`, which never has half a file.

    Raises:
        StoreError: `folder` cannot be written; its old files are as they were.
    """
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".new-") as name:
            new = Path(name)
            yield new
            for path in sorted(new.iterdir()):
                path.replace(folder / path.name)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn any OSError inside into a StoreError about outputs at `path`."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or error}); make room, or choose another "
            "place with --out. Everything computed is kept in the store"
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durable(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to a new or existing file and make its bytes durable."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def replace_text(path: Path, text: str) -> None:
    """Give `path` the content `text` in one step: a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        write_durable(aside, text)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def sync_and_hash(path: Path) -> tuple[str, int]:
    """Make the bytes of a file durable; return their SHA-256 and their number."""
    sha256, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            size += len(block)
        os.fsync(file.fileno())
    return sha256.hexdigest(), size


def tree_bytes(folder: Path) -> int:
    """Return the bytes of all files below `folder`; what vanishes meanwhile counts as none."""
    total = 0
    for path in [folder] if folder.is_file() else folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def remove(path: Path) -> None:
    """Remove a file or a tree; another process may be removing it too."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
