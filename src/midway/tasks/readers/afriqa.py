"""AfriQA's gold passages: JSON Lines, a question in an African language, a passage in the pivot.

1. A record has ``question_lang`` (the question as it was asked), ``question_translated``,
   ``context`` (an English or French passage), ``title`` and ``answer_pivot`` with the lists
   ``text`` and ``answer_start``; ``answer_lang``, the answer in the African language, is not used.
2. A record whose passage is null or blank is dropped and counted.
3. An offset that does not fit is re-found at the nearest occurrence of the text and counted. A
   text that is nowhere in its passage has no span: in ``train`` such an answer is left out, and
   the question dropped when none remains; elsewhere it is kept with start -1 for scoring.
4. A document is the passage's article; a passage without a title is a document by itself.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.tasks.examples import QAExample, Reading
from midway.tasks.readers.json_fields import field, integers, strings
from midway.tasks.readers.squad_json import (
    BLANK,
    NO_ANSWER,
    find_spans,
)
from midway.tasks.tables import json_rows, text_cell

NO_PASSAGE = "question without a passage"


def read_afriqa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the questions of one language, in file order.

    Args:
        files: JSON Lines files, whatever their extension.
        split: ``train`` asks for usable spans, any other split for texts only.
        language: the question's language, given to every example.

    Returns:
        Questions with the publisher's ids, and counts of what was dropped and repaired.

    Raises:
        DataError: a line is not such a record, an id occurs twice, or a file has no records.
    """
    reading = Reading([])
    seen: set[str] = set()
    for path in files:
        before = len(seen)
        for number, row in json_rows(path):
            identity = text_cell(path, number, row, "id")
            if identity in seen:
                raise DataError(
                    f"{path}:{number}: the id {identity!r:.40} occurs twice; fetch the file again"
                )
            seen.add(identity)
            _add(reading, f"{path}:{number}", row, identity, language, split)
        if len(seen) == before:
            raise DataError(f"{path}: no records, expected one JSON object a line")
    reading.repaired = +reading.repaired  # only what happened
    return reading


def _add(
    reading: Reading, place: str, row: dict[str, Any], identity: str, language: str, split: str
) -> None:
    """Append the example, or count why it cannot be used."""
    context = "" if row.get("context") is None else field(place, row, "context", str)
    if not context.strip():
        reading.dropped[NO_PASSAGE] += 1
        return
    question = field(place, row, "question_lang", str)
    if not question.strip():
        raise DataError(f"{place}: 'question_lang' is blank, expected a question")
    given = _answers(place, row)
    answers = [(text, start) for text, start in given if text.strip()]
    reading.repaired[BLANK] += len(given) - len(answers)
    if not answers:
        reading.dropped[NO_ANSWER] += 1
        return
    spans = find_spans(reading, context, answers, split)
    if spans is None:
        return
    reading.examples.append(
        QAExample(
            id=identity,
            language=language,
            document=_document(place, row, context),
            context=context,
            question=question,
            answers=tuple(text for text, _ in spans),
            starts=tuple(start for _, start in spans),
        )
    )


def _answers(place: str, row: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the texts and offsets of the answers, as they stand in the file."""
    pivot: dict[str, Any] = field(place, row, "answer_pivot", dict)
    texts = strings(place, pivot, "text")
    starts = integers(place, pivot, "answer_start")
    if len(texts) != len(starts):
        raise DataError(
            f"{place}: {len(texts)} answers with {len(starts)} offsets, expected as many; "
            "fetch the file again"
        )
    return list(zip(texts, starts, strict=True))


def _document(place: str, row: dict[str, Any], context: str) -> str:
    title = "" if row.get("title") is None else field(place, row, "title", str)
    return title or f"passage-{sha256(context.encode('utf-8')).hexdigest()[:16]}"
