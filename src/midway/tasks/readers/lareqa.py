"""LAReQA: find the sentence that answers a question among the sentences of all paragraphs.

1. XQuAD-R is XQuAD's JSON with ``sentence_breaks`` in each paragraph: where its sentences begin
   and end. Every question is a query, every sentence a candidate; a candidate's keys are the ids
   of the questions whose answer begins in it (XTREME-R's rule), and ids are the same in all
   languages.
2. Training pairs are made of SQuAD v1.1: the query is the question, the candidate the sentence
   that holds its first answer, in its paragraph. Questions with one answering sentence share the
   candidate, so that it never counts as wrong for one of them.
3. In training an answer never crosses a sentence: the sentences that it joins become one.
4. In both, a candidate's id is ``<paragraph>-<sentence>``, numbers from 0.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.tasks.examples import QAExample, RankedText, Reading
from midway.tasks.readers.json_fields import field
from midway.tasks.readers.sentences import Span, join_across, sentence_spans
from midway.tasks.readers.squad_json import NO_SPAN, NOT_FOUND, read_squad
from midway.tasks.sources import read_json

OUTSIDE = "answer outside all sentences"
Passage = tuple[str, str]  # title of the article, text of the paragraph


def read_lareqa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read queries and candidates of one language.

    Args:
        files: a file of XQuAD-R, or SQuAD v1.1's training file for ``train``.
        split: ``train`` or ``test``.
        language: the benchmark's code, given to every example.

    Returns:
        The queries in file order, with the publisher's ids, and the candidates: all after the
        queries in ``test``, each after the questions of its paragraph in ``train``.

    Raises:
        DataError: a file is damaged, or its paragraphs have no sentence breaks.
    """
    return _pairs(files, language) if split == "train" else _pool(files, split, language)


def _questions(
    files: tuple[Path, ...], split: str, language: str
) -> tuple[Reading, list[QAExample]]:
    """Return a reading without examples, which counts what was dropped, and the questions."""
    reading = read_squad(files, split, language)
    questions = [each for each in reading.examples if isinstance(each, QAExample)]
    reading.examples = []
    return reading, questions


def _pool(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Every question is a query, every sentence a candidate."""
    reading, questions = _questions(files, split, language)
    asked: dict[Passage, list[QAExample]] = {}
    for question in questions:
        asked.setdefault((question.document, question.context), []).append(question)
    candidates: list[RankedText] = []
    answered: set[str] = set()
    for number, (passage, spans) in enumerate(_paragraphs(files)):
        keys: list[list[str]] = [[] for _ in spans]
        for question in asked.get(passage, []):
            for place, (begin, end) in enumerate(spans):
                if begin <= question.starts[0] < end:
                    keys[place].append(question.id)
                    answered.add(question.id)
        candidates += [
            _candidate(f"{number}-{place}", language, passage, spans[place], tuple(keys[place]))
            for place in range(len(spans))
        ]
    for question in questions:
        if question.id in answered:
            reading.examples.append(_query(question))
        else:
            reading.dropped[NOT_FOUND if question.starts[0] < 0 else OUTSIDE] += 1
    reading.repaired[NO_SPAN] = 0  # such questions are dropped here
    reading.repaired = +reading.repaired
    reading.examples += candidates
    return reading


def _paragraphs(files: tuple[Path, ...]) -> Iterator[tuple[Passage, list[Span]]]:
    """Yield title, text and sentences of each paragraph, in file order.

    `read_squad` has seen these files, so all else in them is as it should be.
    """
    for path in files:
        for i, article in enumerate(read_json(path)["data"]):
            title = article.get("title") or f"article-{i}"
            for j, paragraph in enumerate(article["paragraphs"]):
                place = f"{path}: data[{i}].paragraphs[{j}]"
                yield (title, paragraph["context"]), _spans(place, paragraph)


def _spans(place: str, paragraph: dict[str, Any]) -> list[Span]:
    """Return the sentence breaks of a paragraph if they are in order and within its text."""
    if "sentence_breaks" not in paragraph:
        raise DataError(
            f"{place}: no 'sentence_breaks'; this looks like XQuAD's own file, get that of "
            "LAReQA's xquad-r/"
        )
    breaks: list[Any] = field(place, paragraph, "sentence_breaks", list)
    spans: list[Span] = []
    last = 0
    for number, pair in enumerate(breaks):
        where = f"{place}.sentence_breaks"
        numbers = isinstance(pair, list) and [type(each) for each in pair] == [int, int]
        if not numbers or not last <= pair[0] < pair[1] <= len(paragraph["context"]):
            raise DataError(
                f"{where}[{number}] is {pair!r:.40}, expected begin and end of a sentence, after "
                f"the one before and within {len(paragraph['context'])} characters"
            )
        last = pair[1]
        if not paragraph["context"][pair[0] : last].strip():
            raise DataError(f"{where}[{number}] is a sentence of white space, expected text")
        spans.append((pair[0], last))
    return spans


def _pairs(files: tuple[Path, ...], language: str) -> Reading:
    """Make a query and a candidate of each question of SQuAD."""
    reading, questions = _questions(files, "train", language)
    passages = groupby(questions, key=lambda question: (question.document, question.context))
    for number, (passage, group) in enumerate(passages):
        asked = list(group)
        answers = [(q.starts[0], q.starts[0] + len(q.answers[0])) for q in asked]
        spans = join_across(sentence_spans(passage[1]), answers)
        keys: dict[int, list[str]] = {}
        for question, (begin, _) in zip(asked, answers, strict=True):
            # An answer may begin with the space before a sentence.
            place = next(i for i, span in enumerate(spans) if begin < span[1])
            keys.setdefault(place, []).append(question.id)
        reading.examples += map(_query, asked)
        reading.examples += [
            _candidate(f"{number}-{place}", language, passage, spans[place], tuple(keys[place]))
            for place in sorted(keys)
        ]
    return reading


def _query(question: QAExample) -> RankedText:
    return RankedText(
        id=question.id,
        language=question.language,
        document=question.document,
        side="query",
        text=question.question,
        context="",
        keys=(question.id,),
    )


def _candidate(
    identity: str, language: str, passage: Passage, span: Span, keys: tuple[str, ...]
) -> RankedText:
    title, text = passage
    return RankedText(
        id=identity,
        language=language,
        document=title,
        side="candidate",
        text=text[span[0] : span[1]],
        context=text,
        keys=keys,
    )
