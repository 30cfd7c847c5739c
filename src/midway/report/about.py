"""What the template says about a study besides its numbers: leaks, costs, what is missing."""

from typing import Any

from midway.analysis.results import BASELINE
from midway.analysis.stages import (
    SHARED,
    costs,
    forecasts,
    leaks_checked,
    progress,
    ran,
    seconds_by_kind,
)
from midway.analysis.study import ReportData
from midway.analysis.wording import LEAK_KINDS, leak_in_words
from midway.claims import Judged, judge, load_claims, load_published
from midway.claims.judgement import NOT_TESTED
from midway.report.cells import seconds


def leakage(data: ReportData) -> dict[str, Any] | None:
    """Return what to say of training data in evaluation data; None if nobody asked."""
    if data.provenance.get("leaks") is None:
        return None
    rows = sorted(data.standing.leaks, key=lambda leak: -_share(leak))
    found = data.provenance.get("leak_check") or {}
    if not leaks_checked(data.provenance):
        text = "Training and evaluation data have not been compared yet."
    elif not rows:
        text = "No evaluation example is in the training data: not by item, document or text."
    elif len(rows) == 1:
        text = f"{_first_upper(leak_in_words(rows[0]))}."
    else:
        text = (
            f"{len(rows)} pairs of training and evaluation data share examples. "
            f"The largest share: {leak_in_words(rows[0])}."
        )
    return {
        "text": text,
        "rows": [_leak(leak) for leak in rows],
        "hints": [_leak(hint) for hint in found.get("hints", ())],
        "training": [_leak(pair) for pair in found.get("training", ())],
        "repeats": [_leak(row) for row in found.get("repeats", ())],
    }


def claims(data: ReportData) -> dict[str, tuple[Judged, ...]]:
    """Judge the published claims: those that the study tests, and the others."""
    judged = judge(load_claims(), load_published(), data)
    found = [row.study is not None and row.study.verdict != NOT_TESTED for row in judged]
    return {
        "tested": tuple(row for row, tested in zip(judged, found, strict=True) if tested),
        "others": tuple(row for row, tested in zip(judged, found, strict=True) if not tested),
    }


def _leak(row: Any) -> dict[str, Any]:
    """A row of what was found, with its share and its kinds in words."""
    kinds = [f"{kind['shared']:,} {LEAK_KINDS[kind['kind']]}" for kind in row.get("kinds", ())]
    return {**row, "share": _percent(_share(row)), "how": "; ".join(kinds)}


def _share(leak: Any) -> float:
    return float(leak["shared"] / leak["of"]) if leak["of"] else 0.0


def _percent(share: float) -> str:
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def cost(data: ReportData) -> dict[str, Any] | None:
    """Return computing time in all, by kind of stage and by intermediate; None if unknown."""
    stages = data.provenance.get("stages", ())
    kinds = seconds_by_kind(stages)
    if not kinds:
        return None
    repeated = [run for run in data.provenance.get("collapsed", ()) if len(run["attempts"]) > 1]
    rows = costs(stages, data.standing.intermediates, data.standing.trained)
    names = {BASELINE: "none (baseline)", SHARED: "shared by all"}
    return {
        "total": float(data.provenance.get("computing_seconds") or sum(kinds.values())),
        "done": sum(map(ran, stages)),
        "stages": len(stages),
        "forecasts": forecasts(stages),
        "run": data.provenance.get("forecast"),
        "repeated": len(repeated),
        "kinds": [
            f"{kind} {seconds(spent)}".replace(" ", "\u00a0") for kind, spent in kinds.items()
        ],
        "rows": [
            {
                "name": names.get(row.name, row.name),
                "intermediate": row.intermediate,
                "targets": row.targets,
                "evaluation": row.evaluation,
                "other": row.other,
                "total": row.total,
                "done": row.done,
                "stages": row.stages,
            }
            for row in rows
        ],
    }


def missing(data: ReportData) -> str:
    """Say how many runs are scored if some are not; empty otherwise."""
    found = progress(data.provenance.get("stages", ()))
    return f"{found.scored} of {found.total} runs are scored" if found.missing else ""
