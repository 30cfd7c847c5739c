"""From scores to answers: results, gains with intervals, low-resource views, a verdict in words."""

from midway.analysis.formats import write_csv
from midway.analysis.results import (
    BASELINE,
    ResultRow,
    ScoredRun,
    collect,
    read_csv,
    read_parquet,
    read_table,
    write_parquet,
)
from midway.analysis.study import ReportData, analyse
from midway.analysis.summary import summary, write_summary

__all__ = [
    "BASELINE",
    "ReportData",
    "ResultRow",
    "ScoredRun",
    "analyse",
    "collect",
    "read_csv",
    "read_parquet",
    "read_table",
    "summary",
    "write_csv",
    "write_parquet",
    "write_summary",
]
