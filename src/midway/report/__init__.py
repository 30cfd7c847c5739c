"""The report of a study: one page to read, one table and one document for programs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from midway.analysis import (
    ReportData,
    ScoredRun,
    analyse,
    write_csv,
    write_parquet,
    write_summary,
)
from midway.report.exports import write_figures
from midway.report.papers import FORMATS
from midway.report.render import page, render
from midway.store.fs import written


def write_report(
    study_name: str,
    study_text: str,
    scored_runs: Sequence[ScoredRun],
    provenance: Mapping[str, Any],
    out_dir: Path,
) -> ReportData:
    """Analyse a study and write its results, summary and report.

    The files are ``results.csv``, ``results.parquet``, ``summary.json`` and ``report.html``.
    `provenance` is plain JSON. Every key may be missing; what is missing is not shown:

    - ``encoder``: name of the encoder; ``offline:…`` adds a caveat on retrieval
    - ``intermediates``: name → ``{"tasks": [...], "languages": [codes], "examples": n}``
    - ``mixtures``: ``{"intermediate", "task", "intended", "steps", "examples", "tokens",
      "languages": {code: {"examples", "tokens"}}}`` for each entry of each intermediate
    - ``budgets``: ``{"intermediate", "examples", "tokens", "updates"}`` each, means over seeds;
      ``match``: which of the three the study wants equal, or null
    - ``contrasts``: pairs of names, from the study file
    - ``commands``: command lines that reproduce the study
    - ``versions``: package → version
    - ``started``: date and time in words; ``seconds``: wall time of this run
    - ``stages``: ``{"name", "key", "state", "seconds"}`` each, in plan order; a stage that has
      not run has the state ``missing`` and null ``seconds``; ``computing_seconds``: their sum
    - ``leaks``, ``leak_check``: the rows and all of what `midway.stages.leaks.run` returns; rows
      are ``left_out`` if the scores are without them, and an empty list says that there are none
    - ``data``: ``{"task", "licence", "citation", "homepage"}`` each
    - ``files``: ``{"task", "split", "language", "file", "rows"}`` each, ``sha256`` if known
    - ``dropped``, ``repaired``: ``{"task", "split", "language", "reason", "count"}`` each
    - ``warnings``: sentences about data whose scores should not be believed
    - ``trained_on``: ``{"who", "task", "split", "languages", "examples"}`` of all data that are
      trained on, or validated on (then `who` says so)
    - ``collapsed``: ``{"run", "attempts": [{"seed", "steps", "collapse"}], "collapsed"}`` of
      training runs that collapsed at least once; the last is empty if the last attempt went well
    - ``best``: whether the best intermediate of each target is wanted
    - ``halving``: null, or ``{"choices": [{"seeds", "scores": {intermediate: validation score,
      the best first}, "kept": how many went on}], "stopped": {intermediate: why}, "waiting":
      evaluations that wait for a choice}``

    Args:
        study_name: name of the study.
        study_text: the study file, verbatim.
        scored_runs: all scored evaluations in study order.
        provenance: see above.
        out_dir: output folder, made if it does not exist.

    Returns:
        The analysis, for those who want to print its verdict.

    Raises:
        StudyError: there are no scores.
        StoreError: a score artefact is damaged, runs cannot be paired, `out_dir` is not writable.
    """
    data = analyse(study_name, study_text, scored_runs, provenance)
    with written(out_dir) as new:
        write_csv(data.rows, new / "results.csv")
        write_parquet(data.rows, new / "results.parquet")
        write_summary(data, new / "summary.json")
        render(data, new / "report.html")
    return data


__all__ = ["FORMATS", "ReportData", "page", "render", "write_figures", "write_report"]
