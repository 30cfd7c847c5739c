"""One file of the hub: fetched, continued, verified.

A file is written beside its place under a name that holds the digest it must have, so what an
interrupted download left is only ever continued as the same file. It is moved to its place when
its digest is right. (The hub's own client throws an unfinished file away when its process ends;
the addresses, the session, the token and the errors are the client's.)
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.tasks.hub.patience import CutOffError, patiently

BLOCK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub describes it.

    Attributes:
        path: its path in the repository.
        size: in bytes.
        sha256: its digest, empty for a file that lies in git itself.
        blob: the git blob id of such a file.
    """

    path: str
    size: int
    sha256: str
    blob: str = ""

    @property
    def identity(self) -> str:
        """What tells its content from any other's."""
        return self.sha256 or self.blob


@dataclass(frozen=True)
class Watch:
    """Who is told of progress: bytes that arrived (negative if thrown away), and notices."""

    advance: Callable[[int], None]
    notice: Callable[[str], None]


def download(repo: str, commit: str, file: RemoteFile, target: Path, watch: Watch) -> None:
    """Put a file of a data set at `target`, continuing what is already there of it.

    Raises:
        DataError: the hub fails for good or sends other bytes, or the disk cannot be written.
    """
    aside = target.with_name(f".{target.name}.{file.identity[:16]}.part")
    name = f"{repo}/{file.path}"
    url = _address(repo, commit, file.path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        begun = _size(aside)
        watch.advance(begun)
        patiently(
            name,
            commit,
            lambda: _stream(url, file, aside, watch),
            watch.notice,
            progress=lambda: _size(aside) // BLOCK,
        )
        if not matches(aside, file):
            found = sha256_of(aside) if file.sha256 else _blob(aside)
            watch.advance(-_size(aside))
            aside.unlink()
            raise DataError(
                f"{name}: wrong checksum, expected {file.identity[:12]}…, got {found[:12]}…; "
                "the download was thrown away, run the same command again"
            )
        aside.replace(target)
        for stale in target.parent.glob(f".{target.name}.*.part"):  # of another commit
            stale.unlink()
    except OSError as error:
        raise DataError(
            f"{target} cannot be written ({error.strerror or error}); make room or choose another "
            "folder, then run the same command again: it continues"
        ) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _address(repo: str, commit: str, path: str) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(repo, path, repo_type="dataset", revision=commit)


def _stream(url: str, file: RemoteFile, aside: Path, watch: Watch) -> None:
    """Append to `aside` what is missing of a file.

    Raises:
        CutOffError: the transfer ended too early, without an error of its own.
    """
    from huggingface_hub import constants, get_session, hf_raise_for_status
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    done = _size(aside)
    if done > file.size:
        done = _restart(aside, done, watch)
    if done == file.size and file.size:
        return
    headers: dict[str, Any] = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
        if response.status_code >= 400:
            response.read()
            hf_raise_for_status(response)
        begins = response.headers.get("Content-Range", "")
        if done and not (response.status_code == 206 and begins.startswith(f"bytes {done}-")):
            done = _restart(aside, done, watch)  # the whole file came instead of the rest
        with aside.open("ab") as out:
            for chunk in response.iter_bytes():
                out.write(chunk)
                done += len(chunk)
                watch.advance(len(chunk))
                if done > file.size:
                    return  # the digest will be wrong, and that is what the user is told
    if done < file.size:
        raise CutOffError(f"{done:,} of {file.size:,} bytes")


def _restart(aside: Path, done: int, watch: Watch) -> int:
    aside.unlink()
    watch.advance(-done)
    return 0


def matches(path: Path, file: RemoteFile) -> bool:
    """Tell whether the bytes at `path` are those of `file`."""
    try:
        if path.stat().st_size != file.size:
            return False
        return (sha256_of(path) == file.sha256) if file.sha256 else (_blob(path) == file.blob)
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _blob(path: Path) -> str:
    """Return the id that git gives to the bytes of a file."""
    sha1 = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            sha1.update(block)
    return sha1.hexdigest()
