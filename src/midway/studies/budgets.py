"""Equal budgets: intermediates that a study compares must cost the same."""

from pathlib import Path

from midway.errors import StudyError
from midway.studies.build import merge, recipe
from midway.studies.schema import Intermediate, Study

TOLERANCE = 0.01


def check_budgets(study: Study, path: Path) -> None:
    """Refuse contrasts of intermediates whose budgets differ by more than 1 %.

    ``match`` says what is compared: ``examples`` (seen, epochs counted) or ``updates`` (optimiser
    steps). The baseline has no budget and is not checked.

    Raises:
        StudyError: budgets differ, or cannot be known before the data are read.
    """
    match = study.compare.match
    if match is None:
        return
    if match == "tokens":
        raise StudyError(
            f"{path}: match = 'tokens' is not supported by this version; "
            "use 'examples' or 'updates'"
        )
    by_name = {intermediate.name: intermediate for intermediate in study.intermediate}
    pairs = study.compare.contrasts or [[a, b] for a in by_name for b in by_name if a < b]
    for first, second in pairs:
        if "none" in (first, second):
            continue
        budgets = [_budget(study, by_name[name], match, path) for name in (first, second)]
        if abs(budgets[0] - budgets[1]) > TOLERANCE * max(budgets):
            raise StudyError(
                f"{path}: {first} has {budgets[0]:,.0f} {match} and {second} "
                f"{budgets[1]:,.0f}; match = {match!r} allows a difference of 1 %. Change "
                "'examples' or 'epochs' of one of them, or remove 'match'"
            )


def _budget(study: Study, intermediate: Intermediate, match: str, path: Path) -> float:
    """What an intermediate sees, with those that it comes after."""
    sizes = [part.examples for part in intermediate.mix]
    if None in sizes:
        raise StudyError(
            f"{path}: match = {match!r} needs 'examples' in every mix entry of {intermediate.name}"
        )
    chosen = recipe(merge(study.train, intermediate))
    budget = 0.0
    for part, size in zip(intermediate.mix, sizes, strict=True):
        seen = (size or 0) * chosen.epochs
        budget += seen if match == "examples" else seen / (part.batch_size or chosen.batch_size)
    if not intermediate.after:
        return budget
    before = next(each for each in study.intermediate if each.name == intermediate.after)
    return budget + _budget(study, before, match, path)
