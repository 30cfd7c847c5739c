"""Fetching from the hub: Parquet by repository id, pinned to a commit.

1. `survey` says what a fetch would do. The first time it asks the hub which commit the revision
   stands for; from then on the lock file's commit is used, until it is asked to update. When all
   is at hand nothing is asked.
2. `fetch` downloads what is missing (`midway.tasks.hub.transfer`). A split enters the lock file
   when all its files are in their places.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from midway.errors import DataError
from midway.store.fs import replace_text
from midway.tasks.hub.lock import (
    HUB,
    Pinned,
    file_of,
    in_part,
    lock_file,
    lock_text,
    read_lock,
)
from midway.tasks.hub.patience import patiently
from midway.tasks.hub.transfer import RemoteFile, Watch, download, matches, sha256_of

LISTING_SECONDS = 60.0  # the hub looks up the size of each file


@dataclass(frozen=True)
class Order:
    """What fetching parts of one data set comes to.

    Attributes:
        repo: id of the data set.
        revision: the branch, tag or commit that the card names.
        commit: what is fetched.
        parts: folder ``<config>/<split>`` → its files, none if the data set has no such folder.
        todo: the files that are not at hand.
        outdated: folders in the lock file that an update takes out, because they changed.
    """

    repo: str
    revision: str
    commit: str
    parts: Mapping[str, tuple[RemoteFile, ...]]
    todo: tuple[RemoteFile, ...]
    outdated: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.todo)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the right to write below ``<folder>/hub``.

    Raises:
        DataError: another process holds it, or the folder cannot be written.
    """
    import fcntl  # not on every system, and only needed here

    path = folder / HUB / ".fetching"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise DataError(
            f"{path.parent} cannot be written ({error.strerror}); choose another folder with --data"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(
                f"another `midway data fetch` is writing to {path.parent}; wait until it has ended"
            ) from error
        yield


def survey(
    folder: Path,
    repo: str,
    revision: str,
    parts: Sequence[str],
    notice: Callable[[str], None],
    *,
    update: bool = False,
) -> Order:
    """Say what fetching `parts` of a data set comes to.

    Args:
        folder: the data folder.
        repo: id of the data set.
        revision: the branch, tag or commit that the card names.
        parts: the folders ``<config>/<split>`` that are wanted.
        notice: told when the hub has to be asked again.
        update: resolve the revision anew.

    Raises:
        DataError: the hub cannot be reached or has no such data set, or has only a part of one
            of the folders.
    """
    pinned = read_lock(folder).get(repo)
    if pinned is not None and pinned.revision != revision:
        pinned = None
    if pinned is not None and not update:
        here = {part: _locked(pinned, part) for part in parts}
        settled = (part in pinned.absent or _complete(folder, repo, here[part]) for part in parts)
        if all(settled):
            return Order(repo, revision, pinned.commit, here, ())
    wanted = revision if pinned is None or update else pinned.commit
    commit, listed = patiently(
        repo, wanted, lambda: _listing(repo, wanted), notice, pinned=wanted != revision
    )
    if wanted != revision and commit != wanted:
        raise DataError(
            f"{repo}: asked for commit {wanted[:12]}, the hub answered {commit[:12]}; check "
            "HF_ENDPOINT, or take what is there now with --update"
        )
    found = {part: _part(repo, commit, part, listed) for part in parts}
    files = tuple(file for part in found.values() for file in part)
    outdated = _outdated(pinned, listed) if pinned else ()
    return Order(repo, revision, commit, found, _missing(folder, repo, files), outdated)


def fetch(folder: Path, order: Order, watch: Watch) -> None:
    """Download what is missing and write the lock file; the caller holds `exclusive`.

    Raises:
        DataError: the hub fails for good, or sends something else than it announced.
    """
    pinned = _pin(folder, order)
    missing = set(order.todo)
    for part, files in order.parts.items():
        entries = {}
        for file in files:
            path = file_of(folder, order.repo, file.path)
            if file in missing:
                download(order.repo, order.commit, file, path, watch)
            entries[file.path] = file.sha256 or sha256_of(path), file.size
        absent = pinned.absent if files else tuple({*pinned.absent, part})
        grown = replace(pinned, files={**pinned.files, **entries}, absent=absent)
        if grown != pinned:
            pinned = grown
            _write(folder, order.repo, pinned)


def _pin(folder: Path, order: Order) -> Pinned:
    """Return the lock's entry for the order's commit; a new one is written down at once."""
    old = read_lock(folder).get(order.repo)
    if old is not None and (old.revision, old.commit) == (order.revision, order.commit):
        return old
    gone = set(order.outdated)
    files = old.files if old is not None and old.revision == order.revision else {}
    kept = {path: facts for path, facts in files.items() if path.rpartition("/")[0] not in gone}
    pinned = Pinned(order.revision, order.commit, kept)
    _write(folder, order.repo, pinned)
    return pinned


def _write(folder: Path, repo: str, pinned: Pinned) -> None:
    path = lock_file(folder)
    try:
        replace_text(path, lock_text({**read_lock(folder), repo: pinned}))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}); make room or choose another folder with "
            "--data, then run the same command again"
        ) from error


