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

FILE = "features.arrow"


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
        """Sorted distinct piece ids."""
        return np.unique(self.tokens).astype(np.int64)

    def column(self, name: str, rows: np.ndarray) -> Any:
        """Values of a column: an array, or a list of arrays where rows hold lists."""
        column = self.table[name]
        if pa.types.is_list(column.type):
            return [column[int(row)].values.to_numpy() for row in rows]
        return column.to_numpy()[rows]


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
        table = pa.ipc.open_file(source).read_all()
    ids = table["ids"].combine_chunks()
    if isinstance(ids, pa.ChunkedArray):  # an empty table
        ids = pa.concat_arrays([*ids.chunks, pa.array([], ids.type)])
    offsets = ids.offsets.to_numpy().astype(np.int64)
    return Features(table, ids.values.to_numpy(), offsets)


def make_batch(
    features: Features, rows: np.ndarray, encoder: Encoder, device: torch.device
) -> Batch:
    """Pack rows in the given order."""
    spans = [features.tokens[features.offsets[r] : features.offsets[r + 1]] for r in rows]
    ids = torch.from_numpy(encoder.renumber(np.concatenate(spans)))
    lengths = features.lengths[rows].tolist()
    types = None
    if encoder.types:
        boundaries = features.column("boundary", rows).tolist()
        if boundaries != lengths:
            parts = [np.arange(n) >= b for n, b in zip(lengths, boundaries, strict=True)]
            types = torch.from_numpy(np.concatenate(parts).astype(np.int64)).to(device)
    return Batch(rows, ids.to(device), types, pack(lengths, device))


def cut(rows: Sequence[int] | np.ndarray, lengths: np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    """Sort rows by length and cut them into pieces of at most `tokens` tokens, each ≥ 1 row.

    Sorting is stable, so the pieces depend on nothing but the arguments.
    """
    order = np.asarray(rows)[np.argsort(lengths[np.asarray(rows)], kind="stable")]
    begin, used = 0, 0
    for place, size in enumerate(lengths[order].tolist()):
        if used + size > tokens and place > begin:
            yield order[begin:place]
            begin, used = place, 0
        used += size
    if len(order):
        yield order[begin:]
