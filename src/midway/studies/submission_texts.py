"""What stands in the files of a submission: one language's predictions and its gold.

Each function takes the answers as the family's ``score`` wants them, the examples of the language,
those of all languages, and the task's name.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from midway.tasks.ranked import gold_pairs, name_of
from midway.tasks.readers.paraphrases import PAWSX_LABELS

# Labels that the benchmark's files spell in another way than our cards.
SPELLINGS = {"pawsx": {ours: theirs for theirs, ours in PAWSX_LABELS.items()}}

Lines = tuple[str, str]  # text of the predictions, text of the labels


def _labels(answers: Sequence[str], gold: Sequence[Any], _: Any, name: str) -> Lines:
    spelling = SPELLINGS.get(name, {})
    return (
        _lines(spelling.get(label, label) for label in answers),
        _lines(spelling.get(example.label, example.label) for example in gold),
    )


def _choices(answers: Sequence[int], gold: Sequence[Any], _: Any, name: str) -> Lines:
    del name
    rows = [(int(e.id) if e.id.isdigit() else e.id, e.label) for e in gold]
    return (
        _lines(json.dumps({"label": n, "idx": i}) for n, (i, _) in zip(answers, rows, strict=True)),
        _lines(json.dumps({"label": label, "idx": i}) for i, label in rows),
    )


def _tags(answers: Mapping[str, Sequence[str]], gold: Sequence[Any], _: Any, name: str) -> Lines:
    del name
    return (
        _lines(tag for example in gold for tag in (*answers[example.id], "")),
        _lines(tag for example in gold for tag in (*example.tags, "")),
    )


def _answers(answers: Mapping[str, str], gold: Sequence[Any], _: Any, name: str) -> Lines:
    articles = [
        {
            "title": document,
            "paragraphs": [
                {
                    "context": example.context,
                    "qas": [
                        {
                            "id": example.id,
                            "question": example.question,
                            "answers": [
                                {"text": text, "answer_start": start}
                                for text, start in zip(example.answers, example.starts, strict=True)
                            ],
                        }
                    ],
                }
                for example in group
            ],
        }
        for document, group in groupby(gold, key=lambda example: example.document)
    ]
    return (
        json.dumps(answers, ensure_ascii=False),
        json.dumps({"version": name, "data": articles}, ensure_ascii=False),
    )


def _indices(answers: Mapping[str, Sequence[int]], gold: Sequence[Any], _: Any, name: str) -> Lines:
    """English lines are sorted, so that their order gives no hint; equal ones keep theirs."""
    del name
    order = sorted(range(len(gold)), key=lambda i: gold[i].english.strip())
    found = answers["from_english"]
    return _lines(str(found[i]) for i in order), _lines(map(str, order))


def _pairs(answers: Mapping[str, Any], gold: Sequence[Any], _: Any, name: str) -> Lines:
    del name
    right = ("\t".join(pair) for pair in gold_pairs(gold))
    return _lines("\t".join(pair) for pair in answers["pairs"]), _lines(right)


def _rankings(
    answers: Mapping[str, Sequence[str]], gold: Sequence[Any], every: Sequence[Any], name: str
) -> Lines:
    """Mewsli-X names candidates by their entity, which is their key; LAReQA has no such names."""
    entity = name == "mewslix"
    named: dict[str, str] = {}
    holders: dict[str, list[str]] = {}
    for example in every:
        if example.side == "candidate":
            own = name_of(example)
            named[own] = example.keys[0] if entity and example.keys else own
            for key in example.keys:
                holders.setdefault(key, []).append(named[own])
    queries = [example for example in gold if example.side == "query"]
    ranked = {e.id: [named[c] for c in answers.get(e.id, [])] for e in queries}
    right = {
        e.id: list(dict.fromkeys(n for key in e.keys for n in holders.get(key, [])))
        for e in queries
    }
    return json.dumps(ranked, ensure_ascii=False), json.dumps(right, ensure_ascii=False)


TEXTS: Mapping[str, Callable[[Any, Sequence[Any], Sequence[Any], str], Lines]] = {
    "classification": _labels,
    "choice": _choices,
    "tagging": _tags,
    "span_qa": _answers,
    "retrieval": _indices,
    "mining": _pairs,
    "ranking": _rankings,
}


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
