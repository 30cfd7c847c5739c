"""Sentence retrieval: find each sentence's translation by the cosine of mean-pooled states.

1. A sentence's vector is the mean of its tokens' states at one layer, special tokens included
   (XTREME's ``evaluate_retrieval.py``); any layer, or all of them, in one pass.
2. The official direction queries with English and searches the other language; the clean profile
   adds the other direction.
Nothing is trained. The search itself is `midway.families.search`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.families.family import Family
from midway.families.scores import Scores
from midway.families.tokens import boundary, table
from midway.metrics import retrieval as metrics
from midway.tasks.card import TaskCard
from midway.tasks.examples import SentencePair

FOREIGN, ENGLISH = 0, 1


def encode(
    examples: Sequence[SentencePair],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Tokenise both sides of every pair; a sentence of more than `max_length` tokens is cut.

    Returns:
        Columns ``ids``, ``boundary``, ``example`` (index), ``side`` (0 foreign, 1 English).
    """
    del card, stride
    tokenizer.enable_truncation(max_length)
    columns: dict[str, list[Any]] = {"ids": [], "boundary": [], "example": [], "side": []}
    for side in (FOREIGN, ENGLISH):
        texts = [e.english if side == ENGLISH else e.sentence for e in examples]
        encodings = tokenizer.encode_batch_fast(texts)
        columns["ids"] += [encoding.ids for encoding in encodings]
        columns["boundary"] += [boundary(encoding) for encoding in encodings]
        columns["example"] += range(len(examples))
        columns["side"] += [side] * len(examples)
    tokenizer.no_truncation()
    kinds = {"ids": "list", "boundary": "int32", "example": "int32", "side": "int32"}
    return table({name: (kinds[name], values) for name, values in columns.items()})


def pool(states: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Mean of each sequence's states, scaled to length 1.

    Args:
        states: ``[T, hidden]`` of a packed batch.
        offsets: cumulative lengths, ``int32[n + 1]``.

    Returns:
        ``float32[n, hidden]``.
    """
    lengths = (offsets[1:] - offsets[:-1]).long()
    means = torch.segment_reduce(states.float(), "mean", lengths=lengths)
    return torch.nn.functional.normalize(means, dim=-1)


def score(
    predictions: Mapping[str, Sequence[int]],
    examples: Sequence[SentencePair],
    card: TaskCard,
    language: str,
    labels: Sequence[str] = (),
) -> Scores:
    """Score one language: accuracy from English in both profiles, to English in the clean one.

    Args:
        predictions: ``from_english`` and ``to_english`` (index found for each query), and
            ``layer_<k>`` for other layers in the official direction.
        examples: the pairs of one language; pair i answers query i.
        card: the task.
        language: not used.
        labels: not used.
    """
    del card, language, labels
    gold = list(range(len(examples)))
    layers = {
        f"accuracy_{name}": metrics.accuracy(found, gold)
        for name, found in predictions.items()
        if name.startswith("layer_")
    }
    accuracy = {"accuracy": metrics.accuracy(predictions["from_english"], gold)}
    reverse = {"accuracy_to_english": metrics.accuracy(predictions["to_english"], gold)}
    hits = metrics.hits(predictions["from_english"], gold)
    return Scores(
        n=len(examples),
        official=accuracy,
        clean=accuracy | reverse | layers,
        numerator=[float(hit) for hit in hits],
        denominator=[1.0] * len(examples),
    )


FAMILY = Family(encode=encode, score=score)
