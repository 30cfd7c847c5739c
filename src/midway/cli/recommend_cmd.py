"""``midway recommend``: which intermediate to try for a target, and whether to use none."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, StudyArgument, data_folders

if TYPE_CHECKING:
    from midway.advice import Advice, Evidence, Trial


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
    from midway.errors import UsageError, suggest

    evidence, own = _evidence(study, store, data, languages, results or [])
    for name in target or ():
        if name not in own:
            raise UsageError(
                f"{study} has no trained target {name!r}.{suggest(name, own)} It has "
                f"{', '.join(own)}; give one of them with --target"
            )
    advice = [advising.recommend(evidence, name) for name in target or own]
    trial = advising.try_out(evidence)
    if as_json:
        document = {
            "target": [asdict(item) for item in advice],
            "evaluation": None if trial is None else asdict(trial),
        }
        typer.echo(json.dumps(_rounded(document), ensure_ascii=False, indent=1))
        return
    for item in advice:
        for line in _lines(item):
            typer.echo(line)
    for line in _tried(trial):
        typer.echo(line)


def _evidence(
    study: Path, store: Path | None, data: str, languages: str, results: list[Path]
) -> tuple["Evidence", list[str]]:
    """What is known, and the study's trained targets; describes the data first where needed."""
    from midway.cli.progress import progress_observer
    from midway.cli.store_cmds import open_store
    from midway.errors import StoreError
    from midway.graph.plan import build
    from midway.graph.runner import run_plan
    from midway.studies.advising import evidence_of
    from midway.studies.probes import probes
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    found = probes(session)
    with progress_observer() as observer:
        outcome = run_plan(build(found.stages), session.store, session.runtime, observer=observer)
    if outcome.failed:
        raise StoreError("; ".join(outcome.failed.values()))
    codes = [code.strip() for code in languages.split(",") if code.strip()]
    return evidence_of(session, found, codes, results), list(found.targets)


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


def _rounded(value: Any) -> Any:
    """Numbers with four decimals."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value
