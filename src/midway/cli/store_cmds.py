"""``midway store``: list results, verify every byte, sweep what no study needs, free a lease."""

import json
from pathlib import Path
from typing import Annotated

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, data_folders
from midway.store.fs import tree_bytes
from midway.store.local import Store
from midway.store.upkeep import gc, ls, unlock, verify

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


@app.command("ls")
def ls_command(
    prefix: Annotated[str, typer.Argument(help="First digits of a key.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List results: key, kind, size, time it took, name."""
    place = open_store(store)
    found = sorted(ls(place, prefix), key=lambda item: item.started)
    if as_json:
        _document(
            [
                {
                    "key": item.key,
                    "stage": item.stage,
                    "name": item.label,
                    "bytes": item.bytes,
                    "seconds": item.seconds,
                    "started": item.started,
                    "facts": dict(item.facts),
                }
                for item in found
            ]
        )
        return
    _table([[m.key[:12], m.stage, size(m.bytes), f"{m.seconds:.1f} s", m.label] for m in found])
    typer.echo(f"{len(found)} results, {size(tree_bytes(place.root))} in {place.root}", err=True)


@app.command("verify")
def verify_command(
    prefix: Annotated[str, typer.Argument(help="First digits of a key; all without it.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every byte again and compare it with what was recorded. Changes nothing."""
    place = open_store(store)
    checked, findings = verify(place, prefix)
    if as_json:
        problems = [{"stage": f.stage, "key": f.key, "problem": f.problem} for f in findings]
        _document({"checked": checked, "problems": problems})
    else:
        for finding in findings:
            typer.echo(finding.problem)
        if findings:
            typer.echo("damaged results are computed again by the next run that needs them")
        typer.echo(f"{checked} results checked, {len(findings)} problems", err=True)
    if findings:
        raise typer.Exit(1)


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
    keep: set[str] | None = None
    if studies:
        from midway.studies.session import plan_study

        folders = data_folders(data)
        keep = {stage.key for path in studies for stage in plan_study(path, place, folders).stages}
    swept = gc(place, keep, dry=not delete)
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
