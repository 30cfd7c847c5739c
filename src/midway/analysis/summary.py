"""``summary.json``: what the report says, for programs.

Keys:

- ``version`` (1), ``study``, ``encoder``, ``baseline`` (``none``), ``seeds``, ``resamples``,
  ``level``
- ``verdict``: ``headline``, ``answers`` [``key``, ``question``, ``answer``, ``text``], ``caveats``
- ``targets``: ``target``, ``family``, ``metric``, ``split``, ``trained``, ``languages``,
  ``left_out`` (languages that some run lacks), ``examples``
- ``progress``: ``scored`` and ``total`` evaluations; both 0 if the stages are unknown
- ``baselines``: ``target``, ``languages`` {code: score of the baseline}; all its seeds
- ``gains``: ``intermediate``, ``target``, ``trained``, ``languages``, ``examples``, ``baseline``,
  ``score``, ``mean``, ``transfer`` (without English), ``english``, ``error_reduction`` (percent of
  the baseline's errors; null if it has none), ``cohens_h``
- ``averages``: ``intermediate``, ``targets``, ``with_untrained``, ``mean``
- ``languages``: ``intermediate``, ``target``, ``language``, ``examples``, ``baseline``, ``score``,
  ``mean``
- ``resources`` (low-resource first) and ``seen`` (seen first): ``intermediate``, ``target``,
  ``first_languages``, ``second_languages``, ``first``, ``second``, ``difference``
- ``contrasts``: ``first``, ``second``, ``stated``, ``mean``, ``low``, ``high``, ``low_minus_high``
- ``kinds``: ``first``, ``second`` (``none``, or the second of a contrast), ``property``, ``kind``,
  ``languages``, ``targets``, ``mean``
- ``slopes``: ``first``, ``second``, ``property``, ``slope`` {``estimate``, ``low``, ``high``, …},
  ``languages``, ``cells``
- ``decomposition``: null or ``intermediates``, ``targets``, ``shares`` {``rows``, ``columns``,
  ``interaction``, ``noise``}
- ``tests``: ``{"targets" | "languages": {"tested", "below_level", "after_adjusting"}}``
- ``best``: ``target``, ``validation`` {candidate: score}, ``candidates`` (how many), ``chosen``,
  ``gain``, ``by_score`` (an oracle), ``by_score_gain``, ``regret``
- ``provenance``: as the report has it

Every estimate is null or ``{"estimate", "low", "high", "seeds", "seed_variance_known",
"per_seed": {seed: value}, "p", "q", "detectable", "seeds_for_one_point", "example_error",
"seed_error"}`` in percentage points. ``p`` is null where no two systems are tested, ``q`` is ``p``
adjusted for all tests of the kind: Holm for stated contrasts, Benjamini and Hochberg for maps.
``seeds_for_one_point`` is how many seeds at least would bring a 95 % interval to one point either
side; null if no number up to 100 does, or if nothing is known of seeds.
"""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from midway.analysis.estimate import Estimate
from midway.analysis.gains import baseline_scores
from midway.analysis.results import BASELINE
from midway.analysis.study import LEVEL, ReportData
from midway.analysis.tests import counted
from midway.stats import cohens_h, error_reduction, seeds_needed


def summary(data: ReportData) -> dict[str, Any]:
    """Return the document that ``summary.json`` holds."""
    return {
        "version": 1,
        "study": data.study,
        "encoder": data.encoder,
        "baseline": BASELINE,
        "seeds": list(data.seeds),
        "resamples": data.cubes[0].resamples,
        "level": LEVEL,
        "verdict": {
            "headline": data.verdict.headline,
            "answers": [_plain(answer) for answer in data.verdict.answers],
            "caveats": list(data.verdict.caveats),
        },
        "targets": [
            {
                "target": cube.target,
                "family": cube.family,
                "metric": cube.metric,
                "split": cube.split,
                "trained": cube.trained,
                "languages": list(cube.languages),
                "left_out": list(cube.left_out),
                "examples": sum(cube.sizes),
            }
            for cube in data.cubes
        ],
        "progress": _plain(data.standing.progress),
        "baselines": [
            {"target": cube.target, "languages": baseline_scores(cube)} for cube in data.cubes
        ],
        "gains": [
            _plain(row)
            | {
                "error_reduction": error_reduction(row.baseline, row.score),
                "cohens_h": cohens_h(row.baseline, row.score),
            }
            for row in data.gains
        ],
        "averages": [_plain(row) for row in data.averages],
        "languages": [_plain(row) for row in data.by_language],
        "resources": [_plain(row) for row in data.resources],
        "seen": [_plain(row) for row in data.seen],
        "contrasts": [_plain(row) for row in data.contrasts],
        "kinds": [_plain(row) for row in data.kinds],
        "slopes": [asdict(row) for row in data.slopes],
        "decomposition": None if data.decomposition is None else asdict(data.decomposition),
        "tests": {
            name: dict(
                zip(("tested", "below_level", "after_adjusting"), counted(rows), strict=True)
            )
            for name, rows in (("targets", data.gains), ("languages", data.by_language))
        },
        "best": [
            _plain(row) | {"validation": dict(row.validation), "candidates": len(row.validation)}
            for row in data.best
        ],
        "provenance": dict(data.provenance),
    }


def write_summary(data: ReportData, path: Path) -> None:
    """Write ``summary.json``."""
    text = json.dumps(summary(data), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(record: Any) -> dict[str, Any]:
    """Turn a record of plain fields and estimates into JSON."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {
        name: _estimate(value)
        if isinstance(value, Estimate)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }


def _estimate(value: Estimate) -> dict[str, Any]:
    interval = value.interval
    return {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "seeds": interval.seeds,
        "seed_variance_known": interval.seed_variance_known,
        "per_seed": {str(seed): number for seed, number in value.per_seed.items()},
        "p": value.p,
        "q": value.q,
        "detectable": value.detectable,
        "seeds_for_one_point": seeds_needed(interval, 1.0),
        "example_error": interval.example_error,
        "seed_error": interval.seed_error,
    }
