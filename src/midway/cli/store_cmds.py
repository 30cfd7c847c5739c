"""``midway store``: list results, verify every byte, sweep what no study needs, free a lease."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, data_folders
from midway.store.fs import tree_bytes
from midway.store.local import Store
from midway.store.upkeep import gc, ls, readers, unlock, verify
from midway.tasks.sources import short_names

app = typer.Typer(
    name="store",
    help="Look after the store of results.",
    no_args_is_help=True,
)


def open_store(path: Path | None) -> Store:
    """Return the store at `path`, or the one in the user's data directory."""
    if path is not None:
        return Store(path.expanduser().absolute())
    from platformdirs import user_data_path

    return Store(user_data_path("midway") / "store")


def size(number: float) -> str:
    """Return bytes as people say them: ``312 B``, ``4.5 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def _table(rows: list[list[str]]) -> None:
    """Write rows to stdout, columns aligned; the last column is as long as it likes."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        padded = [text.ljust(width) for text, width in zip(row[:-1], widths[:-1], strict=True)]
        typer.echo("  ".join([*padded, row[-1]]))


def _document(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def _age(started: str) -> float:
    """Return the seconds since an ISO 8601 time; 0 if it is no such time, or lies ahead."""
    try:
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds())
    except (ValueError, TypeError):  # TypeError: without a time zone
        return 0.0


def age_in_words(seconds: float) -> str:
    """Return an age as people say it: ``3 min``, ``5 h``, ``12 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


class SortName(StrEnum):
    """What results can be listed by; the largest, oldest or most read come last."""

    STARTED = "started"
    SIZE = "size"
    AGE = "age"
    SECONDS = "seconds"
    STAGE = "stage"
    NAME = "name"
    READERS = "readers"


_SORTS: dict[SortName, Callable[[dict[str, Any]], Any]] = {
    SortName.STARTED: lambda item: item["started"],
    SortName.SIZE: lambda item: item["bytes"],
    SortName.AGE: lambda item: item["age"],
    SortName.SECONDS: lambda item: item["seconds"],
    SortName.STAGE: lambda item: (item["stage"], item["started"]),
    SortName.NAME: lambda item: item["name"],
    SortName.READERS: lambda item: len(item["readers"]),
}


@app.command("ls")
def ls_command(
    prefix: Annotated[str, typer.Argument(help="First digits of a key.")] = "",
    study: Annotated[
        list[Path] | None,
        typer.Option(help="Say which results this study uses; may be given again."),
    ] = None,
    sort: Annotated[SortName, typer.Option(help="What to order by, ascending.")] = SortName.STARTED,
    store: StoreOption = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """List results: key, kind, size, age, time it took, how many results read it, name."""
    place = open_store(store)
    named = short_names(study or ())
    plans = {name: _keys_of([path], place, data) for name, path in named.items()}
    read_by = readers(place)
    found: list[dict[str, Any]] = [
        {
            "key": item.key,
            "stage": item.stage,
            "name": item.label,
            "bytes": item.bytes,
            "seconds": item.seconds,
            "started": item.started,
            "age": _age(item.started),
            "readers": read_by.get(item.key, []),
            "studies": [name for name, keys in plans.items() if item.key in keys],
            "facts": dict(item.facts),
        }
        for item in ls(place, prefix)
    ]
    found.sort(key=_SORTS[sort])
    if as_json:
        _document(found)
        return
    rows = []
    for item in found:
        times = [age_in_words(item["age"]), f"{item['seconds']:.1f} s"]
        users = [f"read by {len(item['readers'])}"]
        users += [", ".join(item["studies"]) or "no study named"] if plans else []
        rows.append(
            [item["key"][:12], item["stage"], size(item["bytes"]), *times, *users, item["name"]]
        )
    _table(rows)
    typer.echo(f"{len(found)} results, {size(tree_bytes(place.root))} in {place.root}", err=True)


@app.command("verify")
def verify_command(
    prefix: Annotated[str, typer.Argument(help="First digits of a key; all without it.")] = "",
    workers: Annotated[
        int, typer.Option(min=0, help="Results read at once; 0: as many as CPUs.")
    ] = 0,
    repair: Annotated[
        bool, typer.Option("--repair", help="Move damaged results away, to be computed again.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every byte again, compare it with what was recorded; change nothing unless told to."""
    from midway.cli.progress import counting

    place = open_store(store)
    with counting("verifying") as seen:
        checked, findings = verify(place, prefix, workers=workers, repair=repair, seen=seen)
    damaged = any(finding.damaged for finding in findings)
    if as_json:
        problems = [asdict(finding) for finding in findings]
        _document({"checked": checked, "problems": problems, "repaired": repair and damaged})
    else:
        for finding in findings:
            typer.echo(finding.problem)
        if damaged:
            typer.echo(
                "damaged results were moved away; `midway run STUDY` computes those it needs again"
                if repair
                else "to compute damaged results again: `midway store verify --repair`, then "
                "`midway run STUDY` for each study that needs them"
            )
        typer.echo(f"{checked} results checked, {len(findings)} problems", err=True)
    if findings:
        raise typer.Exit(1)


def _keys_of(studies: list[Path], place: Store, data: str) -> set[str]:
    """Return the keys that the studies need."""
    from midway.studies.session import plan_study

    folders = data_folders(data)
    return {stage.key for path in studies for stage in plan_study(path, place, folders).stages}


@app.command("gc")
def gc_command(
    studies: Annotated[
        list[Path] | None,
        typer.Argument(help="Studies whose results stay; without any, only leftovers go."),
    ] = None,
    store: StoreOption = None,
    data: DataOption = "",
    delete: Annotated[bool, typer.Option("--delete", help="Remove; without it, only say.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove results that none of the named studies needs, and what dead runs left behind."""
    place = open_store(store)
    keep = _keys_of(studies, place, data) if studies else None
    swept = gc(place, keep, dry=not delete, notice=lambda text: typer.echo(text, err=True))
    total = sum(item.bytes for item in swept)
    if as_json:
        items = [{"what": s.what, "path": str(s.path), "bytes": s.bytes} for s in swept]
        _document({"removed": delete, "items": items, "bytes": total})
        return
    _table([[item.what, size(item.bytes), item.path.name[:40]] for item in swept])
    done = "removed" if delete else "would be removed (add --delete)"
    typer.echo(f"{len(swept)} items, {size(total)} {done}", err=True)


@app.command("unlock")
def unlock_command(
    key: Annotated[str, typer.Argument(help="First digits of the key.")],
    store: StoreOption = None,
    force: Annotated[bool, typer.Option("--force", help="Even if its owner is alive.")] = False,
) -> None:
    """Give up the lease of a key whose owner is gone."""
    for freed in unlock(open_store(store), key, force=force):
        typer.echo(f"{freed[:12]} is free")
