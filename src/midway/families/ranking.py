"""Dual-encoder retrieval: queries and candidates in one space, trained with in-batch negatives.

1. Query and candidate go through the same encoder; a vector is the pooler's output (dense, tanh on
   the first token) scaled to length 1. Scores are cosines times a learnt scale that starts at 100
   (XTREME-R's dual encoder).
2. In training an item is a query and a candidate that is right for it; the other candidates of the
   step are wrong, unless they share a key with the query.
3. In evaluation every query searches the candidates of all languages together; the score is the
   mean average precision at 20.
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
from midway.families.search import nearest
from midway.families.sequence import encode_pairs, first_tokens
from midway.families.tokens import boundary, table
from midway.metrics.retrieval import average_precision
from midway.tasks.card import TaskCard
from midway.tasks.examples import RankedText
from midway.tasks.ranked import name_of

DEPTH = 20
QUERY, CANDIDATE = "query", "candidate"
QUERY_TOKENS = 96
CHUNK = 2000


def encode(
    examples: Sequence[RankedText],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Tokenise both sides; a query is cut to 96 tokens, a candidate to `max_length`.

    A candidate's context is the second text of its pair.

    Returns:
        Columns ``ids``, ``boundary``, ``example`` (index), ``side`` (1 for candidates), ``right``
        (for a query the row of a candidate in its language that has a key of it, else -1) and
        ``keys`` (numbers of the keys).
    """
    del card, stride
    columns: dict[str, list[Any]] = {name: [] for name in ("ids", "boundary")}
    limit = {QUERY: min(QUERY_TOKENS, max_length), CANDIDATE: max_length}
    encodings: dict[int, Any] = {}
    for side, length in limit.items():
        places = [i for i, example in enumerate(examples) if example.side == side]
        for base in range(0, len(places), CHUNK):
            part = places[base : base + CHUNK]
            pairs = [(examples[i].text, examples[i].context) for i in part]
            encodings |= zip(part, encode_pairs(tokenizer, pairs, length), strict=True)
    for i in range(len(examples)):
        columns["ids"].append(encodings[i].ids)
        columns["boundary"].append(boundary(encodings[i]))
    numbers: dict[str, int] = {}
    columns["keys"] = [[numbers.setdefault(k, len(numbers)) for k in e.keys] for e in examples]
    columns["example"] = list(range(len(examples)))
    columns["side"] = [int(example.side == CANDIDATE) for example in examples]
    columns["right"] = _right(examples)
    kinds = {"ids": "list", "keys": "list"}
    return table({name: (kinds.get(name, "int32"), values) for name, values in columns.items()})


def _right(examples: Sequence[RankedText]) -> list[int]:
    """For each query a candidate of its language that is right for it; -1 elsewhere."""
    first: dict[tuple[str, str], int] = {}
    for place, example in enumerate(examples):
        if example.side == CANDIDATE:
            for key in example.keys:
                first.setdefault((example.language, key), place)
    return [
        -1
        if example.side == CANDIDATE
        else next((first[p] for k in example.keys if (p := (example.language, k)) in first), -1)
        for example in examples
    ]


def items(features: pa.Table) -> Items:
    """A query and its candidate are one item."""
    right = features["right"].to_numpy()
    queries = np.flatnonzero(right >= 0)
    rows = np.stack([queries, right[queries]], 1).reshape(-1).astype(np.int64)
    return Items(rows, np.arange(0, len(rows) + 1, 2))


def units(features: pa.Table, chosen: np.ndarray, of: Items) -> float:
    """A step's loss is a mean over its queries; one that it has twice is computed once."""
    del features, of
    return float(len(np.unique(chosen)))


def loss(vectors: torch.Tensor, batch: Mapping[str, Any], lengths: Sequence[int]) -> torch.Tensor:
    """Sum over queries of the cross-entropy among the step's candidates.

    Args:
        vectors: ``float32[n, hidden]``, of length √scale, a row per sequence.
        batch: ``row`` (its number in the table), ``side``, ``right`` and ``keys``.
        lengths: not used.
    """
    del lengths
    queries = np.flatnonzero(batch["side"] == 0)
    others = np.flatnonzero(batch["side"] == 1)
    keys = [set(batch["keys"][i].tolist()) for i in range(len(batch["row"]))]
    place = {int(batch["row"][i]): column for column, i in enumerate(others.tolist())}
    gold = [place[int(batch["right"][i])] for i in queries.tolist()]
    also = np.array([[not keys[q].isdisjoint(keys[c]) for c in others] for q in queries])
    also[np.arange(len(queries)), gold] = False
    device = vectors.device
    scores = vectors[to_device(queries, device)] @ vectors[to_device(others, device)].T
    scores = scores.masked_fill(to_device(also, device), float("-inf"))
    target = to_device(np.array(gold, dtype=np.int64), device)
    return torch.nn.functional.cross_entropy(scores, target, reduction="sum")


def candidates(
    vectors: torch.Tensor, batch: Mapping[str, Any], lengths: Sequence[int]
) -> tuple[torch.Tensor]:
    """The unit vector of each row, ``float32[n, hidden]``."""
    del batch, lengths
    return (torch.nn.functional.normalize(vectors, dim=-1),)


def decode(
    found: Sequence[torch.Tensor],
    features: pa.Table,
    examples: Sequence[RankedText],
    card: TaskCard,
    labels: Sequence[str] = (),
) -> list[list[str]]:
    """Names of the best 20 candidates of each query; an empty list for a candidate."""
    del features, card, labels
    queries = [i for i, example in enumerate(examples) if example.side == QUERY]
    pool = [i for i, example in enumerate(examples) if example.side == CANDIDATE]
    ranked: list[list[str]] = [[] for _ in examples]
    if queries and pool:
        _, best = nearest(found[0][queries], found[0][pool], k=DEPTH)
        for query, columns in zip(queries, best.tolist(), strict=True):
            ranked[query] = [name_of(examples[pool[column]]) for column in columns]
    return ranked


def score(
    predictions: Mapping[str, Sequence[str]],
    examples: Sequence[RankedText],
    card: TaskCard,
    language: str,
    labels: Sequence[str] = (),
) -> Scores:
    """Score the queries of one language: mAP@20 in both profiles.

    Args:
        predictions: query id → names of candidates, best first.
        examples: queries and candidates of all languages.
        card: the task.
        language: whose queries are scored.
        labels: not used.
    """
    del card, labels
    queries = [e for e in examples if e.side == QUERY and e.language == language]
    wanted = {key for query in queries for key in query.keys}
    holders: dict[str, set[str]] = {}
    for example in examples:
        if example.side == CANDIDATE:
            for key in wanted.intersection(example.keys):
                holders.setdefault(key, set()).add(name_of(example))
    values = []
    for query in queries:
        right = set().union(*(holders.get(key, set()) for key in query.keys))
        values.append(average_precision(predictions.get(query.id, []), right, depth=DEPTH))
    score = {"map@20": 100.0 * sum(values) / max(len(values), 1)}
    return Scores(
        n=len(queries),
        official=score,
        clean=dict(score),
        numerator=values,
        denominator=[1.0] * len(values),
        ids=[query.id for query in queries],
    )


FAMILY = Family(
    encode=encode,
    score=score,
    head="pooler",
    outputs=lambda _: 0,
    items=items,
    whole=True,
    trains_on=("side", "right", "keys"),
    places=first_tokens,
    units=units,
    loss=loss,
    candidates=candidates,
    decode=decode,
)
