"""The main tables of a study for a paper, in Markdown and LaTeX."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from midway.analysis.study import LEVEL, ReportData
from midway.report import views
from midway.report.by_language import profile_cells
from midway.report.cells import Cell, cell
from midway.report.escape import latex, markdown

_DASH = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as plain text; the first column holds names, the others numbers.

    Attributes:
        label: a name for references.
        title: what it shows.
        header: names of the columns.
        rows: its cells.
        what: what its numbers are.
    """

    label: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    what: str = "Points over the baseline"


def tables(data: ReportData) -> list[Table]:
    """Return the tables of a study: gains by target, contrasts, gains by language."""
    found = [_gains(data)]
    if data.contrasts:
        found.append(_contrasts(data))
    if data.profiles:
        found.append(_languages(data))
    return found


def as_markdown(data: ReportData) -> str:
    """Return verdict, caveats and tables as Markdown; text from data is escaped."""
    lines = [f"# {markdown(data.study)}", "", markdown(data.verdict.headline), ""]
    if data.verdict.caveats:
        lines += [*(f"- {markdown(text)}" for text in data.verdict.caveats), ""]
    for table in tables(data):
        rows = [table.header, *table.rows]
        body = [f"| {' | '.join(map(markdown, row))} |" for row in rows]
        body.insert(1, f"|:---|{'---:|' * (len(table.header) - 1)}")
        lines += [f"## {markdown(table.title)}", "", *body, "", markdown(_note(data, table)), ""]
    return "\n".join(lines)


def as_latex(data: ReportData) -> str:
    """Return the tables as LaTeX; text from data is escaped.

    Only what LaTeX itself brings is used: ``tabular`` and ``hline``, no package.
    """
    lines = [
        "% Tables without packages. For booktabs, put \\toprule, \\midrule and \\bottomrule in the",
        "% place of the three \\hline of each.",
        f"% {_comment(data.verdict.headline)}",
        *(f"% {_comment(text)}" for text in data.verdict.caveats),
    ]
    for table in tables(data):
        lines += [
            "",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex(table.title)}. {latex(_note(data, table))}}}",
            rf"\label{{tab:{table.label}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
            r"\hline",
            _latex_row(table.header),
            r"\hline",
            *map(_latex_row, table.rows),
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
        ]
    return "\n".join([*lines, ""])


FORMATS: dict[str, tuple[str, Callable[[ReportData], str]]] = {
    "markdown": (".md", as_markdown),
    "latex": (".tex", as_latex),
}
"""Name of a format → the ending of its files and what writes it."""


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(latex, cells)) + r" \\"


def _comment(text: str) -> str:
    """Keep a comment on its line."""
    return " ".join(text.split())


def _note(data: ReportData, table: Table) -> str:
    seeds = f"{len(data.seeds)} seed{'' if len(data.seeds) == 1 else 's'}"
    return (
        f"{table.what} with {round(100 * LEVEL)} % intervals, {seeds}; "
        "▲ ▼ the interval excludes zero, and the test, where there is one, holds after adjusting "
        "for many, △ ▽ only before, · it does not."
    )


def _in_words(value: Cell | None) -> str:
    return _DASH if value is None else f"{value.value} {value.mark} ({value.interval})"


def _gains(data: ReportData) -> Table:
    columns = views.gain_columns(data)
    baseline = ("none (score, %)", *(column.baseline or _DASH for column in columns))
    rows = [
        (name, *(_in_words(column.cells.get(name)) for column in columns))
        for name in data.standing.intermediates
    ]
    header = ("Intermediate", *(_head(column) for column in columns))
    return Table("gains", "Gain of each intermediate by target", header, (baseline, *rows))


def _head(column: views.Column) -> str:
    return f"{column.title} (not trained)" if column.kind == "untrained" else column.title


def _contrasts(data: ReportData) -> Table:
    rows = tuple(
        (
            f"{', '.join(row.first)} − {', '.join(row.second)}",
            *(_in_words(cell(v, 0)) for v in (row.mean, row.low, row.high, row.low_minus_high)),
        )
        for row in data.contrasts
    )
    header = ("Contrast", "All languages", "Low-resource", "High-resource", "Low − high")
    what = "Points, first minus second, on the mean of trained targets"
    return Table("contrasts", "Intermediates against each other", header, rows, what)


def _languages(data: ReportData) -> Table:
    cells = profile_cells(data)
    names = list(dict.fromkeys(name for name, _ in cells))
    rows = tuple(
        (
            fact.name,
            _DASH if fact.resource_class is None else str(fact.resource_class),
            *(_in_words(cells.get((name, fact))) for name in names),
        )
        for fact in dict.fromkeys(fact for _, fact in cells)
    )
    return Table(
        "languages", "Gain by language over trained targets", ("Language", "Class", *names), rows
    )
