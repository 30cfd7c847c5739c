"""Care for a store: list it, verify every byte, sweep what no study needs, give up a lease."""

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from midway.errors import StoreError, UsageError
from midway.store.fs import guarded, remove, tree_bytes
from midway.store.lease import STALE_SECONDS, Owner, is_dead, read_owner
from midway.store.local import Store, check_outputs
from midway.store.manifest import NAME, DamagedError, Manifest, outputs_digest, read_manifest

_BY_KEY = {
    "checkpoint": "work/*",
    "manifest of a dropped result": "dropped/*.json",
    "traceback": "failures/*.txt",
}


@dataclass(frozen=True)
class Finding:
    """One thing that `verify` found wrong."""

    stage: str
    key: str
    problem: str
    damaged: bool = True  # False: whole, but made from another copy of an input than there is now


@dataclass(frozen=True)
class Swept:
    """One thing that `gc` removed, or would remove."""

    what: str
    path: Path
    bytes: int


def ls(store: Store, prefix: str = "") -> list[Manifest]:
    """Return the manifests of all readable artefacts whose key starts with `prefix`."""
    found = []
    for folder in _artefacts(store, prefix):
        with guarded(store.root, "listing results"):
            try:
                manifest = read_manifest(folder / NAME)
            except DamagedError:
                continue
        if manifest is not None:
            found.append(manifest)
    return found


def readers(store: Store) -> Mapping[str, list[str]]:
    """Return, for each key, the keys of the artefacts in the store that were made from it."""
    found: dict[str, list[str]] = defaultdict(list)
    for manifest in ls(store):
        for key in {read.key for read in manifest.inputs.values()}:
            found[key].append(manifest.key)
    return found


