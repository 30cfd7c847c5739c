"""A store on a local or shared file system.

An artefact is written to ``staging/``, made durable, given its manifest and renamed into place.
At any instant it is wholly there or not there at all; of two writers the first rename wins.

Layout: ``artefacts/<stage>/<key>/``, ``work/<key>/`` (checkpoints, never read as results),
``leases/``, ``failures/<key>.txt`` (tracebacks), ``dropped/<key>.json`` (manifests of artefacts
that were removed to save space), ``damaged/`` (moved away, never read again), ``cache/``.
"""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midway.canonical import file_digest
from midway.errors import DataError, StageError, StoreError
from midway.store.fs import guarded, remove, replace_text, sync_and_hash, sync_folder, write_durable
from midway.store.lease import process_runs
from midway.store.manifest import (
    NAME,
    DamagedError,
    Identified,
    Manifest,
    Output,
    read_manifest,
    render,
)

# Files below this are hashed on every hit; larger ones when they are read as an input.
SMALL_BYTES = 8 << 20


@dataclass(frozen=True)
class Artefact:
    """A verified result: its folder and its manifest."""

    path: Path
    manifest: Manifest


@dataclass(frozen=True)
class Store:
    """Results under `root`. Nothing is written before the first artefact is."""

    root: Path

    def path(self, stage: Identified) -> Path:
        """Return the folder where the artefact of `stage` is, or would be."""
        return self.root / "artefacts" / stage.kind.name / stage.key

    def work(self, stage: Identified) -> Path:
        """Return the folder, made if need be, that survives a crash of `stage`."""
        folder = self.root / "work" / stage.key
        with guarded(self.root, "preparing a folder for checkpoints"):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def cache(self) -> Path:
        """Folder for accelerators that can be lost at any time."""
        return self.root / "cache"

    @property
    def leases(self) -> Path:
        """Folder of the leases."""
        return self.root / "leases"

    def has(self, stage: Identified) -> bool:
        """Tell whether `stage` has a complete artefact; `open` verifies it.

        Raises:
            StoreError: the store cannot be read.
        """
        with guarded(self.root, "looking for results"):
            return (self.path(stage) / NAME).is_file()

    def open(self, stage: Identified, *, full: bool = False) -> Artefact | None:
        """Return the artefact of `stage` after verifying it, or None if there is none.

        The text of the identity is compared, not only its hash, and every file must exist with
        its recorded size. Files below 8 MiB, or all of them if `full`, must have their SHA-256.

        Raises:
            DamagedError: something differs from what was written.
            StoreError: the store cannot be read.
        """
        folder = self.path(stage)
        with guarded(self.root, "reading a result"):
            manifest = read_manifest(folder / NAME)
            if manifest is None:
                return None
            if manifest.text != stage.text:
                raise DamagedError(f"{folder / NAME} describes another stage than its key says")
            check_outputs(folder, manifest, full=full)
        return Artefact(folder, manifest)

    def staging(self, stage: Identified) -> Path:
        """Return a new empty folder that `commit` can rename into place.

        What killed processes of this host left of the same stage is removed.
        """
        host = socket.gethostname()
        token = f"{stage.key}.{host}.{os.getpid()}.{os.urandom(4).hex()}"
        folder = self.root / "staging" / token
        with guarded(self.root, "preparing a folder for a result"):
            for path in folder.parent.glob(f"{stage.key}.{host}.*"):
                pid = path.name.split(".")[-2]
                if pid.isdecimal() and not process_runs(int(pid)):
                    remove(path)
            folder.mkdir(parents=True)
        return folder

    def commit(self, stage: Identified, staging: Path, manifest: Manifest) -> bool:
        """Make `staging` the artefact of `stage`; False if another writer was first.

        `manifest` must record the outputs that `seal_outputs` returned for `staging`.

        Raises:
            StoreError: disk full, no permission; nothing is half-written.
            StageError: the facts are not plain values.
        """
        try:
            text = render(manifest)
        except (TypeError, ValueError) as error:
            raise StageError(f"{stage.label}: facts that cannot be recorded: {error}") from error
        final = self.path(stage)
        with guarded(self.root, f"writing {stage.label or stage.kind.name}"):
            write_durable(staging / NAME, text)
            sync_folder(staging)
            final.parent.mkdir(parents=True, exist_ok=True)
            if final.is_dir() and not (final / NAME).is_file():
                self.set_aside(final)  # remains of something that was never complete
            try:
                staging.rename(final)
            except OSError:
                if not (final / NAME).is_file():
                    raise
                remove(staging)
                return False
            sync_folder(final.parent)
            (self.root / "dropped" / f"{stage.key}.json").unlink(missing_ok=True)
            self.failure(stage.key).unlink(missing_ok=True)
        return True

    def quarantine(self, stage: Identified) -> None:
        """Move the artefact of `stage` to ``damaged/``, where nothing reads it."""
        with guarded(self.root, "moving a damaged result away"):
            self.set_aside(self.path(stage))

    def set_aside(self, folder: Path) -> None:
        """Move a folder of the store to ``damaged/``; OSErrors are the caller's to tell."""
        target = self.root / "damaged"
        target.mkdir(parents=True, exist_ok=True)
        try:
            name = f"{folder.parent.name}-{folder.name}-{os.urandom(4).hex()}"
            folder.rename(target / name)
        except FileNotFoundError:  # another process was first
            return

    def drop(self, key: str) -> int:
        """Remove an artefact to save space, keeping its manifest; return the bytes freed."""
        folder = self._folder(key)
        manifest = self._read(folder / NAME) if folder else None
        if folder is None or manifest is None:
            return 0
        with guarded(self.root, "dropping a result that is not needed any more"):
            replace_text(self.root / "dropped" / f"{key}.json", render(manifest))
            aside = self.root / "staging" / f"{key}.dropped.0.{os.urandom(4).hex()}"
            aside.parent.mkdir(parents=True, exist_ok=True)
            try:
                folder.rename(aside)
            except FileNotFoundError:  # another process was first
                return 0
            remove(aside)
        return manifest.bytes

    def record(self, key: str, kind: str = "*") -> Manifest | None:
        """Return the manifest of a present or dropped artefact; None if there is none.

        Args:
            key: its key.
            kind: name of the kind, which saves looking for the folder.
        """
        folder = self._folder(key) if kind == "*" else self.root / "artefacts" / kind / key
        found = self._read(folder / NAME) if folder else None
        return found or self._read(self.root / "dropped" / f"{key}.json")

    def records(self, kind: str, *, dropped: bool = True) -> Iterator[Manifest]:
        """Yield the manifests of all artefacts of a kind, also `dropped` ones; skip damaged."""
        places = sorted((self.root / "artefacts" / kind).glob(f"*/{NAME}"))
        if dropped:
            places += sorted((self.root / "dropped").glob("*.json"))
        for path in places:
            manifest = self._read(path)
            if manifest is not None and manifest.stage == kind:
                yield manifest

    def failure(self, key: str) -> Path:
        """Return the file with the traceback of the last failure of `key`."""
        return self.root / "failures" / f"{key}.txt"

    def _folder(self, key: str) -> Path | None:
        return next(iter((self.root / "artefacts").glob(f"*/{key}")), None)

    def _read(self, path: Path) -> Manifest | None:
        with guarded(self.root, "reading a manifest"):
            try:
                return read_manifest(path)
            except DamagedError:
                return None


