"""Every figure of the report as an SVG file, and its data as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from midway.analysis.estimate import Estimate
from midway.analysis.formats import csv_cell
from midway.analysis.low_resource import LanguageProfile
from midway.analysis.study import ReportData
from midway.report import by_language, views
from midway.report.checks import check_tables
from midway.report.drivers import slope_groups
from midway.report.escape import file_name
from midway.report.figures import ForestRow, forest_figure
from midway.report.groups import Languages, languages_of
from midway.report.svg import standalone

_ENDS = ("gain", "low", "high", "seeds", "p", "q", "detectable")
Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and the numbers that it draws.

    Attributes:
        name: of its files, without an ending.
        title: what it shows.
        svg: as in the page; None for a table that is not drawn.
        header: names of the columns of `rows`.
        rows: its data.
    """

    name: str
    title: str
    svg: Markup | None
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def write_figures(data: ReportData, folder: Path) -> list[Path]:
    """Write each figure to `folder`, ``<name>.svg`` and ``<name>.csv``.

    Names are the same for the same study, whatever its numbers are. In CSV, text that a
    spreadsheet would read as a formula begins with an apostrophe.

    Returns:
        The files, in the order of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in figures(data):
        if figure.svg is not None:
            path = folder / f"{figure.name}.svg"
            text = standalone(figure.svg, figure.title)
            path.write_text(text, encoding="utf-8")
            written.append(path)
        path = folder / f"{figure.name}.csv"
        path.write_text(_as_csv(figure), encoding="utf-8", newline="")
        written.append(path)
    return written


def figures(data: ReportData) -> Iterator[Figure]:
    """Yield the figures of a report in the order of the page; those without data are left out."""
    languages = languages_of(data)
    yield from _targets(data)
    yield from _forests(data)
    yield from _decomposition(data)
    yield from _languages(data, languages)
    yield from _kinds(data)
    for table in check_tables(data):
        rows = [
            (row["name"], capability, cell["rate"], cell["worst"], cell["worst_rate"])
            for row in table["rows"]
            for capability, cell in zip(table["capabilities"], row["cells"], strict=True)
            if cell is not None
        ]
        yield Figure(
            f"checks-{file_name(table['target'])}",
            f"Error rates by capability: {table['target']}",
            None,
            ("intermediate", "capability", "error_rate", "worst_language", "worst_error_rate"),
            tuple(rows),
        )


def _targets(data: ReportData) -> Iterator[Figure]:
    gains = [
        (row.intermediate, row.target, row.trained, row.baseline, row.score, *_ends(row.mean))
        for row in data.gains
    ]
    if gains:
        header = ("intermediate", "target", "trained", "baseline", "score", *_ENDS)
        title = "Gain in points, intermediate by target"
        yield Figure("gains-by-target", title, views.target_heat(data), header, tuple(gains))


def _forests(data: ReportData) -> Iterator[Figure]:
    for name, title, groups in (
        ("gains-forest", "Gain in points with intervals", views.gain_groups(data)),
        ("contrasts-forest", "Contrasts of intermediates", views.contrast_groups(data)),
        ("groups-forest", "Groups of languages against each other", views.group_gaps(data)),
        ("slopes-forest", "Change of gains with properties of languages", slope_groups(data)),
    ):
        if not groups:
            continue
        scale = views.scale_of(groups)
        lines = [
            (
                heading,
                [ForestRow(who, v.interval, tuple(v.per_seed.values())) for who, v in rows],
            )
            for heading, rows in groups.items()
        ]
        values = [(heading, who, *_ends(v)) for heading, rows in groups.items() for who, v in rows]
        svg = forest_figure(lines, scale)
        yield Figure(name, title, svg, ("group", "row", *_ENDS), tuple(values))


def _decomposition(data: ReportData) -> Iterator[Figure]:
    found = data.decomposition
    if found is not None:
        shares = found.shares
        rows = (
            ("intermediate", shares.rows),
            ("target", shares.columns),
            ("both together", shares.interaction),
            ("chance, within both together", shares.noise),
        )
        title = "Shares of the variation between gains"
        yield Figure("decomposition", title, None, ("part", "share"), rows)


def _kinds(data: ReportData) -> Iterator[Figure]:
    rows = tuple(
        (row.property, row.kind, row.first, row.second, " ".join(row.languages), *_ends(row.mean))
        for row in data.kinds
    )
    if rows:
        header = ("property", "kind", "first", "second", "languages", *_ENDS)
        yield Figure("gains-by-kind", "Gain in points by kind of language", None, header, rows)


def _languages(data: ReportData, languages: Languages) -> Iterator[Figure]:
    facts = ("code", "language", "family", "script", "resource_class", "cc100_gib", "from_english")

    def described(rows: Iterable[LanguageProfile]) -> tuple[Row, ...]:
        return tuple(
            (
                row.intermediate,
                row.facts.code,
                row.facts.name,
                row.facts.family,
                row.facts.script,
                row.facts.resource_class,
                row.facts.cc100_gib,
                row.facts.from_english,
                *_ends(row.mean),
            )
            for row in rows
        )

    header = ("intermediate", *facts, *_ENDS)
    heat = by_language.language_heat(data, languages)
    if heat is not None:
        title = "Gain in points over trained targets, language by intermediate"
        yield Figure("gains-by-language", title, heat, header, described(data.profiles))
    for name in dict.fromkeys(row.intermediate for row in data.profiles):
        rows = described(row for row in data.profiles if row.intermediate == name)
        for kind, what, draw in (
            ("resource-class", "resource class", by_language.by_class),
            ("corpus-size", "GiB in CC-100", by_language.by_size),
        ):
            title = f"Gain of {name} in points against {what}"
            svg = draw(data, name, languages)
            yield Figure(f"{kind}-{file_name(name)}", title, svg, header, rows)
    for cube in data.cubes:
        rows = tuple(
            (
                row.intermediate,
                row.language,
                row.examples,
                row.baseline,
                row.score,
                *_ends(row.mean),
            )
            for row in data.by_language
            if row.target == cube.target
        )
        if rows:
            yield Figure(
                f"languages-{file_name(cube.target)}",
                f"Gain in points on {cube.target}, language by intermediate",
                by_language.target_heat(data, cube, languages),
                ("intermediate", "language", "examples", "baseline", "score", *_ENDS),
                rows,
            )


def _ends(value: Estimate) -> tuple[object, ...]:
    interval = value.interval
    ends = (interval.estimate, interval.low, interval.high, interval.seeds)
    return (*ends, value.p, value.q, value.detectable)


def _as_csv(figure: Figure) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(figure.header)
    writer.writerows([["" if v is None else csv_cell(v) for v in row] for row in figure.rows])
    return buffer.getvalue()
