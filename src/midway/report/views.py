"""What the template loops over: plain rows of words, numbers and small figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from markupsafe import Markup

from midway.analysis.cube import Cube
from midway.analysis.estimate import Estimate
from midway.analysis.gains import baseline_scores
from midway.analysis.low_resource import TRAINED_MEAN, facts
from midway.analysis.study import ReportData
from midway.report.cells import Cell, cell, strongest_of
from midway.report.figures import Axis, axis, forest_axis, forest_row
from midway.report.heat import HeatRow, heat_map

_MEAN = "Mean of"
_MANY = 40  # rows of a forest plot that are shown at once


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

    @property
    def maximum(self) -> str:
        """Name of the intermediate with the largest gain; empty if there are not two gains."""
        gains = {name: cell.number for name, cell in self.cells.items() if cell is not None}
        return max(gains, key=lambda name: gains[name]) if len(gains) > 1 else ""


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


def target_heat(data: ReportData) -> Markup:
    """Draw gains, intermediate × target."""
    columns = [column for column in gain_columns(data) if any(column.cells.values())]
    rows = [
        HeatRow(name, tuple(column.cells.get(name) for column in columns))
        for name in data.standing.intermediates
    ]
    titles = [column.title for column in columns]
    return heat_map(titles, rows, "Gains in points, intermediate by target; the table has them")


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


Groups = dict[str, list[tuple[str, Estimate]]]


def gain_groups(data: ReportData) -> Groups:
    """Return gains as groups for a forest plot: the means over targets, then every target."""
    groups: Groups = {}
    for average in data.averages:
        if len(average.targets) > 1:
            count = len(average.targets)
            kind = f"all {count}" if average.with_untrained else f"{count} trained"
            label = f"{_MEAN} {kind} targets"
            groups.setdefault(label, []).append((average.intermediate, average.mean))
    for row in data.gains:
        groups.setdefault(row.target, []).append((row.intermediate, row.mean))
    return groups


def contrast_groups(data: ReportData) -> Groups:
    """Return contrasts of intermediates as groups for a forest plot."""
    return {
        f"{', '.join(row.first)} − {', '.join(row.second)}": [
            (name, value)
            for name, value in (
                ("all languages", row.mean),
                ("low-resource", row.low),
                ("high-resource", row.high),
                ("low − high", row.low_minus_high),
            )
            if value is not None
        ]
        for row in data.contrasts
    }


def group_gaps(data: ReportData) -> Groups:
    """Return low − high and seen − unseen on the widest mean as groups for a forest plot."""
    groups: Groups = {}
    for title, rows in (
        ("Low-resource − high-resource languages", data.resources),
        ("Languages seen in the intermediate data − unseen ones", data.seen),
    ):
        wide = [row for row in rows if row.target == TRAINED_MEAN]
        alone = rows if len(data.standing.trained) <= 1 else ()
        found = [
            (row.intermediate if row in wide else f"{row.intermediate}, {row.target}", gap)
            for row in wide or alone
            if (gap := row.difference) is not None
        ]
        if found:
            groups[title] = found
    return groups


def scale_of(groups: Groups) -> Axis:
    """Return an axis for all intervals of a forest plot."""
    means = [mean for rows in groups.values() for _, mean in rows]
    return axis([end for mean in means for end in (mean.interval.low, mean.interval.high)])


def forest(groups: Groups) -> dict[str, Any]:
    """Return a forest plot: groups of rows on one axis; of a long one, those after the means apart.

    ``groups`` are shown at once, ``more`` when asked for.
    """
    scale = scale_of(groups)
    drawn = [
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
    ]
    means = sum(title.startswith(_MEAN) for title in groups)
    long = means and sum(map(len, groups.values())) > _MANY
    shown = means if long else len(drawn)
    return {"axis": forest_axis(scale), "groups": drawn[:shown], "more": drawn[shown:]}


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
