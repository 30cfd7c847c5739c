"""``midway data fetch``: what a task's files on the hub come to, then the files."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from midway.cli.options import DataOption, JsonOption, listed
from midway.errors import DataError, UsageError, suggest
from midway.languages import resolve
from midway.tasks import load_card
from midway.tasks.card import SPLITS, HubSource, TaskCard
from midway.tasks.hub import client
from midway.tasks.hub.lock import HUB
from midway.tasks.hub.transfer import Watch
from midway.tasks.sources import parse_folders

LINE_SECONDS = 10.0


@dataclass
class Wish:
    """What is wanted of one task.

    Attributes:
        card: the task.
        hub: its place on the hub.
        parts: split → language → folders on the hub.
        absent: split → languages that the card has and the hub has not.
        covered: split → languages of which files in a publisher's layout are at hand; those are
            used first.
    """

    card: TaskCard
    hub: HubSource
    parts: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    absent: dict[str, list[str]] = field(default_factory=dict)
    covered: dict[str, list[str]] = field(default_factory=dict)

    def folders(self) -> list[str]:
        """All folders, each once."""
        found = (part for by in self.parts.values() for parts in by.values() for part in parts)
        return list(dict.fromkeys(found))

    def settle(self, order: client.Order) -> None:
        """Move what the data set turns out not to have to `absent`."""
        for split, by_language in self.parts.items():
            for language, parts in list(by_language.items()):
                if not all(order.parts[part] for part in parts):
                    del by_language[language]
                    self.absent.setdefault(split, []).append(language)
            self.absent[split] = [
                code for code in self.card.languages if code in self.absent.get(split, ())
            ]


def fetch(
    names: Annotated[list[str], typer.Argument(metavar="TASK", show_default=False)],
    languages: Annotated[
        str, typer.Option("--languages", help="Codes separated by commas.  [default: all]")
    ] = "",
    splits: Annotated[
        str,
        typer.Option("--splits", help="Of train,validation,test.  [default: all]"),
    ] = "",
    data: DataOption = "",
    update: Annotated[
        bool, typer.Option("--update", help="Take the hub's present commit, not the lock file's.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be fetched.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch the files of tasks from the hub into the first data folder.

    Says size and licence first. The commit is written to hub/lock.json at first use and kept from
    then on. Run again after an interruption it continues; when all is at hand it asks nothing.
    """
    folders = parse_folders(data)
    if not folders:
        raise UsageError("no data folder; say where the files go with --data or MIDWAY_DATA")
    wishes = _wishes([load_card(name) for name in dict.fromkeys(names)], languages, splits)
    for wish in wishes:
        wish.covered = {
            split: [code for code in by if wish.card.find(folders, split, code)]
            for split, by in wish.parts.items()
        }
    with nullcontext() if dry_run else client.exclusive(folders[0]):
        orders = _orders(folders[0], wishes, update=update)
        if not as_json:
            _describe(folders[0], wishes, orders)
        _refuse_nothing(wishes)
        if not dry_run:
            with _watch(orders, quiet=as_json) as watch:
                for order in orders.values():
                    client.fetch(folders[0], order, watch)
    if as_json:
        document = _document(folders[0], wishes, orders, fetched=not dry_run)
        typer.echo(json.dumps(document, ensure_ascii=False, indent=1))


def _wishes(cards: Sequence[TaskCard], languages: str, splits: str) -> list[Wish]:
    """Return what is wanted of each task.

    Raises:
        UsageError: a task is not on the hub, or no task has a language or split.
    """
    chosen = listed(splits) or list(SPLITS)
    codes = listed(languages)
    for split in chosen:
        if split not in SPLITS:
            raise UsageError(
                f"no split {split!r}.{suggest(split, SPLITS)} There are: {', '.join(SPLITS)}"
            )
    known = list(dict.fromkeys(code for card in cards for code in card.languages))
    for code in codes:
        if all(resolve(code, card.languages) is None for card in cards):
            raise UsageError(
                f"no task named here has the language {code!r}.{suggest(code, known)} "
                f"There are: {' '.join(known)}"
            )
    wishes = []
    for card in cards:
        if card.hub is None:
            raise UsageError(
                f"{card.name} is not fetched from the hub; get its files from {card.homepage}, "
                f"`midway tasks {card.name}` tells more"
            )
        found = [resolve(code, card.languages) for code in codes]
        wish = Wish(card, card.hub)
        for split in card.splits:
            for language in card.languages if split in chosen else ():
                if codes and language not in found:
                    continue
                if parts := card.hub.parts(split, language):
                    wish.parts.setdefault(split, {})[language] = parts
                else:
                    wish.absent.setdefault(split, []).append(language)
        wishes.append(wish)
    return wishes


