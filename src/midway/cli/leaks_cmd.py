"""``midway leaks``: does training text return in the evaluation data?"""

import json
from collections.abc import Mapping
from typing import Any

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, StudyArgument, data_folders


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("leaks")(leaks)


def leaks(
    study: StudyArgument,
    store: StoreOption = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """Compare a study's training with its evaluation data; exact text only, nothing is trained."""
    from midway.cli.progress import progress_observer
    from midway.cli.store_cmds import open_store
    from midway.graph.runner import run_plan
    from midway.studies.provenance import leaks as found_in
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    if session.expansion.leaks is not None:
        with progress_observer() as observer:
            key = session.expansion.leaks.key
            run_plan(session.plan, session.store, session.runtime, observer=observer, only=key)
    found = found_in(session) or []
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for leak in found:
        typer.echo(describe(leak))
    if not found:
        typer.echo("no training text (exact, after normalisation) returns in the evaluation data")


def describe(leak: Mapping[str, Any]) -> str:
    """One overlap in words."""
    return (
        f"leak: {leak['shared']:,} of {leak['of']:,} evaluation examples of {leak['target']} "
        f"({', '.join(leak['languages'])}) have a text that {leak['training']} trains on"
    )