def seal_outputs(store: Store, staging: Path) -> dict[str, Output]:
    """Make all files of `staging` durable and return their digests and sizes.

    Raises:
        StageError: a stage left something that is not a plain file.
        StoreError: disk full, no permission.
    """
    outputs, folders = {}, [staging]
    with guarded(store.root, "making a result durable"):
        for path in sorted(staging.rglob("*")):
            name = path.relative_to(staging).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()) or name == NAME:
                raise StageError(f"a stage left {name!r}; expected plain files of its own only")
            if path.is_dir():
                folders.append(path)
            else:
                outputs[name] = Output(*sync_and_hash(path))
        for folder in reversed(folders):
            sync_folder(folder)
    return outputs


def check_outputs(folder: Path, manifest: Manifest, *, full: bool) -> None:
    """Compare the files of an artefact with its manifest.

    Raises:
        DamagedError: a file is missing, has another size or other bytes.
    """
    for name, output in manifest.outputs.items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else None
        if size != output.size:
            found = "is missing" if size is None else f"has {size} bytes instead of {output.size}"
            raise DamagedError(f"{path} {found}")
        if full or output.size < SMALL_BYTES:
            try:
                found = file_digest(path)
            except DataError as error:
                raise StoreError(str(error)) from error
            if found != output.sha256:
                raise DamagedError(f"{path} is damaged: its SHA-256 is not the recorded one")