def _locked(pinned: Pinned, part: str) -> tuple[RemoteFile, ...]:
    files = pinned.part(part).items()
    return tuple(RemoteFile(path, size, sha256) for path, (sha256, size) in files)


def _complete(folder: Path, repo: str, files: Sequence[RemoteFile]) -> bool:
    return bool(files) and not _missing(folder, repo, files)


def _missing(folder: Path, repo: str, files: Sequence[RemoteFile]) -> tuple[RemoteFile, ...]:
    """Return the files that are not at hand, or not as they should be."""
    return tuple(file for file in files if not matches(file_of(folder, repo, file.path), file))


def _listing(repo: str, revision: str) -> tuple[str, dict[str, RemoteFile]]:
    """Ask the hub for a commit and its Parquet files."""
    from huggingface_hub import HfApi

    api = HfApi()
    info = api.dataset_info(repo, revision=revision, files_metadata=True, timeout=LISTING_SECONDS)
    commit = info.sha or ""
    if len(commit) != 40 or not set(commit) <= set("0123456789abcdef"):
        raise ValueError(f"no commit, but {commit!r:.50}")
    files = {}
    for item in info.siblings or ():
        sha256 = item.lfs.sha256 if item.lfs else ""
        size = item.size if item.size is not None else (item.lfs.size if item.lfs else None)
        if not item.rfilename.endswith(".parquet"):
            continue
        if size is None or not (sha256 or item.blob_id):
            raise ValueError(f"no size or digest of {item.rfilename!r:.80}")
        files[item.rfilename] = RemoteFile(item.rfilename, size, sha256, item.blob_id or "")
    return commit, files


def _part(
    repo: str, commit: str, part: str, listed: Mapping[str, RemoteFile]
) -> tuple[RemoteFile, ...]:
    """Return the files of ``<config>/<split>`` in order, none if there are none."""
    files = tuple(listed[path] for path in sorted(listed) if in_part(path, part))
    config, _, split = part.rpartition("/")
    partial = f"{config}/partial-{split}"
    if not files and any(in_part(path, partial) for path in listed):
        raise DataError(
            f"{repo} at {commit[:12]} has only a part of {part} as Parquet ({partial}), which is "
            "not used; leave it out with --splits or --languages, or get the publisher's files"
        )
    return files


def _outdated(pinned: Pinned, listed: Mapping[str, RemoteFile]) -> tuple[str, ...]:
    """Return the folders of the lock file that are not the same in the listing."""
    folders = sorted({path.rpartition("/")[0] for path in pinned.files})
    return tuple(
        folder
        for folder in folders
        if {path: facts[0] for path, facts in pinned.part(folder).items()}
        != {path: file.sha256 for path, file in listed.items() if in_part(path, folder)}
    )