def verify(
    store: Store,
    prefix: str = "",
    *,
    workers: int = 0,
    repair: bool = False,
    seen: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[int, list[Finding]]:
    """Check every byte of the artefacts whose key starts with `prefix`.

    Args:
        store: the store.
        prefix: the first digits of a key; empty for all.
        workers: artefacts read at once, in threads; 0: as many as there are CPUs.
        repair: move damaged artefacts away, so that the next run that needs them computes them.
        seen: told how many artefacts of how many are checked, as it goes on.

    Returns:
        How many artefacts were checked, and what is wrong.

    Raises:
        UsageError: no key starts with `prefix`.
        StoreError: the store cannot be read.
    """
    folders = list(_artefacts(store, prefix))
    if prefix and not folders:
        raise UsageError(
            f"no artefact in {store.root} has a key that starts with {prefix!r}; `midway store ls` "
            "lists them"
        )
    findings: list[Finding] = []
    seen(0, len(folders))
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for done, found in enumerate(pool.map(lambda f: _problems(store, f), folders), start=1):
            findings += found
            seen(done, len(folders))
    if repair:
        with guarded(store.root, "moving damaged results away"):
            for key in dict.fromkeys(found.key for found in findings if found.damaged):
                store.set_aside(next(folder for folder in folders if folder.name == key))
    return len(folders), findings


def _problems(store: Store, folder: Path) -> list[Finding]:
    """Return what is wrong with one artefact; nothing if another process has just removed it."""
    stage, key = folder.parent.name, folder.name
    with guarded(store.root, "verifying results"):
        try:
            manifest = read_manifest(folder / NAME)
            if manifest is None:
                gone = not folder.exists()
                problem = f"{folder} has no {NAME}: it was never complete"
                return [] if gone else [Finding(stage, key, problem)]
            check_outputs(folder, manifest, full=True)
        except DamagedError as error:
            return [Finding(stage, key, str(error))] if folder.exists() else []
        files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
        found = [
            Finding(stage, key, f"{folder / extra} is not in the manifest")
            for extra in sorted(files - set(manifest.outputs) - {NAME})
        ]
    if _key_of(manifest.text) != key or manifest.key != key:
        problem = f"{folder / NAME} describes another stage than its key says"
        found.append(Finding(stage, key, problem))
    for role, read in manifest.inputs.items():
        present = store.record(read.key)
        if present is not None and outputs_digest(present.outputs) != read.digest:
            problem = (
                f"{folder} was computed from another copy of its input {role!r} "
                f"({read.stage} {read.key[:12]}) than the one in the store"
            )
            found.append(Finding(stage, key, problem, damaged=False))
    return found


def _key_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def gc(
    store: Store,
    keep: Collection[str] | None,
    *,
    dry: bool = True,
    notice: Callable[[str], None] = lambda _: None,
) -> list[Swept]:
    """Remove what is not needed: artefacts outside `keep`, and leftovers of dead runs.

    Whatever has a living lease stays. While a stage outside `keep` is being computed, its run reads
    results that nobody here can name, so that all results stay and only leftovers go.

    Args:
        store: the store.
        keep: keys to keep; None keeps every artefact and sweeps only leftovers.
        dry: only say what would be removed.
        notice: told what is left alone because it is in use.

    Returns:
        What was, or would be, removed.
    """
    held = held_keys(store)
    foreign = sorted(held.keys() - set(keep or ())) if keep is not None else []
    if foreign:
        notice(
            f"{foreign[0][:12]} is being computed by {held[foreign[0]]}, and no study named here "
            "needs it: results stay until that run has ended; name its study too to remove others"
        )
        keep = None
    swept = [
        Swept(what, path, tree_bytes(path))
        for what, path in _unneeded(store, None if keep is None else set(keep))
    ]
    return swept if dry else [item for item in swept if _sweep(store, item)]


def held_keys(store: Store) -> dict[str, Owner]:
    """Return the keys that living processes compute now, with who does."""
    with guarded(store.root, "reading leases"):
        owners = {path.stem: read_owner(path) for path in sorted(store.root.glob("leases/*.json"))}
    return {key: each for key, each in owners.items() if each is not None and not is_dead(each)}


def _sweep(store: Store, item: Swept) -> bool:
    """Remove something unless a run took its lease meanwhile."""
    with guarded(store.root, "removing results that no study needs"):
        key = item.path.name.partition(".")[0]
        owner = read_owner(store.leases / f"{key}.json")
        if owner is not None and not is_dead(owner):
            return False
        if item.path.is_dir():  # manifest first: without it the rest is no artefact
            (item.path / NAME).unlink(missing_ok=True)
        remove(item.path)
    return True


def _unneeded(store: Store, keep: set[str] | None) -> Iterator[tuple[str, Path]]:
    root = store.root
    with guarded(root, "looking for results that no study needs"):
        owners = {path: read_owner(path) for path in sorted(root.glob("leases/*.json"))}
        dead = {path for path, owner in owners.items() if owner is None or is_dead(owner)}
        held = {path.stem for path in owners if path not in dead}
        yield from (("lease of a dead run", path) for path in owners if path in dead)
        for path in sorted(root.glob("staging/*")):
            if path.name.partition(".")[0] not in held and _is_quiet(path):
                yield "unfinished result", path
        yield from (("damaged result", path) for path in sorted(root.glob("damaged/*")))
        for folder in _artefacts(store, ""):
            needed = keep is None or folder.name in keep or folder.name in held
            if not needed or not (folder / NAME).is_file():
                yield f"{folder.parent.name} artefact", folder
        for what, pattern in _BY_KEY.items():
            for path in sorted(root.glob(pattern)):
                if keep is not None and path.stem not in keep and path.stem not in held:
                    yield what, path


def unlock(store: Store, prefix: str, *, force: bool = False) -> list[str]:
    """Give up the leases of the keys that start with `prefix`; return these keys.

    Raises:
        UsageError: there is none, or `prefix` is empty.
        StoreError: the owner is alive and `force` is not given.
    """
    paths = sorted(store.root.glob(f"leases/{prefix}*.json")) if prefix.isalnum() else []
    if not paths:
        raise UsageError(
            f"no lease in {store.root} has a key that starts with {prefix!r}; expected the first "
            "digits of a key, as a waiting run names it"
        )
    keys = []
    for path in paths:
        with guarded(store.root, "giving up a lease"):
            owner = read_owner(path)
            if owner is not None and not is_dead(owner) and not force:
                raise StoreError(
                    f"{path.stem[:12]} is being computed by {owner}, last seen {owner.age:.0f} s "
                    f"ago (dead after {STALE_SECONDS:.0f} s); add --force if you know better"
                )
            path.unlink(missing_ok=True)
        keys.append(path.stem)
    return keys


def _artefacts(store: Store, prefix: str) -> Iterator[Path]:
    with guarded(store.root, "listing results"):
        folders = sorted(store.root.glob("artefacts/*/*"))
    yield from (folder for folder in folders if folder.name.startswith(prefix) and folder.is_dir())


def _is_quiet(path: Path) -> bool:
    """Tell whether a staging folder, which nobody has a lease for, was left for a minute."""
    try:
        return time.time() - path.stat().st_mtime > STALE_SECONDS
    except FileNotFoundError:
        return False
