"""The gains that advice rests on: a study's own, in some languages, and those of other studies."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from midway.advice import Evidence, gather
from midway.advice.evidence import HALF_WIDTH, Gains, merged
from midway.analysis import BASELINE
from midway.analysis.cube import Cube, build_cubes
from midway.analysis.estimate import Term, estimate
from midway.analysis.gains import ENGLISH, against_baseline, intermediates, trained
from midway.analysis.low_resource import facts
from midway.analysis.study import RESAMPLES, SEED
from midway.errors import StudyError
from midway.studies.probes import Probes, intermediate_data, target_data, told_apart
from midway.studies.provenance import scored_runs
from midway.studies.session import Session
from midway.tasks.sources import read_text

_WIDEST = 10_000  # points: two seeds that say nothing


def evidence_of(
    session: Session, found: Probes, languages: Collection[str], elsewhere: Collection[Gains]
) -> Evidence:
    """All that is known of a study's candidates and targets.

    Args:
        session: the study.
        found: its probes, which must be in the store.
        languages: that count; empty: all but English.
        elsewhere: gains of other studies (`measured_in`).

    Raises:
        StudyError: there is nothing to choose from.
    """
    wanted = frozenset(facts(code).canonical for code in languages)
    targets = target_data(session, found)
    if wanted:
        targets = {name: replace(data, languages=tuple(wanted)) for name, data in targets.items()}
    gains = merged([measured(session, wanted), *elsewhere])
    return gather(intermediate_data(session, found), targets, told_apart(session, found), gains)


def measured(session: Session, wanted: Collection[str]) -> Gains:
    """Gains on trained targets in some languages, with standard errors, of what has been scored.

    Args:
        session: the study.
        wanted: canonical codes. A target that has none of them counts with all its languages but
            English, and one that has only English with that.
    """
    if not any(session.store.has(cell.score) for cell in session.expansion.cells):
        return {}
    rng = np.random.default_rng(SEED)
    found = {}
    cubes = build_cubes(scored_runs(session), resamples=RESAMPLES, rng=rng)
    for cube in trained(cubes):
        for name in intermediates([cube]):
            terms = [Term(cube, _chosen(cube, wanted))]
            gain = estimate(terms, against_baseline(name), rng=rng)
            if gain is not None:
                interval = gain.interval
                found[name, cube.target] = _with_error(
                    interval.estimate, interval.low, interval.high
                )
    return found


def _chosen(cube: Cube, wanted: Collection[str]) -> tuple[str, ...]:
    of_interest = tuple(code for code in cube.languages if facts(code).canonical in wanted)
    others = tuple(code for code in cube.languages if code not in ENGLISH)
    return of_interest or others or cube.languages


def measured_in(path: Path) -> Gains:
    """Gains that a ``summary.json`` states, without English where it has other languages.

    Raises:
        DataError: it cannot be read.
        StudyError: it is no summary.
    """
    try:
        document = json.loads(read_text(path))
        return {
            (str(row["intermediate"]), str(row["target"])): _stated(row["transfer"] or row["mean"])
            for row in document["gains"]
            if row["trained"] and row["intermediate"] != BASELINE
        }
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise StudyError(
            f"{path}: expected the summary.json of a study, found something else "
            f"({type(error).__name__}: {error}); give the one that midway run wrote"
        ) from error


def _stated(gain: Mapping[str, float]) -> tuple[float, float]:
    return _with_error(gain["estimate"], gain["low"], gain["high"])


def _with_error(estimate: float, low: float, high: float) -> tuple[float, float]:
    """A gain with the error that a normal variable of its interval's width has.

    The interval is wider than its standard error says where few seeds know little of their spread.

    Raises:
        ValueError: these are no points of a score in percent.
    """
    if not (-100 <= estimate <= 100 and -_WIDEST <= low <= estimate <= high <= _WIDEST):
        raise ValueError(f"a gain of {estimate} from {low} to {high} points")
    return float(estimate), float(high - low) / (2 * HALF_WIDTH)
