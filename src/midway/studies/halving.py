"""Successive halving: intermediates that validate worse get no further seeds.

1. A rung is a number of seeds. All that is still in is run with them; then the better share, by
   validation score in the training language, goes on to the seeds of the next rung.
2. Every choice is a function of the study and of validation scores in the store, read anew
   whenever a study is opened. So it is the same in whichever order and by however many workers
   stages are run, and a run that was killed comes to the same choices.
3. Until its scores are there a choice is open, and what depends on it is not in the plan.

Jamieson and Talwalkar 2016 (AISTATS, arXiv 1502.07943); docs/decisions/0012.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Any

from midway.analysis.results import APART, BASELINE
from midway.errors import StudyError
from midway.graph.plan import Plan, demand
from midway.graph.stage import Stage
from midway.studies.expand import Cell
from midway.studies.schema import HalvingTable, Study
from midway.tasks.kinds import KINDS

Facts = Callable[[Stage], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Choice:
    """What was decided at one rung.

    Attributes:
        seeds: that it rests on.
        scores: mean validation score in percent of all that were in, the best first.
        kept: how many of them went on.
    """

    seeds: tuple[int, ...]
    scores: Mapping[str, float]
    kept: int

    @property
    def stopped(self) -> dict[str, str]:
        """Why each was stopped, in words."""
        names = list(self.scores)
        last = names[self.kept - 1]
        seeds = f"seed{'s' if len(self.seeds) > 1 else ''} {', '.join(map(str, self.seeds))}"
        against = f"{self.scores[last]:.2f} of {last}, the last that went on"
        return {
            name: f"after {seeds}: validation score {self.scores[name]:.2f} against {against}"
            for name in names[self.kept :]
        }


@dataclass(frozen=True)
class Halving:
    """How far the choices of a study have come.

    Attributes:
        choices: those that are made.
        runs: by seed, the intermediates that are run with it; open seeds are left out.
        open: by seed that waits for a choice, how many intermediates will be run with it.
    """

    choices: tuple[Choice, ...]
    runs: Mapping[int, tuple[str, ...]]
    open: Mapping[int, int]

    @property
    def stopped(self) -> dict[str, str]:
        """Why each intermediate was stopped, in words."""
        return {name: why for choice in self.choices for name, why in choice.stopped.items()}

    def planned(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells that are run for certain; the baseline is in whenever its seed is."""
        return [
            cell
            for cell in cells
            if cell.seed in self.runs and cell.intermediate in (BASELINE, *self.runs[cell.seed])
        ]


def halve(study: Study, table: HalvingTable, cells: Sequence[Cell], facts_of: Facts) -> Halving:
    """Make every choice that the scores in the store allow.

    Equal scores go on in the study's order.

    Args:
        study: the study.
        table: its ``[halving]``.
        cells: of all intermediates and seeds.
        facts_of: facts of a stage's manifest, or None if it was never computed.

    Raises:
        StudyError: no target has the scores that a choice needs.
    """
    if not any(map(decides, cells)):
        raise StudyError(
            "halving chooses by validation scores in the training language, and no target has "
            "them; add a target that is trained on labels, without oracle, or remove [halving]"
        )
    remaining = tuple(intermediate.name for intermediate in study.intermediate)
    choices: list[Choice] = []
    runs: dict[int, tuple[str, ...]] = {}
    waiting: dict[int, int] = {}
    begin, size, is_open = 0, len(remaining), False
    for end in (*table.rungs, len(study.seeds)):
        for seed in study.seeds[begin:end]:
            if is_open:
                waiting[seed] = size
            else:
                runs[seed] = remaining
        begin, seeds = end, tuple(study.seeds[:end])
        if end == len(study.seeds):
            break
        size = ceil(table.keep * size - 1e-9)  # 0.28 × 25 is a little more than 7
        scores = {} if is_open else _scores(cells, remaining, seeds, facts_of)
        is_open = is_open or not scores
        if not is_open:
            ranked = sorted(remaining, key=lambda name: -scores[name])
            choices.append(Choice(seeds, {name: scores[name] for name in ranked}, size))
            remaining = tuple(name for name in remaining if name in ranked[:size])
    return Halving(tuple(choices), runs, waiting)


def _scores(
    cells: Sequence[Cell], names: Sequence[str], seeds: Sequence[int], facts_of: Facts
) -> dict[str, float]:
    """Mean validation score of each intermediate over targets and seeds; empty if one lacks."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for cell in cells:
        if cell.intermediate in found and cell.seed in seeds and decides(cell):
            facts = facts_of(cell.score.inputs["predictions"].inputs["model"])
            score = None if facts is None else held_out_score(facts)
            if score is None:
                return {}
            found[cell.intermediate].append(score)
    return {name: fmean(scores) for name, scores in found.items()}


def decides(cell: Cell) -> bool:
    """Whether a target's validation scores count: it is trained, measured and not set apart."""
    measured = KINDS[cell.card.family].measured
    return cell.trained and measured and not cell.target.endswith(APART)


def held_out_score(facts: Mapping[str, Any]) -> float | None:
    """Mean validation score in percent of a training stage, or None if it was not validated."""
    scores = [float(each["score"]) for each in facts["quality"] if each["held_out"]]
    return fmean(scores) if scores else None


def costliest(halving: Halving, plan: Plan, cells: Sequence[Cell]) -> list[Stage]:
    """Scores of the choices that would cost most, for those that are still open.

    Taking the intermediate that adds most, again and again, is the dearest choice also where one
    goes on from another: what they share are paths from the root of a tree.

    Args:
        halving: see there.
        plan: what is run for certain.
        cells: of all intermediates and seeds.
    """
    found: list[Stage] = []
    candidates = list(halving.runs.values())[-1]
    for seed, count in halving.open.items():
        scores: dict[str, list[Stage]] = {name: [] for name in (BASELINE, *candidates)}
        for cell in cells:
            if cell.seed == seed and cell.intermediate in scores:
                scores[cell.intermediate].append(cell.score)
        seen, chosen = set(plan.by_key), BASELINE
        for place in range(count + 1):
            if place:
                chosen = max(scores, key=lambda name: _flops(_new(scores[name], seen)))
            found += scores[chosen]
            seen |= _new(scores.pop(chosen), seen).keys()
    return found


def _new(leaves: Sequence[Stage], seen: set[str]) -> dict[str, Stage]:
    return demand(leaves, lambda stage: stage.key in seen)


def _flops(stages: Mapping[str, Stage]) -> float:
    return sum(stage.estimate.get("flops", 0.0) for stage in stages.values())
