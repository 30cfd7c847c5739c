"""Before a run, what it will take; after it, what it took."""

from typing import TYPE_CHECKING, Any

import typer

from midway.errors import MidwayError

if TYPE_CHECKING:
    from midway.graph.runner import Outcome
    from midway.studies.session import Session

WORTH = 60.0  # seconds of computing, by a rough guess, from which on measuring is worth its time


def measure(session: "Session", workers: int) -> None:
    """Calibrate; the encoder is imported first."""
    from midway.cli.progress import progress_observer
    from midway.graph.runner import run_plan
    from midway.studies.costs import calibrate, encoder_of

    encoder = encoder_of(session)
    if not session.store.has(encoder):
        with progress_observer() as observer:
            run_plan(
                session.plan, session.store, session.runtime, observer=observer, only=encoder.key
            )
    typer.echo("measuring what training and prediction cost on this machine", err=True)
    try:
        calibrate(session, workers)
    except MidwayError as error:  # a run goes on without
        typer.echo(f"{error}; costs are a rough guess", err=True)


def measure_if_worth(session: "Session", workers: int) -> bool:
    """Calibrate before a run that takes long enough, once; whether it was done."""
    from midway.studies.costs import rates_of

    made, calibrated = _forecast(session, workers)
    if calibrated or sum(stage["seconds"] for stage in made["stages"].values()) < WORTH:
        return False
    measure(session, workers)
    return rates_of(session, workers).calibrated


def expect(session: "Session", workers: int) -> dict[str, Any] | None:
    """Forecast a run that begins now, say it and keep it; None if there is nothing to compute."""
    from midway.cli.progress import duration
    from midway.cli.store_cmds import size
    from midway.studies.forecast import remember

    made, calibrated = _forecast(session, workers)
    if not made["stages"]:
        return None
    remember(session, made, workers, calibrated)
    written = sum(stage["bytes"] for stage in made["stages"].values())
    typer.echo(
        f"expected: {duration(made['wall'])} on the clock for {len(made['stages'])} stages, "
        f"{size(written)} written{'' if calibrated else ' (rough: nothing was measured)'}",
        err=True,
    )
    return made


def _forecast(session: "Session", workers: int) -> tuple[dict[str, Any], bool]:
    """The forecast, and whether it rests on a calibration."""
    from midway.graph.plan import demand
    from midway.studies.costs import rates_of
    from midway.studies.forecast import forecast

    missing, rates = demand(session.plan.leaves, session.store.has), rates_of(session, workers)
    return forecast(session.plan, missing, rates, workers), rates.calibrated


def compare(
    session: "Session", made: dict[str, Any] | None, outcome: "Outcome", took: float
) -> None:
    """Say what a run took, if it computed all that was forecast, and keep it.

    Args:
        session: the study.
        made: from `expect`.
        outcome: of the run.
        took: seconds on the clock since then.
    """
    from midway.cli.progress import duration
    from midway.studies.forecast import fulfil

    if made is None or set(outcome.done) != set(made["stages"]):
        return
    fulfil(session, took)
    records = [session.record(session.plan.by_key[key]) for key in made["stages"]]
    computed = sum(record.seconds for record in records if record is not None)
    expected = sum(stage["seconds"] for stage in made["stages"].values())
    typer.echo(
        f"took {duration(took)} on the clock, expected {duration(made['wall'])}; "
        f"{duration(computed)} of computing, expected {duration(expected)}",
        err=True,
    )
