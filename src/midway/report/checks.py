"""Error rates of checks (MultiCheckList's manner): a table per target with capabilities."""

from collections import defaultdict
from statistics import mean
from typing import Any

from midway.analysis.results import ResultRow
from midway.analysis.study import ReportData

PREFIX = "error_rate_"


def check_tables(data: ReportData) -> list[dict[str, Any]]:
    """Return for each target with error rates: capabilities, and a row per intermediate.

    A row has ``name``, ``rates`` (a mean over languages and seeds for each capability),
    and ``worst``, the language with the highest error rate and that rate, for each capability.
    """
    by_target: dict[str, list[ResultRow]] = defaultdict(list)
    for row in data.rows:
        if row.profile == "clean" and row.metric.startswith(PREFIX):
            by_target[row.target].append(row)
    return [{"target": target, **_table(rows)} for target, rows in by_target.items()]


def _table(rows: list[ResultRow]) -> dict[str, Any]:
    names = list(dict.fromkeys(row.intermediate for row in rows))
    capabilities = sorted({row.metric for row in rows})
    return {
        "capabilities": [name.removeprefix(PREFIX) for name in capabilities],
        "languages": len({row.language for row in rows}),
        "rows": [
            {
                "name": name,
                "cells": [
                    _cell([r for r in rows if (r.intermediate, r.metric) == (name, capability)])
                    for capability in capabilities
                ],
            }
            for name in names
        ],
    }


def _cell(rows: list[ResultRow]) -> dict[str, Any] | None:
    """Rates of one run and capability; None if it was not measured."""
    if not rows:
        return None
    by_language: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_language[row.language].append(row.value)
    rates = {language: mean(values) for language, values in by_language.items()}
    worst = max(rates, key=lambda language: rates[language])
    return {"rate": mean(rates.values()), "worst": worst, "worst_rate": rates[worst]}
