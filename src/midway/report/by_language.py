"""What the template loops over for languages: tables, the heat map, plots against resources."""

import math
from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from midway.analysis.cube import Cube
from midway.analysis.gains import baseline_scores
from midway.analysis.kinds import KindGain
from midway.analysis.low_resource import LanguageFacts, LanguageProfile, by_resources
from midway.analysis.results import BASELINE
from midway.analysis.study import ReportData
from midway.analysis.wording import in_brackets
from midway.report.cells import Cell, cell, strongest_of
from midway.report.figures import axis
from midway.report.groups import Languages
from midway.report.heat import HeatRow, heat_map
from midway.report.scatter import Dot, scatter

CLASSES = 6  # resource classes 0 to 5
_SIZES = ((0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100"), (300.0, "300"))  # GiB
Place = Callable[[LanguageProfile], float]


def language_maps(data: ReportData, languages: Languages) -> list[dict[str, Any]]:
    """Return per target a table language × intermediate, poorest languages first."""
    return [_map(data, cube, languages) for cube in data.cubes]


def _map(data: ReportData, cube: Cube, languages: Languages) -> dict[str, Any]:
    gains = {
        (row.language, row.intermediate): row.mean
        for row in data.by_language
        if row.target == cube.target
    }
    names = [name for name in cube.systems if any(key[1] == name for key in gains)]
    strongest = strongest_of(gains.values())
    baseline = baseline_scores(cube)
    sizes = dict(zip(cube.languages, cube.sizes, strict=True))
    return {
        "target": cube.target,
        "metric": cube.metric,
        "split": cube.split,
        "trained": cube.trained,
        "left_out": cube.left_out,
        "names": names,
        "long": len(cube.languages) > 40,
        "rows": [
            {
                "attributes": languages.attributes(fact),
                "facts": fact,
                "examples": sizes[fact.code],
                "baseline": f"{baseline[fact.code]:.1f}" if baseline else "",
                "cells": [cell(gains.get((fact.code, name)), strongest) for name in names],
            }
            for fact in by_resources(cube.languages)
        ],
    }


def target_heat(data: ReportData, cube: Cube, languages: Languages) -> Markup:
    """Draw gains on one target, language × intermediate, poorest languages first."""
    table = _map(data, cube, languages)
    rows = [
        HeatRow(_label(row["facts"]), tuple(row["cells"]), row["attributes"])
        for row in table["rows"]
    ]
    title = f"Gains in points on {cube.target}, language by intermediate"
    return heat_map(table["names"], rows, title)


def _label(fact: LanguageFacts) -> str:
    return f"{fact.name} · {'?' if fact.resource_class is None else fact.resource_class}"


def profile_table(data: ReportData, languages: Languages) -> dict[str, Any]:
    """Return the low-resource view: languages by resource class, with plots per intermediate."""
    names = list(dict.fromkeys(row.intermediate for row in data.profiles))
    known = list(dict.fromkeys(row.facts for row in data.profiles))
    targets = {row.facts: row.targets for row in data.profiles}
    cells = profile_cells(data)
    rows = [
        {
            "facts": fact,
            "attributes": languages.attributes(fact),
            "targets": targets[fact],
            "cells": [cells.get((name, fact)) for name in names],
        }
        for fact in known
    ]
    return {
        "names": names,
        "long": len(known) > 40,
        "rows": rows,
        "heat": language_heat(data, languages),
        "kinds": kind_tables(data),
        "plots": [
            {
                "name": name,
                "by_class": by_class(data, name, languages),
                "by_size": by_size(data, name, languages),
            }
            for name in names
        ],
        "low": [fact.name for fact in known if fact.low_resource],
        "unknown": [fact.name for fact in known if fact.resource_class is None],
        "unsized": [fact.name for fact in known if fact.cc100_gib is None],
    }


def kind_tables(data: ReportData) -> list[dict[str, Any]]:
    """Return a table for each property of languages: kinds by intermediates and contrasts."""
    names = {(row.first, row.second): None for row in data.kinds}
    heads = [first if second == BASELINE else f"{first} − {second}" for first, second in names]
    tables: dict[str, dict[str, dict[tuple[str, str], KindGain]]] = {}
    for row in data.kinds:
        kinds = tables.setdefault(row.property, {})
        kinds.setdefault(row.kind, {})[row.first, row.second] = row
    strongest = strongest_of(row.mean for row in data.kinds)
    return [
        {
            "property": name,
            "names": heads,
            "rows": [
                {
                    "kind": kind,
                    "languages": next(iter(cells.values())).languages,
                    "targets": next(iter(cells.values())).targets,
                    "cells": [
                        cell(cells[pair].mean if pair in cells else None, strongest)
                        for pair in names
                    ],
                }
                for kind, cells in kinds.items()
            ],
        }
        for name, kinds in tables.items()
        if len(kinds) > 1
    ]


def profile_cells(data: ReportData) -> dict[tuple[str, LanguageFacts], Cell | None]:
    """Return the gain of each intermediate and language over the trained targets."""
    strongest = strongest_of(row.mean for row in data.profiles)
    return {(row.intermediate, row.facts): cell(row.mean, strongest) for row in data.profiles}


def language_heat(data: ReportData, languages: Languages) -> Markup | None:
    """Draw gains, language × intermediate, poorest first; None if there is no profile."""
    cells = profile_cells(data)
    names = list(dict.fromkeys(name for name, _ in cells))
    known = list(dict.fromkeys(fact for _, fact in cells))
    rows = [
        HeatRow(
            _label(fact),
            tuple(cells.get((name, fact)) for name in names),
            languages.attributes(fact),
        )
        for fact in known
    ]
    if not rows:
        return None
    return heat_map(
        names, rows, "Gains in points, language by intermediate; the table has them all"
    )


def by_class(data: ReportData, name: str, languages: Languages) -> Markup:
    """Plot the gains of one intermediate against resource class."""
    rows = [row for row in _of(data, name) if row.facts.resource_class is not None]
    places: dict[str, float] = {}
    for group in range(CLASSES):
        members = [row for row in rows if row.facts.resource_class == group]
        for index, row in enumerate(members):
            share = (index + 1) / (len(members) + 1)
            places[row.facts.canonical] = (group + 0.08 + 0.7 * share) / CLASSES
    ticks = [((group + 0.5) / CLASSES, str(group)) for group in range(CLASSES)]
    title = f"Gain of {name} in points against resource class 0 to 5"
    return _plot(data, rows, lambda row: places[row.facts.canonical], ticks, title, languages)


def by_size(data: ReportData, name: str, languages: Languages) -> Markup:
    """Plot the gains of one intermediate against the size of its languages in CC-100."""
    rows = [row for row in _of(data, name) if row.facts.cc100_gib is not None]
    low, high = math.log10(_SIZES[0][0] / 1.6), math.log10(_SIZES[-1][0] * 1.8)

    def place(gib: float) -> float:
        return min(max((math.log10(max(gib, 1e-9)) - low) / (high - low), 0.0), 1.0)

    ticks = [(place(size), text) for size, text in _SIZES]
    title = f"Gain of {name} in points against GiB of text in CC-100"
    return _plot(data, rows, lambda row: place(row.facts.cc100_gib or 0.0), ticks, title, languages)


def _of(data: ReportData, name: str) -> list[LanguageProfile]:
    return [row for row in data.profiles if row.intermediate == name]


def _plot(
    data: ReportData,
    rows: list[LanguageProfile],
    place: Place,
    ticks: list[tuple[float, str]],
    title: str,
    languages: Languages,
) -> Markup:
    scale = axis([row.mean.interval.estimate for row in data.profiles])
    dots = [
        Dot(
            label=row.facts.code,
            title=f"{row.facts.name}: {in_brackets(row.mean.interval)}",
            place=place(row),
            value=row.mean.interval.estimate,
            sign=row.mean.interval.sign,
            attributes=languages.attributes(row.facts),
        )
        for row in rows
    ]
    return scatter(dots, ticks, scale, title)
