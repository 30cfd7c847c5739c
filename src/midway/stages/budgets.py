"""What every intermediate will cost: examples, tokens and updates, counted on its planned steps.

1. The steps are those that training will do: same function, same seed, same items.
2. An example that is seen twice counts twice. One of several windows is seen once when all of its
   windows are: a window counts as its share of the example. So `examples` is what the study says,
   times epochs, whatever the length of the texts.
3. Tokens are those that training computes; updates are optimiser steps.
4. An intermediate that goes on from another has the other's budget in its own.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from midway.errors import StudyError
from midway.families import FAMILIES
from midway.families.features import LANGUAGE, Features, read_features
from midway.families.tokens import languages_of
from midway.graph.stage import Context, Progress
from midway.stages.specs import BudgetsSpec, PlannedTraining
from midway.stages.steps import TOLERANCE, UNITS, planned_steps

Budget = Mapping[tuple[str, str], float]  # (unit, language); updates have no language


def total(budget: Budget, unit: str) -> float:
    """Examples, tokens or updates in all."""
    return sum(number for (found, _), number in budget.items() if found == unit)


def added(budgets: Iterable[Budget], share: float = 1.0) -> Budget:
    """The sum of budgets, times `share`."""
    found: dict[tuple[str, str], float] = {}
    for budget in budgets:
        for key, number in budget.items():
            found[key] = found.get(key, 0.0) + share * number
    return found


@dataclass(frozen=True)
class Drawn:
    """What the steps of one entry draw from."""

    family: str
    features: Features

    @cached_property
    def items(self) -> Any:
        """See `midway.families.family.Items`."""
        return FAMILIES[self.family].items(self.features.table)

    @cached_property
    def example(self) -> np.ndarray:
        """The example of each item, ``int64[items]``."""
        numbers: np.ndarray = self.features.table["example"].to_numpy()[self._first]
        return numbers

    @cached_property
    def _first(self) -> np.ndarray:
        rows: np.ndarray = self.items.rows[self.items.offsets[:-1]]
        return rows

    def spent(self, steps: Sequence[np.ndarray]) -> Budget:
        """The budget of some steps, given by their items."""
        if not steps:
            return {}
        codes = languages_of(self.features.table)
        spoken = self.features.table[LANGUAGE].to_numpy()
        chosen = np.concatenate(steps)
        share = 1.0 / np.bincount(self.example)[self.example]
        if FAMILIES[self.family].whole:  # a row that a step has twice is computed once
            rows = np.concatenate([np.unique(self.items.of(step)) for step in steps])
        else:
            rows = self.items.of(chosen)
        seen = np.bincount(spoken[self._first[chosen]], share[chosen], len(codes)).tolist()
        tokens = np.bincount(spoken[rows], self.features.lengths[rows], len(codes)).tolist()
        return (
            {("updates", ""): float(len(steps))}
            | {("examples", code): number for code, number in zip(codes, seen, strict=True)}
            | {("tokens", code): number for code, number in zip(codes, tokens, strict=True)}
        )


def run(spec: BudgetsSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``budgets.json``: the budget of each intermediate, its mean and that of each seed.

    Raises:
        StudyError: compared intermediates differ by more than 1 % in the unit of ``match``.
    """
    plans = {plan.name: plan for plan in spec.intermediates}
    drawn = {
        name: [
            Drawn(entry.family, read_features(inputs[f"features{number}"]))
            for entry, number in zip(plan.train.entries, plan.features, strict=True)
        ]
        for name, plan in plans.items()
    }
    budgets: dict[str, dict[int, Budget]] = {"": {seed: {} for seed in spec.seeds}}
    for done, (name, plan) in enumerate(plans.items()):
        context.report(Progress(done, len(plans), "intermediates"))
        budgets[name] = {}
        for seed in spec.seeds:
            context.check()
            own = _planned(plan, drawn[name], seed)
            budgets[name][seed] = added([budgets[plan.after][seed], own])
    means = {
        name: added(by_seed.values(), 1 / len(spec.seeds)) for name, by_seed in budgets.items()
    }
    apart = [pair for pair in spec.pairs if spec.match and _differ(*pair, means, spec.match)]
    if apart:
        raise StudyError(_message(spec, apart, means, drawn))
    facts = {"budgets": {name: _facts(means[name], budgets[name]) for name in plans}}
    (context.out / "budgets.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return facts


def _facts(mean: Budget, by_seed: Mapping[int, Budget]) -> dict[str, Any]:
    """Means need not be whole numbers."""

    def totals(budget: Budget) -> dict[str, float]:
        return {unit: round(total(budget, unit), 2) for unit in UNITS}

    languages: dict[str, dict[str, float]] = {}
    for (unit, code), number in mean.items():
        if code:
            languages.setdefault(code, {})[unit] = round(number, 2)
    seeds = {str(seed): totals(budget) for seed, budget in by_seed.items()}
    return totals(mean) | {"seeds": seeds, "languages": languages}


def _planned(plan: PlannedTraining, drawn: Sequence[Drawn], seed: int) -> Budget:
    """What one training stage will see, without what came before it."""
    steps = planned_steps(replace(plan.train, seed=seed), [len(part.items) for part in drawn])
    return added(
        part.spent([step.items for step in steps if step.entry == number])
        for number, part in enumerate(drawn)
    )


def _differ(first: str, second: str, means: Mapping[str, Budget], unit: str) -> bool:
    one, two = total(means[first], unit), total(means[second], unit)
    return abs(one - two) > TOLERANCE * max(one, two)


def _message(
    spec: BudgetsSpec,
    apart: Sequence[tuple[str, str]],
    means: Mapping[str, Budget],
    drawn: Mapping[str, Sequence[Drawn]],
) -> str:
    unit = spec.match
    small, large = sorted(apart[0], key=lambda name: total(means[name], unit))
    less, more = total(means[small], unit), total(means[large], unit)
    numbers = "; ".join(
        f"{name}: " + ", ".join(f"{total(means[name], u):,.0f} {u}" for u in UNITS)
        for name in apart[0]
    )
    others = len(apart) - 1
    return (
        f"{large} has {more:,.0f} {unit} and {small} {less:,.0f}, "
        f"{100 * (1 - less / more):.1f} % less; match = '{unit}' allows a difference of 1 %. "
        f"{numbers}"
        f"{f' (mean over {len(spec.seeds)} seeds)' if len(spec.seeds) > 1 else ''}. "
        f"{_suggestion(spec, large, less, means, drawn)}, or remove 'match'"
        + (f". {others} more of the compared pairs differ" if others else "")
    )


def _suggestion(
    spec: BudgetsSpec,
    name: str,
    wanted: float,
    means: Mapping[str, Budget],
    drawn: Mapping[str, Sequence[Drawn]],
) -> str:
    """How the larger one comes to match: by its own examples, not by those of what it follows."""
    plan = next(plan for plan in spec.intermediates if plan.name == name)
    before = total(means[plan.after], spec.match)
    if before >= wanted:
        return f"It goes on from {plan.after}, which alone has {before:,.0f}: shorten that one"
    factor = (wanted - before) / (total(means[name], spec.match) - before)
    if len(drawn[name]) > 1:
        return f"Multiply 'examples' of every entry of {name} by {factor:.3f}"
    now = len(np.unique(drawn[name][0].example))
    about = "" if spec.match == "examples" else "about "
    return f"Give {name} {about}examples = {round(now * factor)} (now {now})"
