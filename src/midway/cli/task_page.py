"""The page about one task that ``midway tasks NAME`` prints."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.kinds import KINDS
from midway.tasks.select import present
from midway.tasks.statistics import load_statistics

if TYPE_CHECKING:
    from rich.console import Console

MANY_LABELS = 24


def plain_console() -> "Console":
    """A console that prints text as it is."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def print_page(card: TaskCard, folders: DataFolders) -> None:
    """Print everything about one task."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = plain_console()
    console.print(Text.assemble((card.title, "bold"), f"  ({card.name})"))
    console.print(Padding(card.summary, (1, 0)))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for title, value in _facts(card, folders):
        facts.add_row(title, Text(value))
    console.print(facts)
    sizes = load_statistics(card.name)
    if sizes:
        console.print(
            Padding(Text("Sizes of the files that we test with", style="bold"), (1, 0, 0, 0))
        )
        console.print(_sizes(sizes))
    if card.notes:
        console.print(Padding(Text("Protocol and traps", style="bold"), (1, 0, 0, 0)))
        notes = Table.grid(padding=(0, 1))
        for note in card.notes:
            notes.add_row("·", Text(note))
        console.print(notes)


def _facts(card: TaskCard, folders: DataFolders) -> Iterator[tuple[str, str]]:
    here = present(card, folders)
    yield "family", card.family
    yield "used as", ", ".join(card.roles)
    if card.metrics:
        yield "scores", ", ".join(card.metrics)
    if "target" in card.roles:
        yield "evaluated on", f"{card.evaluation_split}, or validation where that is not at hand"
        yield "trained on", _training(card)
    if card.labels:
        more = len(card.labels) - MANY_LABELS
        shown = " ".join(card.labels[:MANY_LABELS]) + (f" and {more} more" if more > 0 else "")
        yield "labels", f"{len(card.labels)}: {shown}"
    yield "languages", f"{len(card.languages)}: {' '.join(card.languages)}"
    for split in card.splits:
        absent = [language for language in card.languages if language not in here[split]]
        yield f"{split} at hand", _languages(here[split])
        if here[split] and absent:
            yield f"{split} absent", _languages(absent)
    yield "licence", card.licence
    yield "cite", card.citation
    yield "source", card.homepage
    yield "hub", f"{card.hub.repo} (midway data fetch {card.name})" if card.hub else "not there"


def _training(card: TaskCard) -> str:
    if not KINDS[card.family].trained:
        return "nothing: it is searched with the encoder as it is"
    return ", then ".join(card.train_tasks) or "its own training data, in English"


def _languages(codes: list[str]) -> str:
    return f"{len(codes)}: {' '.join(codes)}" if codes else "none"


def _sizes(statistics: Mapping[str, Any]) -> Any:
    """A line per split: over its languages the least and the greatest of each number."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("split", "languages", "examples", "tokens, median", "95 %", "largest label"):
        table.add_column(title, justify="left" if title == "split" else "right")
    for split, languages in statistics.items():
        records = list(languages.values())
        table.add_row(
            split,
            str(len(records)),
            _range([record["examples"] for record in records]),
            _range([record["tokens"]["median"] for record in records]),
            _range([record["tokens"]["p95"] for record in records]),
            _range([_largest(r["labels"]) for r in records if r.get("labels")], " %") or "–",
        )
    return table


def _range(values: list[int], unit: str = "") -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{low:,}{unit}" if low == high else f"{low:,} to {high:,}{unit}"


def _largest(labels: Mapping[str, int]) -> int:
    return round(100 * max(labels.values()) / sum(labels.values()))
