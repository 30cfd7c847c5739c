"""From a study to the graph of its stages.

1. Every (intermediate, seed) is one training stage; every (target, intermediate, seed) one more on
   top of it, with the same seed, so runs are paired. Targets that are not trained are predicted
   from the intermediate model itself.
2. Training examples are chosen once per study (`DATA_SEED`), not per seed: seeds differ in order,
   dropout and new heads, so what differs between two intermediates is never the target's data.
3. Stages that ask for the same thing have the same key and appear once.
"""

from dataclasses import dataclass, field, replace

from midway.analysis.results import WITH_LEAKS
from midway.errors import StudyError
from midway.graph.stage import Stage
from midway.stages import specs
from midway.studies.build import (
    Builder,
    Source,
    examples,
    features,
    head_of,
    merge,
    score,
    train,
)
from midway.studies.intermediates import Models, intermediate_models, kept_head, validated
from midway.studies.leaks import leaks_stage, without
from midway.studies.parts import default_split, fits, misfit, part_examples, require
from midway.studies.schema import Evaluate, Hyper, Part, Target
from midway.studies.validation import check_selection, oracle, validation
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.tasks.kinds import KINDS
from midway.tasks.select import present, resolve_languages


@dataclass(frozen=True)
class Cell:
    """One cell of the result table: which stage scores it."""

    intermediate: str
    target: str
    seed: int
    split: str
    card: TaskCard
    trained: bool
    score: Stage


@dataclass
class Expansion:
    """A study's stages.

    Attributes:
        cells: a cell per (intermediate, target, seed).
        target_models: stages whose weights are needed only until all predictions exist.
        intermediates: the training stage of each intermediate, of the first seed.
        training: examples of every trained part: (who trains on them, stage).
        evaluation: examples of every target: (target, stage).
        leaks: compares the two; None if nothing is trained.
        naive_stages: stages that separate runs per cell would compute.
        naive_tokens: tokens that separate runs per cell would train on.
    """

    cells: list[Cell] = field(default_factory=list)
    target_models: list[Stage] = field(default_factory=list)
    intermediates: dict[str, Stage] = field(default_factory=dict)
    training: list[tuple[str, Stage]] = field(default_factory=list)
    evaluation: list[tuple[str, Stage]] = field(default_factory=list)
    leaks: Stage | None = None
    naive_stages: int = 0
    naive_tokens: float = 0.0


def expand(build: Builder) -> Expansion:
    """Build all stages of a study.

    Raises:
        StudyError, UsageError: it names a task, split or language that does not exist.
        DataError: files that it needs are not at hand.
    """
    check_selection(build)
    expansion = Expansion()
    models = intermediate_models(build, expansion.training)
    first = build.study.seeds[0]
    expansion.intermediates = {
        name: stage for name, by_seed in models.items() if (stage := by_seed[first]) is not None
    }
    for target in build.study.target:
        card = load_card(target.task)
        require(card, "target")
        expansion.evaluation.append(_expand_target(build, card, target, models, expansion))
    policy = build.study.compare.leaks
    expansion.leaks = leaks_stage(expansion.training, expansion.evaluation, policy)
    if policy == "drop" and expansion.leaks is not None:
        expansion.cells = _with_and_without(expansion.cells, expansion.leaks)
    _count_naive(expansion)
    return expansion


def _expand_target(
    build: Builder, card: TaskCard, target: Target, models: Models, expansion: Expansion
) -> tuple[str, Stage]:
    """Add a target's cells; return its name and its evaluation examples."""
    name = target.label
    evaluated, split = _evaluation(build, card, target.evaluate)
    hyper = merge(build.study.train, target)
    chain = training_chain(build, card, target)
    if target.keep_head and not chain:
        raise StudyError(f"{card.name} has no head to keep; drop keep_head")
    for source in chain:
        expansion.training.append((f"target {name}", source.examples))
    expansion.training += validated(f"target {name}", chain)
    tokenised = features(build, card, evaluated, hyper)
    tuning = _tuning(build, card, target, split, hyper)
    kept = {stage.key for by_seed in models.values() for stage in by_seed.values() if stage}
    for intermediate, by_seed in models.items():
        for seed in build.study.seeds:
            model, head = by_seed[seed], ""
            if target.keep_head and model is not None:
                head = kept_head(chain[0].card, intermediate, model)
            for place, source in enumerate(chain):
                what = f"{name} after {intermediate}" if by_seed[seed] else name
                if len(chain) > 1:
                    what = f"{what} ({place + 1}: {source.card.name})"
                label = f"train {what} · seed {seed}"
                model = train(build, [source], hyper, seed, model, label=label, head=head)
                head = head_of(model)
                if model.key not in kept:  # an intermediate may be a target's first training too
                    expansion.target_models.append(model)
            label = label_of(name, intermediate, seed if model else None)
            scored = score(build, card, target, hyper, model, tokenised, label=label, tuning=tuning)
            cell = Cell(intermediate, name, seed, split, card, bool(chain), scored)
            expansion.cells.append(cell)
    return name, evaluated


