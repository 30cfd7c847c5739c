"""What the manifests tell of training: validation scores, collapses, and on what either rests."""

from collections.abc import Iterator
from typing import Any

from midway.graph.stage import Stage
from midway.stages import specs
from midway.studies.expand import Cell
from midway.studies.halving import held_out_score
from midway.studies.session import Session


def trainings_behind(stage: Stage) -> list[Stage]:
    """The training stages that a score, or a training stage, rests on; the last one first."""
    scored = stage.kind is specs.SCORE
    model = stage.inputs["predictions"].inputs.get("model") if scored else stage
    found = []
    while model is not None:
        found.append(model)
        model = model.inputs.get("parent")
    return found


def validation_score(session: Session, cell: Cell) -> float | None:
    """Mean validation score of the model that a cell evaluates, or None."""
    last = trainings_behind(cell.score)[:1]
    record = session.record(last[0]) if cell.trained and last else None
    return None if record is None else held_out_score(record.facts)


def collapse_behind(session: Session, cell: Cell) -> tuple[str, int]:
    """Which model behind a cell has collapsed and why (or nothing), and restarts in all."""
    reasons, restarts = [], 0
    for stage in trainings_behind(cell.score):
        record = session.record(stage)
        if record is not None:
            restarts += len(record.facts["attempts"]) - 1
            if record.facts["collapsed"]:
                reasons.append(f"{stage.label.removeprefix('train ')}: {record.facts['collapsed']}")
    return "; ".join(reasons), restarts


def collapses(session: Session) -> list[dict[str, Any]]:
    """Every training stage that collapsed at least once.

    Returns:
        ``{"run", "attempts": [{"seed", "steps", "collapse"}], "collapsed"}`` each; the last is
        empty if the last attempt went well.
    """
    found = []
    for stage in session.plan.stages:
        record = session.record(stage) if stage.kind is specs.TRAIN else None
        if record is not None and (record.facts["collapsed"] or len(record.facts["attempts"]) > 1):
            found.append(
                {
                    "run": stage.label.removeprefix("train "),
                    "attempts": list(record.facts["attempts"]),
                    "collapsed": record.facts["collapsed"],
                }
            )
    return found


def data_of_training(session: Session) -> Iterator[dict[str, Any]]:
    """``{"who", "task", "split", "languages", "examples"}`` of all that is trained or validated on.

    `examples` is None until they have been read.
    """
    for who, stage in session.expansion.training:
        record = session.record(stage)
        yield {
            "who": who,
            "task": stage.spec.task + (" (control)" if stage.spec.control else ""),
            "split": stage.spec.split,
            "languages": [part.language for part in stage.spec.languages],
            "examples": None if record is None else sum(record.facts["examples"].values()),
        }
