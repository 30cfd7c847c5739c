"""Compute statistics of a task's data: examples, lengths and labels, per split and language.

`midway.tasks.statistics` says where they are kept and how they are read.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from midway.canonical import file_digest
from midway.tasks.card import DataFolders, TaskCard
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
from midway.tasks.files import count_labels, find_files, read_files
from midway.tasks.select import is_candidate, present

SAMPLE = 200  # examples whose tokens are counted, per split and language


def describe_split(
    card: TaskCard, folders: DataFolders, split: str, language: str, tokenizer: Tokenizer
) -> dict[str, Any]:
    """Return the record of one split and language.

    Raises:
        DataError: a file is damaged.
    """
    files = find_files(card, folders, split, language)
    reading = read_files(card, files, split, language)
    counted = [example for example in reading.examples if not is_candidate(example)]
    record: dict[str, Any] = {"examples": len(counted)}
    candidates = len(reading.examples) - len(counted)
    if candidates:
        record["candidates"] = candidates
    if reading.dropped:
        record["dropped"] = reading.dropped.total()
    record["files"] = sorted({path.name for path in files})
    record["digest"] = digest_of(files)
    record["tokens"] = _tokens(reading.examples, tokenizer)
    labels = _labels(reading.examples)
    if labels:
        record["labels"] = dict(sorted(labels.items()))
    return record


def describe_task(card: TaskCard, folders: DataFolders, tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the statistics of everything of a task that is at hand."""
    return {
        split: {
            language: describe_split(card, folders, split, language, tokenizer)
            for language in languages
        }
        for split, languages in present(card, folders).items()
        if languages
    }


def digest_of(files: Sequence[Path]) -> str:
    """Twelve hex digits over the bytes of files, in order of their names."""
    parts = [file_digest(path) for path in sorted(files, key=lambda path: path.name)]
    return sha256("".join(parts).encode("ascii")).hexdigest()[:12]


def _tokens(examples: Sequence[Example], tokenizer: Tokenizer) -> dict[str, float]:
    """Lengths of a sample that depends on ids alone, so that parallel data stay parallel."""
    order = sorted(examples, key=lambda e: sha256(e.id.encode("utf-8")).digest())[:SAMPLE]
    texts = [text for example in order for text in sequences(example)]
    lengths = np.array([len(encoding.ids) for encoding in tokenizer.encode_batch(texts)] or [0])
    return {
        "mean": round(float(lengths.mean()), 1),
        "median": int(np.median(lengths)),
        "p95": int(np.percentile(lengths, 95)),
        "max": int(lengths.max()),
    }


def sequences(example: Example) -> list[str | tuple[str, str]]:
    """The sequences that an encoder sees of an example, before anything is cut."""
    match example:
        case QAExample():
            return [(example.question, example.context)]
        case TaggedSentence():
            return [" ".join(example.tokens)]
        case SentencePair():
            return [example.sentence, example.english]
        case LabelledText():
            return [(example.text, example.pair) if example.pair else example.text]
        case ChoiceExample():
            premise = f"{example.context} {example.question}".strip()
            return [(premise, choice) for choice in example.choices]
        case RankedText():
            return [(example.text, example.context) if example.context else example.text]
        case PlainText():
            return [example.text]


def _labels(examples: Sequence[Example]) -> Counter[str]:
    counts = count_labels(examples)
    counts.update(
        "answer" if e.answers else "no answer" for e in examples if isinstance(e, QAExample)
    )
    return counts