def _with_and_without(cells: list[Cell], leaks: Stage) -> list[Cell]:
    """Every cell without the examples that leak, and beside it, set apart, with them."""
    found = []
    for cell in cells:
        found.append(replace(cell, score=without(cell.score, cell.target, leaks)))
        name = cell.target + WITH_LEAKS
        label = cell.score.label.replace(f"score {cell.target}", f"score {name}", 1)
        found.append(replace(cell, target=name, score=replace(cell.score, label=label)))
    return found


def label_of(target: str, intermediate: str, seed: int | None) -> str:
    """How the runs of a cell are called."""
    return f"{target} after {intermediate}" + (f" · seed {seed}" if seed is not None else "")


def training_chain(build: Builder, card: TaskCard, target: Target) -> list[Source]:
    """What a target is trained on, one after the other; nothing where nothing is trained.

    Raises:
        StudyError: it cannot be trained, or not on this task.
    """
    if not KINDS[card.family].trained:
        for key in ("train", "select", "lora"):
            if getattr(target, key) is not None:
                raise StudyError(
                    f"{card.name} is a {card.family} target, not trained; drop {key!r}"
                )
        return []
    part = target.train or Part(languages=["en"])
    if part.languages == "all" and "languages" not in part.model_fields_set:
        part = part.model_copy(update={"languages": ["en"]})
    if part.text or part.control:
        raise StudyError(
            f"target {card.name}: 'text' and 'control' go with a mix, not with 'train'; drop them"
        )
    names = (part.task,) if part.task else card.train_tasks or (card.name,)
    hyper = merge(build.study.train, target)
    chain: list[Source] = []
    by_oracle = hyper.select is not None and hyper.select.oracle
    for name in names:
        source = load_card(name)
        if not fits(source, card):
            raise StudyError(
                f"{card.name} cannot be trained on {source.name}: {misfit(source, card)}; name "
                "another task in 'train', or drop it"
            )
        # a budget limits the first task; those that follow it are small and used whole
        own = part if not chain else part.model_copy(update={"examples": None})
        chosen = part_examples(build, source, own, default_languages=["en"])
        held = (
            oracle(build, card, target, hyper)
            if by_oracle and name == names[-1]
            else validation(build, source, own, chosen, hyper)
        )
        chain.append(Source(source, part, chosen, features(build, source, chosen, hyper), held))
    if target.select is not None and not KINDS[card.family].measured:
        raise StudyError(f"{card.name} cannot be validated while it is trained; drop 'select'")
    return chain


def _evaluation(build: Builder, card: TaskCard, evaluate: Evaluate) -> tuple[Stage, str]:
    split = evaluate.split or default_split(build, card)
    stage = examples(
        build, card, split, evaluate.languages, per_language=evaluate.examples, fold=evaluate.fold
    )
    return stage, split


def _tuning(
    build: Builder, card: TaskCard, target: Target, split: str, hyper: Hyper
) -> Stage | None:
    """Features of the development set that a mining threshold is tuned on."""
    if card.family != "mining" or split == "validation":
        return None
    here = present(card, build.runtime.data).get("validation", [])
    wanted = resolve_languages(card, target.evaluate.languages, build.runtime.data, split)
    both = [language for language in wanted if language in here]
    if not both:
        return None
    return features(build, card, examples(build, card, "validation", both), hyper)


def _count_naive(expansion: Expansion) -> None:
    for cell in expansion.cells:
        seen: dict[str, Stage] = {}
        pending = [cell.score]
        while pending:
            stage = pending.pop()
            if stage.key not in seen:
                seen[stage.key] = stage
                pending += stage.inputs.values()
        expansion.naive_stages += len(seen)
        expansion.naive_tokens += sum(
            stage.estimate.get("tokens", 0.0)
            for stage in seen.values()
            if stage.kind is specs.TRAIN
        )
