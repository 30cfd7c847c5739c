"""Which model an export means, its weights, and the folder it goes to.

1. With a target it is the model that was trained on it after the intermediate; a target that is not
   trained (retrieval, mining) is searched with the intermediate's encoder, and so is its export.
2. Without a target it is the intermediate: its encoder, with one of its own heads if that is named.
3. Weights of targets are dropped once they have predicted; they are trained again. A stage is
   deterministic on CPU, and it is said if the bytes are others than before.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from midway.errors import DataError, StageError, StudyError, UsageError, suggest
from midway.graph.observer import Observer
from midway.graph.plan import build
from midway.graph.runner import run_plan
from midway.graph.stage import Stage
from midway.store.manifest import DamagedError, outputs_digest
from midway.studies.expand import Cell
from midway.studies.intermediates import BASELINE
from midway.studies.session import Session
from midway.studies.submission import cells_of
from midway.studies.trainings import trainings_behind

MARK = "midway.json"
AUTO = {
    "classification": "AutoModelForSequenceClassification",
    "tagging": "AutoModelForTokenClassification",
    "span_qa": "AutoModelForQuestionAnswering",
    "choice": "AutoModelForMultipleChoice",
    "mlm": "AutoModelForMaskedLM",
}


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of a study.

    Attributes:
        intermediate: of the run.
        target: of the run; empty for an intermediate.
        seed: of the run.
        family: of the head, or of the target that is searched; empty for an encoder alone.
        head: name of the head; empty if it has none.
        encoder: import of the pretrained encoder.
        trained: last training stage; None for the encoder as it came.
        cells: what was scored with the model or with what was trained on from it.
        layer: hidden state that counts, if not the last.
        max_length: tokens of a sentence, where sentences are embedded.
    """

    intermediate: str
    target: str = ""
    seed: int
    family: str = ""
    head: str = ""
    encoder: Stage
    trained: Stage | None
    cells: tuple[Cell, ...]
    layer: int | None = None
    max_length: int | None = None

    @property
    def auto(self) -> str:
        """The class of transformers that loads it."""
        return AUTO.get(self.family, "AutoModel")

    @property
    def name(self) -> str:
        """Of the folder, such as ``tydiqa-squad-en-1``."""
        task = self.target or self.head.partition(".")[2]
        return "-".join(part for part in (task, self.intermediate, str(self.seed)) if part)

    @property
    def training(self) -> list[Stage]:
        """Training stages, the first one first."""
        return [] if self.trained is None else trainings_behind(self.trained)[::-1]


def find_model(
    session: Session, intermediate: str, seed: int, *, target: str = "", task: str = ""
) -> Model:
    """Find a model in a study.

    Args:
        session: the study.
        intermediate: its name, or ``none``.
        seed: of the run.
        target: name of a target; empty: the intermediate itself.
        task: whose head of the intermediate is wanted; empty: its encoder alone.

    Raises:
        StudyError: the study has no such intermediate, seed, target or head.
        UsageError: both target and task are given.
    """
    if target and task:
        raise UsageError("--task names a head of the intermediate; a target has its own, drop it")
    cells = cells_of(session, intermediate, seed)
    if target:
        return _of_target(session, cells, target)
    trained = _intermediate(session, cells[0])
    encoder = cells[0].score.inputs["predictions"].inputs["encoder"]
    facts: dict[str, Any] = {"intermediate": intermediate, "seed": seed, "cells": tuple(cells)}
    facts |= {"encoder": encoder, "trained": trained}
    if not task:
        return Model(**facts)
    heads = [] if trained is None else list(enumerate(trained.spec.entries))
    chosen = [(i, entry) for i, entry in heads if entry.task == task]
    if not chosen:
        names = [entry.task for _, entry in heads]
        raise StudyError(
            f"{intermediate} has no head for {task!r}.{suggest(task, names)} "
            f"It has heads for: {', '.join(names) or 'nothing'}"
        )
    number, entry = chosen[0]
    sentences = trained is not None and entry.family == "ranking"
    length = trained.inputs[f"features{number}"].spec.max_length if trained and sentences else None
    return Model(**facts, family=entry.family, head=f"{number}.{task}", max_length=length)


