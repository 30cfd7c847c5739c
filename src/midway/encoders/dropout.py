"""Dropout whose masks are cheap on CPU, and do not depend on how a step is cut.

torch draws a mask on CPU by one thread at 5 ns an element, an eighth of a training step; here a
mask's 16 random bits per element come from numpy's PCG64DXSM, 64 at a time, and the whole of a
dropout is two to four times as fast (`benchmarks/kernels.py`). The seed of every mask is drawn from
torch's generator, so ``torch.manual_seed`` decides all of them, as it does for torch's own.

The generator can jump: inside `rows_of`, a row's bits are those at its place in the feature table,
whichever rows are computed with it, in whichever process.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import torch

_STEPS = 1 << 16  # probabilities are multiples of 1 / _STEPS
_ONES = {torch.bfloat16: np.uint16(0x3F80), torch.float16: np.uint16(0x3C00)}  # the bits of 1


@dataclass(frozen=True)
class Rows:
    """What is computed at once.

    Attributes:
        places: where each row's tokens begin in the feature table.
        lengths: tokens of each row.
        asked: tokens of each row that the head sees.
    """

    places: Sequence[int]
    lengths: Sequence[int]
    asked: Sequence[int]


_ROWS: ContextVar[Rows | None] = ContextVar("rows", default=None)


@contextmanager
def rows_of(rows: Rows) -> Iterator[None]:
    """Masks drawn inside, also in the backward pass, are those of these rows."""
    token = _ROWS.set(rows)
    try:
        yield
    finally:
        _ROWS.reset(token)


class Dropout(torch.nn.Module):
    """Zero elements with probability `p`, scale the others by the inverse of what is left.

    Args:
        p: the probability; on CPU it is rounded to a multiple of 1 / 65,536, and so is the scale.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self._dropped = round(p * _STEPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drop elements while training, of a tensor of any shape."""
        if not (self.training and self._dropped):
            return x
        if x.device.type != "cpu" or self._dropped == _STEPS:
            return torch.nn.functional.dropout(x, self.p)
        return (x * self._mask(x)).mul_(_STEPS / (_STEPS - self._dropped))

    def _mask(self, like: torch.Tensor) -> torch.Tensor:
        """Ones and zeros in the shape and type of `like`, ``[..., hidden]``."""
        generator, width = np.random.PCG64DXSM(int(torch.randint(2**62, ()))), like.shape[-1]
        words_each = -(-width // 4)  # of 4 elements, for a vector
        kept, done, at = np.empty(like.numel(), dtype=bool), 0, 0
        for place, count in _places(like.numel() // width):
            generator.advance(place * words_each - at)
            words = generator.random_raw(-(-count * width // 4))
            at = place * words_each + len(words)
            bits = words.view(np.uint16)[: count * width]
            np.greater_equal(bits, self._dropped, out=kept[done : done + len(bits)])
            done += len(bits)
        if like.dtype not in _ONES:
            return torch.from_numpy(kept).view(like.shape).to(like.dtype)
        # A multiplication of integers: torch's conversion of booleans takes seven times as long.
        ones = np.multiply(kept, _ONES[like.dtype], dtype=np.uint16).view(np.int16)
        return torch.from_numpy(ones).view(like.dtype).view(like.shape)


def _places(vectors: int) -> list[tuple[int, int]]:
    """Place and number of the vectors of each row."""
    rows = _ROWS.get()
    if rows is None:
        return [(0, vectors)]
    counts = rows.lengths if vectors == sum(rows.lengths) else rows.asked
    if vectors != sum(counts):
        raise ValueError(f"{vectors} vectors, for rows of {sum(rows.lengths)} tokens")
    return [(place, n) for place, n in zip(rows.places, counts, strict=True) if n]


def use_cheap_dropout(module: torch.nn.Module) -> None:
    """Replace every `torch.nn.Dropout` inside a module."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is torch.nn.Dropout:
                setattr(parent, name, Dropout(child.p))
