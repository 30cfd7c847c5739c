"""Dropout whose masks are cheap on CPU.

torch draws a mask on CPU by one thread at 5 ns an element, an eighth of a training step; here a
mask's 16 random bits per element come from numpy's SFC64, 64 at a time, and the whole of a dropout
is two to four times as fast (`benchmarks/kernels.py`). The seed of every mask is drawn from torch's
generator, so ``torch.manual_seed`` decides all of them, as it does for torch's own.
"""

import numpy as np
import torch

_STEPS = 1 << 16  # probabilities are multiples of 1 / _STEPS
_ONES = {torch.bfloat16: np.uint16(0x3F80), torch.float16: np.uint16(0x3C00)}  # the bits of 1


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
        """Ones and zeros in the shape and type of `like`."""
        seed = int(torch.randint(2**62, ()))
        words = np.random.SFC64(seed).random_raw(-(-like.numel() // 4))
        kept = words.view(np.uint16)[: like.numel()] >= self._dropped
        if like.dtype not in _ONES:
            return torch.from_numpy(kept).view(like.shape).to(like.dtype)
        # A multiplication of integers: torch's conversion of booleans takes seven times as long.
        ones = np.multiply(kept, _ONES[like.dtype], dtype=np.uint16).view(np.int16)
        return torch.from_numpy(ones).view(like.dtype).view(like.shape)


def use_cheap_dropout(module: torch.nn.Module) -> None:
    """Replace every `torch.nn.Dropout` inside a module."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is torch.nn.Dropout:
                setattr(parent, name, Dropout(child.p))
