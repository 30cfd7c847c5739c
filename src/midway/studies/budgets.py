"""Equal budgets: intermediates that a study compares must cost the same.

1. What the study file alone decides is compared at once, before any file is read.
2. Everything else only the data tell: windows of long texts, tokens, how a mixture is drawn. The
   stage `budgets` counts it on the steps that training will do, and runs before any training.
"""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

from midway.errors import StudyError
from midway.graph.stage import Stage
from midway.stages import specs
from midway.stages.steps import TOLERANCE
from midway.studies.build import merge, recipe
from midway.studies.schema import Intermediate, Study
from midway.tasks import load_card

# Families whose steps draw examples; those of the others draw windows, or searches.
_EXAMPLE_BY_EXAMPLE = ("classification", "choice")


def compared_pairs(study: Study) -> list[tuple[str, str]]:
    """The contrasts of a study, or all pairs of its intermediates; the baseline has no budget."""
    names = [intermediate.name for intermediate in study.intermediate]
    pairs = [(a, b) for a, b in study.compare.contrasts] or list(combinations(names, 2))
    return [pair for pair in pairs if "none" not in pair]


def check_budgets(study: Study, path: Path) -> None:
    """Refuse compared intermediates whose declared budgets differ by more than 1 %.

    ``match`` says what is compared: ``examples`` (seen, epochs counted), ``tokens`` or ``updates``
    (optimiser steps). A pair is passed over if only the data can tell (`declared`).

    Raises:
        StudyError: budgets differ.
    """
    match = study.compare.match
    for first, second in compared_pairs(study) if match else []:
        budgets = [declared(study, name) for name in (first, second)]
        if None in budgets:
            continue
        one, two = (float(budget or 0) for budget in budgets)
        if abs(one - two) > TOLERANCE * max(one, two):
            raise StudyError(
                f"{path}: {first} has {one:,.0f} {match} and {second} {two:,.0f}; "
                f"match = {match!r} allows a difference of 1 %. Change 'examples' or 'epochs' of "
                "one of them, or remove 'match'"
            )


def needs_data(study: Study) -> bool:
    """Whether there is a budget to compare that the study file alone does not decide."""
    if study.compare.match is None:
        return False
    return any(declared(study, name) is None for pair in compared_pairs(study) for name in pair)


def declared(study: Study, name: str) -> float | None:
    """The budget of an intermediate, with those that it comes after, in the unit of ``match``.

    None if the study file does not decide it. It decides

    - the examples of a single entry: `examples` times epochs, however many windows they have;
    - the updates of an entry whose steps draw whole examples (classification, choice);
    - both of a mixture of such entries, if their batches are of one size.
    """
    by_name = {intermediate.name: intermediate for intermediate in study.intermediate}
    budget, at = 0.0, name
    while at:
        own = _declared(study, by_name[at])
        if own is None:
            return None
        budget, at = budget + own, by_name[at].after
    return budget


def _declared(study: Study, intermediate: Intermediate) -> float | None:
    chosen = recipe(merge(study.train, intermediate))
    sizes = [part.examples for part in intermediate.mix if part.examples is not None]
    families = [load_card(part.task).family for part in intermediate.mix]
    batches = [part.batch_size or chosen.batch_size for part in intermediate.mix]
    match = study.compare.match
    if match == "tokens" or len(sizes) < len(families) or "ranking" in families:
        return None
    if match == "examples" and len(sizes) == 1:
        return sizes[0] * chosen.epochs
    if not set(families) <= set(_EXAMPLE_BY_EXAMPLE):
        return None
    seen = [max(1, round(size * chosen.epochs)) for size in sizes]
    steps = sum(-(-total // batch) for total, batch in zip(seen, batches, strict=True))
    if match == "updates":
        return float(steps)
    return float(steps * batches[0]) if len(set(batches)) == 1 else None


def budgets_stage(study: Study, trained: Mapping[str, Stage]) -> Stage | None:
    """The stage that counts budgets; None where there are no two intermediates to compare.

    Args:
        study: the study.
        trained: the training stage of each intermediate, of any seed.
    """
    if len(study.intermediate) < 2:
        return None
    inputs: dict[str, Stage] = {}
    role_of: dict[str, int] = {}  # by key: intermediates share data
    plans = []
    for intermediate in study.intermediate:
        stage = trained[intermediate.name]
        numbers = []
        for i in range(len(stage.spec.entries)):
            features = stage.inputs[f"features{i}"]
            number = role_of.setdefault(features.key, len(role_of))
            inputs[f"features{number}"] = features
            numbers.append(number)
        plans.append(
            specs.PlannedTraining(
                name=intermediate.name,
                after=intermediate.after,
                train=stage.spec,
                features=tuple(numbers),
            )
        )
    spec = specs.BudgetsSpec(
        intermediates=tuple(plans),
        seeds=tuple(study.seeds),
        pairs=tuple(compared_pairs(study)),
        match=study.compare.match or "",
    )
    return Stage(specs.BUDGETS, spec, inputs, "budgets of the intermediates")
