"""``midway results``: the results table of a study, as far as it has been computed."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from midway.cli.options import DataOption, StoreOption, StudyArgument, data_folders


class ResultsFormat(StrEnum):
    """How the table is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("results")(results)


def results(
    study: StudyArgument,
    layout: Annotated[
        ResultsFormat, typer.Option("--format", help="How to write the table.")
    ] = ResultsFormat.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write results.<format> to.  [default: stdout; for parquet, which is "
            "binary, runs/<study name>]",
        ),
    ] = None,
    store: StoreOption = None,
    data: DataOption = "",
) -> None:
    """Print every score: a row per intermediate, target, language, seed, profile and metric."""
    from midway.analysis.formats import as_csv, as_json, as_table
    from midway.analysis.results import collect, write_parquet
    from midway.cli.report_cmd import out_folder
    from midway.cli.store_cmds import open_store
    from midway.studies.provenance import scored_runs
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    rows = collect(session.study.name, session.study.encoder, scored_runs(session))
    writers = {
        ResultsFormat.TABLE: ("txt", as_table),
        ResultsFormat.CSV: ("csv", as_csv),
        ResultsFormat.JSON: ("json", as_json),
    }
    if out is None and layout in writers:
        typer.echo(writers[layout][1](rows), nl=False)
        return
    folder = out_folder(session, out)
    folder.mkdir(parents=True, exist_ok=True)
    if layout in writers:
        suffix, text = writers[layout]
        path = folder / f"results.{suffix}"
        path.write_text(text(rows), encoding="utf-8")
    else:
        path = folder / "results.parquet"
        write_parquet(rows, path)
    typer.echo(f"{len(rows)} rows in {path}", err=True)
