"""What ``midway run`` wrote, read again for a notebook or a script.

The numbers are those of ``results.parquet`` and ``summary.json``; nothing is computed anew.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from markupsafe import Markup

from midway.analysis import read_table
from midway.analysis.estimate import Estimate
from midway.analysis.wording import points
from midway.errors import StoreError
from midway.report.cells import sign_of
from midway.stats import Interval

_PARTS = ("estimate", "low", "high")
_STYLE = "text-align:right;padding:.2em .8em;font-variant-numeric:tabular-nums"


@dataclass(frozen=True)
class Results:
    """Results of a study; shows itself as its verdict and gains in a notebook.

    Attributes:
        folder: where they were read.
        table: a `pyarrow.Table` with a row per intermediate, target, language, seed, profile and
            metric; the columns of ``midway results``. ``table.to_pandas()`` needs pandas.
        summary: the document in ``summary.json``, see `midway.analysis.summary`.
    """

    folder: Path
    table: pa.Table
    summary: Mapping[str, Any]

    @property
    def study(self) -> str:
        """Name of the study."""
        return str(self.summary["study"])

    @property
    def verdict(self) -> str:
        """The verdict in a sentence."""
        return str(self.summary["verdict"]["headline"])

    @property
    def answers(self) -> dict[str, str]:
        """The answer to each question: ``help``, ``which``, ``languages`` and so on."""
        return {row["key"]: row["answer"] for row in self.summary["verdict"]["answers"]}

    @property
    def caveats(self) -> list[str]:
        """What must be known before the verdict is quoted."""
        return list(self.summary["verdict"]["caveats"])

    @cached_property
    def gains(self) -> pa.Table:
        """Gain in points of each intermediate on each target, with its interval."""
        return _flat(self.summary["gains"], ("transfer", "english"))

    @cached_property
    def averages(self) -> pa.Table:
        """Mean gain of each intermediate over trained targets, and over all."""
        return _flat(self.summary["averages"], ())

    @cached_property
    def by_language(self) -> pa.Table:
        """Gain in points of each intermediate on each language of each target."""
        return _flat(self.summary["languages"], ())

    @cached_property
    def contrasts(self) -> pa.Table:
        """Intermediates against each other, over all languages, low- and high-resource ones."""
        return _flat(self.summary["contrasts"], ("low", "high", "low_minus_high"))

    def __repr__(self) -> str:
        targets, seeds = len(self.summary["targets"]), len(self.summary["seeds"])
        what = f"{targets} targets, {seeds} seeds, {self.table.num_rows:,} scores"
        return f"<Results of {self.study}: {what}>\n{self.verdict}"

    def _repr_html_(self) -> str:
        """Show the verdict, what to know before quoting it, and the gains by target."""
        gains = self.summary["gains"]
        targets = list(dict.fromkeys(row["target"] for row in gains))
        found = {(row["intermediate"], row["target"]): row["mean"] for row in gains}
        head = Markup("").join(
            Markup('<th scope="col" style="{}">{}</th>').format(_STYLE, name) for name in targets
        )
        body = Markup("").join(
            Markup('<tr><th scope="row" style="text-align:left">{}</th>{}</tr>').format(
                name, Markup("").join(_html(found.get((name, target))) for target in targets)
            )
            for name in dict.fromkeys(row["intermediate"] for row in gains)
        )
        caveats = Markup("").join(map(Markup("<li>{}</li>").format, self.caveats))
        return Markup(
            "<div><p><strong>{}</strong>: {}</p><ul>{}</ul><table><caption>Gain in points and its "
            '{:.0f} % interval</caption><thead><tr><th scope="col">Intermediate</th>{}</tr></thead>'
            "<tbody>{}</tbody></table></div>"
        ).format(self.study, self.verdict, caveats, 100 * self.summary["level"], head, body)


def open_results(folder: str | Path) -> Results:
    """Read the results of a study.

    Args:
        folder: where ``midway run`` wrote: ``runs/<study name>``, or its ``--out``.

    Raises:
        StoreError: there are no results, or they are damaged.

    Example:
        >>> results = midway.open_results("runs/demo")  # doctest: +SKIP
        >>> results.gains.to_pandas()  # doctest: +SKIP
    """
    folder = Path(folder)
    path = folder / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        found = summary.get("version") if isinstance(summary, dict) else None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(
            f"{path}: no results of a study ({error}); give the folder that `midway run` wrote to"
        ) from error
    if found != 1:
        raise StoreError(
            f"{path}: version {found!r} of the summary, expected 1; `midway run` writes it again"
        )
    return Results(folder, read_table(folder / "results.parquet"), summary)


def _flat(rows: Sequence[Mapping[str, Any]], others: Sequence[str]) -> pa.Table:
    """Turn records with estimates into columns.

    Args:
        rows: records of the summary; ``mean`` becomes ``gain``, ``low``, ``high``, ``seeds``,
            ``p``, ``q`` and ``detectable``.
        others: further estimates, each ``<name>_estimate``, ``<name>_low``, ``<name>_high``.
    """
    flat = []
    for row in rows:
        mean = row["mean"] or {}
        record = {
            name: value
            for name, value in row.items()
            if name not in ("mean", *others) and not isinstance(value, dict)
        }
        record |= {"gain": mean.get("estimate"), "low": mean.get("low"), "high": mean.get("high")}
        record |= {part: mean.get(part) for part in ("seeds", "p", "q", "detectable")}
        for name in others:
            value = row[name] or {}
            record |= {f"{name}_{part}": value.get(part) for part in _PARTS}
        flat.append(record)
    return pa.Table.from_pylist(flat)


def _html(mean: Mapping[str, Any] | None) -> Markup:
    if mean is None:
        return Markup("<td></td>")
    interval = Interval(mean["estimate"], mean["low"], mean["high"], mean["seeds"])
    sign, _ = sign_of(Estimate(interval, {}, mean["p"], mean["q"]))
    ends = f"{points(mean['low'])} to {points(mean['high'])}"
    return Markup('<td style="{}">{} {}<br><small>{}</small></td>').format(
        _STYLE, points(mean["estimate"]), sign, ends
    )
