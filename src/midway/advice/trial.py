"""How well advice would have done: each target is left out in turn, advised on, and looked up.

1. Gains on the target that is left out are hidden; whatever needs no score of it stays known.
2. *Regret at k*: the best measured gain on the target, or 0 (no intermediate) if that is better,
   minus the best gain among a method's first k. A method that predicts gains names ``none``, and
   nothing else, where it would advise it; ``none``'s gain is 0. Ties are broken at random, on
   average.
3. Measured gains have errors of their own, so the best one measured is partly luck: no method can
   be expected to have a regret of 0, and `Trial.noise` says how large a gain's error is.

Rank correlation is Spearman's. Intervals are Student's t over targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from midway.advice.evidence import PROBED, Evidence
from midway.advice.pairs import QUANTITIES
from midway.advice.predict import LEAST_TARGETS, USED, Predicted, predict, ranked_by
from midway.stats import student

Floats = NDArray[np.float64]
DRAWS = 200  # ways to break ties
ADVICE = "midway recommend"
NO_SCORES = "without any score"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One method over all targets that were left out.

    Attributes:
        method: its name.
        rank_correlation: mean over targets where it is defined, −1 to 1; None if it never is.
        regret_at_1: mean over targets, in points.
        regret_at_1_low: lower end of its 95 % interval.
        regret_at_1_high: upper end.
        regret_at_3: the same with three tries.
    """

    method: str
    rank_correlation: float | None
    regret_at_1: float
    regret_at_1_low: float
    regret_at_1_high: float
    regret_at_3: float


@dataclass(frozen=True, slots=True)
class Trial:
    """Advice measured on the gains at hand.

    Attributes:
        targets: that were left out, each in turn.
        candidates: number of intermediates.
        noise: mean standard error of a measured gain, in points.
        outcomes: of every method.
    """

    targets: tuple[str, ...]
    candidates: int
    noise: float
    outcomes: tuple[Outcome, ...]


def try_out(evidence: Evidence) -> Trial | None:
    """Leave out each target on which all candidates were measured.

    Returns:
        None with fewer than four such targets (three to learn from), or one candidate.
    """
    whole = np.flatnonzero(evidence.measured == len(evidence.candidates)).tolist()
    whole = [c for c in whole if evidence.told("before", c) is not None]
    if len(whole) <= LEAST_TARGETS or len(evidence.candidates) < 2:
        return None
    rng = np.random.default_rng(0)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for column in whole:
        gains = evidence.gains[:, column]
        for method, said in _methods(evidence, column).items():
            found.setdefault(method, []).append(_tried(said, gains, rng))
    outcomes = [_outcome(name, rows) for name, rows in found.items() if len(rows) == len(whole)]
    return Trial(
        targets=tuple(evidence.targets[column] for column in whole),
        candidates=len(evidence.candidates),
        noise=float(np.nanmean(evidence.errors[:, whole])),
        outcomes=tuple(outcomes),
    )


def _methods(evidence: Evidence, column: int) -> dict[str, Floats]:
    """What each method says of each candidate and, last, of ``none``; NaN if it never names it."""
    hidden = evidence.gains.copy()
    hidden[:, column] = np.nan
    without = replace(evidence, gains=hidden)
    asks_squad = [float("squad" in tasks or "squad_v2" in tasks) for tasks in evidence.tasks]
    scored = {
        ADVICE: USED,
        "scores on other targets alone": (),
        "… and what is known before training": ("before",),
        "… and LogME after training": ("log_me",),
    }
    said = {name: _advised(predict(without, column, used)) for name, used in scored.items()}
    ranks: dict[str, Floats | Sequence[float] | None] = {
        NO_SCORES: ranked_by(evidence, column),
        **{name: evidence.told(name, column) for name in ("before", *QUANTITIES, *PROBED)},
        "always SQuAD": asks_squad if any(asks_squad) else None,
        "largest data set": evidence.sizes,
        "at random": np.zeros(len(evidence.candidates)),
    }
    said |= {name: np.append(v, np.nan) for name, v in ranks.items() if v is not None}
    return said | {"none": np.append(np.full(len(evidence.candidates), -1.0), 0.0)}


def _advised(predicted: Predicted) -> Floats:
    """Gains, and what speaks for ``none``: more than any of them, if even the best does harm."""
    harm = predicted.highs[np.argmax(predicted.gains)] < 0
    return np.append(predicted.gains, 0.0 if harm else np.nan)


def _tried(said: Floats, gains: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    """Rank correlation (NaN if undefined), regret at 1 and at 3."""
    outcome = np.append(gains, 0.0)
    allowed = np.flatnonzero(~np.isnan(said))
    best, firsts, threes = float(outcome.max()), [], []
    for _ in range(DRAWS):
        order = allowed[np.lexsort((rng.random(len(allowed)), -said[allowed]))]
        tried = order[: 1 + int(np.argmax(order == len(gains)))] if len(gains) in order else order
        firsts.append(best - outcome[tried[0]])
        threes.append(best - outcome[tried[:3]].max())
    return spearman(said[:-1], gains), float(np.mean(firsts)), float(np.mean(threes))


def spearman(first: Floats, second: Floats) -> float:
    """Spearman's rank correlation with mean ranks for ties; NaN if one side does not vary."""
    one, two = _ranks(first), _ranks(second)
    one, two = one - one.mean(), two - two.mean()
    length = np.linalg.norm(one) * np.linalg.norm(two)
    return float(one @ two / length) if length > 0 else float("nan")


def _ranks(values: Floats) -> Floats:
    less = (values[:, None] > values[None, :]).sum(axis=1)
    same = (values[:, None] == values[None, :]).sum(axis=1)
    ranks: Floats = less + (same + 1) / 2
    return ranks


def _outcome(method: str, rows: Sequence[tuple[float, float, float]]) -> Outcome:
    table = np.array(rows)
    known = table[~np.isnan(table[:, 0]), 0]
    regret = table[:, 1]
    half = student(len(regret) - 1) * regret.std(ddof=1) / np.sqrt(len(regret))
    return Outcome(
        method=method,
        rank_correlation=float(known.mean()) if len(known) else None,
        regret_at_1=float(regret.mean()),
        regret_at_1_low=max(0.0, float(regret.mean() - half)),
        regret_at_1_high=float(regret.mean() + half),
        regret_at_3=float(table[:, 2].mean()),
    )
