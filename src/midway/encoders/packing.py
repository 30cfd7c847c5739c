"""Packed batches: sequences laid end to end, so that no padding is ever computed.

1. A `Packing` says how a row of T tokens divides into sequences; they are sorted by length, so
   that equal lengths form *runs* which one attention call handles together.
2. `packed_attention` is registered with transformers' attention interface: it attends within
   sequences only.
3. Every other layer of an encoder works token by token and does not notice.

The result equals that of the padded model; tests hold it to 1e-5 in float32.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from midway.errors import EncoderError

ATTENTION = "midway_packed"


@dataclass(frozen=True)
class Packing:
    """How T tokens divide into sequences.

    Attributes:
        lengths: tokens per sequence, in the order in which they lie.
        runs: (how many sequences, their common length) for neighbours of equal length.
        offsets: cumulative lengths, ``int32[n + 1]``, for variable-length kernels; on the device.
        longest: the greatest length.
    """

    lengths: tuple[int, ...]
    runs: tuple[tuple[int, int], ...]
    offsets: torch.Tensor
    longest: int


def pack(lengths: Sequence[int], device: torch.device | str = "cpu") -> Packing:
    """Describe sequences of these lengths, laid end to end in this order."""
    runs = tuple((len(list(group)), length) for length, group in groupby(lengths))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return Packing(
        tuple(lengths), runs, torch.from_numpy(offsets).to(device), max(lengths, default=0)
    )


def positions(packing: Packing, start: int = 0) -> torch.Tensor:
    """Position ids ``int64[1, T]``, counting from `start` within each sequence."""
    ids = np.concatenate([np.arange(start, start + length) for length in packing.lengths])
    return torch.from_numpy(ids).unsqueeze(0)


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packing: Packing,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each sequence of a packed row.

    Args:
        module: the attention layer; its training flag decides whether dropout applies.
        query: ``[1, heads, T, head size]``; `key` and `value` likewise.
        key: see `query`.
        value: see `query`.
        attention_mask: not used; nothing is padded.
        packing: how the T tokens divide.
        scaling: factor on the scores; None means 1/sqrt(head size).
        dropout: probability of dropping an attention weight, already 0 in evaluation.
        sliding_window: attend to tokens less than this far to either side; transformers passes
            ModernBERT's half-window plus one, as flash attention's wrapper expects.

    Returns:
        ``[1, T, heads, head size]`` and None, as the attention interface asks.
    """
    q, k, v = query[0], key[0], value[0]
    scale = q.shape[-1] ** -0.5 if scaling is None else scaling
    if q.is_cuda:
        return _varlen(q, k, v, packing, scale=scale, dropout=dropout, window=sliding_window), None
    narrow = sliding_window is not None and packing.longest > sliding_window
    if torch.is_grad_enabled() and q.dtype == torch.bfloat16 and not dropout and not narrow:
        out: torch.Tensor = _TrainableAttention.apply(  # type: ignore[no-untyped-call]
            q, k, v, packing.runs, scale
        )
    else:
        out = _by_run(q, k, v, packing, scale=scale, dropout=dropout, window=sliding_window)
    return out.transpose(0, 1).unsqueeze(0), None


def _by_run(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    packing: Packing,
    *,
    scale: float,
    dropout: float,
    window: int | None,
) -> torch.Tensor:
    """``[heads, T, d]`` → the same, one scaled-dot-product call per run of equal lengths."""
    sizes = [count * length for count, length in packing.runs]
    outputs = []
    splits = [torch.split_with_sizes(x, sizes, 1) for x in (q, k, v)]
    for i, (count, length) in enumerate(packing.runs):
        heads, size = q.shape[0], q.shape[2]
        a, b, c = (parts[i].reshape(heads, count, length, size).transpose(0, 1) for parts in splits)
        mask = _window(length, window, q.device)
        out = scaled_dot_product_attention(a, b, c, attn_mask=mask, dropout_p=dropout, scale=scale)
        outputs.append(out.transpose(0, 1).reshape(heads, count * length, size))
    return torch.cat(outputs, 1)


class _TrainableAttention(torch.autograd.Function):
    """Attention by batched matrix products, with its gradient written out.

    In bfloat16 on CPU this is about twice as fast, forward and backward together, as torch's
    fused kernel, whose backward pass does not use the matrix units.
    `benchmarks/attention.py` measures it.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        runs: tuple[tuple[int, int], ...],
        scale: float,
    ) -> torch.Tensor:
        heads, total, size = q.shape
        out = q.new_empty(total, heads, size).transpose(0, 1)
        weights = []
        for rows, (count, length) in _slices(runs):
            a, b, c = (x[:, rows].reshape(heads * count, length, size) for x in (q, k, v))
            weight = torch.softmax(torch.bmm(a, b.transpose(1, 2)).mul_(scale), -1)
            out[:, rows] = torch.bmm(weight, c).view(heads, -1, size)
            weights.append(weight)
        ctx.save_for_backward(q, k, v, *weights)
        ctx.runs, ctx.scale = runs, scale
        return out

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        q, k, v, *weights = ctx.saved_tensors
        heads, total, size = q.shape
        dq, dk, dv = (q.new_empty(total, heads, size).transpose(0, 1) for _ in range(3))
        for (rows, (count, length)), weight in zip(_slices(ctx.runs), weights, strict=True):
            a, b, c, g = (x[:, rows].reshape(heads * count, length, size) for x in (q, k, v, grad))
            dv[:, rows] = torch.bmm(weight.transpose(1, 2), g).view(heads, -1, size)
            dweight = torch.bmm(g, c.transpose(1, 2))
            dscore = torch._softmax_backward_data(dweight, weight, -1, weight.dtype)
            dscore.mul_(ctx.scale)
            dq[:, rows] = torch.bmm(dscore, b).view(heads, -1, size)
            dk[:, rows] = torch.bmm(dscore.transpose(1, 2), a).view(heads, -1, size)
        return dq, dk, dv, None, None


def _slices(runs: tuple[tuple[int, int], ...]) -> Iterator[tuple[slice, tuple[int, int]]]:
    begin = 0
    for count, length in runs:
        end = begin + count * length
        yield slice(begin, end), (count, length)
        begin = end


def _window(length: int, window: int | None, device: torch.device) -> torch.Tensor | None:
    if window is None or length <= window:
        return None
    place = torch.arange(length, device=device)
    return (place[:, None] - place[None, :]).abs() < window


def _varlen(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    packing: Packing,
    *,
    scale: float,
    dropout: float,
    window: int | None,
) -> torch.Tensor:
    """CUDA: one variable-length kernel over all sequences; ``[1, T, heads, d]``."""
    from torch.nn.attention.varlen import varlen_attn

    if dropout:
        raise EncoderError(
            "the variable-length attention of CUDA has no dropout: set attention_dropout = 0"
        )
    q, k, v = (x.transpose(0, 1) for x in (q, k, v))
    ends, longest = packing.offsets, packing.longest
    sides = (-1, -1) if window is None else (window - 1, window - 1)
    out: Any = varlen_attn(q, k, v, ends, ends, longest, longest, scale=scale, window_size=sides)
    packed: torch.Tensor = out.unsqueeze(0)
    return packed


AttentionInterface.register(ATTENTION, packed_attention)
