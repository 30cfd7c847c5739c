"""Classification: one label for a text or a pair of texts, read off the first token.

Labels have numbers only inside a feature table and a head, which both note their names; everything
that leaves them is matched by name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.encoders.transfer import to_device
from midway.families.family import Family
from midway.families.scores import Scores
from midway.families.sequence import encode_pairs, first_tokens
from midway.families.tokens import boundary, table, with_labels
from midway.metrics import classification as metrics
from midway.tasks.card import TaskCard
from midway.tasks.examples import LabelledText

CHUNK = 2000


def encode(
    examples: Sequence[LabelledText],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Tokenise texts; what is longer than `max_length` is cut.

    Returns:
        Columns ``ids``, ``boundary``, ``example`` (index), ``label`` (its number).
    """
    del stride
    number = {label: place for place, label in enumerate(card.labels)}
    columns: dict[str, list[Any]] = {name: [] for name in ("ids", "boundary", "example", "label")}
    for base in range(0, len(examples), CHUNK):
        chunk = examples[base : base + CHUNK]
        encodings = encode_pairs(tokenizer, [(e.text, e.pair) for e in chunk], max_length)
        columns["ids"] += [encoding.ids for encoding in encodings]
        columns["boundary"] += [boundary(encoding) for encoding in encodings]
        columns["example"] += range(base, base + len(chunk))
        columns["label"] += [number[example.label] for example in chunk]
    kinds = {"ids": "list", "boundary": "int32", "example": "int32", "label": "int32"}
    made = table({name: (kinds[name], values) for name, values in columns.items()})
    return with_labels(made, card.labels)


def loss(
    logits: torch.Tensor, batch: Mapping[str, np.ndarray], lengths: Sequence[int]
) -> torch.Tensor:
    """Sum of the sequences' cross-entropies.

    Args:
        logits: ``float32[n, labels]``.
        batch: ``label``, a number per sequence.
        lengths: not used.
    """
    del lengths
    gold = to_device(batch["label"].astype(np.int64), logits.device)
    return torch.nn.functional.cross_entropy(logits, gold, reduction="sum")


def candidates(
    logits: torch.Tensor, batch: Mapping[str, np.ndarray], lengths: Sequence[int]
) -> tuple[torch.Tensor]:
    """Number of the best label of each sequence, ``int64[n]``."""
    del batch, lengths
    return (logits.argmax(-1),)


def decode(
    found: Sequence[torch.Tensor],
    features: pa.Table,
    examples: Sequence[LabelledText],
    card: TaskCard,
    labels: Sequence[str],
) -> list[str]:
    """Names of the labels that the head chose."""
    del features, examples, card
    return [labels[number] for number in found[0].tolist()]


def score(
    predictions: Sequence[str],
    examples: Sequence[LabelledText],
    card: TaskCard,
    language: str,
    labels: Sequence[str] = (),
) -> Scores:
    """Score one language.

    Official: accuracy or, where the card's rule says so, weighted F1 beside it. Clean: the same
    and macro F1 over the card's labels.

    Args:
        predictions: a label per example.
        examples: the gold, of one language.
        card: the task.
        language: not used.
        labels: not used; a label that the head does not know is never predicted.
    """
    del language, labels
    gold = [example.label for example in examples]
    accuracy = {"accuracy": metrics.accuracy(gold, predictions)}
    official = dict(accuracy)
    numerator = [float(a == b) for a, b in zip(gold, predictions, strict=True)]
    if card.rule == "weighted_f1":
        official = {"weighted_f1": metrics.weighted_f1(gold, predictions), **accuracy}
        numerator = metrics.weighted_f1_shares(gold, predictions)
    if card.rule == "f1":
        official["f1"] = metrics.label_f1(gold, predictions, card.labels[-1])
    return Scores(
        n=len(examples),
        official=official,
        clean=official | {"macro_f1": metrics.macro_f1(gold, predictions, card.labels)},
        numerator=numerator,
        denominator=[1.0] * len(examples),
    )


FAMILY = Family(
    encode=encode,
    score=score,
    head="sequence",
    trains_on=("label",),
    places=first_tokens,
    loss=loss,
    candidates=candidates,
    decode=decode,
)
