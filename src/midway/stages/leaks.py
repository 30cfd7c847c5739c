"""Does training data return in the evaluation data, and does a data set repeat itself?

1. Every training set is compared with every evaluation set, in all kinds of
   `midway.stages.leak_kinds`. What a mixture or a chain of trainings shares with a target is one
   row, whichever part it comes from.
2. Training sets are compared with each other: what two parts share is trained on twice.
3. Every evaluation set is compared with itself: what it repeats counts twice in its score.
4. Only the first comparison is about leaks, and only where a model that is evaluated on the target
   has seen the data; the study's policy acts on these.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.graph.stage import Context, Progress
from midway.stages.leak_kinds import (
    SHOWN,
    DataSet,
    Found,
    counted,
    in_numbers,
    joined,
    read_data_set,
    shared,
)
from midway.stages.leaking import read_neighbours, write_leaking
from midway.stages.specs import LeaksSpec
from midway.tasks import load_card

TARGET, VALIDATION_OF = "target ", "validation of "
NO_FOLDS = ("mining", "retrieval")
Sets = dict[Path, DataSet]


def run(spec: LeaksSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``leaks.json`` (the facts below) and ``leaking.json`` (target → language → ids).

    Returns:
        ``leaks`` (training, target, shared, of, languages, examples, kinds), ``hints`` (the same,
        where nothing counts as a leak), ``training`` (first, second, shared, of, kinds),
        ``repeats`` (target, shared, of, languages, examples, with) and ``searched`` (whether for
        neighbours too).

    Raises:
        DataError: the policy is ``error`` and something leaks, or it is ``drop`` and a target has
            nothing left.
    """
    sets: Sets = {}
    for i, (_, task, split) in enumerate(spec.training):
        folder = inputs[f"train{i}"]
        if folder not in sets:
            sets[folder] = read_data_set(folder, task, split)
    facts: dict[str, Any] = {"leaks": [], "hints": [], "repeats": []}
    leaking: dict[str, dict[str, list[str]]] = {}
    emptied = []
    neighbours = read_neighbours(inputs["neighbours"]) if "neighbours" in inputs else {}
    for i, (target, task, split) in enumerate(spec.evaluation):
        context.check()
        context.report(Progress(i, len(spec.evaluation), "targets", {"target": target}))
        evaluation = read_data_set(inputs[f"evaluation{i}"], task, split)
        rows: set[int] = set()
        for name, found in _by_training(spec, inputs, sets, evaluation, neighbours.get(i, {})):
            leak = counted(found) if _concerns(name, target) else set()
            rows |= leak
            kinds = in_numbers(found, evaluation)
            if kinds:
                row = _row(name, target, found, evaluation, kinds)
                facts["leaks" if leak else "hints"].append(row)
        if rows:
            leaking[target] = _ids(evaluation, rows)
        if len(rows | evaluation.candidates) == len(evaluation.ids):
            emptied.append(target)
        facts["repeats"] += _repeats(target, evaluation)
    facts["training"] = list(_among_training(spec, inputs, sets))
    facts["searched"] = "neighbours" in inputs
    _act(spec, facts["leaks"], emptied)
    (context.out / "leaks.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    write_leaking(leaking, context.out)
    return facts


def _by_training(
    spec: LeaksSpec,
    inputs: Mapping[str, Path],
    sets: Sets,
    evaluation: DataSet,
    neighbours: Mapping[int, Mapping[int, str]],
) -> Iterator[tuple[str, Found]]:
    """What each of those who train shares with an evaluation set."""
    known: dict[Path, Found] = {}
    parts: dict[str, list[Found]] = {}
    for i, (name, _, _) in enumerate(spec.training):
        folder = inputs[f"train{i}"]
        if folder not in known:
            known[folder] = shared(sets[folder], evaluation)
            known[folder]["neighbour"] |= neighbours.get(i, {})
        parts.setdefault(name, []).append(known[folder])
    for name, found in parts.items():
        yield name, joined(found)


def _concerns(name: str, target: str) -> bool:
    """Whether a model that is evaluated on the target is trained by `name`.

    Intermediates are behind every target; what another target is trained on is behind that alone.
    """
    who = name.removeprefix(VALIDATION_OF)
    return not who.startswith(TARGET) or who == TARGET + target


def _row(
    name: str, target: str, found: Found, evaluation: DataSet, kinds: list[dict[str, Any]]
) -> dict[str, Any]:
    places = sorted(counted(found) or {row for rows in found.values() for row in rows})
    return {
        "training": name,
        "target": target,
        "shared": len(places),
        "of": len(evaluation.ids),
        "languages": sorted({evaluation.languages[row] for row in places}),
        "examples": [evaluation.ids[row] for row in places[:SHOWN]],
        "kinds": kinds,
    }


def _ids(evaluation: DataSet, rows: set[int]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in sorted(rows):
        found.setdefault(evaluation.languages[row], []).append(evaluation.ids[row])
    return found


def _repeats(target: str, evaluation: DataSet) -> Iterator[dict[str, Any]]:
    """Items that an evaluation set holds more than once in a language."""
    places = sorted(evaluation.repeated)
    if places:
        yield {
            "target": target,
            "shared": len(places),
            "of": len(evaluation.ids),
            "languages": sorted({evaluation.languages[row] for row in places}),
            "examples": [evaluation.ids[row] for row in places[:SHOWN]],
            "with": [evaluation.repeated[row] for row in places[:SHOWN]],
        }


def _among_training(
    spec: LeaksSpec, inputs: Mapping[str, Path], sets: Sets
) -> Iterator[dict[str, Any]]:
    """What training sets share: of different data, or in the hands of one who trains on both.

    Budgets of one data set that different intermediates draw are nested by design, and left out.
    """
    holders: dict[Path, set[str]] = {}
    labels: dict[Path, tuple[str, str]] = {}
    for i, (name, task, split) in enumerate(spec.training):
        holders.setdefault(inputs[f"train{i}"], set()).add(name)
        labels[inputs[f"train{i}"]] = (task, split)
    for first, second in combinations(labels, 2):
        if labels[first] == labels[second] and not holders[first] & holders[second]:
            continue
        found = joined([shared(sets[first], sets[second])])
        if counted(found):
            one, other = (
                f"{' '.join(labels[each])} ({', '.join(sorted(holders[each]))})"
                for each in (first, second)
            )
            yield {
                "first": one,
                "second": other,
                "shared": len(counted(found)),
                "of": len(sets[second].ids),
                "kinds": in_numbers(found, sets[second]),
            }


def _act(spec: LeaksSpec, leaks: list[dict[str, Any]], emptied: list[str]) -> None:
    if leaks and spec.policy == "error":
        raise DataError(refusal(leaks, {name: task for name, task, _ in spec.evaluation}))
    if emptied and spec.policy == "drop":
        raise DataError(
            f"leaks = 'drop' leaves nothing of {', '.join(emptied)}: training holds every "
            'evaluation example. Train on fold = "A" and evaluate on fold = "B", or evaluate '
            "other data"
        )


def refusal(leaks: list[dict[str, Any]], tasks: Mapping[str, str]) -> str:
    """What leaks most, and what to do.

    Args:
        leaks: rows of the facts.
        tasks: task of each target.
    """
    worst = max(leaks, key=lambda leak: (leak["shared"] / leak["of"], leak["shared"]))
    kinds = ", ".join(f"{kind['shared']:,} {kind['kind']}" for kind in worst["kinds"])
    more = f" ({len(leaks) - 1} more like it)" if len(leaks) > 1 else ""
    family = load_card(tasks[worst["target"]]).family
    folds = (
        ""
        if family in NO_FOLDS
        else 'Put fold = "A" into the mix or train that is trained on and fold = "B" into '
        "evaluate: folds share no document in any language. Or "
    )
    otherwise = (
        "set leaks = 'drop' to score without these examples, or leaks = 'warn' to go on as it is"
    )
    return (
        f"leak: {worst['shared']:,} of {worst['of']:,} evaluation examples of {worst['target']} "
        f"({', '.join(worst['languages'])}) are in what {worst['training']} trains on ({kinds}), "
        f"e.g. {worst['examples'][0]}{more}. "
        + (folds + otherwise if folds else otherwise[0].upper() + otherwise[1:])
    )
