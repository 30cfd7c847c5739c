"""Bitext mining: find the translations in two heaps of sentences (BUCC 2018).

Sentences are embedded as in `midway.families.retrieval`; nothing is trained. Candidate pairs are
scored by their ratio margin over the 4 nearest neighbours of both sides
(`midway.metrics.mining`). A sentence that is repeated word for word is searched once, and pairs
with it are left out, since it has no id of its own (as in XTREME).

The official profile takes the threshold that is best on the very gold it is scored on, as XTREME's
script does. The clean profile scores the predicted pairs, whose threshold was tuned on the
development set or, if that is what is evaluated, on the other half of it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.families.family import Family
from midway.families.scores import Scores
from midway.families.search import nearest_both
from midway.families.sequence import encode_pairs
from midway.families.tokens import boundary, table
from midway.metrics.mining import Mined, Neighbours, Pair, Scored, above, mine, tuned
from midway.metrics.tagging import Counts, summarise
from midway.tasks import ranked
from midway.tasks.card import TaskCard
from midway.tasks.examples import RankedText

NEIGHBOURS = 4
FOREIGN, ENGLISH = "query", "candidate"
CHUNK = 4096


def encode(
    examples: Sequence[RankedText],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Tokenise every sentence that does not repeat an earlier one of its side and language.

    Returns:
        Columns ``ids``, ``boundary``, ``example`` (index), ``side`` (0 foreign, 1 English).
    """
    del card, stride
    first: dict[tuple[str, str, str], int] = {}
    for place, example in enumerate(examples):
        first.setdefault((example.language, example.side, example.text), place)
    places = list(first.values())
    columns: dict[str, list[Any]] = {"ids": [], "boundary": [], "example": places}
    for base in range(0, len(places), CHUNK):
        texts = [(examples[i].text, "") for i in places[base : base + CHUNK]]
        for encoding in encode_pairs(tokenizer, texts, max_length):
            columns["ids"].append(encoding.ids)
            columns["boundary"].append(boundary(encoding))
    columns["side"] = [int(examples[i].side == ENGLISH) for i in places]
    kinds = {"ids": "list", "boundary": "int32", "example": "int32", "side": "int32"}
    return table({name: (kinds[name], values) for name, values in columns.items()})


def repeated(examples: Sequence[RankedText]) -> set[tuple[str, str]]:
    """Side and text of what a side of one language pair has more than once."""
    counts = Counter((example.side, example.text) for example in examples)
    return {sentence for sentence, count in counts.items() if count > 1}


def candidate_pairs(foreign: torch.Tensor, english: torch.Tensor, *, way: str = "max") -> Mined:
    """Candidate pairs of unit vectors ``float32[n, hidden]`` and ``float32[m, hidden]``."""
    if not (len(foreign) and len(english)):
        return Mined(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    forward, backward = nearest_both(foreign, english, k=NEIGHBOURS)
    return mine(_on_host(forward), _on_host(backward), way=way)


def _on_host(found: tuple[torch.Tensor, torch.Tensor]) -> Neighbours:
    scores, places = found
    return Neighbours(scores.cpu().numpy().astype(np.float64), places.cpu().numpy())


def gold_pairs(examples: Sequence[RankedText]) -> set[Pair]:
    """Pairs of a foreign and an English id that have a key in common."""
    return set(ranked.gold_pairs(examples))


def choose(
    candidates: Sequence[Scored], gold: set[Pair], tuning: tuple[Sequence[Scored], set[Pair]] | None
) -> list[Pair]:
    """The pairs that are taken for translations.

    Args:
        candidates: pairs with their scores, best first.
        gold: their gold; used only if there is no `tuning`.
        tuning: candidates and gold of the development set. None: halves of the foreign sentences
            (by a hash of their ids) are each tuned on the other half.
    """
    if tuning is not None:
        return above(candidates, tuned(*tuning))
    taken: list[Pair] = []
    for half in (0, 1):
        mine_, other = ([c for c in candidates if _half(c[1]) == part] for part in (half, 1 - half))
        threshold = tuned(other, {pair for pair in gold if _half(pair) != half})
        taken += above(mine_, threshold)
    return taken


def _half(pair: Pair) -> int:
    return sha256(pair[0].encode("utf-8")).digest()[0] % 2


def score(
    predictions: Mapping[str, Any],
    examples: Sequence[RankedText],
    card: TaskCard,
    language: str,
    labels: Sequence[str] = (),
) -> Scores:
    """Score one language pair: F1, precision and recall over pairs of ids.

    Args:
        predictions: ``candidates`` (with scores, best first) and ``pairs``.
        examples: both sides of one language pair.
        card: the task.
        language: not used.
        labels: not used.
    """
    del card, language, labels
    gold = gold_pairs(examples)
    candidates: Sequence[Scored] = predictions["candidates"]
    best = set(above(candidates, tuned(candidates, gold)))
    queries = [example.id for example in examples if example.side == FOREIGN]
    hits, sizes = dict.fromkeys(queries, 0), dict.fromkeys(queries, 0)
    for pairs in (best, gold):
        for pair in pairs:
            sizes[pair[0]] += 1
    for pair in best & gold:
        hits[pair[0]] += 1
    return Scores(
        n=len(gold),
        official=_f1(best, gold),
        clean=_f1(set(predictions["pairs"]), gold),
        numerator=[2.0 * hits[query] for query in queries],
        denominator=[float(sizes[query]) for query in queries],
        ids=queries,
    )


def _f1(pairs: set[Pair], gold: set[Pair]) -> dict[str, float]:
    return summarise([Counts(len(pairs & gold), len(pairs), len(gold))])


FAMILY = Family(encode=encode, score=score)
