"""Does training text return in the evaluation data? Exact text only; near duplicates are not found.

Texts are compared after NFKC, case folding and joining of white space. A text is the paragraph of a
question, the words of a tagged sentence, either side of a sentence pair, both texts of a labelled
pair together, or all of a multiple-choice item.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.graph.stage import Context
from midway.stages.specs import LeaksSpec
from midway.tasks import load_card
from midway.tasks.examples import (
    ChoiceExample,
    Example,
    LabelledText,
    PlainText,
    QAExample,
    RankedText,
    SentencePair,
    TaggedSentence,
)
from midway.tasks.storage import read_examples

SHOWN = 3


def run(spec: LeaksSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``leaks.json``: for each pair of training and evaluation data, what they share.

    Raises:
        DataError: something is shared and the study says that this is an error.
    """
    found = []
    training: dict[str, set[str]] = {}
    for i, (name, task) in enumerate(spec.training):  # a mixture has several parts of one name
        known = training.setdefault(name, set())
        known.update(text for e in _read(inputs[f"train{i}"], task) for text in texts(e))
    for i, (target, task) in enumerate(spec.evaluation):
        context.check()
        examples = _read(inputs[f"evaluation{i}"], task)
        for name, known in training.items():
            hit = [e for e in examples if any(text in known for text in texts(e))]
            if hit:
                languages = sorted({example.language for example in hit})
                found.append(
                    {
                        "training": name,
                        "target": target,
                        "shared": len(hit),
                        "of": len(examples),
                        "languages": languages,
                        "examples": [example.id for example in hit[:SHOWN]],
                    }
                )
    if found and spec.policy == "error":
        raise DataError(_message(found[0]))
    (context.out / "leaks.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return {"leaks": found}


def texts(example: Example) -> Iterator[str]:
    """The texts of an example in their normal form."""
    match example:
        case QAExample():
            yield normal(example.context)
        case TaggedSentence():
            yield normal(" ".join(example.tokens))
        case SentencePair():
            yield normal(example.sentence)
            yield normal(example.english)
        case LabelledText():
            yield normal(f"{example.text} {example.pair}")
        case ChoiceExample():
            yield normal(f"{example.context} {example.question} {' '.join(example.choices)}")
        case RankedText() | PlainText():
            yield normal(example.text)


def normal(text: str) -> str:
    """NFKC, case folded, white space joined."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _read(folder: Path, task: str) -> list[Example]:
    return read_examples(folder, load_card(task).family)


def _message(leak: Mapping[str, Any]) -> str:
    return (
        f"leak: {leak['shared']} of {leak['of']} evaluation examples of {leak['target']} "
        f"({', '.join(leak['languages'])}) have a text that {leak['training']} trains on, e.g. "
        f'{leak["examples"][0]}. Train on fold = "A" and evaluate on fold = "B", or set '
        'leaks = "warn" to go on'
    )
