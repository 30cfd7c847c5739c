"""SQuAD's JSON, as used by SQuAD v1.1 and v2, XQuAD and TyDiQA-GoldP.

1. data → articles → paragraphs → questions → answers; one question is one example, and its
   document is the article's title, so that folds never cut an article in two. XQuAD's titles
   are the same in all languages; a file without titles gets ``article-N``, by position.
2. Every span is checked: ``context[start:start + len(text)] == text``. An offset that does not
   fit is re-found at the nearest occurrence of the text and counted in `repaired`.
3. A text that is nowhere in its context has no span. In ``train`` such an answer is left out,
   and the question is dropped (and counted) when none remains; in any other split it is kept
   with start -1, because scoring needs the text only.
4. Anything else that is not as expected is a DataError naming the file and the place in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.tasks.examples import QAExample, Reading
from midway.tasks.sources import read_json

NO_ANSWER = "question without an answer"
NOT_FOUND = "answer not in its context"
OTHER_LANGUAGE = "question in another language"
REFOUND = "answer offset re-found"
LEFT_OUT = "answer not in its context left out"
NO_SPAN = "answer not in its context kept without a span"
BLANK = "blank answer left out"


@dataclass(frozen=True)
class Question:
    """A question as it stands in the file; `place` is its path in the JSON document."""

    place: str
    document: str
    context: str
    fields: dict[str, Any]


def read_squad(
    files: tuple[Path, ...],
    split: str,
    language: str,
    *,
    unanswerable: bool = False,
    language_of: Callable[[str], str | None] | None = None,
) -> Reading:
    """Read the questions of `files` in one language.

    Args:
        files: files in SQuAD's JSON.
        split: ``train`` asks for usable spans, any other split for texts only.
        language: the benchmark's code, given to every example.
        unanswerable: whether ``is_impossible`` questions belong to this task (SQuAD v2).
        language_of: maps a question id to a language code, None if it tells none; questions in
            another language than `language` are dropped and counted. Left out: all are taken.

    Returns:
        The questions in file order, with counts of what was dropped and repaired.

    Raises:
        DataError: a file is damaged or not in this layout, an id occurs twice, all answers are
            blank (XTREME's preparation removes them), or no question is in `language`.
    """
    reading = Reading([])
    seen: set[str] = set()
    for path in files:
        blank = total = 0
        for question in _questions(path):
            identity = _text(path, question.place, question.fields, "id")
            found = language_of(identity) if language_of else language
            if found is None:
                raise DataError(
                    f"{path}: {question.place}.id is {identity!r}, which does not begin with "
                    "the name of a language of this task; get the original file"
                )
            if found != language:
                reading.dropped[OTHER_LANGUAGE] += 1
                continue
            if identity in seen:
                raise DataError(
                    f"{path}: {question.place}.id {identity!r:.40} occurs twice; fetch it again"
                )
            seen.add(identity)
            given = _answers(path, question, unanswerable=unanswerable)
            answers = [(text, start) for text, start in given if text.strip()]
            total += 1
            blank += bool(given) and not answers
            reading.repaired[BLANK] += len(given) - len(answers)
            _add(reading, question, identity, language, split, answers)
        if blank and blank == total:
            raise DataError(
                f"{path}: all {total} questions have blank answers; XTREME's preparation removes "
                "the answers of its test files, put the publisher's original file in its place"
            )
    reading.repaired = +reading.repaired  # only what happened
    if not seen:
        raise _nothing(files, language, reading.dropped[OTHER_LANGUAGE])
    return reading


def _nothing(files: tuple[Path, ...], language: str, others: int) -> DataError:
    found = f" ({others} in other languages)" if others else ""
    return DataError(
        f"{', '.join(map(str, files))}: no question in {language!r}{found}; expected SQuAD's JSON"
        " of that language"
    )


def _add(
    reading: Reading,
    question: Question,
    identity: str,
    language: str,
    split: str,
    answers: list[tuple[str, int]],
) -> None:
    """Append the example, or count why it cannot be used."""
    impossible = question.fields.get("is_impossible") is True
    if not answers and not impossible:
        reading.dropped[NO_ANSWER] += 1
        return
    spans = find_spans(reading, question.context, answers, split)
    if spans is None:
        return
    reading.examples.append(
        QAExample(
            id=identity,
            language=language,
            document=question.document,
            context=question.context,
            question=question.fields["question"],
            answers=tuple(text for text, _ in spans),
            starts=tuple(start for _, start in spans),
        )
    )


def find_spans(
    reading: Reading, context: str, answers: list[tuple[str, int]], split: str
) -> list[tuple[str, int]] | None:
    """Return the answers with offsets that fit, counting what was re-found, kept or left out.

    Returns:
        (text, start) of each answer, start -1 where its text is nowhere; in ``train`` such answers
        are left out, and None says that none remains and the question was counted as dropped.
    """
    spans = [(text, nearest(context, text, start)) for text, start in answers]
    lost = sum(start < 0 for _, start in spans)
    moved = sum(new != old and new[1] >= 0 for new, old in zip(spans, answers, strict=True))
    if split == "train" and lost:
        spans = [(text, start) for text, start in spans if start >= 0]
        if not spans:
            reading.dropped[NOT_FOUND] += 1
            return None
    reading.repaired[LEFT_OUT if split == "train" else NO_SPAN] += lost
    reading.repaired[REFOUND] += moved
    return spans


def nearest(context: str, text: str, start: int) -> int:
    """Return where `text` occurs in `context`, as near to `start` as can be; -1 if nowhere.

    Of two occurrences equally far away the earlier one is taken.
    """
    if start >= 0 and context.startswith(text, start):
        return start
    before = context.rfind(text, 0, max(start, 0) + len(text))
    after = context.find(text, max(start, 0))
    if before < 0 or after < 0:
        return max(before, after)
    return before if start - before <= after - start else after


def _questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file with their paragraphs and titles."""
    root = read_json(path)
    for i, article in enumerate(_list(path, "", root, "data")):
        place = f"data[{i}]"
        title = _member(path, place, article).get("title")
        document = _text(path, place, article, "title") if title else f"article-{i}"
        for j, paragraph in enumerate(_list(path, place, article, "paragraphs")):
            inner = f"{place}.paragraphs[{j}]"
            context = _text(path, inner, paragraph, "context")
            for k, question in enumerate(_list(path, inner, paragraph, "qas")):
                where = f"{inner}.qas[{k}]"
                _text(path, where, question, "question")
                yield Question(where, document, context, question)


def _answers(path: Path, question: Question, *, unanswerable: bool) -> list[tuple[str, int]]:
    """Return the texts and offsets of a question's answers, as they stand in the file."""
    impossible = question.fields.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise DataError(
            f"{path}: {question.place}.is_impossible is {impossible!r:.20}, expected true or false"
        )
    if impossible and not unanswerable:
        raise DataError(
            f"{path}: {question.place} has no answer (is_impossible); expected SQuAD v1.1, "
            "this looks like SQuAD v2, which is the task squad-v2"
        )
    answers: list[tuple[str, int]] = []
    for n, answer in enumerate(_list(path, question.place, question.fields, "answers")):
        place = f"{question.place}.answers[{n}]"
        text = _text(path, place, answer, "text")
        start = answer.get("answer_start")
        if type(start) is not int:
            raise DataError(f"{path}: {place}.answer_start is {start!r:.40}, expected an integer")
        answers.append((text, start))
    if impossible and answers:
        raise DataError(
            f"{path}: {question.place} is marked is_impossible and yet has {len(answers)} answers, "
            "expected none"
        )
    return answers


def _member(path: Path, place: str, value: Any) -> dict[str, Any]:
    """Return `value` if it is a JSON object."""
    if not isinstance(value, dict):
        where = place or "the document"
        found = type(value).__name__
        raise DataError(f"{path}: {where} is of type {found}, expected an object (SQuAD's JSON)")
    return value


def _list(path: Path, place: str, parent: Any, key: str) -> list[Any]:
    """Return ``parent[key]`` if it is a JSON list."""
    value = _member(path, place, parent).get(key)
    if not isinstance(value, list):
        found = "is missing" if value is None else f"is of type {type(value).__name__}"
        where = f"{place}.{key}".lstrip(".")
        raise DataError(f"{path}: {where} {found}, expected a list as in SQuAD's JSON")
    return value


def _text(path: Path, place: str, parent: Any, key: str) -> str:
    r"""Return ``parent[key]`` if it is a string that can be written as UTF-8 (no ``\ud800``)."""
    value = _member(path, place, parent).get(key)
    if not isinstance(value, str):
        found = "is missing" if value is None else f"is of type {type(value).__name__}"
        raise DataError(f"{path}: {place}.{key} {found}, expected a string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(f"{path}: {place}.{key} holds half a surrogate pair; fetch it again") from (
            error
        )
    return value
