"""The intermediate stage: what the encoder is trained on before the targets.

1. An intermediate is a mixture; with ``after`` it goes on from another intermediate of the study,
   trained with the same seed (MNLI, then SQuAD).
2. Heads are new by default. A target with ``keep_head`` goes on with the intermediate's head of
   the same family and labels, matched by name.
"""

from collections.abc import Sequence

from midway.errors import StudyError
from midway.graph.stage import Stage
from midway.stages.specs import EntrySpec
from midway.studies.build import Builder, Source, features, merge, train
from midway.studies.parts import part_examples, require
from midway.studies.schema import Intermediate
from midway.studies.validation import validation
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.train.schedule import Sampling

BASELINE = "none"

Models = dict[str, dict[int, Stage | None]]
Training = list[tuple[str, Stage]]


def intermediate_models(build: Builder, training: Training) -> Models:
    """The last training stage of every intermediate and seed; None for the baseline.

    Args:
        build: see `Builder`.
        training: gets (who trains on it, examples) of every part, and of what came before it.

    Raises:
        StudyError: a task cannot be an intermediate one, or an option does not go with it.
    """
    seeds = build.study.seeds
    models: Models = {BASELINE: dict.fromkeys(seeds)}
    seen: dict[str, list[Stage]] = {BASELINE: []}
    for intermediate in build.study.intermediate:  # the schema has `after` name an earlier one
        sources = _sources(build, intermediate)
        before = seen[intermediate.after or BASELINE]
        seen[intermediate.name] = [*before, *(source.examples for source in sources)]
        training += [(f"intermediate {intermediate.name}", e) for e in seen[intermediate.name]]
        training += validated(f"intermediate {intermediate.name}", sources)
        sampling = Sampling(
            intermediate.sampling.rule,
            intermediate.sampling.cap,
            intermediate.sampling.temperature,
        )
        models[intermediate.name] = {
            seed: train(
                build,
                sources,
                merge(build.study.train, intermediate),
                seed,
                models[intermediate.after or BASELINE][seed],
                label=f"train {intermediate.name} · seed {seed}",
                sampling=sampling,
            )
            for seed in seeds
        }
    return models


def validated(who: str, sources: Sequence[Source]) -> Training:
    """What is validated on, as the leak check lists it."""
    stages = [source.validation for source in sources if source.validation is not None]
    return [(f"validation of {who}", stage.inputs["examples"]) for stage in stages]


def _sources(build: Builder, intermediate: Intermediate) -> list[Source]:
    hyper = merge(build.study.train, intermediate)
    sources = []
    for part in intermediate.mix:
        card = load_card(part.task)
        require(card, "intermediate")
        if part.text and card.family != "mlm":
            raise StudyError(f"'text' goes with task = 'mlm', not with {card.name}; drop it")
        if part.control and card.family in ("mlm", "ranking"):
            raise StudyError(
                f"'control' needs labels or spans to shuffle; {card.name} has none, drop it"
            )
        read = load_card(part.text) if part.text else card
        chosen = part_examples(build, read, part, default_languages="all")
        held = validation(build, card, part, chosen, hyper)
        sources.append(Source(card, part, chosen, features(build, card, chosen, hyper), held))
    if hyper.select is not None and all(source.validation is None for source in sources):
        raise StudyError(
            f"intermediate {intermediate.name}: select needs an entry with labels to validate on; "
            "drop it"
        )
    return sources


def kept_head(card: TaskCard, intermediate: str, model: Stage) -> str:
    """Name of the intermediate's head that can go on with `card`.

    Raises:
        StudyError: none of its heads has this family and these labels.
    """
    entries: tuple[EntrySpec, ...] = model.spec.entries
    for number, entry in enumerate(entries):
        other = load_card(entry.task)
        if other.family == card.family and set(other.labels) == set(card.labels):
            return f"{number}.{entry.task}"
    tasks = ", ".join(entry.task for entry in entries)
    raise StudyError(
        f"keep_head: {card.name} needs a {card.family} head"
        + (f" with the labels {' '.join(card.labels)}" if card.labels else "")
        + f", but {intermediate} trains {tasks}; drop keep_head or add a task with these labels"
    )
