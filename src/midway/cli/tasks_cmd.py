"""``midway tasks`` shows the catalogue and what is at hand of it."""

import json
from typing import Annotated, Any

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption
from midway.cli.task_page import plain_console, print_page
from midway.errors import DataError
from midway.tasks import card_names, load_card
from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.counts import CountCache
from midway.tasks.files import find_files
from midway.tasks.select import present
from midway.tasks.sources import parse_folders
from midway.tasks.statistics import load_statistics


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tasks")(tasks)


def tasks(
    name: Annotated[str | None, typer.Argument(help="Show one task in full.")] = None,
    data: DataOption = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the tasks: what they are, their licence, and which languages are at hand.

    With --json the examples are counted; the store remembers the numbers of unchanged files.
    """
    from midway.cli.store_cmds import open_store

    folders = parse_folders(data)
    cards = [load_card(each) for each in ([name] if name else card_names())]
    if as_json:
        cache = CountCache(open_store(store).cache)
        records = [{**describe(card), **available(card, folders, cache)} for card in cards]
        if name:
            records[0]["statistics"] = load_statistics(name)
        typer.echo(json.dumps(records, ensure_ascii=False, indent=1))
    elif name:
        print_page(cards[0], folders)
    else:
        _table(cards, folders)


def describe(card: TaskCard) -> dict[str, Any]:
    """Return what a card says, as JSON values."""
    names = (
        *("name", "title", "family", "roles", "languages", "splits", "evaluation_split", "metrics"),
        *("licence", "citation", "homepage", "summary", "notes", "labels", "version"),
    )
    values = {each: getattr(card, each) for each in names}
    plain = {
        each: list(value) if isinstance(value, tuple) else value for each, value in values.items()
    }
    more = {"train_tasks": list(card.train_tasks), "hub": card.hub.repo if card.hub else None}
    return {**plain, **more}


def available(card: TaskCard, folders: DataFolders, cache: CountCache) -> dict[str, Any]:
    """Return the examples per split and language, and a message for each file that is damaged."""
    sizes: dict[str, dict[str, int]] = {}
    errors: list[str] = []
    for split, languages in present(card, folders).items():
        for language in languages:
            try:
                files = find_files(card, folders, split, language)
                number = cache.count(card, files, split, language)
            except DataError as error:
                errors.append(str(error))
            else:
                sizes.setdefault(split, {})[language] = number
    return {"available": sizes, "unreadable": list(dict.fromkeys(errors))}


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
            card.metrics[0] if card.metrics else "–",
            Text(at_hand or "none", style="" if at_hand else "dim"),
        )
    console = plain_console()
    console.print(table)
    where = ", ".join(map(str, folders)) or "no data folder; give one with --data or MIDWAY_DATA"
    console.print(f"Data: {where}")
    console.print("`midway tasks NAME` tells more, `midway data check` counts the examples.")
