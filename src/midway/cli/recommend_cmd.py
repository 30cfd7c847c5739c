"""``midway recommend``: which intermediate to try for a target, and whether to use none."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midway.cli.options import (
    DataOption,
    JsonOption,
    StoreOption,
    StudyArgument,
    data_folders,
    listed,
    rounded,
)

if TYPE_CHECKING:
    from midway.advice import Advice, Evidence, Trial
    from midway.studies.probes import Probes
    from midway.studies.session import Session


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recommend")(recommend)


def recommend(
    study: StudyArgument,
    target: Annotated[
        list[str] | None, typer.Option(help="A target of the study; all of them unless given.")
    ] = None,
    languages: Annotated[
        str, typer.Option(help="Languages that count, e.g. sw,yo; all but English unless given.")
    ] = "",
    results: Annotated[
        list[Path] | None,
        typer.Option(help="summary.json of another study, whose gains count too."),
    ] = None,
    store: StoreOption = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """Rank a study's intermediates for each target; nothing is trained.

    Before any training it goes by the data, as the encoder sees them; each intermediate that has
    been trained and each gain that has been measured adds to what it knows.
    """
    from midway import advice as advising
    from midway.cli.store_cmds import open_store
    from midway.studies.probes import probes
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    found = probes(session)
    asked = target or list(found.targets)
    _check(study, asked, list(found.targets))
    evidence = _evidence(session, found, _codes(languages), results or [])
    advice = [advising.recommend(evidence, name) for name in asked]
    trial = advising.try_out(evidence)
    if as_json:
        document = {
            "target": [asdict(item) for item in advice],
            "evaluation": None if trial is None else asdict(trial),
        }
        typer.echo(json.dumps(rounded(document), ensure_ascii=False, indent=1))
        return
    for item in advice:
        for line in _lines(item):
            typer.echo(line)
    for line in _tried(trial):
        typer.echo(line)


def _check(study: Path, asked: list[str], there: list[str]) -> None:
    """Refuse targets that a study does not train."""
    from midway.errors import UsageError, suggest

    for name in asked:
        if name not in there:
            raise UsageError(
                f"{study} has no trained target {name!r}.{suggest(name, there)} It has "
                f"{', '.join(there)}; give one of them with --target"
            )


def _codes(languages: str) -> list[str]:
    """Codes of ``--languages``; each must be known."""
    from midway.errors import UsageError
    from midway.languages import lookup

    codes = listed(languages)
    for code in codes:
        if lookup(code) is None:
            raise UsageError(
                f"--languages: no benchmark uses the code {code!r}; expected codes such as sw, "
                "swh or swh_Latn, separated by commas"
            )
    return codes


def _evidence(
    session: "Session", found: "Probes", codes: list[str], results: list[Path]
) -> "Evidence":
    """What is known; describes the data first, where that has not been done."""
    from midway.cli.progress import progress_observer
    from midway.errors import StoreError
    from midway.graph.plan import build
    from midway.graph.runner import run_plan
    from midway.studies.advising import evidence_of, measured_in

    elsewhere = [measured_in(path) for path in results]
    with progress_observer() as observer:
        outcome = run_plan(build(found.stages), session.store, session.runtime, observer=observer)
    if outcome.failed:
        raise StoreError("; ".join(outcome.failed.values()))
    return evidence_of(session, found, codes, elsewhere)


def _lines(advice: "Advice") -> Iterator[str]:
    yield f"{advice.target}: {advice.text}"
    wide = max(len(row.intermediate) for row in advice.recommendations)
    for row in advice.recommendations:
        gain = ""
        if row.predicted_gain is not None:
            gain = f"{row.predicted_gain:+6.1f}  ({row.low:+.1f} to {row.high:+.1f})"
        yield f"  {row.rank:>2}  {row.intermediate:<{wide}}  {gain}".rstrip()
        yield f"      {'; '.join(row.reasons) or 'nothing speaks for it'}"
    yield f"  rests on: {', '.join(advice.recommendations[0].evidence)}"
    yield ""


def _tried(trial: "Trial | None") -> Iterator[str]:
    if trial is None:
        yield (
            "How good such advice is cannot be measured here: that takes four targets on which "
            "every intermediate was scored."
        )
        return
    yield (
        f"Leaving out each of {len(trial.targets)} targets in turn, {trial.candidates} candidates "
        f"(a measured gain has a standard error of {trial.noise:.1f}):"
    )
    yield "  rank correlation  regret@1 (95 % interval)   regret@3"
    for row in trial.outcomes:
        correlation = (
            "       –" if row.rank_correlation is None else f"{row.rank_correlation:+8.2f}"
        )
        interval = f"({row.regret_at_1_low:.1f} to {row.regret_at_1_high:.1f})"
        yield (
            f"  {correlation:>16}  {row.regret_at_1:8.1f} {interval:<16}  {row.regret_at_3:8.1f}"
            f"  {row.method}"
        )
