"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

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


def data_folders(value: str) -> tuple[Path, ...]:
    """Folders of ``--data``."""
    return tuple(Path(part).expanduser().absolute() for part in value.split(":") if part)
