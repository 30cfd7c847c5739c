"""What the report needs to know besides scores, from the manifests of a session."""

import importlib.metadata
from collections.abc import Iterator
from typing import Any

from midway import __version__
from midway.analysis import ReportData, analyse
from midway.analysis.results import WITH_LEAKS, ScoredRun
from midway.errors import StudyError
from midway.graph.stage import Stage
from midway.stages import specs
from midway.stages.steps import UNITS
from midway.studies.expand import Cell
from midway.studies.forecast import recall
from midway.studies.session import Session
from midway.studies.trainings import (
    collapse_behind,
    collapses,
    data_of_training,
    validation_score,
)
from midway.tasks import load_card

PACKAGES = ("torch", "transformers", "tokenizers", "numpy")


def analysed(session: Session) -> ReportData:
    """Analyse the scores that a study has (`midway.analysis.analyse`)."""
    return analyse(session.study.name, session.text, scored_runs(session), provenance(session))


def scored_runs(session: Session) -> list[ScoredRun]:
    """Cells whose scores are in the store, in the study's order.

    Raises:
        StudyError: there are none.
    """
    leaking = {leak["target"] + WITH_LEAKS for leak in leaks(session) or ()}
    runs = [
        scored_run(session, cell)
        for cell in session.expansion.cells
        if session.store.has(cell.score)
        and (cell.target in leaking or not cell.target.endswith(WITH_LEAKS))
    ]
    if not runs:
        raise StudyError(
            f"{session.path}: nothing has been computed yet; run: midway run {session.path}"
        )
    return runs


def scored_run(session: Session, cell: Cell) -> ScoredRun:
    """A cell whose score is in the store."""
    collapsed, restarts = collapse_behind(session, cell)
    return ScoredRun(
        intermediate=cell.intermediate,
        target=cell.target,
        seed=cell.seed,
        split=cell.split,
        folder=session.store.path(cell.score),
        family=cell.card.family,
        main_metric=cell.card.metrics[0],
        trained=cell.trained,
        validation=validation_score(session, cell),
        collapsed=collapsed,
        restarts=restarts,
        stopped=session.halving.stopped.get(cell.intermediate, "") if session.halving else "",
    )


def provenance(session: Session, *, seconds: float | None = None) -> dict[str, Any]:
    """Everything `midway.report.write_report` documents."""
    study = session.study
    records = {stage.key: session.record(stage) for stage in session.plan.stages}
    done = [record for record in records.values() if record is not None]
    forecast = recall(session)
    started = min((record.started for record in done), default="")
    command = f"midway run {session.path.name}"
    uses_data = any(load_card(task).homepage for task in _tasks(session))
    return {
        "encoder": study.encoder,
        "intermediates": {
            name: _intermediate(session, name) for name in (i.name for i in study.intermediate)
        },
        "mixtures": list(_mixtures(session)),
        "budgets": list(_budgets(session)),
        "match": study.compare.match,
        "contrasts": study.compare.contrasts,
        "commands": [f"{command} --data FOLDER" if uses_data and session.runtime.data else command],
        "versions": {"midway": __version__}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
        "started": started.replace("T", " ").removesuffix("+00:00") + " UTC" if started else "",
        "seconds": seconds,
        "computing_seconds": round(sum(record.seconds for record in done), 1),
        "stages": [
            {
                "name": stage.label,
                "key": stage.key,
                "state": "computed" if record is not None else "missing",
                "seconds": None if record is None else record.seconds,
                "tokens": 0 if record is None else record.facts.get("tokens", 0),
                "bytes": 0 if record is None else record.bytes,
                "expected": forecast["stages"].get(stage.key),
            }
            for stage in session.plan.stages
            for record in [records[stage.key]]
        ],
        "forecast": forecast["runs"][-1] if forecast["runs"] else None,
        "data": [_source(task) for task in _tasks(session)],
        "files": list(_files(session)),
        "dropped": list(_rows(session, "dropped")),
        "repaired": list(_rows(session, "repaired")),
        "warnings": warnings(session),
        "encoder_facts": _encoder_facts(session),
        "leaks": leaks(session),
        "leak_check": _leak_check(session),
        "trained_on": list(data_of_training(session)),
        "collapsed": collapses(session),
        "best": study.compare.best,
        "halving": _halving(session),
    }


