"""Write the parts of docs/ that come from the code: cli.md, study-file.md and tasks.md.

The commands come from the application, the keys of a study from its schema, the tasks from their
cards. A test fails when the files differ from what this writes.
"""

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from midway.cli.main import app
from midway.stages.specs import RESTARTS
from midway.studies import schema
from midway.tasks import card_names, load_card
from midway.tasks.card import TaskCard
from midway.train.recipe import Recipe

DOCS = Path(__file__).parent.parent / "docs"
GENERATED = "<!-- Written by scripts/build_docs.py (`make docs`); do not edit. -->"

TABLES: dict[str, type[BaseModel]] = {
    "The file": schema.Study,
    "`[train]`": schema.Hyper,
    "`select`": schema.SelectTable,
    "`lora`": schema.LoraTable,
    "`[[intermediate]]`": schema.Intermediate,
    "`mix` entries, and a target's `train`": schema.Part,
    "`sampling`": schema.SamplingTable,
    "`[[target]]`": schema.Target,
    "`evaluate`": schema.Evaluate,
    "`[compare]`": schema.Compare,
    "`[halving]`": schema.HalvingTable,
}

STUDY_INTRO = """\
A study is one TOML file. Unknown keys are errors that suggest the nearest known one. Paths are
relative to the file.

```toml
name = "english-or-multilingual"
encoder = "offline:multilingual-e5-small"
seeds = [1, 2, 3]

[train]
learning_rate = 5e-5
epochs = 2

[[intermediate]]
name = "squad-en"
mix = [{ task = "squad", examples = 1000 }]

[[intermediate]]
name = "xquad-multi"
mix = [{ task = "xquad", languages = ["ar", "de", "hi", "tr"], fold = "A", examples = 1000 }]

[[target]]
task = "tydiqa"
train = { languages = ["en"], examples = 800 }
evaluate = { languages = "all", examples = 100 }

[[target]]
task = "tatoeba"

[compare]
contrasts = [["xquad-multi", "squad-en"]]
match = "examples"
```

Language codes are the benchmark's; ISO 639-1, ISO 639-3 and ISO 639-3 with a script (`swh_Latn`)
are understood too. Among the codes may stand sets: `"family:sw"`, `"genus:sw"`, `"script:sw"` are
the task's languages with files at hand that share Swahili's family (Glottolog), genus (WALS) or
script, and `"near:sw:5"` the five whose points on the map are nearest to it
([what that says](data-sources.md#distance)); Swahili itself is left out. The encoder without
intermediate training, called `none`, is always in the plan.
"""


