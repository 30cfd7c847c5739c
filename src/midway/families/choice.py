"""Multiple choice: each choice is a sequence with one logit, read off the first token.

The sequences of an example stay together: the loss is the cross-entropy of a softmax over them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.encoders.transfer import to_device
from midway.families.family import Family, Items
from midway.families.scores import Scores
from midway.families.sequence import encode_pairs, first_tokens
from midway.families.tokens import boundary, table
from midway.tasks.card import TaskCard
from midway.tasks.examples import ChoiceExample

CHUNK = 1000


def encode(
    examples: Sequence[ChoiceExample],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Tokenise (context and question, choice), a row per choice; the longer text is cut first.

    Returns:
        Columns ``ids``, ``boundary``, ``example`` (index), ``right`` (1 for the gold choice).
    """
    del card, stride
    columns: dict[str, list[Any]] = {name: [] for name in ("ids", "boundary", "example", "right")}
    for base in range(0, len(examples), CHUNK):
        chunk = examples[base : base + CHUNK]
        pairs = [(_premise(e), choice) for e in chunk for choice in e.choices]
        for encoding in encode_pairs(tokenizer, pairs, max_length):
            columns["ids"].append(encoding.ids)
            columns["boundary"].append(boundary(encoding))
        for index, example in enumerate(chunk, start=base):
            columns["example"] += [index] * len(example.choices)
            columns["right"] += [int(n == example.label) for n in range(len(example.choices))]
    kinds = {"ids": "list", "boundary": "int32", "example": "int32", "right": "int32"}
    return table({name: (kinds[name], values) for name, values in columns.items()})


def _premise(example: ChoiceExample) -> str:
    return " ".join(part for part in (example.context, example.question) if part)


def items(features: pa.Table) -> Items:
    """The rows of an example are one item."""
    example = features["example"].to_numpy()
    begins = np.flatnonzero(np.diff(example, prepend=-1)).astype(np.int64)
    return Items(np.arange(len(example)), np.append(begins, len(example)))


def loss(
    logits: torch.Tensor, batch: Mapping[str, np.ndarray], lengths: Sequence[int]
) -> torch.Tensor:
    """Sum over examples of the cross-entropy among their choices.

    Args:
        logits: ``float32[n, 1]``, a row per choice, in any order.
        batch: ``row`` (its number in the table), ``example`` and ``right``, numbers per row.
        lengths: not used.
    """
    del lengths
    groups = batch["example"].astype(np.int64) * len(logits) + _copies(batch["row"])
    groups, place = np.unique(groups, return_inverse=True)
    where = to_device(place, logits.device)
    scores = logits[:, 0]
    top = scores.new_full((len(groups),), float("-inf"))
    top = top.scatter_reduce(0, where, scores.detach(), "amax")
    sums = torch.zeros_like(top).index_add(0, where, (scores - top[where]).exp())
    right = to_device(batch["right"].astype(np.float32), logits.device)
    return (sums.log() + top).sum() - (scores * right).sum()


def _copies(rows: np.ndarray) -> np.ndarray:
    """How often each row came before: where epochs meet, a step may have an example twice."""
    order = np.argsort(rows, kind="stable")
    copies = np.empty_like(order)
    copies[order] = np.arange(len(rows)) - np.searchsorted(rows[order], rows[order])
    return copies


def candidates(
    logits: torch.Tensor, batch: Mapping[str, np.ndarray], lengths: Sequence[int]
) -> tuple[torch.Tensor]:
    """The logit of each row, ``float32[n]``."""
    del batch, lengths
    return (logits[:, 0],)


def decode(
    found: Sequence[torch.Tensor],
    features: pa.Table,
    examples: Sequence[ChoiceExample],
    card: TaskCard,
    labels: Sequence[str] = (),
) -> list[int]:
    """Number of the best choice of each example; of equal ones the first."""
    del card, labels
    best = [(float("-inf"), 0)] * len(examples)
    seen = [0] * len(examples)
    for score, example in zip(found[0].tolist(), features["example"].to_pylist(), strict=True):
        if score > best[example][0]:
            best[example] = (score, seen[example])
        seen[example] += 1
    return [number for _, number in best]


def score(
    predictions: Sequence[int],
    examples: Sequence[ChoiceExample],
    card: TaskCard,
    language: str,
    labels: Sequence[str] = (),
) -> Scores:
    """Score one language: accuracy in both profiles.

    Args:
        predictions: a choice's number per example.
        examples: the gold, of one language.
        card: the task.
        language: not used.
        labels: not used.
    """
    del card, language, labels
    right = [float(n == e.label) for n, e in zip(predictions, examples, strict=True)]
    accuracy = {"accuracy": 100.0 * sum(right) / max(len(right), 1)}
    return Scores(
        n=len(examples),
        official=accuracy,
        clean=dict(accuracy),
        numerator=right,
        denominator=[1.0] * len(examples),
    )


FAMILY = Family(
    encode=encode,
    score=score,
    head="sequence",
    outputs=lambda _: 1,
    items=items,
    trains_on=("example", "right"),
    places=first_tokens,
    loss=loss,
    candidates=candidates,
    decode=decode,
)
