"""``midway export``: a run's predictions as a submission, or its model as a folder with a card."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, StudyArgument, data_folders
from midway.cli.score_cmd import BenchmarkName
from midway.errors import DataError

if TYPE_CHECKING:
    from midway.studies.model_export import Model
    from midway.studies.session import Session

CARD = "README.md"

WhatOption = Annotated[
    Literal["submission", "model", "card"],
    typer.Option(
        "--what",
        help="Predictions and labels in XTREME's layout; a model for transformers or "
        "sentence-transformers; or only the model's card.",
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(
        help="Model: trained on this target; without it, the intermediate.",
        metavar="NAME",
        show_default=False,
    ),
]
TaskOption = Annotated[
    str,
    typer.Option(
        help="Model of an intermediate: with its head for this task.",
        metavar="NAME",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    study: StudyArgument,
    what: WhatOption = "submission",
    benchmark: Annotated[
        BenchmarkName, typer.Option(help="Submission: whose tasks and languages.")
    ] = BenchmarkName.XTREME,
    intermediate: Annotated[
        str, typer.Option(help="Of the run; none is the baseline.", metavar="NAME")
    ] = "none",
    target: TargetOption = "",
    task: TaskOption = "",
    seed: Annotated[
        int | None, typer.Option(help="Of the run.  [default: the study's first]")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Submission: write tasks that lack languages, too.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder.  [default: in runs/<study name>/]"),
    ] = None,
    store: StoreOption = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write what a run predicted, or the model that predicted it."""
    from midway.cli.report_cmd import out_folder
    from midway.cli.store_cmds import open_store
    from midway.store.fs import told
    from midway.studies.model_export import find_model
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    chosen = session.study.seeds[0] if seed is None else seed
    runs = out_folder(session, None)
    if what == "submission":
        folder = out or runs / "submission" / f"{intermediate}-{chosen}"
        run = (intermediate, chosen)
        with told(folder):
            _submission(session, benchmark, run, folder, partial=partial, as_json=as_json)
        return
    model = find_model(session, intermediate, chosen, target=target, task=task)
    folder = out or runs / "model" / model.name
    with told(folder):
        record = (_write_card if what == "card" else _write_model)(session, model, folder)
    if as_json:
        typer.echo(json.dumps(record, ensure_ascii=False, indent=1))
    else:
        typer.echo(f"{what}: {folder / CARD if what == 'card' else folder}")


def _submission(
    session: "Session",
    benchmark: BenchmarkName,
    run: tuple[str, int],
    folder: Path,
    *,
    partial: bool,
    as_json: bool,
) -> None:
    from midway.studies.submission import write_submission

    done = write_submission(session, benchmark.value, *run, folder, partial=partial)
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


def _write_model(session: "Session", model: "Model", folder: Path) -> dict[str, Any]:
    from midway.cli.progress import progress_observer
    from midway.cli.run_cmd import SPINS
    from midway.studies.model_card import model_card
    from midway.studies.model_export import provide, replacing

    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    about = _about(session, model)
    with replacing(folder, about) as new:
        with progress_observer() as observer:
            trained_again = provide(session, model, observer)
        from midway.encoders.export import Form, write_model  # loads torch

        form = Form(
            auto=model.auto, head=model.head, layer=model.layer, max_length=model.max_length
        )
        path = session.store.path
        delta = None if model.trained is None else path(model.trained)
        remarks = [*write_model(path(model.encoder), delta, form, new), *trained_again]
        (new / CARD).write_text(model_card(session, model, remarks), encoding="utf-8")
        about["remarks"] = remarks
    for remark in remarks:
        typer.echo(f"note: {remark}", err=True)
    return {**about, "folder": str(folder)}


def _write_card(session: "Session", model: "Model", folder: Path) -> dict[str, Any]:
    from midway.studies.model_card import OURS, model_card
    from midway.studies.model_export import marked

    about, path, there = _about(session, model), folder / CARD, marked(folder)
    foreign = path.is_file() and OURS not in path.read_text(encoding="utf-8", errors="replace")
    if foreign or any(there.get(name, value) != value for name, value in about.items()):
        raise DataError(f"{folder} holds another model's card; choose another folder with --out")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(model_card(session, model, there.get("remarks", ())), encoding="utf-8")
    return {**about, "folder": str(folder)}


def _about(session: "Session", model: "Model") -> dict[str, Any]:
    return {
        "study": session.study.name,
        "intermediate": model.intermediate,
        "target": model.target,
        "head": model.head,
        "seed": model.seed,
        "loads_as": model.auto,
        "sentences": model.max_length is not None,
    }
