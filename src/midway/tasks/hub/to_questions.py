"""Rows of the hub's question answering sets → examples.

Ids and documents are those that the readers of the publishers' files give, so that a language
from the hub and one from a file fit together.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping

from midway.errors import DataError
from midway.tasks.examples import QAExample
from midway.tasks.hub.rows import Row
from midway.tasks.hub.xquad_articles import ARTICLES, ROWS
from midway.tasks.readers import squad_json

Answered = QAExample | str

_BEGINS = [row for row, _, _ in ARTICLES]


def squad(row: Row) -> Answered:
    """SQuAD v1.1: ``id title context question answers{text, answer_start}``."""
    return question(row, row.text("title"))


def squad_v2(row: Row) -> Answered:
    """SQuAD v2: a question without answers has none in its paragraph."""
    if row.texts("answers.text"):
        return squad(row)
    return QAExample(
        id=row.text("id"),
        language=row.language,
        document=row.text("title"),
        context=row.text("context"),
        question=row.text("question"),
        answers=(),
        starts=(),
    )


def squad_by_id(names: Mapping[str, str]) -> Callable[[Row], Answered]:
    """SQuAD's columns with all languages in one: an id begins with the language's name (TyDiQA).

    Args:
        names: the name in ids → the benchmark's code.
    """

    def example(row: Row) -> Answered:
        identity = row.text("id")
        language = names.get(identity.partition("-")[0])
        if language is None:
            raise DataError(
                f"'id' is {identity!r:.40}, expected one that begins with the name of a language "
                "of this task"
            )
        return squad(row) if language == row.language else squad_json.OTHER_LANGUAGE

    return example


def xquad(row: Row) -> Answered:
    """XQuAD: ``id context question answers``; titles are missing and follow from the order."""
    begin, identity, title = ARTICLES[bisect_right(_BEGINS, row.number) - 1]
    if row.number >= ROWS or (row.number == begin and row.text("id") != identity):
        raise DataError(
            f"row {row.number} of XQuAD is not the one known, so its article cannot be told; get "
            "the publisher's files"
        )
    return question(row, title)


def question(row: Row, document: str) -> Answered:
    """Return a question with its answers, checked as `midway.tasks.readers.squad_json` does."""
    texts, starts = row.texts("answers.text"), row.integers("answers.answer_start")
    if len(texts) != len(starts):
        raise DataError(
            f"{len(texts)} answers and {len(starts)} offsets, expected as many of both; get the "
            "publisher's files"
        )
    context = row.text("context")
    given = [(text, start) for text, start in zip(texts, starts, strict=True) if text.strip()]
    if not given:
        return squad_json.NO_ANSWER
    spans = [(text, squad_json.nearest(context, text, start)) for text, start in given]
    lost = sum(start < 0 for _, start in spans)
    moved = sum(new != old and new[1] >= 0 for new, old in zip(spans, given, strict=True))
    if row.split == "train" and lost:
        spans = [(text, start) for text, start in spans if start >= 0]
        if not spans:
            return squad_json.NOT_FOUND
    row.count(squad_json.BLANK, len(texts) - len(given))
    row.count(squad_json.LEFT_OUT if row.split == "train" else squad_json.NO_SPAN, lost)
    row.count(squad_json.REFOUND, moved)
    return QAExample(
        id=row.text("id"),
        language=row.language,
        document=document,
        context=context,
        question=row.text("question"),
        answers=tuple(text for text, _ in spans),
        starts=tuple(start for _, start in spans),
    )
