"""The lock file: which commit of the hub each data set is pinned to, and what its files hold.

``<data folder>/hub/lock.json`` is written by `midway.tasks.hub.client`. The files lie beside it as
``hub/<owner>/<name>/<config>/<split>/NNNN.parquet``. Only files that the lock names are ever
read, and it names those of a split when all of them are there and verified, so a fetch that was
interrupted leaves nothing behind that could be taken for a whole.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from midway.canonical import file_digest
from midway.errors import DataError
from midway.tasks.card import DataFolders, HubSource
from midway.tasks.sources import read_text

HUB, LOCK, VERSION = "hub", "lock.json", 1


@dataclass(frozen=True)
class Pinned:
    """One data set at one commit.

    Attributes:
        revision: the branch, tag or commit that was asked for.
        commit: what it stood for at first use.
        files: path in the repository → SHA-256 and size, of complete splits only.
        absent: folders ``<config>/<split>`` that were wanted and that this commit does not have.
    """

    revision: str
    commit: str
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    def part(self, folder: str) -> dict[str, tuple[str, int]]:
        """Return the files of ``<config>/<split>``, in order of their shards."""
        return {path: self.files[path] for path in sorted(self.files) if in_part(path, folder)}


Lock = Mapping[str, Pinned]


def in_part(path: str, folder: str) -> bool:
    """Tell whether a path is ``<folder>/NNNN.parquet``."""
    parent, _, name = path.rpartition("/")
    stem, dot, kind = name.partition(".")
    return parent == folder and stem.isascii() and stem.isdigit() and dot + kind == ".parquet"


def lock_file(folder: Path) -> Path:
    """Return where a data folder's lock is."""
    return folder / HUB / LOCK


def file_of(folder: Path, repo: str, path: str) -> Path:
    """Return where a file of a data set lies in a data folder."""
    return folder / HUB / repo / path


def read_lock(folder: Path) -> Lock:
    """Return a data folder's lock, empty if there is none.

    Raises:
        DataError: the file is damaged.
    """
    path = lock_file(folder)
    try:
        state = path.stat()
    except OSError:
        return {}
    return _read(path, (state.st_ino, state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=16)
def _read(path: Path, state: tuple[int, int, int]) -> Lock:
    del state  # a changed file is read again
    try:
        document = json.loads(read_text(path))
        if document["version"] != VERSION:
            raise DataError(
                f"{path}: version {document['version']!r:.20}, expected {VERSION}; it was written "
                "by another version of midway, move it away and run `midway data fetch` again"
            )
        return {str(repo): _pinned(entry) for repo, entry in document["repositories"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: not a lock file ({type(error).__name__}: {error}); move it away and run "
            "`midway data fetch` again, files that are intact are kept"
        ) from error


def _pinned(entry: Mapping[str, Any]) -> Pinned:
    files = {
        str(path): (str(facts["sha256"]), int(facts["size"]))
        for path, facts in entry["files"].items()
    }
    return Pinned(
        str(entry["revision"]), str(entry["commit"]), files, tuple(entry.get("absent", ()))
    )


def lock_text(lock: Lock) -> str:
    """Return the lock file's text."""
    repositories = {
        repo: {
            "revision": pinned.revision,
            "commit": pinned.commit,
            "files": {
                path: {"sha256": sha256, "size": size}
                for path, (sha256, size) in sorted(pinned.files.items())
            },
            "absent": sorted(pinned.absent),
        }
        for repo, pinned in sorted(lock.items())
    }
    document = {"version": VERSION, "repositories": repositories}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def hub_files(hub: HubSource, folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    """Return the files of one split and language in the first data folder that has them.

    Raises:
        DataError: a lock file is damaged.
    """
    parts = hub.parts(split, language)
    for folder in folders if parts else ():
        pinned = read_lock(folder).get(hub.repo)
        named = [pinned.part(part) for part in parts] if pinned else []
        paths = [file_of(folder, hub.repo, path) for files in named for path in files]
        # If all were deleted the split is absent; if some were, reading says which one is missing.
        if named and all(named) and any(path.is_file() for path in paths):
            return tuple(paths)
    return ()


def is_hub_file(path: Path) -> bool:
    """Tell whether a file is one of the hub's."""
    return path.suffix == ".parquet"


def verify(folders: DataFolders, path: Path) -> None:
    """Compare a file of the hub with the lock.

    Raises:
        DataError: it is not what the lock says, or the lock does not name it.
    """
    for folder in folders:
        for repo, pinned in read_lock(folder).items():
            home = folder / HUB / repo
            if path.is_relative_to(home):
                name = path.relative_to(home).as_posix()
                expected = pinned.files.get(name, ("", 0))[0]
                if file_digest(path) != expected:
                    raise DataError(
                        f"{path}: differs from what {lock_file(folder)} says of it (sha256 "
                        f"{expected[:12] or 'none'}…); run `midway data fetch` for this task again"
                    )
                return
    raise DataError(f"{path}: in no lock file; run `midway data fetch` for this task again")
