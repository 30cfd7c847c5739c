"""Build single stages: what a study says, turned into Specs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midway.graph.stage import Runtime, Stage, StageKind
from midway.stages import specs
from midway.studies.estimate import Estimator
from midway.studies.schema import Hyper, Part, SelectTable, Study, Target
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.tasks.files import find_files
from midway.tasks.kinds import KINDS
from midway.tasks.select import resolve_languages
from midway.tasks.sources import short_names
from midway.train.recipe import Lora, Recipe, Selection
from midway.train.schedule import Sampling

DATA_SEED = 0


@dataclass(frozen=True)
class Source:
    """Training data of one entry of a mixture, through to features.

    `validation` is the features of what it is validated on, if it is.
    """

    card: TaskCard
    part: Part
    examples: Stage
    features: Stage
    validation: Stage | None = None


@dataclass(frozen=True)
class Builder:
    """What building stages needs to know of the outside.

    Attributes:
        study: the study.
        runtime: data folders.
        digest_of: sha256 of a file.
        encoder: the encoder's stage.
        estimator: rough costs.
    """

    study: Study
    runtime: Runtime
    digest_of: Callable[[Path], str]
    encoder: Stage
    estimator: Estimator


def examples(
    build: Builder,
    card: TaskCard,
    split: str,
    languages: Sequence[str] | str,
    *,
    total: int | None = None,
    per_language: int | None = None,
    fold: str | None = None,
    alpha: float = 0.0,
    control: bool = False,
    skip: int = 0,
    at_most: bool = False,
) -> Stage:
    """Read and choose examples of a task.

    Raises:
        StudyError, DataError: as `midway.tasks.select.resolve_languages`.
    """
    folders = build.runtime.data
    codes = resolve_languages(card, languages, folders, split)
    parts = tuple(
        specs.LanguageFiles(
            language=code,
            files={
                name: build.digest_of(path)
                for name, path in short_names(find_files(card, folders, split, code)).items()
            },
        )
        for code in codes
    )
    spec = specs.ExamplesSpec(
        task=card.name,
        card_version=card.version,
        split=split,
        languages=parts,
        total=total,
        per_language=per_language,
        fold=fold,
        seed=DATA_SEED,
        alpha=alpha,
        control=control,
        skip=skip,
        at_most=at_most,
    )
    many = codes[0] if len(codes) == 1 else f"{len(codes)} languages"
    name = f"{card.name} (control)" if control else card.name
    return _stage(build, specs.EXAMPLES, spec, {}, f"examples of {name} {split}, {many}")


def features(build: Builder, card: TaskCard, examples: Stage, hyper: Hyper) -> Stage:
    """Tokenise examples."""
    kind = KINDS[card.family]
    length = hyper.max_length or kind.max_length
    stride = length // 3 if hyper.stride is None else hyper.stride
    own = load_card(examples.spec.task).family
    spec = specs.FeaturesSpec(
        task=card.name,
        family=card.family,
        labels=card.labels,
        max_length=length,
        stride=stride if kind.windows else 0,
        source="" if own == card.family else own,
    )
    label = examples.label.replace("examples of", "features of", 1)
    inputs = {"encoder": build.encoder, "examples": examples}
    return _stage(build, specs.FEATURES, spec, inputs, label)


def train(
    build: Builder,
    sources: Sequence[Source],
    hyper: Hyper,
    seed: int,
    parent: Stage | None,
    *,
    label: str,
    sampling: Sampling | None = None,
    head: str = "",
) -> Stage:
    """Train on a mixture, from the encoder or, if given, from `parent` (and on with its `head`)."""
    chosen = recipe(hyper)
    validated = any(source.validation is not None for source in sources)
    spec = specs.TrainSpec(
        entries=tuple(
            specs.EntrySpec(
                task=source.card.name,
                family=source.card.family,
                weight=source.part.weight,
                head=head,
                batch_size=source.part.batch_size or 0,
                control=source.part.control,
                validation=_other_task(source),
            )
            for source in sources
        ),
        recipe=chosen,
        sampling=sampling or Sampling(),
        seed=seed,
        restarts=specs.RESTARTS if hyper.restarts is None else hyper.restarts,
        selection=selection(hyper.select) if validated else None,
        lora=None if hyper.lora is None else Lora(hyper.lora.rank, hyper.lora.alpha),
    )
    inputs = {"encoder": build.encoder}
    if parent is not None:
        inputs["parent"] = parent
    for i, source in enumerate(sources):
        inputs |= {f"features{i}": source.features, f"examples{i}": source.examples}
        if source.validation is not None:
            inputs[f"validation_features{i}"] = source.validation
            inputs[f"validation_examples{i}"] = source.validation.inputs["examples"]
    return _stage(build, specs.TRAIN, spec, inputs, label)


def _stage(
    build: Builder, kind: StageKind, spec: Any, inputs: Mapping[str, Stage], label: str
) -> Stage:
    return Stage(kind, spec, inputs, label, build.estimator.units(kind.name, spec, inputs))


def _other_task(source: Source) -> str:
    """The task a source is validated on, if it is not its own."""
    task = source.card.name if source.validation is None else source.validation.spec.task
    return "" if task == source.card.name else str(task)


def score(
    build: Builder,
    card: TaskCard,
    target: Target,
    hyper: Hyper,
    model: Stage | None,
    features: Stage,
    *,
    label: str,
    tuning: Stage | None = None,
) -> Stage:
    """Predict and score a target; returns the scoring stage.

    Args:
        build: see `Builder`.
        card: the target's task.
        target: what the study says of it.
        hyper: its hyper-parameters.
        model: what it is predicted with; None is the pretrained encoder.
        features: of the evaluation data.
        label: how the run is called.
        tuning: features of the development set that a threshold is tuned on, if any.
    """
    trained = KINDS[card.family].trained
    layers = target.layers if isinstance(target.layers, str) else tuple(target.layers)
    spec = specs.PredictSpec(
        task=card.name,
        family=card.family,
        head="" if model is None or not trained else head_of(model),
        unanswerable=card.unanswerable,
        layers="last" if trained else layers,
        precision=recipe(hyper).precision,
        mining=target.mining if card.family == "mining" else "max",
    )
    gold = features.inputs["examples"]
    inputs = {"encoder": build.encoder, "features": features, "examples": gold}
    if model is not None:
        inputs["model"] = model
    if tuning is not None:
        inputs |= {"tuning_features": tuning, "tuning_examples": tuning.inputs["examples"]}
    predictions = _stage(build, specs.PREDICT, spec, inputs, f"predict {label}")
    scoring = specs.ScoreSpec(task=card.name, family=card.family)
    scored = {"predictions": predictions, "examples": gold}
    return _stage(build, specs.SCORE, scoring, scored, f"score {label}")


def head_of(model: Stage) -> str:
    """Name of the head of a training stage's first entry."""
    return f"0.{model.spec.entries[0].task}"


def merge(base: Hyper, over: Hyper) -> Hyper:
    """Hyper-parameters of a stage: its own where given, else the study's."""
    names = Hyper.model_fields
    own = {name: getattr(over, name) for name in names if getattr(over, name) is not None}
    return Hyper(**{name: getattr(base, name) for name in names} | own)


def selection(table: SelectTable | None) -> Selection | None:
    """Which weights are kept."""
    if table is None:
        return None
    return Selection(table.rule, table.every, table.patience, table.keep)


def recipe(hyper: Hyper) -> Recipe:
    """Hyper-parameters with defaults filled in."""
    names = [name for name in Recipe.__dataclass_fields__ if name in Hyper.model_fields]
    given: Mapping[str, Any] = {
        name: getattr(hyper, name) for name in names if getattr(hyper, name) is not None
    }
    return Recipe(**given)
