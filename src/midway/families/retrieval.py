"""Sentence retrieval: find each sentence's translation by the cosine of mean-pooled states.

1. A sentence's vector is the mean of its tokens' states at one layer, special tokens included
   (XTREME's ``evaluate_retrieval.py``); any layer, or all of them, in one pass.
2. The official direction queries with English and searches the other language; the clean profile
   adds the other direction.
3. The search is exact, in blocks, so memory does not grow with the square of the sentences.

Nothing is trained.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.families.scores import Scores
from midway.families.tokens import boundary, table
from midway.metrics import retrieval as metrics
from midway.tasks.card import TaskCard
from midway.tasks.examples import SentencePair

FOREIGN, ENGLISH = 0, 1
BLOCK = 4096


def outputs(card: TaskCard) -> int:
    """No head."""
    del card
    return 0


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
        encodings = tokenizer.encode_batch(texts)
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


def nearest(
    queries: torch.Tensor, index: torch.Tensor, *, k: int = 1, block: int = BLOCK
) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact top-k by inner product, in blocks of queries and of the index.

    Args:
        queries: ``float[n, hidden]``, unit length for cosines.
        index: ``float[m, hidden]``.
        k: how many; at most m.
        block: rows per block; memory is block² scores.

    Returns:
        Scores and indices, ``[n, k]``, best first.
    """
    k = min(k, len(index))
    scores, indices = [], []
    for begin in range(0, len(queries), block):
        query = queries[begin : begin + block]
        best = query.new_full((len(query), 0), 0.0)
        where = torch.empty((len(query), 0), dtype=torch.long, device=query.device)
        for base in range(0, len(index), block):
            found, place = _best(query @ index[base : base + block].T, k)
            best = torch.cat([best, found], 1)
            where = torch.cat([where, place + base], 1)
            order = best.argsort(dim=1, descending=True, stable=True)[:, :k]
            best, where = best.gather(1, order), where.gather(1, order)
        scores.append(best)
        indices.append(where)
    return torch.cat(scores), torch.cat(indices)


def _best(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    if k == 1:  # of equal scores, max takes the first
        values, indices = scores.max(dim=1, keepdim=True)
        return values, indices
    values, indices = scores.topk(min(k, scores.shape[1]), dim=1)
    return values, indices


def score(
    predictions: Mapping[str, Sequence[int]],
    examples: Sequence[SentencePair],
    card: TaskCard,
    language: str,
) -> Scores:
    """Score one language: accuracy from English in both profiles, to English in the clean one.

    Args:
        predictions: ``from_english`` and ``to_english`` (index found for each query), and
            ``layer_<k>`` for other layers in the official direction.
        examples: the pairs of one language; pair i answers query i.
        card: the task.
        language: not used.
    """
    del card, language
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
