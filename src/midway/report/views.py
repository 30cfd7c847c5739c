"""What the template loops over: plain rows of words, numbers and small figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from markupsafe import Markup

from midway.analysis.cube import Cube
from midway.analysis.estimate import Estimate
from midway.analysis.gains import LanguageGain, baseline_scores
from midway.analysis.low_resource import by_resources, facts
from midway.analysis.study import ReportData
from midway.analysis.wording import points
from midway.report.cells import Cell, cell, strongest_of
from midway.report.figures import (
    Axis,
    Dot,
    axis,
    class_plot,
    forest_axis,
    forest_row,
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the gain table: a target or a mean of targets.

    Attributes:
        title: its head.
        note: what stands below the title.
        baseline: score of the baseline; empty if it is not scored.
        kind: ``trained``, ``untrained`` or ``mean``.
        cells: intermediate → its gain, where it has one.
        unpaired: intermediates that have scores but no gain, for want of a baseline to pair.
    """

    title: str
    note: str
    baseline: str
    kind: str
    cells: Mapping[str, Cell | None]
    unpaired: frozenset[str] = frozenset()


def gain_columns(data: ReportData) -> list[Column]:
    """Return the gain table's columns: trained targets and their mean, then untrained ones."""
    means = [*(row.mean for row in data.gains), *(row.mean for row in data.averages)]
    strongest = strongest_of(means)
    columns = []
    for trained in (True, False):
        for cube in data.cubes:
            if cube.trained is trained:
                columns.append(_target_column(data, cube, strongest))
        over = [c for c in data.cubes if (c.trained or not trained) and not c.apart]
        if len(over) > 1 and (trained or not all(cube.trained for cube in over)):
            rows = [row for row in data.averages if row.with_untrained is not trained]
            cells = {row.intermediate: cell(row.mean, strongest) for row in rows}
            title = "Mean, trained" if trained else "Mean, all"
            known = [scores for cube in over if (scores := _baseline(cube)) is not None]
            baseline = f"{fmean(known):.1f}" if len(known) == len(over) else ""
            columns.append(Column(title, f"{len(over)} targets", baseline, "mean", cells))
    return columns


def _target_column(data: ReportData, cube: Cube, strongest: float) -> Column:
    rows = [row for row in data.gains if row.target == cube.target]
    cells = {row.intermediate: cell(row.mean, strongest) for row in rows}
    count = len(cube.languages)
    note = f"{cube.metric} · {count} language{'' if count == 1 else 's'}"
    baseline = _baseline(cube)
    kind = "trained" if cube.trained else "untrained"
    return Column(
        title=cube.target,
        note=note,
        baseline="" if baseline is None else f"{baseline:.1f}",
        kind=kind,
        cells=cells,
        unpaired=frozenset(cube.systems) - set(cells),
    )


def _baseline(cube: Cube) -> float | None:
    """Return the mean score of the baseline over languages; None if it is not scored."""
    scores = baseline_scores(cube)
    return fmean(scores.values()) if scores else None


def language_count(data: ReportData) -> int:
    """Count the languages of trained targets, or of all if none is trained."""
    chosen = [cube for cube in data.cubes if cube.trained] or data.cubes
    return len({facts(code).canonical for cube in chosen for code in cube.languages})


def best_rows(data: ReportData) -> list[dict[str, Any]]:
    """Return each target's best intermediate by validation beside the best by its score."""
    return [
        {
            "target": row.target,
            "candidates": len(row.validation),
            "validation": f"{row.validation[row.chosen]:.1f}",
            "chosen": row.chosen,
            "gain": cell(row.gain, 0),
            "by_score": row.by_score,
            "by_score_gain": cell(row.by_score_gain, 0),
            "regret": f"{row.regret:.1f}",
        }
        for row in data.best
    ]


def english_rows(data: ReportData) -> list[dict[str, Any]]:
    """Return gains on English beside gains on the other languages."""
    return [
        {
            "intermediate": row.intermediate,
            "target": row.target,
            "english": cell(row.english, 0),
            "transfer": cell(row.transfer, 0),
        }
        for row in data.gains
        if row.english is not None
    ]


