"""What a training stage is validated on: never what the study evaluates.

1. Validation data are the validation split of the task that is trained on, in the languages that
   are trained on; or, with ``split = "train"``, examples of the training split beyond the budget.
2. ``oracle`` validates a target in the languages it is evaluated in, which a zero-shot study cannot
   have: its results stand apart.
3. Masked language modelling, dual encoders and controls are not validated.
"""

from collections.abc import Sequence

from midway.errors import StudyError
from midway.graph.stage import Stage
from midway.studies.build import Builder, examples, features
from midway.studies.parts import default_split
from midway.studies.schema import Hyper, Part, SelectTable, Target
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.tasks.kinds import KINDS
from midway.tasks.select import present, resolve_languages


def validation(
    build: Builder, card: TaskCard, part: Part, trained: Stage, hyper: Hyper
) -> Stage | None:
    """Features of what an entry is validated on; None if it is not.

    Args:
        build: see `Builder`.
        card: the task trained on.
        part: which examples of it.
        trained: these examples.
        hyper: of the training stage.

    Raises:
        StudyError: there is nothing to validate on, or it is evaluated.
    """
    table = hyper.select
    if table is None or part.control or not KINDS[card.family].measured:
        return None
    codes = [language.language for language in trained.spec.languages]
    if table.split == trained.spec.split:
        return features(build, card, _held_out(build, card, part, codes, table), hyper)
    here = present(card, build.runtime.data).get(table.split, []) if table.split else []
    both = [code for code in codes if code in here]
    if not both:
        raise StudyError(
            f"select: {card.name} has no {table.split} data at hand in {' '.join(codes)}; "
            f"give split = {trained.spec.split!r} to hold out examples of that split"
        )
    _refuse_evaluated(build, card, table.split, both)
    chosen = examples(
        build, card, table.split, both, total=table.examples, fold=part.fold, at_most=True
    )
    return features(build, card, chosen, hyper)


def _held_out(
    build: Builder, card: TaskCard, part: Part, codes: Sequence[str], table: SelectTable
) -> Stage:
    if part.examples is None:
        raise StudyError(
            f"select: split = {table.split!r} holds out examples beyond the budget, and "
            f"{card.name} has none; give 'examples'"
        )
    return examples(
        build,
        card,
        table.split,
        codes,
        total=part.examples + table.examples,
        fold=part.fold,
        alpha=part.alpha,
        skip=part.examples,
    )


def _refuse_evaluated(build: Builder, card: TaskCard, split: str, codes: Sequence[str]) -> None:
    for target in build.study.target:
        if target.task != card.name:
            continue
        where = target.evaluate.split or default_split(build, card)
        evaluated = resolve_languages(card, target.evaluate.languages, build.runtime.data, where)
        shared = [code for code in codes if code in evaluated]
        if where == split and shared:
            raise StudyError(
                f"select: {card.name} {split} ({' '.join(shared)}) is what target {target.label} "
                "evaluates; give split = 'train' to hold out training examples, or evaluate "
                "another split"
            )


def oracle(build: Builder, card: TaskCard, target: Target, hyper: Hyper) -> Stage:
    """Features of a target's validation data in the languages that it is evaluated in.

    Raises:
        StudyError: there are none at hand.
    """
    assert hyper.select is not None
    split = target.evaluate.split or default_split(build, card)
    folders = build.runtime.data
    evaluated = resolve_languages(card, target.evaluate.languages, folders, split)
    here = present(card, folders).get(hyper.select.split, [])
    both = [code for code in evaluated if code in here]
    if not both:
        raise StudyError(
            f"select: {card.name} has no {hyper.select.split} data at hand in the languages that "
            "are evaluated; drop oracle"
        )
    chosen = examples(
        build, card, hyper.select.split, both, total=hyper.select.examples, at_most=True
    )
    return features(build, card, chosen, hyper)


def check_selection(build: Builder) -> None:
    """Refuse selections that do not go together.

    Raises:
        StudyError: an oracle for what is not a target, or a choice of intermediates without scores.
    """
    study = build.study
    tables = [("[train]", study.train)]
    tables += [(f"intermediate {each.name}", each) for each in study.intermediate]
    for where, hyper in tables:
        if hyper.select is not None and hyper.select.oracle:
            raise StudyError(
                f"{where}: oracle goes with a target, whose languages it looks at; drop it here"
            )
    for where, hyper in [*tables, *((f"target {each.label}", each) for each in study.target)]:
        table = hyper.select
        if table is not None and table.patience and table.rule != "best":
            raise StudyError(
                f"{where}: patience goes with rule = 'best', not with {table.rule!r}; drop one"
            )
    wanted = {"compare: best": study.compare.best, "halving": study.halving is not None}
    for what in (name for name, asked in wanted.items() if asked):
        for target in study.target:
            measured = KINDS[load_card(target.task).family].measured
            if measured and not (target.select or study.train.select):
                raise StudyError(
                    f"{what} needs validation scores, and target {target.label} has none; "
                    "give select = { rule = 'last' } in [train], or another rule"
                )
