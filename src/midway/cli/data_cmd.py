"""``midway data check`` reads every benchmark file; ``midway data fetch`` gets them."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from midway.cli.fetch_cmd import fetch
from midway.cli.options import DataOption, JsonOption
from midway.errors import DataError
from midway.tasks import card_names, load_card
from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.files import find_files, read_files
from midway.tasks.hub.lock import is_hub_file, verify
from midway.tasks.select import present
from midway.tasks.sources import parse_folders

app = typer.Typer(help="Benchmark files: fetch them, and check whether they can be read.")


def register(main: typer.Typer) -> None:
    """Add ``data`` to the command line."""
    app.command("check")(check)
    app.command("fetch")(fetch)
    main.add_typer(app, name="data")


@dataclass
class Check:
    """What reading one language of a task and split gave."""

    task: str
    split: str
    language: str
    examples: int | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def check_language(card: TaskCard, folders: DataFolders, split: str, language: str) -> Check:
    """Read one language; the hub's files are compared with the lock file too."""
    result = Check(card.name, split, language)
    files = find_files(card, folders, split, language)
    for path in filter(is_hub_file, files):
        try:
            verify(folders, path)
        except DataError as error:
            result.errors.append(str(error))
    if result.errors:
        return result
    try:
        reading = read_files(card, files, split, language)
    except DataError as error:
        result.errors.append(str(error))
        return result
    result.examples = len(reading.examples)
    result.dropped = dict(reading.dropped)
    result.repaired = dict(reading.repaired)
    result.warnings = reading.warnings
    return result


def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TASK]…")] = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """Read every file of the named tasks (default: all) and count examples and dropped rows.

    Says what is absent, what was left out or put right, and names what is damaged with file and
    line. Ends with exit code 2 when a file is damaged or a named task has no files.
    """
    folders = parse_folders(data)
    checks: list[Check] = []
    errors: list[str] = []
    absent: dict[str, dict[str, list[str]]] = {}
    for card in [load_card(name) for name in names or card_names()]:
        here = present(card, folders)
        absent[card.name] = {
            split: [code for code in card.languages if code not in here[split]]
            for split in card.splits
        }
        if names and not any(here.values()):
            looked = ", ".join(map(str, folders)) or "no data folder"
            errors.append(f"no files of {card.name} in {looked}; see `midway tasks {card.name}`")
        checks += _check_task(card, folders, here)
    errors += dict.fromkeys(error for result in checks for error in result.errors)
    if as_json:
        typer.echo(json.dumps(_document(checks, absent, errors), ensure_ascii=False, indent=1))
    elif checks:
        _print(checks, absent)
    elif not errors:
        errors.append("no files of any task; give a data folder with --data or MIDWAY_DATA")
    for error in errors:
        typer.echo(f"error: {error}", err=True)
    if errors:
        raise typer.Exit(DataError.exit_code)


def _check_task(card: TaskCard, folders: DataFolders, here: dict[str, list[str]]) -> list[Check]:
    """Read all that is at hand of a task; a terminal shows what is being read."""
    from midway.cli.progress import stderr_console

    checks = []
    with stderr_console().status(f"reading {card.name}") as status:
        for split, codes in here.items():
            for code in codes:
                status.update(f"reading {card.name} {split} {code}")
                checks.append(check_language(card, folders, split, code))
    return checks


def _parts(checks: list[Check]) -> dict[tuple[str, str], list[Check]]:
    """Group by task and split, in order."""
    parts: dict[tuple[str, str], list[Check]] = {}
    for result in checks:
        parts.setdefault((result.task, result.split), []).append(result)
    return parts


def _sum(rows: list[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row)
    return dict(total)


def _document(
    checks: list[Check], absent: dict[str, dict[str, list[str]]], errors: list[str]
) -> dict[str, Any]:
    """Return everything as JSON values: per task and split, per language, what is absent."""
    return {
        "checks": [
            {
                "task": task,
                "split": split,
                "examples": {r.language: r.examples for r in results if r.examples is not None},
                "dropped": _sum([r.dropped for r in results]),
                "repaired": _sum([r.repaired for r in results]),
                "errors": [error for r in results for error in r.errors],
            }
            for (task, split), results in _parts(checks).items()
        ],
        "languages": [vars(result) for result in checks],
        "absent": absent,
        "errors": errors,
    }


def _print(checks: list[Check], absent: dict[str, dict[str, list[str]]]) -> None:
    """Print a line per task and split, then remarks."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("task", "split", "languages", "examples", "fewest", "state"):
        right = title in ("languages", "examples")
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    remarks: list[str] = []
    for (task, split), results in _parts(checks).items():
        sizes = {r.language: r.examples for r in results if r.examples is not None}
        fewest = min(sizes, key=lambda code: sizes[code]) if sizes else ""
        damaged = sum(bool(r.errors) for r in results)
        table.add_row(
            task,
            split,
            f"{len(sizes):,}",
            f"{sum(sizes.values()):,}",
            f"{fewest} {sizes[fewest]:,}" if fewest else "",
            Text(f"{damaged} damaged", style="bold") if damaged else "ok",
        )
        for verb, rows in (
            ("left out", _sum([r.dropped for r in results])),
            ("put right", _sum([r.repaired for r in results])),
        ):
            if rows:
                reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(rows.items()))
                remarks.append(f"{task} {split}, {verb}: {reasons}")
        remarks += [f"warning: {text}" for r in results for text in r.warnings]
    remarks += _absences(checks, absent)
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(table)
    for remark in remarks:
        console.print(Text(remark), soft_wrap=True)


def _absences(checks: list[Check], absent: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return a line per task and split with the languages that have no files."""
    here = {result.task for result in checks}
    lines = [
        f"{task} {split}, no files: {' '.join(codes)}"
        for task, splits in absent.items()
        if task in here
        for split, codes in splits.items()
        if codes
    ]
    nothing = [task for task in absent if task not in here]
    return [*lines, f"no files at all: {' '.join(nothing)}"] if nothing else lines