def forest(data: ReportData) -> dict[str, Any]:
    """Return the forest plot: groups of rows on one axis."""
    groups: dict[str, list[tuple[str, Estimate]]] = {}
    for average in data.averages:
        if len(average.targets) > 1:
            count = len(average.targets)
            kind = f"all {count}" if average.with_untrained else f"{count} trained"
            label = f"Mean of {kind} targets"
            groups.setdefault(label, []).append((average.intermediate, average.mean))
    for row in data.gains:
        groups.setdefault(row.target, []).append((row.intermediate, row.mean))
    means = [mean for rows in groups.values() for _, mean in rows]
    scale = axis([end for mean in means for end in (mean.interval.low, mean.interval.high)])
    return {
        "axis": forest_axis(scale),
        "groups": [
            {
                "title": title,
                "rows": [
                    {
                        "name": name,
                        "cell": cell(mean, 0),
                        "figure": forest_row(mean.interval, list(mean.per_seed.values()), scale),
                    }
                    for name, mean in rows
                ],
            }
            for title, rows in groups.items()
        ],
    }


def heat_maps(data: ReportData) -> list[dict[str, Any]]:
    """Return per target a table language × intermediate, poorest languages first."""
    maps = []
    for cube in data.cubes:
        rows = {
            (row.language, row.intermediate): row
            for row in data.by_language
            if row.target == cube.target
        }
        names = [name for name in cube.systems if any(key[1] == name for key in rows)]
        strongest = strongest_of(row.mean for row in rows.values())
        baseline = baseline_scores(cube)
        sizes = dict(zip(cube.languages, cube.sizes, strict=True))
        maps.append(
            {
                "target": cube.target,
                "metric": cube.metric,
                "split": cube.split,
                "trained": cube.trained,
                "left_out": cube.left_out,
                "names": names,
                "long": len(cube.languages) > 40,
                "rows": [
                    {
                        "facts": fact,
                        "examples": sizes[fact.code],
                        "baseline": f"{baseline[fact.code]:.1f}" if baseline else "",
                        "cells": [_heat(rows.get((fact.code, name)), strongest) for name in names],
                    }
                    for fact in by_resources(cube.languages)
                ],
            }
        )
    return maps


def _heat(row: LanguageGain | None, strongest: float) -> Cell | None:
    return None if row is None else cell(row.mean, strongest)


def profile_table(data: ReportData) -> dict[str, Any]:
    """Return the low-resource view: languages by resource class, with a plot per intermediate."""
    names = list(dict.fromkeys(row.intermediate for row in data.profiles))
    known = list(dict.fromkeys(row.facts for row in data.profiles))
    found = {(row.intermediate, row.facts): row for row in data.profiles}
    strongest = strongest_of(row.mean for row in data.profiles)
    scale = axis([row.mean.interval.estimate for row in data.profiles])
    return {
        "names": names,
        "long": len(known) > 40,
        "rows": [
            {
                "facts": fact,
                "targets": next(row.targets for row in data.profiles if row.facts == fact),
                "cells": [
                    cell(found[name, fact].mean, strongest) if (name, fact) in found else None
                    for name in names
                ],
            }
            for fact in known
        ],
        "plots": [{"name": name, "figure": _plot(data, name, scale)} for name in names if known],
        "low": [fact.name for fact in known if fact.low_resource],
        "unknown": [fact.name for fact in known if fact.resource_class is None],
    }


def _plot(data: ReportData, name: str, scale: Axis) -> Markup:
    """Plot the gains of one intermediate against resource class."""
    dots = [
        Dot(
            label=row.facts.code,
            title=f"{row.facts.name}: {points(row.mean.interval.estimate)}",
            group=row.facts.resource_class,
            value=row.mean.interval.estimate,
            sign=row.mean.interval.sign,
        )
        for row in data.profiles
        if row.intermediate == name and row.facts.resource_class is not None
    ]
    return class_plot(dots, scale, f"Gain of {name} in points against resource class 0 to 5")


def contrast_rows(data: ReportData, which: str) -> list[dict[str, Any]]:
    """Return rows of two groups of languages; `which` is ``resources`` or ``seen``."""
    rows = data.resources if which == "resources" else data.seen
    return [
        {
            "intermediate": row.intermediate,
            "target": row.target,
            "first_languages": row.first_languages,
            "second_languages": row.second_languages,
            "first": cell(row.first, 0),
            "second": cell(row.second, 0),
            "difference": cell(row.difference, 0),
        }
        for row in rows
    ]


def comparison_rows(data: ReportData) -> list[dict[str, Any]]:
    """Return contrasts between intermediates."""
    return [
        {
            "first": row.first,
            "second": row.second,
            "mean": cell(row.mean, 0),
            "low": cell(row.low, 0),
            "high": cell(row.high, 0),
            "low_minus_high": cell(row.low_minus_high, 0),
        }
        for row in data.contrasts
    ]
