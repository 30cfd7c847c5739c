"""``midway export``: predictions of a run as a submission."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, StudyArgument, data_folders
from midway.cli.score_cmd import BenchmarkName


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    study: StudyArgument,
    what: Annotated[
        Literal["submission"],
        typer.Option("--what", help="A folder of predictions and labels in XTREME's layout."),
    ] = "submission",
    benchmark: Annotated[
        BenchmarkName, typer.Option(help="Whose tasks and languages.")
    ] = BenchmarkName.XTREME,
    intermediate: Annotated[
        str, typer.Option(help="Of the run; none is the baseline.", metavar="NAME")
    ] = "none",
    seed: Annotated[
        int | None, typer.Option(help="Of the run.  [default: the study's first]")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Write tasks that lack languages, too.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The folder.  [default: runs/<study name>/submission/<intermediate>-<seed>]",
        ),
    ] = None,
    store: StoreOption = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write a run's predictions, and the gold beside them, as XTREME's script reads them."""
    from midway.cli.report_cmd import out_folder
    from midway.cli.store_cmds import open_store
    from midway.studies.session import open_session
    from midway.studies.submission import write_submission

    del what  # there is one thing to export
    session = open_session(study, open_store(store), data_folders(data))
    chosen = session.study.seeds[0] if seed is None else seed
    name = f"{intermediate}-{chosen}"
    folder = out_folder(session, None) / "submission" / name if out is None else out
    done = write_submission(session, benchmark.value, intermediate, chosen, folder, partial=partial)
    if as_json:
        record = asdict(done) | {"folder": str(done.folder)}
        typer.echo(json.dumps(record, ensure_ascii=False, indent=1))
        return
    for task, languages in done.tasks.items():
        typer.echo(f"{task:12}{len(languages):3} languages", err=True)
    for task, codes in done.missing.items():
        where = "in part" if task in done.tasks else "not written"
        typer.echo(f"{task:12}{where}; missing: {' '.join(codes)}", err=True)
    for remark in done.remarks:
        typer.echo(f"note: {remark}", err=True)
    sides = f"{folder}/predictions {folder}/labels"
    typer.echo(f"score it: midway score {sides} --benchmark {benchmark.value}", err=True)
    typer.echo(f"submission: {folder}")
