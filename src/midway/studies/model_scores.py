"""What an exported model's card says of its scores, and of training text in evaluation data."""

from collections.abc import Sequence
from statistics import mean

from midway.analysis.gains import ENGLISH
from midway.analysis.results import ResultRow, collect
from midway.analysis.wording import leak_in_words
from midway.studies.expand import Cell
from midway.studies.markdown import Lines, escape, table
from midway.studies.model_export import Model
from midway.studies.provenance import leaks, scored_run
from midway.studies.session import Session


def scores(session: Session, model: Model) -> Lines:
    """Scores of the model, or of what was trained on from it; by language, in both profiles."""
    done = [cell for cell in model.cells if session.store.has(cell.score)]
    yield from ("## Scores", "")
    if not done:
        yield from ("Nothing has been scored yet.", "")
        return
    yield (
        "In percent. *official* is what the benchmark's script computes, *clean* the same with its "
        "known faults put right."
    )
    yield ""
    for cell in done:
        own = bool(model.target) or not cell.trained
        note = "" if own else ", after more training on that target"
        yield from (f"### {escape(cell.target)} ({cell.split}){note}", "")
        yield from _score_table(_rows(session, cell))


def _rows(session: Session, cell: Cell) -> list[ResultRow]:
    rows = collect(session.study.name, session.study.encoder, [scored_run(session, cell)])
    return [row for row in rows if "_layer_" not in row.metric]


def _score_table(rows: Sequence[ResultRow]) -> Lines:
    """A row per language, then means: over all, over all but English; English stands apart."""
    columns = list(dict.fromkeys((row.profile, row.metric) for row in rows))
    values = {(row.language, row.profile, row.metric): row.value for row in rows}
    sizes = {row.language: row.n for row in rows}
    groups = [(code, [code]) for code in sizes]
    others = [code for code in sizes if code not in ENGLISH]
    if len(sizes) > 1:
        groups.append((f"mean of all {len(sizes)}", list(sizes)))
    if 1 < len(others) < len(sizes):
        groups.append((f"mean of {len(others)} without English", others))
    lines = []
    for name, codes in groups:
        n = f"{sum(sizes[code] for code in codes):,}"
        found = [[values[code, *c] for code in codes if (code, *c) in values] for c in columns]
        lines.append([escape(name), n, *(f"{mean(f):.2f}" if f else "" for f in found)])
    heads = [escape(f"{profile} {metric}") for profile, metric in columns]
    yield from table(["language", "examples", *heads], lines)


def leaks_found(session: Session, model: Model) -> Lines:
    """Whether its training data are in the evaluation data; nothing if it was not trained."""
    found = leaks(session)
    if model.trained is None or session.expansion.leaks is None:
        return
    yield from ("## Training data in evaluation data", "")
    names = (f"intermediate {model.intermediate}", f"target {model.target}")
    mine = [
        leak
        for leak in found or []
        if leak["training"].removeprefix("validation of ") in names
        and (not model.target or leak["target"] == model.target)
    ]
    if found is None:
        yield "It has not been looked for yet."
    elif not mine:
        yield "None: no item or document in any language, no text and no near duplicate."
    yield from (f"- {escape(leak_in_words(leak))}" for leak in mine)
    yield ""
