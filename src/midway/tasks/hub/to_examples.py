"""Rows of the hub's data sets → examples, by the columns that the data sets have.

Ids and documents are those that the readers of the publishers' files give, so that a language
from the hub and one from a file fit together.
"""

from midway.errors import DataError
from midway.tasks.examples import QAExample, SentencePair
from midway.tasks.hub.rows import Row
from midway.tasks.readers import squad_json
from midway.tasks.readers.tatoeba import BLANK

Answered = QAExample | str


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


def tatoeba(row: Row) -> SentencePair | str:
    """Tatoeba in XTREME: ``source_sentence target_sentence``, each with a line end."""
    foreign, english = (
        row.line(column).removesuffix("\n").removesuffix("\r")
        for column in ("source_sentence", "target_sentence")
    )
    if not foreign.strip() or not english.strip():
        return BLANK
    return SentencePair(
        id=f"{row.language}-{row.number}",
        language=row.language,
        document=english,
        sentence=foreign,
        english=english,
    )
