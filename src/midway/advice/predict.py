"""Predict gains, rank candidates, and say whether any is worth trying.

Where gains were measured on three targets or more, every gain is predicted by a model with random
effects (`midway.stats.mixed`):

    gain = mean + intermediate + target + before + after + (intermediate, target) + error

*before* and *after* are slopes on what is known of a pair without and with the trained intermediate
(`midway.advice.pairs`, LogME); the last effect is what only this pair has. A pair that was measured
leans on its own measurement, one that was not on what its intermediate did elsewhere. Fewer targets
teach nothing of how gains vary: then measured gains stand as they are, and candidates without one
are only ranked, by the mean of *before* and *after*. docs/decisions/0017 has the reasons.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midway.advice.evidence import HALF_WIDTH, Evidence
from midway.advice.pairs import QUANTITIES, standard
from midway.analysis.results import BASELINE
from midway.stats import shrink, student

Floats = NDArray[np.float64]
LEAST_TARGETS = 3
USED = ("before", "log_me")
"""What is known of a pair that advice goes by, chosen before any result."""
CANNOT_TELL = "cannot tell"
WORDS = {
    "text": "its text is the most like the target's",
    "family": "it is a task of the same family",
    "labels": "it has the target's labels",
    "lengths": "its texts are as long",
    "languages": "its languages are the nearest to those evaluated",
    "size": "it has the most examples",
}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One candidate for one target; gains in points of the target's main metric.

    Attributes:
        intermediate: its name.
        rank: from 1; by predicted gain, or by what is known of the pair.
        predicted_gain: None where only ranks are possible.
        low: lower end of the prediction's 95 % interval.
        high: upper end.
        evidence: what it rests on: ``measured``, ``other targets``, ``features after training``,
            ``features before training``.
        reasons: in words.
    """

    intermediate: str
    rank: int
    predicted_gain: float | None
    low: float | None
    high: float | None
    evidence: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about one target.

    Attributes:
        target: its name.
        recommendations: all candidates, the best first.
        use: name of the one that helps (its whole interval is above zero), ``none`` if even the
            best does harm (its whole interval is below), or ``cannot tell``.
        text: a sentence for it.
    """

    target: str
    recommendations: tuple[Recommendation, ...]
    use: str
    text: str


@dataclass(frozen=True, eq=False)
class Predicted:
    """Gains of all candidates on one target, ``[rows]`` each; NaN where nothing is known."""

    gains: Floats
    lows: Floats
    highs: Floats


def recommend(evidence: Evidence, target: str) -> Advice:
    """Rank all candidates for one target of the study."""
    column = evidence.targets.index(target)
    predicted, hints = predict(evidence, column), ranked_by(evidence, column)
    keys = np.where(np.isnan(predicted.gains), -np.inf, predicted.gains)
    order = np.lexsort((-hints, -keys))  # by gain; where there is none, by what is known
    rows = tuple(
        _recommendation(evidence, column, int(row), place, predicted)
        for place, row in enumerate(order, start=1)
    )
    use = _use(rows)
    return Advice(target, rows, use, _text(rows, use))


def predict(evidence: Evidence, column: int, names: Sequence[str] = USED) -> Predicted:
    """Predict the gains on one target.

    Args:
        evidence: what is known.
        column: place of the target.
        names: quantities whose slopes are part of the model; a target on which one is not known
            says nothing of its slope.
    """
    columns = np.flatnonzero(evidence.measured)
    own, own_errors = evidence.gains[:, column], evidence.errors[:, column]
    if len(columns) < LEAST_TARGETS:
        half = HALF_WIDTH * own_errors
        return Predicted(own, own - half, own + half)
    used = np.union1d(columns, [column])
    height, width = len(evidence.candidates), len(used)
    cells = np.arange(height * width)
    parts: list[Floats] = [
        np.eye(height)[cells // width],  # intermediates
        np.eye(width)[cells % width],  # targets
    ]
    for name in names:
        told = [evidence.told(name, place) for place in used.tolist()]
        if any(values is not None for values in told):
            known = [np.zeros(height) if values is None else values for values in told]
            parts.append(np.stack(known, axis=1).reshape(-1, 1))
    parts.append(np.eye(len(cells)))  # pairs
    found = shrink(evidence.gains[:, used].ravel(), evidence.errors[:, used].ravel(), parts)
    half = student(len(columns) - 1) * found.errors
    here = np.arange(height) * width + int(np.searchsorted(used, column))
    lows, highs = found.estimates - half, found.estimates + half
    return Predicted(found.estimates[here], lows[here], highs[here])


def ranked_by(evidence: Evidence, column: int) -> Floats:
    """One number for each candidate from what is known without any score; more is better."""
    told = (evidence.told(name, column) for name in USED)
    known = [values for values in told if values is not None]
    return np.mean(known, axis=0) if known else np.zeros(len(evidence.candidates))


def _recommendation(
    evidence: Evidence, column: int, row: int, rank: int, predicted: Predicted
) -> Recommendation:
    gain = float(predicted.gains[row])
    nothing = bool(np.isnan(gain))
    measured = not np.isnan(evidence.gains[row, column])
    basis = ["measured"] if measured else []
    if not nothing and len(np.flatnonzero(evidence.measured)) >= LEAST_TARGETS:
        basis.append("other targets")
    for name, said in (("log_me", "after"), ("before", "before")):
        if evidence.told(name, column) is not None:
            basis.append(f"features {said} training")
    return Recommendation(
        intermediate=evidence.candidates[row],
        rank=rank,
        predicted_gain=None if nothing else gain,
        low=None if nothing else float(predicted.lows[row]),
        high=None if nothing else float(predicted.highs[row]),
        evidence=tuple(basis),
        reasons=tuple(_reasons(evidence, column, row)),
    )


def _reasons(evidence: Evidence, column: int, row: int) -> list[str]:
    """What speaks for a candidate, strongest evidence first."""
    said = []
    if not np.isnan(evidence.gains[row, column]):
        gain, error = evidence.gains[row, column], evidence.errors[row, column]
        said.append(f"measured here: {gain:+.1f} (standard error {error:.1f})")
    elsewhere = np.delete(evidence.gains[row], column)
    elsewhere = elsewhere[~np.isnan(elsewhere)]
    if len(elsewhere):
        many = "one other target" if len(elsewhere) == 1 else f"{len(elsewhere)} other targets"
        said.append(f"{elsewhere.mean():+.1f} on {many}")
    told = evidence.told("log_me", column)
    if told is not None and len(told) > 1 and told[row] == told.max() > 0:
        said.append("after it the encoder tells the target's labels apart best")
    for name in QUANTITIES:
        values = standard(evidence.quantities[name][:, column].tolist())
        if values[row] == values.max() > 0 and (values == values.max()).sum() <= len(values) / 3:
            said.append(WORDS[name])
    return said


def _use(rows: Sequence[Recommendation]) -> str:
    best = rows[0]
    if best.low is not None and best.low > 0:
        return best.intermediate
    return BASELINE if best.high is not None and best.high < 0 else CANNOT_TELL


def _text(rows: Sequence[Recommendation], use: str) -> str:
    best = rows[0]
    if best.predicted_gain is None:
        return (
            "Cannot tell whether any intermediate helps: gains were measured on fewer than "
            f"{LEAST_TARGETS} targets. {best.intermediate} comes first by what is known of the "
            "data; try it, and none."
        )
    expected = f"{best.predicted_gain:+.1f} points expected, {best.low:+.1f} to {best.high:+.1f}"
    if use == CANNOT_TELL:
        return (
            f"Cannot tell whether any intermediate helps. {best.intermediate} comes first "
            f"({expected}); try it, and none."
        )
    if use == BASELINE:
        return f"Use none: the best is {best.intermediate}, {expected}."
    close = [
        row.intermediate
        for row in rows[1:]
        if row.high is not None and row.high >= best.predicted_gain
    ]
    also = f" Not told apart from it: {', '.join(close)}." if close else ""
    return f"Use {best.intermediate}: {expected}.{also}"
