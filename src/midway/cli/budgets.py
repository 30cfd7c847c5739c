"""Compare budgets where a run of all stages does not: when planning, and in a part of a run."""

from typing import TYPE_CHECKING

import typer

from midway.errors import StoreError

if TYPE_CHECKING:
    from midway.studies.session import Session


def compare_when_planning(session: "Session") -> None:
    """Count budgets now if the study file alone does not decide whether they are equal.

    Raises:
        StudyError: compared intermediates differ by more than 1 %.
    """
    from midway.studies.budgets import needs_data

    if not needs_data(session.study):
        return
    try:
        _count(session, "reading and tokenising the intermediates' data now")
    except StoreError as error:
        typer.echo(f"{error}; budgets were compared by declared numbers only", err=True)


def compare_before(session: "Session", only: str | None) -> None:
    """Count budgets before a part of a run that needs trained models; a whole run does so itself.

    Raises:
        StudyError: compared intermediates differ by more than 1 %.
    """
    from midway.graph.plan import select
    from midway.graph.runner import DATA_KINDS

    wanted = select(session.plan, only) if only is not None else ()
    if any(stage.kind.name not in DATA_KINDS for stage in wanted):
        _count(session, "comparing budgets first")


def _count(session: "Session", what: str) -> None:
    """Run the stage that counts, with its inputs, if budgets must match and it has not run."""
    from midway.cli.progress import progress_observer
    from midway.graph.runner import run_plan

    match, stage = session.study.compare.match, session.budgets
    if match is None or stage is None or session.store.has(stage):
        return
    typer.echo(f"match = {match!r}: {what}", err=True)
    with progress_observer() as observer:
        outcome = run_plan(
            session.plan, session.store, session.runtime, observer=observer, only=stage.key
        )
    for message in outcome.failed.values():
        typer.echo(f"budgets could not be counted: {message}", err=True)
