"""``midway plan`` and ``midway why``: what would run, and for which reason."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, StudyArgument, data_folders


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("plan")(plan)
    app.command("why")(why)


def plan(
    study: StudyArgument,
    store: StoreOption = None,
    data: DataOption = "",
    workers: Annotated[
        int, typer.Option(min=1, help="Stages at a time, as the run will have.")
    ] = 1,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Measure this machine first, some seconds; runs do so by themselves.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the stages of a study, what is cached, and what the rest will cost."""
    from midway.cli.budgets import compare_when_planning
    from midway.cli.forecast import look_ahead, measure
    from midway.cli.store_cmds import open_store
    from midway.graph.plan import describe
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    compare_when_planning(session)
    if calibrate:
        measure(session, workers)
        session = open_session(study, session.store, data_folders(data))
    made, rates = look_ahead(session, session.missing, workers)
    document = describe(
        session.plan,
        session.store,
        rates.seconds,
        naive_stages=session.expansion.naive_stages,
        naive_train_tokens=session.expansion.naive_tokens,
    )
    document["totals"] |= {
        "seconds": sum(stage["seconds"] for stage in made["stages"].values()),
        "clock_seconds": made["wall"],
        "workers": workers,
        "calibrated": rates.calibrated,
    }
    if session.dearest is not session.plan:
        most = describe(
            session.dearest, session.store, rates.seconds, naive_stages=0, naive_train_tokens=0.0
        )
        known = ("stages", "train_tokens", "seconds", "disk_bytes")
        document["totals"]["at_most"] = {name: most["totals"][name] for name in known}
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        _show(document)


def _show(document: Mapping[str, Any]) -> None:
    """Write a plan for people."""
    from midway.cli.progress import duration
    from midway.cli.store_cmds import size

    for stage in document["stages"]:
        cost = stage["estimate"]["seconds"] if stage["state"] != "cached" else 0
        note = f"  ~{duration(cost)}" if cost >= 1 else ""
        typer.echo(f"{stage['state']:8} {stage['key'][:12]}  {stage['name']}{note}")
    totals = document["totals"]
    rough = "" if totals["calibrated"] else "; a rough guess, --calibrate measures this machine"
    typer.echo(
        f"\n{totals['stages']} stages ({totals['naive_stages']} without sharing), "
        f"{totals['cached']} cached; {totals['train_tokens']:,.0f} training tokens "
        f"({totals['naive_train_tokens']:,.0f} without sharing)\n"
        f"to do: about {duration(totals['clock_seconds'])} on the clock with "
        f"{totals['workers']} worker{'s' if totals['workers'] > 1 else ''}, "
        f"{duration(totals['seconds'])} of computing, and {size(totals['disk_bytes'])} "
        f"of disk{rough}"
    )
    if most := totals.get("at_most"):
        typer.echo(
            f"successive halving decides what follows; at most {most['stages']} stages and "
            f"{most['train_tokens']:,.0f} training tokens in all; to do at most about "
            f"{duration(most['seconds'])} of computing and {size(most['disk_bytes'])} of disk"
        )


def why(
    study: StudyArgument,
    stage: Annotated[str | None, typer.Argument(help="A label, kind or key; globs work.")] = None,
    store: StoreOption = None,
    data: DataOption = "",
) -> None:
    """Explain for each stage why it is cached or must run."""
    from midway.cli.store_cmds import open_store
    from midway.graph.explain import why as explain
    from midway.graph.plan import select
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    wanted = {item.key for item in select(session.plan, stage)} if stage else None
    for reason in explain(session.plan, session.store):
        if wanted is None or reason.key in wanted:
            typer.echo(str(reason))
