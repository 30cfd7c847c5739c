"""``midway report``: write the page of a study from its scores; nothing is trained."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midway.cli.options import DataOption, StoreOption, StudyArgument, data_folders

if TYPE_CHECKING:
    from midway.studies.session import Session


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MARKDOWN = "markdown"
    LATEX = "latex"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def out_folder(session: "Session", out: Path | None) -> Path:
    """Return the folder that a study's outputs go to: `out`, or ``runs/<study name>``."""
    return out if out is not None else Path("runs") / session.study.name


def report(
    study: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file.  [default: runs/<study name>/report.html]"),
    ] = None,
    format: Annotated[
        Format,
        typer.Option("--format", help="The page, or its main tables for a paper."),
    ] = Format.HTML,
    figures: Annotated[
        Path | None,
        typer.Option("--figures", help="Folder for every figure as SVG and its data as CSV."),
    ] = None,
    store: StoreOption = None,
    data: DataOption = "",
) -> None:
    """Write the report of a study: verdict, gains with intervals, low-resource view, provenance."""
    from midway.cli.store_cmds import open_store
    from midway.report import FORMATS, page, write_figures
    from midway.store.fs import replace_text, told
    from midway.studies.provenance import analysed
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    analysis = analysed(session)
    suffix, write = FORMATS.get(format.value, (".html", page))
    path = out if out is not None else out_folder(session, None) / f"report{suffix}"
    with told(path):
        replace_text(path, write(analysis))
    typer.echo(f"\n{analysis.verdict.headline}\n", err=True)
    typer.echo(f"report: {path}")
    if figures is not None:
        with told(figures):
            written = write_figures(analysis, figures)
        typer.echo(f"figures: {figures} ({len(written)} files)")
