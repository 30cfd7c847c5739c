"""How far a study has come and what it cost, from the stages that its provenance lists.

A stage is ``{"name", "state", "seconds"}``, with ``tokens``, ``bytes`` and, if a run forecast it,
``expected`` (``{"tokens", "seconds", "bytes"}``, see `midway.studies.forecast`).
The first word of its name is its kind; names of training, prediction and scoring also say for which
target and after which intermediate: ``train squad-en · seed 1``, ``predict tydiqa after squad-en ·
seed 1``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from midway.analysis.results import BASELINE

SHARED = "shared"
LEAK_CHECK = "leak check"
_KINDS = {"import": "encoder", "look": LEAK_CHECK}
_SEED = re.compile(r" · seed \d+$")

Stages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many evaluations of a study are scored."""

    scored: int
    total: int

    @property
    def missing(self) -> int:
        """Evaluations that are not scored yet."""
        return self.total - self.scored


@dataclass(frozen=True, slots=True)
class Cost:
    """Computing time of some stages, in seconds.

    Attributes:
        name: an intermediate, `BASELINE`, or `SHARED`: stages that do not belong to one of them.
        intermediate: training of the intermediate.
        targets: training of targets after it.
        evaluation: prediction and scoring.
        other: everything else.
        done: number of stages that have run.
        stages: number of stages.
    """

    name: str
    intermediate: float
    targets: float
    evaluation: float
    other: float
    done: int
    stages: int

    @property
    def total(self) -> float:
        """All of it."""
        return self.intermediate + self.targets + self.evaluation + self.other


def kind(stage: Mapping[str, Any]) -> str:
    """Return the kind of a stage, such as ``train``, ``predict`` or ``score``."""
    word = str(stage["name"]).partition(" ")[0]
    return _KINDS.get(word, word)


def ran(stage: Mapping[str, Any]) -> bool:
    """Whether a stage has a result."""
    return bool(stage["state"] != "missing")


def progress(stages: Stages) -> Progress:
    """Count scored evaluations; a baseline that seeds do not change is one evaluation."""
    scoring = [stage for stage in stages if kind(stage) == "score"]
    return Progress(sum(map(ran, scoring)), len(scoring))


def leaks_checked(provenance: Mapping[str, Any]) -> bool:
    """Whether training data were compared with evaluation data."""
    check = [stage for stage in provenance.get("stages", ()) if kind(stage) == LEAK_CHECK]
    return provenance.get("leaks") is not None and all(map(ran, check))


def seconds_by_kind(stages: Stages) -> dict[str, float]:
    """Return computing time by kind of stage, the longest first; kinds that have not run lack."""
    found: dict[str, float] = {}
    for stage in stages:
        if stage["seconds"] is not None:
            found[kind(stage)] = found.get(kind(stage), 0.0) + float(stage["seconds"])
    return dict(sorted(found.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What stages were expected to need and what they needed: (expected, actual) each.

    Attributes:
        kind: of the stages; ``all`` for the sum.
        stages: how many.
        tokens: that were computed.
        seconds: of computing.
        bytes: that were written.
    """

    kind: str
    stages: int
    tokens: tuple[float, float]
    seconds: tuple[float, float]
    bytes: tuple[float, float]


def forecasts(stages: Stages) -> list[Forecast]:
    """Compare, by kind and in all, what was forecast with what happened; empty if nothing was."""
    known = [stage for stage in stages if ran(stage) and stage.get("expected")]
    kinds = [name for name in seconds_by_kind(stages) if name in set(map(kind, known))]
    rows = [_forecast(name, [s for s in known if kind(s) == name]) for name in kinds]
    return [*rows, _forecast("all", known)] if rows else []


def _forecast(name: str, stages: Stages) -> Forecast:
    def both(unit: str) -> tuple[float, float]:
        return sum(s["expected"][unit] for s in stages), sum(s[unit] for s in stages)

    return Forecast(name, len(stages), both("tokens"), both("seconds"), both("bytes"))


def costs(stages: Stages, intermediates: Iterable[str], targets: Iterable[str]) -> list[Cost]:
    """Divide computing time among the baseline, the intermediates and what they share.

    Args:
        stages: all stages of the study.
        intermediates: names of intermediates, in the order wanted.
        targets: names of trained targets.
    """
    names, known = [BASELINE, *intermediates], set(targets)
    groups: dict[str, list[Mapping[str, Any]]] = {name: [] for name in (*names, SHARED)}
    for stage in stages:
        groups[_owner(stage, names, known)].append(stage)
    return [_cost(name, group) for name, group in groups.items() if group]


def _owner(stage: Mapping[str, Any], names: Sequence[str], targets: set[str]) -> str:
    """Return whose stage this is; a name that is both intermediate and target decides nothing."""
    what = _what(stage)
    for name in sorted(names, key=len, reverse=True):
        if what.endswith(f" after {name}"):
            return name
    if kind(stage) != "train" or (what in names) == (what in targets):
        return SHARED
    return what if what in names else BASELINE


def _what(stage: Mapping[str, Any]) -> str:
    """Return the name of a stage without its kind and seed."""
    return _SEED.sub("", str(stage["name"]).partition(" ")[2])


def _cost(name: str, stages: Stages) -> Cost:
    parts = {"intermediate": 0.0, "targets": 0.0, "evaluation": 0.0, "other": 0.0}
    for stage in stages:
        if name == SHARED or kind(stage) not in ("train", "predict", "score"):
            part = "other"
        elif kind(stage) != "train":
            part = "evaluation"
        else:
            part = "intermediate" if _what(stage) == name else "targets"
        parts[part] += float(stage["seconds"] or 0.0)
    return Cost(name, **parts, done=sum(map(ran, stages)), stages=len(stages))
