"""Run rows of a feature table through an encoder, shortest first, reporting progress."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from midway.encoders.heads import Head
from midway.encoders.load import Encoder
from midway.families import retrieval
from midway.families.family import Family
from midway.families.features import Batch, Features, at_places, cut, make_batch
from midway.graph.stage import Context, Progress
from midway.train.memory import (
    CPU_TOKENS,
    MOST_TOKENS,
    Shortage,
    is_shortage,
    release_failed,
    smaller,
)

ADVICE = "choose a smaller max_length, or predict where there is more memory"


def encoded_batches(
    encoder: Encoder,
    features: Features,
    rows: np.ndarray,
    context: Context,
    precision: str,
    *,
    every_layer: bool = False,
) -> Iterator[tuple[Batch, tuple[torch.Tensor, ...]]]:
    """Packed batches in order of length, each with the encoder's states.

    A batch that does not fit in memory is cut into smaller ones; the rest are cut as small.

    Raises:
        StageError: a single row does not fit.
    """
    device, lengths = torch.device(context.runtime.device), features.lengths
    limit = context.runtime.micro_batch_tokens
    limit = limit or (MOST_TOKENS if device.type == "cuda" else CPU_TOKENS)
    parts = cut(rows, lengths, limit)

    def ready() -> Batch | None:
        part = next(parts, None)
        return None if part is None else make_batch(features, part, encoder, device)

    total, done, began = int(lengths[rows].sum()), 0, time.monotonic()
    batch = ready()
    while batch is not None:
        context.check()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            states = _states(encoder, batch, every_layer=every_layer)
        if isinstance(states, Shortage):
            limit = smaller(limit, states, ADVICE)
            release_failed()
            parts = cut(np.concatenate([batch.rows, *parts]), lengths, limit)
            batch = ready()
            continue
        following = ready()  # while a device still computes
        yield batch, states
        done += len(batch.ids)
        rate = done / max(time.monotonic() - began, 1e-9)
        context.report(Progress(done, total, "tokens", {"tokens/s": f"{rate:,.0f}"}))
        batch = following


def _states(
    encoder: Encoder, batch: Batch, *, every_layer: bool
) -> tuple[torch.Tensor, ...] | Shortage:
    """The encoder's states, or that they do not fit in memory."""
    try:
        return encoder.hidden_states(batch.ids, batch.types, batch.packing, every_layer=every_layer)
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        return Shortage(len(batch.ids), len(batch.rows), str(error))


def pooled(
    encoder: Encoder,
    features: Features,
    rows: np.ndarray,
    layers: tuple[int, ...],
    context: Context,
    precision: str,
) -> torch.Tensor:
    """Unit vectors of mean-pooled states, ``float32[layers, rows, hidden]``."""
    config = encoder.model.config
    hidden, inner = config.hidden_size, layers != (config.num_hidden_layers,)
    vectors = torch.empty(len(layers), len(rows), hidden, device=context.runtime.device)
    for batch, states in encoded_batches(
        encoder, features, rows, context, precision, every_layer=inner
    ):
        where = torch.from_numpy(np.searchsorted(rows, batch.rows))
        for k, layer in enumerate(layers):
            vectors[k, where] = retrieval.pool(
                states[layer if inner else -1], batch.packing.offsets
            )
    return vectors


def layers_of(named: str | tuple[int, ...], encoder: Encoder) -> tuple[int, ...]:
    """Numbers of the hidden states that a target names; the last one counts."""
    depth = encoder.model.config.num_hidden_layers
    if isinstance(named, str):
        return (depth,) if named == "last" else tuple(range(depth + 1))
    return named


def head_says(
    encoder: Encoder,
    head: Head,
    family: Family,
    features: Features,
    context: Context,
    precision: str,
) -> tuple[torch.Tensor, ...]:
    """What the head says (`Family.candidates`) of all rows, in the order of the table.

    Nothing leaves the device before `Family.decode`, so that it need not wait between batches.
    """
    module = head.module.eval().to(context.runtime.device)
    every = np.arange(len(features.lengths))
    said, rows = [], []
    for batch, states in encoded_batches(encoder, features, every, context, precision):
        fields = {name: features.column(name, batch.rows) for name in family.asks}
        lengths = batch.packing.lengths
        places = family.places(fields, lengths)
        logits = module(at_places(states[-1], places).float())
        said.append(family.candidates(logits, fields, lengths))
        rows.append(rows_read(batch.rows, lengths, places))
    return in_order(said, rows)


def rows_read(rows: np.ndarray, lengths: Sequence[int], places: np.ndarray | None) -> np.ndarray:
    """The row of each place that a head reads; all rows once if it reads every token."""
    if places is None:
        return rows
    read: np.ndarray = rows[np.searchsorted(np.cumsum(lengths), places, side="right")]
    return read


def in_order(
    said: Sequence[tuple[torch.Tensor, ...]], rows: Sequence[np.ndarray]
) -> tuple[torch.Tensor, ...]:
    """What the head says of some batches, by row; `rows` are those of `rows_read`."""
    order = torch.from_numpy(np.argsort(np.concatenate(rows), kind="stable"))
    columns = [torch.cat(column) for column in zip(*said, strict=True)]
    return tuple(column[order.to(column.device)] for column in columns)
