"""``midway tasks`` shows the catalogue; ``midway data check`` reads every file of it."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midway.errors import DataError
from midway.tasks import card_names, load_card
from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.files import find_files, read_files
from midway.tasks.select import present
from midway.tasks.sources import parse_folders

if TYPE_CHECKING:
    from rich.console import Console

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data", envvar="MIDWAY_DATA", help="Folders of benchmark files, separated by ':'."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

data_app = typer.Typer(help="Benchmark files: what is at hand and whether it can be read.")


def register(app: typer.Typer) -> None:
    """Add ``tasks`` and ``data`` to the command line."""
    app.command("tasks")(tasks)
    data_app.command("check")(check)
    app.add_typer(data_app, name="data")


def tasks(
    name: Annotated[str | None, typer.Argument(help="Show one task in full.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the tasks: what they are, their licence, and which languages are at hand."""
    folders = parse_folders(data)
    cards = [load_card(each) for each in ([name] if name else card_names())]
    if as_json:
        records = [{**describe(card), **available(card, folders)} for card in cards]
        typer.echo(json.dumps(records, ensure_ascii=False, indent=1))
    elif name:
        _page(cards[0], folders)
    else:
        _table(cards, folders)


def describe(card: TaskCard) -> dict[str, Any]:
    """Return what a card says, as JSON values."""
    names = (
        *("name", "title", "family", "roles", "languages", "splits", "evaluation_split", "metrics"),
        *("licence", "citation", "homepage", "summary", "notes", "labels", "version"),
    )
    values = {each: getattr(card, each) for each in names}
    return {
        each: list(value) if isinstance(value, tuple) else value for each, value in values.items()
    }


def available(card: TaskCard, folders: DataFolders) -> dict[str, Any]:
    """Return the examples per split and language, and a message for each file that is damaged."""
    here = present(card, folders)
    checks = [check_split(card, folders, split, here[split]) for split in card.splits]
    return {
        "available": {result.split: result.examples for result in checks if result.examples},
        "unreadable": [error for result in checks for error in result.errors],
    }


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def _table(cards: list[TaskCard], folders: DataFolders) -> None:
    """Print a line per task."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("task", "family", "used as", "score", "languages at hand"):
        table.add_column(title, no_wrap=title == "task")
    for card in cards:
        here = present(card, folders)
        of = len(card.languages)
        at_hand = ", ".join(f"{split} {len(found)}/{of}" for split, found in here.items() if found)
        table.add_row(
            Text(card.name, style="bold"),
            card.family,
            ", ".join(card.roles),
            card.metrics[0],
            Text(at_hand or "none", style="" if at_hand else "dim"),
        )
    console = _console()
    console.print(table)
    where = ", ".join(map(str, folders)) or "no data folder; give one with --data or MIDWAY_DATA"
    console.print(f"Data: {where}")
    console.print("`midway tasks NAME` tells more, `midway data check` counts the examples.")


def _page(card: TaskCard, folders: DataFolders) -> None:
    """Print everything about one task."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = _console()
    console.print(Text.assemble((card.title, "bold"), f"  ({card.name})"))
    console.print(Padding(card.summary, (1, 0)))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    here = present(card, folders)
    for title, value in (
        ("family", card.family),
        ("used as", ", ".join(card.roles)),
        ("scores", ", ".join(card.metrics)),
        ("evaluated on", card.evaluation_split),
        ("languages", f"{len(card.languages)}: {' '.join(card.languages)}"),
        *((f"{split} at hand", _languages(here[split])) for split in card.splits),
        ("licence", card.licence),
        ("cite", card.citation),
        ("source", card.homepage),
    ):
        facts.add_row(title, Text(value))
    console.print(facts)
    if card.notes:
        console.print(Padding(Text("Protocol and traps", style="bold"), (1, 0, 0, 0)))
        notes = Table.grid(padding=(0, 1))
        for note in card.notes:
            notes.add_row("·", Text(note))
        console.print(notes)


def _languages(codes: list[str]) -> str:
    return f"{len(codes)}: {' '.join(codes)}" if codes else "none"


@dataclass
class Check:
    """What reading all files of one task and split gave."""

    task: str
    split: str
    examples: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def check_split(card: TaskCard, folders: DataFolders, split: str, languages: list[str]) -> Check:
    """Read all languages of a split; an error is recorded and does not stop the others."""
    result = Check(card.name, split)
    for language in languages:
        try:
            reading = read_files(card, find_files(card, folders, split, language), split, language)
        except DataError as error:
            result.errors.append(str(error))
            continue
        result.examples[language] = len(reading.examples)
        for reason, number in reading.dropped.items():
            result.dropped[reason] = result.dropped.get(reason, 0) + number
        for reason, number in reading.repaired.items():
            result.repaired[reason] = result.repaired.get(reason, 0) + number
    return result


def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TASK]…")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every file of the named tasks (default: all) and count examples and dropped rows.

    Ends with exit code 2 when a file is damaged or a named task has no files.
    """
    folders = parse_folders(data)
    checks: list[Check] = []
    errors: list[str] = []
    for card in [load_card(name) for name in names or card_names()]:
        here = present(card, folders)
        if not any(here.values()):
            if names:
                looked = ", ".join(map(str, folders)) or "no data folder"
                errors.append(
                    f"no files of {card.name} in {looked}; see `midway tasks {card.name}`"
                )
            continue
        checks += [
            check_split(card, folders, split, found) for split, found in here.items() if found
        ]
    errors += [error for result in checks for error in result.errors]
    if as_json:
        records = [vars(result) for result in checks]
        typer.echo(json.dumps({"checks": records, "errors": errors}, ensure_ascii=False, indent=1))
    else:
        if checks:
            _print_checks(checks)
        elif not errors:
            errors.append("no files of any task; give a data folder with --data or MIDWAY_DATA")
    for error in errors:
        typer.echo(f"error: {error}", err=True)
    if errors:
        raise typer.Exit(DataError.exit_code)


def _print_checks(checks: list[Check]) -> None:
    """Print a line per task and split."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("task", "split", "languages", "examples", "fewest", "state"):
        right = title in ("languages", "examples")
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    remarks: list[str] = []
    for result in checks:
        sizes = result.examples
        fewest = min(sizes, key=lambda code: sizes[code]) if sizes else ""
        table.add_row(
            result.task,
            result.split,
            f"{len(sizes):,}",
            f"{sum(sizes.values()):,}",
            f"{fewest} {sizes[fewest]:,}" if fewest else "",
            Text(f"{len(result.errors)} damaged", style="bold") if result.errors else "ok",
        )
        for verb, rows in (("left out", result.dropped), ("put right", result.repaired)):
            if rows:
                reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(rows.items()))
                remarks.append(f"{result.task} {result.split}, {verb}: {reasons}")
    console = _console()
    console.print(table)
    for remark in remarks:
        console.print(Text(remark), soft_wrap=True)