def _halving(session: Session) -> dict[str, Any] | None:
    """What successive halving has decided, and how many evaluations wait for a choice."""
    found = session.halving
    if found is None:
        return None
    waiting = sum((1 + count) * len(session.study.target) for count in found.open.values())
    choices = [
        {"seeds": choice.seeds, "scores": dict(choice.scores), "kept": choice.kept}
        for choice in found.choices
    ]
    return {"choices": choices, "stopped": found.stopped, "waiting": waiting}


def leaks(session: Session) -> list[dict[str, Any]] | None:
    """Training data found in evaluation data (`midway.stages.leaks`); None if not looked for."""
    found = _leak_check(session)
    gone = session.study.compare.leaks == "drop"
    return None if found is None else [{**leak, "left_out": gone} for leak in found["leaks"]]


def _leak_check(session: Session) -> dict[str, Any] | None:
    """All that comparing training and evaluation data has found."""
    stage = session.expansion.leaks
    record = None if stage is None else session.record(stage)
    return None if record is None else dict(record.facts)


def _encoder_facts(session: Session) -> dict[str, Any]:
    for stage in session.plan.stages:
        if stage.kind is specs.ENCODER:
            record = session.record(stage)
            return {} if record is None else dict(record.facts)
    return {}


def _tasks(session: Session) -> list[str]:
    return sorted({stage.spec.task for stage in _example_stages(session)})


def _example_stages(session: Session) -> Iterator[Stage]:
    return (stage for stage in session.plan.stages if stage.kind is specs.EXAMPLES)


def _intermediate(session: Session, name: str) -> dict[str, Any]:
    """Tasks, languages and number of examples of one intermediate."""
    stages = [stage for who, stage in session.expansion.training if who == f"intermediate {name}"]
    languages = {part.language for stage in stages for part in stage.spec.languages}
    counts = [record.facts for stage in stages if (record := session.record(stage)) is not None]
    return {
        "tasks": sorted({stage.spec.task for stage in stages}),
        "languages": sorted(languages),
        "examples": sum(sum(facts["examples"].values()) for facts in counts),
    }


def _mixtures(session: Session) -> Iterator[dict[str, Any]]:
    """What each part of an intermediate was meant to get, and what it got, in the first seed."""
    for name, stage in session.expansion.intermediates.items():
        record = session.record(stage)
        for share in [] if record is None else record.facts["mixture"]:
            yield {"intermediate": name, **share}


def _budgets(session: Session) -> Iterator[dict[str, Any]]:
    """Examples, tokens and updates that each intermediate was planned to see."""
    record = None if session.budgets is None else session.record(session.budgets)
    for name, budget in {} if record is None else record.facts["budgets"].items():
        yield {"intermediate": name, **{unit: budget[unit] for unit in UNITS}}


def _source(task: str) -> dict[str, str]:
    card = load_card(task)
    return {
        "task": task,
        "licence": card.licence,
        "citation": card.citation,
        "homepage": card.homepage,
    }


def _files(session: Session) -> Iterator[dict[str, Any]]:
    for stage in _example_stages(session):
        record = session.record(stage)
        counts = {} if record is None else record.facts["examples"]
        for part in stage.spec.languages:
            for name, sha256 in part.files.items():
                yield {
                    "task": stage.spec.task,
                    "split": stage.spec.split,
                    "language": part.language,
                    "file": name,
                    "sha256": sha256,
                    "rows": counts.get(part.language, 0),
                }


def warnings(session: Session) -> list[str]:
    """What readers warned of, each once."""
    records = (session.record(stage) for stage in _example_stages(session))
    found = (text for record in records if record for text in record.facts["warnings"])
    return list(dict.fromkeys(found))


def _rows(session: Session, what: str) -> Iterator[dict[str, Any]]:
    for stage in _example_stages(session):
        record = session.record(stage)
        for language, reasons in ({} if record is None else record.facts[what]).items():
            for reason, count in reasons.items():
                yield {
                    "task": stage.spec.task,
                    "split": stage.spec.split,
                    "language": language,
                    "reason": reason,
                    "count": count,
                }
