"""Before a run, what it will take; after it, what it took."""

import time
from typing import TYPE_CHECKING, Any

import typer

from midway.errors import MidwayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from midway.graph.runner import Outcome
    from midway.graph.stage import Stage
    from midway.studies.costs import Rates
    from midway.studies.session import Session

WORTH = 60.0  # seconds of computing, by a rough guess, from which on measuring is worth its time


def measure(session: "Session", workers: int) -> tuple[str, ...]:
    """Calibrate; the encoder is imported first. Returns the keys that were computed."""
    from midway.cli.progress import progress_observer
    from midway.graph.runner import run_plan
    from midway.studies.costs import calibrate, encoder_of

    key = encoder_of(session).key
    with progress_observer() as observer:
        done = run_plan(session.plan, session.store, session.runtime, observer=observer, only=key)
    typer.echo("measuring what training and prediction cost on this machine", err=True)
    try:
        calibrate(session, workers)
    except MidwayError as error:  # a run goes on without
        typer.echo(f"{error}; costs are a rough guess", err=True)
    return done.done


def measured(opened: "Callable[[], Session]", workers: int) -> "tuple[Session, tuple[str, ...]]":
    """Open a study, after a calibration if there is none and the run takes long enough.

    Returns:
        The study, and the keys that were computed.
    """
    session = opened()
    if not (missing := session.missing):
        return session, ()
    made, rates = look_ahead(session, missing, workers)
    if rates.calibrated or sum(stage["seconds"] for stage in made["stages"].values()) < WORTH:
        return session, ()
    done = measure(session, workers)
    return opened(), done  # its encoder is known now


def expect(session: "Session", workers: int, say: "Callable[[str], None]") -> dict[str, Any] | None:
    """Forecast a run that begins now, say it and keep it; None if there is nothing to compute.

    Returns:
        See `midway.studies.forecast.forecast`; ``began`` is the time by `time.monotonic`.
    """
    from midway.cli.progress import duration
    from midway.cli.store_cmds import size
    from midway.studies.forecast import remember

    if not (missing := session.missing):
        return None
    made, rates = look_ahead(session, missing, workers)
    remember(session, made, workers, rates.calibrated)
    written = sum(stage["bytes"] for stage in made["stages"].values())
    say(
        f"expected: {duration(made['wall'])} on the clock for {len(made['stages'])} stages, "
        f"{size(written)} written{'' if rates.calibrated else ' (rough: nothing was measured)'}"
    )
    return {**made, "began": time.monotonic()}


def look_ahead(
    session: "Session", missing: "dict[str, Stage]", workers: int
) -> "tuple[dict[str, Any], Rates]":
    """Forecast a run (`midway.studies.forecast.forecast`); also the rates that it rests on.

    Args:
        session: the study.
        missing: what there is to compute, `Session.missing`.
        workers: of the run.
    """
    from midway.studies.costs import rates_of
    from midway.studies.forecast import forecast

    rates = rates_of(session, workers)
    return forecast(session.plan, missing, rates, workers), rates


def compare(
    session: "Session",
    made: dict[str, Any] | None,
    outcome: "Outcome",
    say: "Callable[[str], None]",
) -> None:
    """Say what a run took, if it computed all that was forecast, and keep it.

    Args:
        session: the study.
        made: from `expect`.
        outcome: of the run.
        say: tells the user.
    """
    from midway.cli.progress import duration
    from midway.studies.forecast import fulfil

    if made is None or set(outcome.done) != set(made["stages"]):
        return
    took = time.monotonic() - made["began"]
    fulfil(session, took)
    records = [session.record(session.plan.by_key[key]) for key in made["stages"]]
    computed = sum(record.seconds for record in records if record is not None)
    expected = sum(stage["seconds"] for stage in made["stages"].values())
    say(
        f"took {duration(took)} on the clock, expected {duration(made['wall'])}; "
        f"{duration(computed)} of computing, expected {duration(expected)}"
    )
