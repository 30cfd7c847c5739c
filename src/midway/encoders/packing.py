"""Packed batches: sequences laid end to end, so that no layer ever computes padding.

1. A `Packing` says how a row of T tokens divides into sequences; they are sorted by length, so
   that neighbours of like lengths form *groups* which one attention call handles together.
2. `packed_attention` is registered with transformers' attention interface: it attends within
   sequences only. In training short sequences are padded there, to a multiple of 32, and nowhere
   else: a call for each of them would take longer, and the multiple suits the vector units.
3. Every other layer of an encoder works token by token and does not notice.

The result equals that of the padded model; tests hold it to 1e-5 in float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from midway.encoders.transfer import to_device
from midway.errors import EncoderError

ATTENTION = "midway_packed"
_SHORT, _MULTIPLE = 96, 32


@dataclass(frozen=True)
class Group:
    """Neighbouring sequences whose attention is computed at once.

    Attributes:
        begin: of the first one, in tokens.
        end: of the last one.
        count: how many.
        length: of each, with padding.
        places: where in the row each of `count` x `length` tokens lies, padding anywhere; None
            if there is no padding.
        real: which of `count` x `length` are no padding, or None.
        mask: 0, and -inf for padding, ``[count, 1, length]``, or None.
    """

    begin: int
    end: int
    count: int
    length: int
    places: torch.Tensor | None = None
    real: torch.Tensor | None = None
    mask: torch.Tensor | None = None

    def take(self, x: torch.Tensor) -> torch.Tensor:
        """``[heads, T, d]`` → ``[count x heads, length, d]``."""
        by_token = x.transpose(0, 1)  # as it lies in memory
        if self.places is None:
            rows = by_token[self.begin : self.end]
        else:
            rows = by_token.index_select(0, self.places)
        rows = rows.view(self.count, self.length, *x.shape[::2]).transpose(1, 2)
        return rows.reshape(-1, self.length, x.shape[2])

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """``[count x heads, ...]`` → ``[count, heads, ...]``."""
        return x.view(self.count, -1, *x.shape[1:])

    def give(self, values: torch.Tensor) -> torch.Tensor:
        """``[count x heads, length, d]`` → ``[end - begin, heads, d]``, without the padding."""
        rows = self.split(values).transpose(1, 2).flatten(0, 1)
        return rows if self.real is None else rows.index_select(0, self.real)


@dataclass(frozen=True)
class Packing:
    """How T tokens divide into sequences.

    Attributes:
        lengths: tokens per sequence, in the order in which they lie.
        groups: neighbours of like lengths; none on CUDA.
        offsets: cumulative lengths, ``int32[n + 1]``, for variable-length kernels; on the device.
        longest: the greatest length.
    """

    lengths: tuple[int, ...]
    groups: tuple[Group, ...]
    offsets: torch.Tensor
    longest: int


def pack(lengths: Sequence[int], device: torch.device | str = "cpu") -> Packing:
    """Describe sequences of these lengths, laid end to end in this order.

    Short ones are padded in attention only where gradients are wanted: the fused kernel, which
    serves where they are not, is faster without.
    """
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    groups: list[Group] = []
    if torch.device(device).type == "cpu":
        first = 0
        for padded, members in groupby(lengths, _padded if torch.is_grad_enabled() else None):
            count = len(list(members))
            groups.append(_group(ends[first : first + count + 1].astype(np.int64), padded))
            first += count
    offsets = to_device(ends, device)
    return Packing(tuple(lengths), tuple(groups), offsets, max(lengths, default=0))


def _padded(length: int) -> int:
    """Length that attention sees; of a sequence alone, so that its neighbours change nothing."""
    return -(-length // _MULTIPLE) * _MULTIPLE if length <= _SHORT else length


def _group(ends: np.ndarray, length: int) -> Group:
    """Sequences that lie between `ends`, padded to `length`."""
    begin, end, count = int(ends[0]), int(ends[-1]), len(ends) - 1
    place = np.arange(length)
    real = place < np.diff(ends)[:, None]
    if real.all():
        return Group(begin, end, count, length)
    places = np.where(real, ends[:-1, None] + place, begin)
    return Group(
        begin,
        end,
        count,
        length,
        torch.from_numpy(places.ravel()),
        torch.from_numpy(np.flatnonzero(real)),
        torch.zeros(real.shape).masked_fill_(torch.from_numpy(~real), float("-inf"))[:, None],
    )


def positions(packing: Packing, start: int = 0) -> torch.Tensor:
    """Position ids ``int64[1, T]`` on the device, counting from `start` within each sequence."""
    ids = np.concatenate([np.arange(start, start + length) for length in packing.lengths])
    return to_device(ids, packing.offsets.device).unsqueeze(0)


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
            q, k, v, packing.groups, scale
        )
    else:
        out = _by_group(
            q, k, v, packing.groups, scale=scale, dropout=dropout, window=sliding_window
        )
    return out.transpose(0, 1).unsqueeze(0), None


def _by_group(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    groups: Sequence[Group],
    *,
    scale: float,
    dropout: float,
    window: int | None,
) -> torch.Tensor:
    """``[heads, T, d]`` → the same, one scaled-dot-product call per group."""
    outputs = []
    for group in groups:
        a, b, c = (group.split(group.take(x)) for x in (q, k, v))
        mask = None if group.mask is None else group.mask[:, None].to(q.dtype)
        near = _window(group.length, window)
        if near is not None:
            far = torch.zeros(near.shape, dtype=q.dtype).masked_fill_(~near, float("-inf"))
            mask = far if mask is None else mask + far
        out = scaled_dot_product_attention(a, b, c, attn_mask=mask, dropout_p=dropout, scale=scale)
        outputs.append(group.give(out.flatten(0, 1)))
    return torch.cat(outputs).transpose(0, 1)


class _TrainableAttention(torch.autograd.Function):
    """Attention by batched matrix products, with its gradient written out.

    In bfloat16 on CPU this is about twice as fast, forward and backward together, as torch's
    fused kernel, whose backward pass does not use the matrix units.
    `benchmarks/kernels.py` measures it.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        groups: tuple[Group, ...],
        scale: float,
    ) -> torch.Tensor:
        out = q.new_empty(q.shape[1], q.shape[0], q.shape[2])
        weights = []
        for group in groups:
            a, b, c = (group.take(x) for x in (q, k, v))
            score = torch.bmm(a * scale, b.transpose(1, 2))
            if group.mask is not None:
                group.split(score).add_(group.mask[:, None])
            weight = torch.softmax(score, -1)
            out[group.begin : group.end] = group.give(torch.bmm(weight, c))
            weights.append(weight)
        ctx.save_for_backward(q, k, v, *weights)
        ctx.groups, ctx.scale = groups, scale
        return out.transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        q, k, v, *weights = ctx.saved_tensors
        dq, dk, dv = (q.new_empty(q.shape[1], q.shape[0], q.shape[2]) for _ in range(3))
        for group, weight in zip(ctx.groups, weights, strict=True):
            here = slice(group.begin, group.end)
            a, b, c, g = (group.take(x) for x in (q, k, v, grad))
            if group.mask is not None:  # padding has no gradient
                padding = group.mask.transpose(1, 2)[:, None] < 0
                g = group.split(g).masked_fill(padding, 0.0).flatten(0, 1)
            dv[here] = group.give(torch.bmm(weight.transpose(1, 2), g))
            dweight = torch.bmm(g, c.transpose(1, 2))
            dscore = torch._softmax_backward_data(dweight, weight, -1, weight.dtype)
            dq[here] = group.give(torch.bmm(dscore, b).mul_(ctx.scale))
            dk[here] = group.give(torch.bmm(dscore.transpose(1, 2), a * ctx.scale))
        dq, dk, dv = (x.transpose(0, 1) for x in (dq, dk, dv))
        return dq, dk, dv, None, None


def _window(length: int, window: int | None) -> torch.Tensor | None:
    if window is None or length <= window:
        return None
    place = torch.arange(length)
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
            f"attention dropout is {dropout}, and the variable-length attention of CUDA has none; "
            "set attention_dropout = 0"
        )
    q, k, v = (x.transpose(0, 1) for x in (q, k, v))
    ends, longest = packing.offsets, packing.longest
    sides = (-1, -1) if window is None else (window - 1, window - 1)
    out: Any = varlen_attn(q, k, v, ends, ends, longest, longest, scale=scale, window_size=sides)
    packed: torch.Tensor = out.unsqueeze(0)
    return packed


AttentionInterface.register(ATTENTION, packed_attention)
