"""Feature tables on disk and packed batches from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from midway.encoders.load import Encoder
from midway.encoders.packing import Packing, pack
from midway.encoders.transfer import to_device
from midway.families.family import Items
from midway.families.tokens import labels_of, lists_of, mask_of, spread

FILE = "features.arrow"
LANGUAGE = "language"  # column: place of the row's language in `languages_of`


@dataclass(frozen=True)
class Features:
    """A table of features, mapped into memory.

    Attributes:
        table: a row per sequence; see the families' ``encode``.
        tokens: all rows' piece ids, end to end, ``int32[T]``.
        offsets: where each row begins in `tokens`, ``int64[rows + 1]``.
    """

    table: pa.Table
    tokens: np.ndarray
    offsets: np.ndarray

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens per row."""
        return np.diff(self.offsets)

    @cached_property
    def active(self) -> np.ndarray:
        """Sorted distinct piece ids, with that of the mask if there is one."""
        mask = list(mask_of(self.table)[:1])
        seen = np.zeros(max([int(self.tokens.max(initial=-1)), *mask]) + 1, dtype=bool)
        seen[self.tokens] = seen[mask] = True
        return np.flatnonzero(seen)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What the label numbers are called."""
        return labels_of(self.table)

    def column(self, name: str, rows: np.ndarray) -> Any:
        """Values of a column: an array, or a list of arrays where rows hold lists."""
        if pa.types.is_list(self.table.schema.field(name).type):
            begins, values = lists_of(self.table, name)
            return [values[begins[row] : begins[row + 1]] for row in rows]
        return self.table[name].to_numpy()[rows]


@dataclass(frozen=True)
class Batch:
    """Rows of a feature table, packed.

    Attributes:
        rows: which rows, in packed order.
        ids: renumbered piece ids, ``int64[T]``.
        types: token types, ``int64[T]``, or None if all are 0.
        packing: how T divides.
    """

    rows: np.ndarray
    ids: torch.Tensor
    types: torch.Tensor | None
    packing: Packing


def write_features(table: pa.Table, folder: Path) -> None:
    """Write ``features.arrow``."""
    with pa.OSFile(str(folder / FILE), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table.combine_chunks())


def read_features(folder: Path) -> Features:
    """Map ``features.arrow``."""
    with pa.memory_map(str(folder / FILE)) as source:
        return _features(pa.ipc.open_file(source).read_all())


def of_examples(features: Features, chosen: np.ndarray) -> Features:
    """The rows of some examples (sorted numbers), which are numbered anew from 0."""
    example = features.table["example"].to_numpy()
    rows = np.flatnonzero(np.isin(example, chosen))
    table = features.table.take(rows)
    numbers = pa.array(np.searchsorted(chosen, example[rows]), pa.int32())
    return _features(table.set_column(table.schema.get_field_index("example"), "example", numbers))


def _features(table: pa.Table) -> Features:
    begins, tokens = lists_of(table, "ids")
    return Features(table, tokens, begins.astype(np.int64))


def make_batch(
    features: Features,
    rows: np.ndarray,
    encoder: Encoder,
    device: torch.device,
    *,
    pieces: np.ndarray | None = None,
) -> Batch:
    """Pack rows in the given order; `pieces` replaces their own pieces."""
    if pieces is None:
        pieces = features.tokens[spread(features.offsets[rows], features.lengths[rows])]
    ids = to_device(encoder.renumber(pieces), device)
    lengths = features.lengths[rows]
    types = None
    if encoder.types:
        boundaries = features.column("boundary", rows)
        if not np.array_equal(boundaries, lengths):
            starts = np.cumsum(lengths) - lengths
            second = np.arange(len(pieces)) >= np.repeat(starts + boundaries, lengths)
            types = to_device(second.astype(np.int64), device)
    return Batch(rows, ids, types, pack(lengths.tolist(), device))


def at_places(states: torch.Tensor, places: np.ndarray | None) -> torch.Tensor:
    """States of some tokens ``[k, hidden]``, or of all if `places` is None."""
    return states if places is None else states[to_device(places, states.device)]


def cut(
    rows: Sequence[int] | np.ndarray,
    lengths: np.ndarray,
    tokens: int,
    sizes: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Sort rows by length and cut them into pieces of at most `tokens` tokens, each ≥ 1 row.

    Sorting is stable, so the pieces depend on nothing but the arguments.

    Args:
        rows: rows, or items of several rows.
        lengths: what they are sorted by.
        tokens: the limit.
        sizes: tokens of each, if that is not its length.
    """
    order = np.asarray(rows)[np.argsort(lengths[np.asarray(rows)], kind="stable")]
    begin, used = 0, 0
    for place, size in enumerate((lengths if sizes is None else sizes)[order].tolist()):
        if used + size > tokens and place > begin:
            yield order[begin:place]
            begin, used = place, 0
        used += size
    if len(order):
        yield order[begin:]


@dataclass(frozen=True)
class Pieces:
    """How the items of a step are cut into micro-batches of whole items.

    Attributes:
        items: what a step draws.
        lengths: tokens per row.
        whole: a step is never cut, and no row is computed twice in it.
    """

    items: Items
    lengths: np.ndarray
    whole: bool = False

    def cut(self, chosen: np.ndarray, tokens: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Items of each micro-batch, and their rows, sorted by length."""
        if self.whole and len(chosen):
            yield chosen, self._sorted(np.unique(self.items.of(chosen)))
            return
        for part in cut(chosen, self._longest, tokens, self.sizes):
            yield part, self._sorted(self.items.of(part))

    def share(self, chosen: np.ndarray, place: int, of: int) -> tuple[np.ndarray, int]:
        """What one of several processes computes of a step: about as many tokens as the others.

        Returns:
            Its items, and how many items of shorter length the processes before it have. A step
            that is never cut is computed by the first process alone.
        """
        if self.whole:
            return chosen[: len(chosen) if place == 0 else 0], 0
        ordered = chosen[np.argsort(self._longest[chosen], kind="stable")]
        ends = np.cumsum(self.sizes[ordered])
        owners = (ends - self.sizes[ordered] / 2) * of // ends[-1]
        begin, end = np.searchsorted(owners, [place, place + 1])
        return ordered[begin:end], int(begin)

    def tokens(self, chosen: np.ndarray) -> int:
        """Tokens that a step computes."""
        rows = self.items.of(chosen)
        return int(self.lengths[np.unique(rows) if self.whole else rows].sum())

    def _sorted(self, rows: np.ndarray) -> np.ndarray:
        ordered: np.ndarray = rows[np.argsort(self.lengths[rows], kind="stable")]
        return ordered

    @cached_property
    def _longest(self) -> np.ndarray:
        longest: np.ndarray = np.maximum.reduceat(self._flat, self.items.offsets[:-1])
        return longest

    @cached_property
    def sizes(self) -> np.ndarray:
        """Tokens per item."""
        sizes: np.ndarray = np.add.reduceat(self._flat, self.items.offsets[:-1])
        return sizes

    @cached_property
    def _flat(self) -> np.ndarray:
        flat: np.ndarray = self.lengths[self.items.rows]
        return flat
