"""Which examples the parts of a study mean: splits, languages, and what may train what."""

from typing import Any

from midway.errors import StudyError
from midway.graph.stage import Stage
from midway.languages import resolve
from midway.studies.build import Builder, examples
from midway.studies.schema import Part
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.tasks.select import present, resolve_languages


def require(card: TaskCard, role: str) -> None:
    """Raise StudyError if a task cannot have a role."""
    if role not in card.roles:
        raise StudyError(f"{card.name} cannot be {role} task; its roles: {', '.join(card.roles)}")


def fits(source: TaskCard, card: TaskCard) -> bool:
    """Whether what was learnt on `source` can predict `card`: labels are matched by name.

    A tagger may know fewer tags than the target has (PAN-X has no DATE); the scores say so.
    """
    if source.family != card.family:
        return False
    known, wanted = set(source.labels), set(card.labels)
    return known <= wanted if card.family == "tagging" else known == wanted


def misfit(source: TaskCard, card: TaskCard) -> str:
    """Why not."""
    if source.family != card.family:
        return f"it is a {source.family} task, expected {card.family}"
    return f"its labels are {' '.join(source.labels)}, expected {' '.join(card.labels)}"


def part_examples(build: Builder, card: TaskCard, part: Part, *, default_languages: Any) -> Stage:
    """The examples of a part."""
    split = part.split or ("train" if "train" in card.splits else card.splits[0])
    languages = part.languages or default_languages
    if languages == "targets":
        languages = _target_languages(build, card, split)
    return examples(
        build,
        card,
        split,
        languages,
        total=part.examples,
        fold=part.fold,
        alpha=part.alpha,
        control=part.control,
    )


def _target_languages(build: Builder, card: TaskCard, split: str) -> list[str]:
    """Languages that some target is evaluated in and that this task has."""
    folders = build.runtime.data
    wanted: dict[str, None] = {}
    for target in build.study.target:
        other = load_card(target.task)
        where = target.evaluate.split or default_split(build, other)
        wanted |= dict.fromkeys(resolve_languages(other, target.evaluate.languages, folders, where))
    here = resolve_languages(card, "all", folders, split)
    meant = {resolve(code, here) for code in wanted}  # each task has codes of its own
    both = [language for language in here if language in meant]
    if not both:
        raise StudyError(
            f"{card.name} ({split}) has none of the targets' languages; it has: {' '.join(here)}"
        )
    return both


def default_split(build: Builder, card: TaskCard) -> str:
    """The split a target is evaluated on: its own, or validation where that is not at hand."""
    here = present(card, build.runtime.data)
    if not here[card.evaluation_split] and here.get("validation"):
        return "validation"
    return card.evaluation_split