def main() -> None:
    """Write the files."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="\n")


def pages() -> dict[str, str]:
    """Return the text of each generated file by name."""
    return {"cli.md": cli_page(), "study-file.md": study_page(), "tasks.md": tasks_page()}


def _page(title: str, parts: Iterator[str]) -> str:
    return "\n".join([f"# {title}", "", GENERATED, "", *parts]).rstrip() + "\n"


def cli_page() -> str:
    """Return every command with its arguments and options."""
    return _page("The command line", _cli())


def _cli() -> Iterator[str]:
    yield (
        "Exit codes: 0 done; 1 a stage failed; 2 bad usage, study or data; 3 a run that ended at "
        "its `--budget`, with stages left; 130 interrupted."
    )
    yield "With `--json` one JSON document is printed on stdout; progress and logs go to stderr.\n"
    for path, command, context in commands():
        yield f"## `{' '.join(path)}`\n"
        yield f"{_cell(command.help or '')}\n"
        if not hasattr(command, "commands"):
            yield f"    {command.get_usage(context).removeprefix('Usage: ')}\n"
        yield from _table(("argument or option", "meaning"), parameters(command, context))


def commands() -> Iterator[tuple[list[str], Any, Any]]:
    """Yield (words, command, its context) for the application and everything below it."""
    root: Any = typer.main.get_command(app)
    pending = [(["midway"], root, root.context_class(root, info_name="midway"))]
    while pending:
        path, command, context = pending.pop(0)
        yield path, command, context
        below = getattr(command, "commands", {})
        pending[:0] = [
            ([*path, name], child, child.context_class(child, info_name=name, parent=context))
            for name, child in below.items()
        ]


def parameters(command: Any, context: Any) -> list[tuple[str, str]]:
    """Return (name, help) of the arguments and options of a command."""
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    return [(f"`{record[0]}`", " ".join(record[1].split())) for record in records if record]


def study_page() -> str:
    """Return every key of a study file."""
    return _page("The study file", _study())


def _study() -> Iterator[str]:
    yield STUDY_INTRO
    for title, model in TABLES.items():
        yield f"## {title}\n"
        yield f"{(model.__doc__ or '').strip()}\n"
        inherited = set() if model is schema.Hyper else set(schema.Hyper.model_fields)
        rows = [
            (f"`{name}`", kind_of(field), default_of(name, field, model), field.description or "")
            for name, field in model.model_fields.items()
            if name not in inherited or not issubclass(model, schema.Hyper)
        ]
        yield from _table(("key", "value", "default", "meaning"), rows)


def kind_of(field: FieldInfo) -> str:
    """Return what a key's value may be, in words."""
    limits = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    signs = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in limits.items()
        if hasattr(limit, name)
    ]
    return ", ".join([_kind(field.annotation), *signs])


def _kind(annotation: Any) -> str:
    words = {int: "integer", float: "number", str: "text", bool: "true or false"}
    if annotation in words:
        return words[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if origin is list:
        return f"list of {_kind(inner[0])}"
    if inner:
        return " or ".join(_kind(part) for part in inner if part is not type(None))
    return "table"


def default_of(name: str, field: FieldInfo, model: type[BaseModel]) -> str:
    """Return a key's default, as one would write it in the file."""
    if field.is_required():
        return "required"
    value = field.default
    if model is schema.Hyper:
        known = {"max_length": 256, "stride": "a third of `max_length`", "restarts": RESTARTS}
        value = getattr(Recipe(), name, known.get(name))
    if value is None or value == "" or isinstance(value, BaseModel):
        return ""
    quoted = isinstance(value, str) and not value.endswith("`")
    return f'`"{value}"`' if quoted else str(value)


def tasks_page() -> str:
    """Return the catalogue."""
    return _page("The tasks", _tasks())


def _tasks() -> Iterator[str]:
    cards = [load_card(name) for name in card_names()]
    rows = [
        (f"[`{card.name}`](#{card.name})", card.family, ", ".join(card.roles),
         str(len(card.languages)), card.metrics[0] if card.metrics else "–", card.licence)
        for card in cards
    ]  # fmt: skip
    yield from _table(("task", "family", "used as", "languages", "score", "licence"), rows)
    for card in cards:
        yield from _task(card)


def _task(card: TaskCard) -> Iterator[str]:
    yield f"## {card.name}\n"
    yield f"**{card.title}.** {card.summary}\n"
    evaluated = f"; evaluated on {card.evaluation_split}" if "target" in card.roles else ""
    yield f"- Splits: {', '.join(card.splits)}{evaluated}"
    if card.train_tasks:
        yield f"- Trained on: {', then '.join(card.train_tasks)}"
    if card.metrics:
        yield f"- Scores: {', '.join(card.metrics)}"
    if card.hub:
        yield f"- On the hub: `{card.hub.repo}` (`midway data fetch {card.name}`)"
    yield f"- Languages ({len(card.languages)}): {' '.join(card.languages)}"
    yield f"- Licence: {card.licence}"
    yield f"- Cite: {card.citation}"
    if card.homepage:
        yield f"- Source: <{card.homepage}>"
    yield "".join(f"\n- {note}" for note in card.notes) + "\n"


def _table(titles: tuple[str, ...], rows: list[Any]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
