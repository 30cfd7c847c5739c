"""Claims against the results of a study."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from midway.analysis import ReportData
from midway.analysis.comparisons import compare
from midway.analysis.estimate import Estimate
from midway.analysis.gains import Average, trained
from midway.claims.judgement import (
    CONTRADICTED,
    NOT_SUPPORTED,
    SUPPORTED,
    Judgement,
    nothing,
)
from midway.claims.schema import Claim

_SEED = 20200526
_VERDICTS = {1: SUPPORTED, 0: NOT_SUPPORTED, -1: CONTRADICTED}


def on_study(claim: Claim, data: ReportData) -> Judgement:
    """Judge a claim by intervals of trained targets; confidence is not set yet."""
    way = _WAYS.get(claim.test.kind)
    if way is None:
        return nothing("no study of one's own can test this")
    return way(claim.test, data)


def _gains(test: Any, data: ReportData) -> Judgement:
    rows = [
        average
        for item in test.stated
        for average in _averages(data)
        if _tasks(data, average.intermediate) == {item.intermediate}
    ]
    if not rows:
        names = ", ".join(item.intermediate for item in test.stated)
        return nothing(f"the study has no intermediate on {names} alone")
    weakest = min(rows, key=lambda row: row.mean.interval.estimate)
    signs = [row.mean.interval.sign for row in rows]
    said = "; ".join(f"{row.intermediate} {_text(row.mean)}" for row in rows)
    return _judgement(min(signs), weakest.mean, f"mean gain on trained targets: {said}", data)


def _greatest(test: Any, data: ReportData) -> Judgement:
    del test
    rows = _averages(data)
    several = [row for row in rows if len(_tasks(data, row.intermediate)) > 1]
    alone = [row for row in rows if len(_tasks(data, row.intermediate)) == 1]
    if not several or not alone:
        return nothing("the study does not have both several tasks at once and one alone")
    many, one = (max(g, key=lambda row: row.mean.interval.estimate) for g in (several, alone))
    return _compared(data, many.intermediate, one.intermediate)


def _task_gains(test: Any, data: ReportData) -> Judgement:
    rows = [row for row in data.gains if row.target in test.tasks]
    if not rows:
        return nothing(f"the study has no target {' or '.join(test.tasks)}")
    weakest = min(rows, key=lambda row: row.mean.interval.estimate)
    said = "; ".join(f"{row.target} after {row.intermediate} {_text(row.mean)}" for row in rows)
    signs = [row.mean.interval.sign for row in rows]
    return _judgement(min(signs), weakest.mean, said, data)


def _uneven(test: Any, data: ReportData) -> Judgement:
    up = [row.mean.interval.sign for row in data.gains if row.target == test.raised]
    flat = [row.mean.interval.sign for row in data.gains if row.target == test.flat]
    if not up or not flat:
        return nothing(f"the study does not have both {test.raised} and {test.flat}")
    raised, other = up.count(1), flat.count(1)
    holds = raised > len(up) / 2 and not other
    sign = 1 if holds else -1 if other > len(flat) / 2 and not raised else 0
    return Judgement(
        verdict=_VERDICTS[sign],
        reason=(
            f"{raised} of {len(up)} intermediates raise {test.raised} beyond doubt, {other} of "
            f"{len(flat)} raise {test.flat}"
        ),
        effect=raised / len(up) - other / len(flat),
        sample=_sample(data),
    )


def _alternatives(test: Any, data: ReportData) -> Judgement:
    del test
    names = [row.intermediate for row in _averages(data)]
    for mixed in names:
        tasks = _tasks(data, mixed)
        for plain in names:
            if "mlm" in tasks and _tasks(data, plain) == tasks - {"mlm"}:
                return _compared(data, plain, mixed)
    return nothing("the study has no intermediate with and without language modelling")


def _compared(data: ReportData, first: str, second: str) -> Judgement:
    rng = np.random.default_rng(_SEED)
    found = compare(data.cubes, (first,), (second,), stated=False, rng=rng)
    if found is None:
        return nothing(f"{first} and {second} have no seed in common")
    text = f"{first} minus {second} on trained targets {_text(found.mean)}"
    return _judgement(found.mean.interval.sign, found.mean, text, data)


def _judgement(sign: int, value: Estimate, reason: str, data: ReportData) -> Judgement:
    interval = value.interval
    return Judgement(
        verdict=_VERDICTS[sign],
        reason=reason,
        effect=interval.estimate,
        low=interval.low,
        high=interval.high,
        sample=_sample(data),
    )


def _averages(data: ReportData) -> Sequence[Average]:
    """Mean gains over trained targets alone."""
    return [row for row in data.averages if not row.with_untrained]


def _tasks(data: ReportData, name: str) -> set[str]:
    planned = data.provenance.get("intermediates", {})
    return set(planned.get(name, {}).get("tasks", ()))


def _text(value: Estimate) -> str:
    interval = value.interval
    return f"{interval.estimate:+.1f} ({interval.low:+.1f} to {interval.high:+.1f})"


def _sample(data: ReportData) -> str:
    targets = trained(data.cubes)
    languages = {code for cube in targets for code in cube.languages}
    seeds = len(data.seeds)
    return (
        f"{len(targets)} trained target{'s' * (len(targets) != 1)}, {len(languages)} languages, "
        f"{seeds} seed{'s' * (seeds != 1)}"
    )


_WAYS: dict[str, Callable[[Any, ReportData], Judgement]] = {
    "gains": _gains,
    "greatest": _greatest,
    "task_gains": _task_gains,
    "uneven": _uneven,
    "alternatives": _alternatives,
}
