"""``midway run``: compute what is missing, then write results and report."""

import os
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from midway.cli.options import DataOption, OutOption, StoreOption, StudyArgument, data_folders
from midway.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from midway.graph.budget import Budget
    from midway.graph.plan import Plan
    from midway.graph.runner import Outcome
    from midway.graph.stage import Runtime
    from midway.store.local import Store
    from midway.studies.session import Session

    Opened = Callable[[], Session]
    Compute = Callable[[Session, Plan], Outcome]

# How long an idle thread of torch's OpenMP spins. Its default costs nothing on a quiet machine, but
# next to another busy process a training step becomes ten times as slow; this costs at most 5 %.
SPINS = "10000"

EngineOption = Annotated[
    Literal["local", "ray"], typer.Option(help="Where stages run; ray is not available yet.")
]
NoRetryOption = Annotated[
    bool, typer.Option("--no-retry", help="Do not repeat stages that failed before.")
]
OnlyOption = Annotated[
    str | None,
    typer.Option(help="Only stages whose label, kind or key fits this glob.", metavar="GLOB"),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Hash all data anew; refuse results of changed code.")
]
KeepOption = Annotated[
    Literal["intermediates", "all"],
    typer.Option(help="Weights to keep; those of targets go once they have predicted."),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        help="Start no stage that would not fit: a time (90s, 30m, 2h) or training tokens "
        "(500ktok, 5Mtok). Run again to go on.",
        metavar="AMOUNT",
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        help="cpu, cuda, or cuda:N for one GPU. With cuda, workers and processes take one each."
    ),
]
ProcessesOption = Annotated[
    int,
    typer.Option(
        min=1, help="Processes that share every training; predictions are made by one process."
    ),
]
AgainOption = Annotated[
    bool,
    typer.Option(
        "--gradient-checkpointing",
        help="Train large encoders in less memory: compute the inside of layers twice.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    study: StudyArgument,
    engine: EngineOption = "local",
    workers: Annotated[int, typer.Option(min=1, help="Stages at a time.")] = 1,
    processes: ProcessesOption = 1,
    device: DeviceOption = "cpu",
    store: StoreOption = None,
    data: DataOption = "",
    out: OutOption = None,
    only: OnlyOption = None,
    no_retry: NoRetryOption = False,
    strict: StrictOption = False,
    keep: KeepOption = "intermediates",
    budget: BudgetOption = None,
    gradient_checkpointing: AgainOption = False,
) -> None:
    """Run a study: train, predict and score whatever is missing; write results and report."""
    from midway.cli.budgets import compare_before
    from midway.cli.forecast import measured
    from midway.cli.progress import progress_observer
    from midway.cli.store_cmds import open_store
    from midway.graph.runner import run_plan

    _check(engine, device)
    began = time.monotonic()
    changes = {
        "device": device,
        "processes": processes,
        "gradient_checkpointing": gradient_checkpointing,
    }
    opened = partial(_opened, study, open_store(store), data_folders(data), strict, changes)
    session, before = measured(opened, workers) if only is None else (opened(), ())
    limit = _limit(budget, session, workers)
    compare_before(session, only)

    def compute(session: "Session", plan: "Plan") -> "Outcome":
        return run_plan(
            plan,
            session.store,
            session.runtime,
            observer=observer,
            workers=workers,
            only=only,
            retry=not no_retry,
            strict=strict,
            keep=keep,
            droppable=session.droppable,
            budget=limit,
        )

    with progress_observer() as observer:
        if only is None:
            session, outcome = _whole(session, opened, compute, observer.notice, workers, limit)
        else:
            outcome = compute(session, session.plan)
    _tell(session, outcome, limit)
    if only is None:
        _report(session, out, time.monotonic() - began, computed=len(before + outcome.done))
    raise typer.Exit(outcome.exit_code)


def _check(engine: str, device: str) -> None:
    if engine == "ray":
        raise UsageError("the engine ray is not part of this version; use --engine local")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise UsageError(f"--device {device}: expected cpu, cuda or cuda:N")
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def _limit(budget: str | None, session: "Session", workers: int) -> "Budget | None":
    from midway.graph.budget import Budget
    from midway.studies.costs import rates_of

    return None if budget is None else Budget(budget, rates_of(session, workers).seconds)


def _opened(
    study: Path, store: "Store", data: tuple[Path, ...], strict: bool, changes: "Mapping[str, Any]"
) -> "Session":
    """Open a study to run it; the environment may set some of the runtime, `changes` the rest."""
    from midway.studies.session import open_session

    session = open_session(study, store, data, strict=strict)
    return replace(session, runtime=replace(_runtime(session.runtime), **changes))


def _whole(
    session: "Session",
    opened: "Opened",
    compute: "Compute",
    say: "Callable[[str], None]",
    workers: int,
    limit: "Budget | None",
) -> "tuple[Session, Outcome]":
    """Compute all of a study, and compare what it took with what was expected."""
    from midway.cli.forecast import compare, expect

    if limit is not None:
        session = _counted(session, opened, compute)
    made = expect(session, workers, say)
    session, outcome = _later_rungs(session, compute(session, session.plan), opened, compute)
    compare(session, made, outcome, say)
    return session, outcome


def _counted(session: "Session", opened: "Opened", compute: "Compute") -> "Session":
    """Read and tokenise what is missing and plan again: a budget needs counts, not guesses."""
    from midway.graph.plan import build
    from midway.graph.runner import DATA_KINDS

    data = [stage for stage in session.missing.values() if stage.kind.name in DATA_KINDS]
    if not data:
        return session
    compute(session, build(data))
    return opened()


def _later_rungs(
    session: "Session", outcome: "Outcome", opened: "Opened", compute: "Compute"
) -> "tuple[Session, Outcome]":
    """Go on, rung by rung, with what successive halving chooses by the scores that are there now.

    Returns:
        The session with all choices that could be made, and what became of the stages of all rungs.
    """
    while (before := session.halving) is not None and before.open:
        session = opened()
        now = session.halving
        if now is None or now == before or outcome.exit_code:
            break
        for choice in now.choices[len(before.choices) :]:
            for name, why in choice.stopped.items():
                typer.echo(f"{name} is stopped {why}", err=True)
        earlier, outcome = outcome, compute(session, session.plan)
        outcome = replace(outcome, done=earlier.done + outcome.done)
    return session, outcome


def _tell(session: "Session", outcome: "Outcome", budget: "Budget | None") -> None:
    """Say what failed and what was left out, and how to go on."""
    for key, message in outcome.failed.items():
        label = session.plan.by_key[key].label
        where = session.store.failure(key)
        typer.echo(f"failed: {label}: {message}\n        traceback: {where}", err=True)
    if outcome.skipped:
        typer.echo(f"not run because of that: {len(outcome.skipped)} stages", err=True)
    if outcome.left_out and budget is not None:
        left = {key: session.plan.by_key[key] for key in outcome.left_out}
        first = next(s for s in left.values() if not any(i.key in left for i in s.inputs.values()))
        needs, room = budget.needs(first), max(budget.left, 0)
        way = "Run the same command again" if needs <= budget.amount else "Give at least that much"
        typer.echo(
            f"budget of {budget.text}: {len(left)} of {len(session.plan.stages)} stages were not "
            f"started. The next, {first.label}, is expected to need {budget.in_words(needs)}, and "
            f"{budget.in_words(room)} are left. {way} to go on",
            err=True,
        )


def _runtime(runtime: "Runtime") -> "Runtime":
    """How often training is saved, and how much is computed at once, the environment may set."""
    given = os.environ.get("MIDWAY_CHECKPOINT_SECONDS")
    seconds = _number("MIDWAY_CHECKPOINT_SECONDS", "seconds", 0) if given else None
    tokens = _number("MIDWAY_MICRO_BATCH_TOKENS", "tokens", 0)
    return replace(runtime, checkpoint_seconds=seconds, micro_batch_tokens=int(tokens))


def _number(name: str, unit: str, default: float) -> float:
    given = os.environ.get(name, "")
    try:
        number = float(given or default)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise UsageError(f"{name} is {given!r}; expected a number of {unit}, 0 or greater")
    return number


def _report(session: Any, out: Path | None, seconds: float, *, computed: int) -> None:
    """Write the outputs from the scores there are, and say where they are."""
    from midway.analysis.wording import collapse_in_words, leak_in_words
    from midway.cli.report_cmd import out_folder
    from midway.report import write_report
    from midway.studies.provenance import leaks, provenance, scored_runs, warnings

    if not any(session.store.has(cell.score) for cell in session.expansion.cells):
        return
    folder = out_folder(session, out)
    facts = provenance(session, seconds=seconds if computed else None)
    runs = scored_runs(session)
    analysis = write_report(session.study.name, session.text, runs, facts, folder)
    for warning in warnings(session):
        typer.echo(f"warning: {warning}", err=True)
    for leak in leaks(session) or []:
        typer.echo(f"leak: {leak_in_words(leak)}", err=True)
    for run in facts["collapsed"]:
        typer.echo(f"warning: {collapse_in_words(run)}", err=True)
    typer.echo(f"\n{analysis.verdict.headline}\n", err=True)
    typer.echo(f"computed {computed} of {len(session.plan.stages)} stages", err=True)
    typer.echo(f"report: {folder / 'report.html'}")