def _orders(folder: Path, wishes: Sequence[Wish], *, update: bool) -> dict[str, client.Order]:
    """Ask what each data set has; several tasks may share one."""
    wanted: dict[str, list[str]] = {}
    revisions: dict[str, str] = {}
    for wish in wishes:
        parts = wish.folders()
        if parts:
            wanted.setdefault(wish.hub.repo, []).extend(parts)
            revisions[wish.hub.repo] = wish.hub.revision
    orders = {
        repo: client.survey(
            folder, repo, revisions[repo], list(dict.fromkeys(parts)), _say, update=update
        )
        for repo, parts in wanted.items()
    }
    for wish in wishes:
        if wish.hub.repo in orders:
            wish.settle(orders[wish.hub.repo])
    return orders


def _refuse_nothing(wishes: Sequence[Wish]) -> None:
    if not any(by for wish in wishes for by in wish.parts.values()):
        names = ", ".join(wish.card.name for wish in wishes)
        raise DataError(f"the hub has none of what was asked for of {names}; see `midway tasks`")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _describe(folder: Path, wishes: Sequence[Wish], orders: dict[str, client.Order]) -> None:
    """Print what will happen: source, commit, licence, files, size, and what is not there."""
    from midway.cli.store_cmds import size

    for wish in wishes:
        typer.echo(f"{wish.card.name}: {wish.card.title}")
        typer.echo(f"  licence: {wish.card.licence}")
        order = orders.get(wish.hub.repo)
        if order is not None:
            typer.echo(f"  from {order.repo}, {order.revision} at {order.commit}")
        for split, by_language in wish.parts.items():
            if order is None or not by_language:
                continue
            folders = dict.fromkeys(part for parts in by_language.values() for part in parts)
            files = [file for part in folders for file in order.parts[part]]
            todo = [file for file in files if file in order.todo]
            what = f"{size(sum(f.size for f in todo))} to fetch" if todo else "at hand"
            many = "file" if len(files) == 1 else "files"
            typer.echo(f"  {split}: {len(files)} {many}, {what}: {' '.join(by_language)}")
        for split, codes in wish.absent.items():
            if codes:
                typer.echo(f"  {split}, not on the hub: {' '.join(codes)}")
        for split, codes in wish.covered.items():
            if codes:
                typer.echo(f"  {split}, files of the publisher come first: {' '.join(codes)}")
    for order in orders.values():
        for part in sorted(set(order.outdated) - set(order.parts)):
            typer.echo(f"{order.repo}: {part} changed, fetch its task again to have it")
    total = sum(order.bytes for order in orders.values())
    typer.echo(f"{size(total)} to fetch into {folder / HUB}")


@contextmanager
def _watch(orders: dict[str, client.Order], *, quiet: bool) -> Iterator[Watch]:
    """Show progress on stderr: a bar on a terminal, a line every ten seconds elsewhere."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from midway.cli.progress import stderr_console

    total = sum(order.bytes for order in orders.values())
    console = stderr_console()
    if quiet or not console.is_terminal:
        yield Watch(_lines(total, quiet=quiet), _say)
        return
    columns = (
        *(TextColumn("fetching"), BarColumn(), DownloadColumn()),
        *(TransferSpeedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("fetching", total=total)
        yield Watch(
            lambda arrived: bar.advance(task, arrived),
            lambda text: console.print(text, markup=False, soft_wrap=True),
        )


def _lines(total: int, *, quiet: bool) -> Callable[[int], None]:
    """Return what counts bytes and says how many there are, now and then."""
    from midway.cli.store_cmds import size

    done, spoke = 0, time.monotonic()

    def advance(arrived: int) -> None:
        nonlocal done, spoke
        done += arrived
        if not quiet and time.monotonic() - spoke >= LINE_SECONDS:
            spoke = time.monotonic()
            _say(f"{size(done)} of {size(total)}")

    return advance


def _document(
    folder: Path, wishes: Sequence[Wish], orders: dict[str, client.Order], *, fetched: bool
) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "folder": str(folder / HUB),
        "bytes": sum(order.bytes for order in orders.values()),
        "fetched": fetched,
        "tasks": [
            {
                "task": wish.card.name,
                "licence": wish.card.licence,
                "repository": wish.hub.repo,
                "languages": {split: list(by) for split, by in wish.parts.items()},
                "absent": {split: codes for split, codes in wish.absent.items() if codes},
                "publisher": {split: codes for split, codes in wish.covered.items() if codes},
            }
            for wish in wishes
        ],
        "repositories": [
            {
                "repository": order.repo,
                "revision": order.revision,
                "commit": order.commit,
                "outdated": list(order.outdated),
                "files": [
                    {"path": file.path, "size": file.size, "fetch": file in order.todo}
                    for files in order.parts.values()
                    for file in files
                ],
            }
            for order in orders.values()
        ],
    }