def _of_target(session: Session, cells: list[Cell], target: str) -> Model:
    found = [cell for cell in cells if cell.target == target]
    if not found:
        names = [cell.target for cell in cells]
        raise StudyError(
            f"{session.path}: no target {target!r}.{suggest(target, names)} "
            f"There are: {', '.join(names)}"
        )
    cell = found[0]
    predict = cell.score.inputs["predictions"]
    sentences = cell.card.family in ("ranking", "retrieval", "mining")
    layers = predict.spec.layers
    return Model(
        intermediate=cell.intermediate,
        target=target,
        seed=cell.seed,
        family=cell.card.family,
        head=predict.spec.head,
        encoder=predict.inputs["encoder"],
        trained=predict.inputs.get("model"),
        cells=(cell,),
        layer=None if isinstance(layers, str) else layers[-1],
        max_length=predict.inputs["features"].spec.max_length if sentences else None,
    )


def _intermediate(session: Session, cell: Cell) -> Stage | None:
    """The intermediate's own last stage: what is left below those that train the target.

    The baseline's run of the same target has the target's stages alone.
    """
    alone = next(
        other
        for other in session.expansion.cells
        if (other.intermediate, other.target, other.seed) == (BASELINE, cell.target, cell.seed)
    )
    own, both = (trainings_behind(run.score) for run in (alone, cell))
    return both[len(own)] if len(both) > len(own) else None


def provide(session: Session, model: Model, observer: Observer) -> tuple[str, ...]:
    """See that the weights are in the store, training what is missing; they stay until a run.

    Returns:
        Sentences for the model card.

    Raises:
        StageError: training failed.
    """
    store, trained = session.store, model.trained
    wanted = [model.encoder] if trained is None else [model.encoder, trained]
    for stage in wanted:
        try:
            store.open(stage, full=True)
        except DamagedError as error:
            store.quarantine(stage)
            observer.notice(f"{error}; it was moved away and is computed again")
    before = None if trained is None or store.has(trained) else session.record(trained)
    if trained is not None and not store.has(trained):
        why = "are not kept once they have predicted" if before else "are not there yet"
        observer.notice(f"the weights of '{trained.label}' {why}; training them now")
    outcome = run_plan(build(wanted), store, session.runtime, observer=observer, keep="all")
    for key, message in outcome.failed.items():
        raise StageError(f"{message}; traceback: {store.failure(key)}")
    after = None if trained is None else session.record(trained)
    if before is None or after is None:
        return ()
    if outputs_digest(before.outputs) == outputs_digest(after.outputs):
        return ("The weights were trained again for this export, with the same bytes as before.",)
    return (
        "The weights were trained again for this export. They are not bit for bit those that the "
        "scores were computed with, which were not kept.",
    )


def marked(folder: Path) -> dict[str, Any]:
    """What an earlier export noted in a folder; nothing if there was none.

    Raises:
        DataError: it cannot be read.
    """
    mark = folder / MARK
    try:
        found: dict[str, Any] = json.loads(mark.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{mark} is damaged ({error}); choose another folder with --out") from error
    return found


@contextmanager
def replacing(folder: Path, about: dict[str, Any]) -> Iterator[Path]:
    """An empty folder whose files take the place of an earlier export, once all went well.

    Args:
        folder: where they go.
        about: what is exported, for `MARK`; read when all is written.

    Raises:
        DataError: `folder` holds files, and not from an export.
    """
    mark = folder / MARK
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not mark.is_file())):
        raise DataError(
            f"{folder} exists and is not from an earlier export; choose another with --out"
        )
    before = marked(folder).get("files", [])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        new = Path(temporary)
        yield new
        paths = sorted(path for path in new.rglob("*") if path.is_file())
        names = [path.relative_to(new).as_posix() for path in paths]
        (new / MARK).write_text(
            json.dumps({**about, "files": names}, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        for name in before:
            old = (folder / name).resolve()
            if old.is_relative_to(folder.resolve()):
                old.unlink(missing_ok=True)
        for name in [*names, MARK]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).replace(folder / name)
