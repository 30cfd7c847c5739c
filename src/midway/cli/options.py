"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

StudyArgument = Annotated[Path, typer.Argument(help="The study file (TOML).", show_default=False)]
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", envvar="MIDWAY_STORE", help="Folder of results.", show_default=False),
]
DataOption = Annotated[
    str,
    typer.Option(
        "--data",
        envvar="MIDWAY_DATA",
        help="Folders of benchmark files, separated by ':'.",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Where results go.  [default: runs/<study name>]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def listed(value: str) -> list[str]:
    """The parts of an option that takes several, separated by commas."""
    return [part.strip() for part in value.split(",") if part.strip()]


def rounded(value: Any) -> Any:
    """A document's numbers with four decimals: more than what is computed can claim."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


def data_folders(value: str) -> tuple[Path, ...]:
    """Folders of ``--data``."""
    return tuple(Path(part).expanduser().absolute() for part in value.split(":") if part)
