"""The command line. Heavy modules are imported by the commands that need them."""

import sys
from typing import Annotated

import typer

from midway import __version__
from midway.cli import (
    bench_cmd,
    claims_cmd,
    data_cmd,
    encoders_cmd,
    export_cmd,
    leaks_cmd,
    plan_cmd,
    recommend_cmd,
    report_cmd,
    results_cmd,
    run_cmd,
    score_cmd,
    store_cmds,
    tasks_cmd,
)
from midway.errors import MidwayError

app = typer.Typer(
    name="midway",
    help="Which intermediate task helps zero-shot cross-lingual transfer, and where?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"midway {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    del version


COMMANDS = (
    run_cmd,
    plan_cmd,
    results_cmd,
    report_cmd,
    score_cmd,
    tasks_cmd,
    data_cmd,
    leaks_cmd,
    claims_cmd,
    recommend_cmd,
    export_cmd,
    encoders_cmd,
    bench_cmd,
)
for module in COMMANDS:
    module.register(app)
app.add_typer(store_cmds.app, name="store")


def main() -> None:
    """Entry point: errors become one line and an exit code."""
    try:
        app()
    except MidwayError as error:
        typer.echo(f"midway: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as end:  # typer turns Ctrl-C, also that of `midway.graph.control`, into this
        if end.code == 130:
            typer.echo("midway: interrupted; run the same command again to continue", err=True)
        raise
