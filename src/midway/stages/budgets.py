"""What every intermediate will cost: examples, tokens and updates, counted on its planned steps.

1. The steps are those that training will do: same function, same seed, same items.
2. An example that is seen twice counts twice. One of several windows is seen once when all of its
   windows are: a window counts as its share of the example. So `examples` is what the study says,
   times epochs, whatever the length of the texts.
3. Tokens are those that training computes; updates are optimiser steps.
4. An intermediate that goes on from another has the other's budget in its own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
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


@dataclass(frozen=True)
class Budget:
    """What training sees; by language where that can be said."""

    updates: float
    by_language: Mapping[str, Mapping[str, float]]

    def total(self, unit: str) -> float:
        """Examples, tokens or updates in all."""
        return self.updates if unit == "updates" else sum(self.by_language[unit].values())

    def plus(self, other: "Budget", factor: float = 1.0) -> "Budget":
        """This budget and `factor` times another."""
        return Budget(
            self.updates + factor * other.updates,
            {
                unit: {
                    code: mine.get(code, 0.0) + factor * theirs.get(code, 0.0)
                    for code in dict.fromkeys([*mine, *theirs])
                }
                for unit, mine in self.by_language.items()
                for theirs in [other.by_language[unit]]
            },
        )

    def totals(self) -> dict[str, float]:
        """All three units; they are means over seeds, so they need not be whole numbers."""
        return {unit: round(self.total(unit), 2) for unit in UNITS}


NOTHING = Budget(0.0, {"examples": {}, "tokens": {}})


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
            return NOTHING
        codes = languages_of(self.features.table)
        spoken = self.features.table[LANGUAGE].to_numpy()
        chosen = np.concatenate(steps)
        share = 1.0 / np.bincount(self.example)[self.example]
        if FAMILIES[self.family].whole:  # a row that a step has twice is computed once
            rows = np.concatenate([np.unique(self.items.of(step)) for step in steps])
        else:
            rows = self.items.of(chosen)
        counted = {
            "examples": np.bincount(spoken[self._first[chosen]], share[chosen], len(codes)),
            "tokens": np.bincount(spoken[rows], self.features.lengths[rows], len(codes)),
        }
        found = {
            unit: dict(zip(codes, counts.tolist(), strict=True)) for unit, counts in counted.items()
        }
        return Budget(len(steps), found)


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
    budgets: dict[str, dict[int, Budget]] = {"": dict.fromkeys(spec.seeds, NOTHING)}
    for done, (name, plan) in enumerate(plans.items()):
        context.report(Progress(done, len(plans), "intermediates"))
        budgets[name] = {}
        for seed in spec.seeds:
            context.check()
            own = _planned(plan, drawn[name], seed)
            budgets[name][seed] = budgets[plan.after][seed].plus(own)
    means = {
        name: reduce(lambda a, b: a.plus(b, 1 / len(by_seed)), by_seed.values(), NOTHING)
        for name, by_seed in budgets.items()
    }
    apart = [pair for pair in spec.pairs if spec.match and _differ(*pair, means, spec.match)]
    if apart:
        raise StudyError(_message(spec, apart, means, drawn))
    facts = {
        "budgets": {
            name: means[name].totals()
            | {"seeds": {str(seed): each.totals() for seed, each in budgets[name].items()}}
            | {
                "languages": {
                    code: {
                        unit: round(means[name].by_language[unit][code], 2)
                        for unit in ("examples", "tokens")
                    }
                    for code in means[name].by_language["tokens"]
                }
            }
            for name in plans
        }
    }
    (context.out / "budgets.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return facts


def _planned(plan: PlannedTraining, drawn: Sequence[Drawn], seed: int) -> Budget:
    """What one training stage will see, without what came before it."""
    steps = planned_steps(replace(plan.train, seed=seed), [len(part.items) for part in drawn])
    spent = [
        part.spent([step.items for step in steps if step.entry == number])
        for number, part in enumerate(drawn)
    ]
    return reduce(Budget.plus, spent)


def _differ(first: str, second: str, means: Mapping[str, Budget], unit: str) -> bool:
    one, two = means[first].total(unit), means[second].total(unit)
    return abs(one - two) > TOLERANCE * max(one, two)


def _message(
    spec: BudgetsSpec,
    apart: Sequence[tuple[str, str]],
    means: Mapping[str, Budget],
    drawn: Mapping[str, Sequence[Drawn]],
) -> str:
    unit = spec.match
    small, large = sorted(apart[0], key=lambda name: means[name].total(unit))
    less, more = means[small].total(unit), means[large].total(unit)
    numbers = "; ".join(
        f"{name}: " + ", ".join(f"{means[name].total(u):,.0f} {u}" for u in UNITS)
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
    before = means[plan.after].total(spec.match)
    if before >= wanted:
        return f"It goes on from {plan.after}, which alone has {before:,.0f}: shorten that one"
    factor = (wanted - before) / (means[name].total(spec.match) - before)
    if len(drawn[name]) > 1:
        return f"Multiply 'examples' of every entry of {name} by {factor:.3f}"
    now = len(np.unique(drawn[name][0].example))
    about = "" if spec.match == "examples" else "about "
    return f"Give {name} {about}examples = {round(now * factor)} (now {now})"
