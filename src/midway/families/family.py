"""A family: the functions that all tasks of one kind share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from midway.families.scores import Scores


@dataclass(frozen=True)
class Items:
    """What a step draws: rows of a feature table that belong together.

    Attributes:
        rows: row numbers, item after item, ``int64``.
        offsets: where each item begins in `rows`, ``int64[items + 1]``.
    """

    rows: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        """How many items there are."""
        return len(self.offsets) - 1

    def of(self, items: np.ndarray) -> np.ndarray:
        """Rows of some items, item after item."""
        begins, sizes = self.offsets[items], self.offsets[items + 1] - self.offsets[items]
        if (sizes == 1).all():
            chosen: np.ndarray = self.rows[begins]
            return chosen
        parts = [self.rows[b : b + n] for b, n in zip(begins, sizes, strict=True)]
        return np.concatenate(parts) if parts else self.rows[:0]


def rows_alone(table: pa.Table) -> Items:
    """Every row is an item of its own."""
    return Items(np.arange(len(table)), np.arange(len(table) + 1))


def every_token(fields: Any, lengths: Sequence[int]) -> None:
    """The head reads every token."""
    del fields, lengths


def count_rows(table: pa.Table, items: np.ndarray, chosen: Items) -> float:
    """A step's loss is a mean over its items."""
    del table, chosen
    return float(len(items))


def no_loss(*_: Any, **__: Any) -> Any:
    """Nothing is trained, or nothing predicted, in this family."""
    raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Family:
    """What is done with the examples of one kind of task.

    Attributes:
        encode: (examples, tokenizer, card, max_length, stride) → feature table, a row per
            sequence that the encoder will see.
        score: (predictions, examples of one language, card, language, labels of the head) →
            `Scores`.
        head: kind of its head (`midway.encoders.heads`); empty if it has none.
        outputs: (labels) → logits per place.
        items: table → what steps draw.
        whole: a step is not cut into micro-batches, since its items are compared with each other.
        draw: (features, rows, seed) → (piece ids, fields), for inputs that change at every step;
            None: the table's own ids and columns are used.
        trains_on: columns that `loss` reads.
        asks: columns that `candidates` reads.
        places: (fields, lengths) → which tokens of a packed batch the head reads, ``int64``, or
            None for all.
        units: (table, item numbers, items) → what a step's summed loss is divided by.
        loss: (logits at the places, fields, lengths) → summed loss of a packed batch.
        candidates: (logits at the places, fields, lengths) → what the head says: tensors with a
            row for each place or, where it reads every token, for each sequence.
        decode: (the same of all rows, in the order of the table; table, examples, card, labels) →
            a prediction per example.
    """

    encode: Callable[..., pa.Table]
    score: Callable[..., Scores]
    head: str = ""
    outputs: Callable[[Sequence[str]], int] = len
    items: Callable[[pa.Table], Items] = rows_alone
    whole: bool = False
    draw: Callable[..., tuple[np.ndarray, dict[str, Any]]] | None = None
    trains_on: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    places: Callable[..., np.ndarray | None] = every_token
    units: Callable[[pa.Table, np.ndarray, Items], float] = count_rows
    loss: Callable[..., Any] = no_loss
    candidates: Callable[..., tuple[Any, ...]] = no_loss
    decode: Callable[..., list[Any]] = no_loss
