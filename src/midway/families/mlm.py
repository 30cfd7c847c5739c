"""Masked language modelling on plain text, over the active vocabulary.

1. Texts are cut into windows of at most `max_length` tokens that do not overlap.
2. At every step 15 % of a window's pieces, at least one, are hidden: 80 % become the mask, 10 % a
   random piece, 10 % stay (Devlin et al. 2019). Which ones depends on seed, step and row alone.
3. The loss is the mean cross-entropy over hidden pieces, among the pieces that occur in the data.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.encoders.transfer import to_device
from midway.errors import DataError
from midway.families.family import Family, Items, no_loss
from midway.families.features import Features
from midway.families.tokens import lists_of, mask_of, specials, table, with_mask
from midway.tasks.card import TaskCard
from midway.tasks.examples import (
    ChoiceExample,
    Example,
    LabelledText,
    PlainText,
    QAExample,
    SentencePair,
    TaggedSentence,
)

HIDDEN, MASKED, RANDOM = 0.15, 0.8, 0.1
MASKS = ("<mask>", "[MASK]")
CHUNK = 2000


def text_of(example: Example) -> str:
    """The text of an example of any family, in its own language."""
    match example:
        case QAExample():
            return example.context
        case TaggedSentence():
            return " ".join(example.tokens)
        case SentencePair():
            return example.sentence
        case LabelledText():
            return f"{example.text} {example.pair}".strip()
        case ChoiceExample():
            return f"{example.context} {example.question} {example.choices[example.label]}"
        case PlainText():
            return example.text
    return example.text


def encode(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Cut texts into windows.

    Returns:
        Columns ``ids``, ``boundary`` and ``example`` (index); the mask is noted.

    Raises:
        DataError: the tokenizer has no mask.
    """
    del card, stride
    mask = next((n for name in MASKS if (n := tokenizer.token_to_id(name)) is not None), None)
    if mask is None:
        raise DataError(
            f"the encoder's tokenizer has no mask ({' or '.join(MASKS)}), which masked language "
            "modelling needs; choose another encoder or another intermediate task"
        )
    around = specials(tokenizer)
    room = max_length - len(around)
    columns: dict[str, list[Any]] = {name: [] for name in ("ids", "boundary", "example")}
    for base in range(0, len(examples), CHUNK):
        texts = [text_of(example) for example in examples[base : base + CHUNK]]
        encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        for index, encoding in enumerate(encodings, start=base):
            pieces = encoding.ids
            for begin in range(0, len(pieces), room):
                ids = [*around.before, *pieces[begin : begin + room], *around.after]
                columns["ids"].append(ids)
                columns["boundary"].append(len(ids))
                columns["example"].append(index)
    kinds = {"ids": "list", "boundary": "int32", "example": "int32"}
    made = table({name: (kinds[name], values) for name, values in columns.items()})
    return with_mask(made, mask, len(around.before), len(around.after))


def hidden_count(length: int) -> int:
    """How many of `length` pieces are hidden."""
    return max(1, round(HIDDEN * length))


def units(features: pa.Table, items: np.ndarray, of: Items) -> float:
    """A step's loss is a mean over hidden pieces."""
    _, before, after = mask_of(features)
    offsets, _ = lists_of(features, "ids")
    rows = of.of(items)
    sizes = offsets[rows + 1] - offsets[rows] - before - after
    return float(sum(hidden_count(int(size)) for size in sizes))


def draw(
    features: Features, rows: np.ndarray, seed: Sequence[int]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Hide pieces of some rows.

    Returns:
        Piece ids of the packed rows, and the fields ``places`` (token indices, ``int64``) and
        ``gold`` (the pieces that were there).
    """
    mask, before, after = mask_of(features.table)
    pool = features.active[features.active != mask]
    parts, places, gold, begin = [], [], [], 0
    for row in rows.tolist():
        ids = features.tokens[features.offsets[row] : features.offsets[row + 1]].astype(np.int64)
        random = np.random.default_rng([*seed, row])
        inner = len(ids) - before - after
        hidden = before + np.sort(random.permutation(inner)[: hidden_count(inner)])
        gold.append(ids[hidden])
        fate = random.random(len(hidden))
        ids = ids.copy()
        ids[hidden[fate < MASKED]] = mask
        strange = hidden[(fate >= MASKED) & (fate < MASKED + RANDOM)]
        ids[strange] = random.choice(pool, len(strange))
        parts.append(ids)
        places.append(begin + hidden)
        begin += len(ids)
    return np.concatenate(parts), {"places": np.concatenate(places), "gold": np.concatenate(gold)}


def hidden_places(fields: Mapping[str, Any], lengths: Sequence[int]) -> np.ndarray:
    """The hidden pieces of a packed batch."""
    del lengths
    places: np.ndarray = fields["places"]
    return places


def loss(logits: torch.Tensor, fields: Mapping[str, Any], lengths: Sequence[int]) -> torch.Tensor:
    """Sum over hidden pieces of the cross-entropy.

    Args:
        logits: ``float32[hidden pieces, active pieces]``.
        fields: ``gold``, row numbers of the active embedding.
        lengths: not used.
    """
    del lengths
    gold = to_device(fields["gold"].astype(np.int64), logits.device)
    return torch.nn.functional.cross_entropy(logits, gold, reduction="sum")


FAMILY = Family(
    encode=encode,
    score=no_loss,
    head="mlm",
    draw=draw,
    units=units,
    places=hidden_places,
    loss=loss,
)
