"""Useful work of an encoder and what the hardware could do, both in floating-point operations.

Training T useful tokens takes 6 P T + 12 L h Σ n² operations: P are the weights in the encoder's
matrices (no embeddings, no norms), L its layers, h its width, n the length of each sequence. The
first term is every weight's product forward (2) and backward (4), the second attention's two
products. Prediction takes a third of it. Padding, softmax, norms, dropout, the optimiser and the
head do not count as useful, however long they take.

The limit is the best matrix product found in the same run among squares and the encoder's own
shapes, in bfloat16.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

SQUARES = (512, 1024, 2048, 4096)
ROWS = 2048
SECONDS = 0.4


def useful_flops(model: torch.nn.Module, lengths: np.ndarray, *, training: bool) -> float:
    """Operations of one pass over sequences of these lengths."""
    config: Any = model.config
    matrices = sum(
        p.numel() for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name
    )
    sizes = np.asarray(lengths, dtype=np.float64)
    attention: float = 4 * config.num_hidden_layers * config.hidden_size * float((sizes**2).sum())
    forward = 2 * matrices * float(sizes.sum()) + attention
    return 3 * forward if training else forward


def best_product(
    hidden: int, inner: int, device: str = "cpu", *, squares: Sequence[int] = SQUARES
) -> dict[str, float]:
    """Rates of some bfloat16 matrix products in FLOP/s, by shape; the limit is the greatest.

    Args:
        hidden: width of the encoder.
        inner: width of its feed-forward layers.
        device: where.
        squares: sizes of the square products.
    """
    shapes = [(n, n, n) for n in squares]
    shapes += [(ROWS, hidden, hidden), (ROWS, hidden, inner), (ROWS, inner, hidden)]
    return {"x".join(map(str, shape)): _rate(shape, device) for shape in dict.fromkeys(shapes)}


def _rate(shape: tuple[int, int, int], device: str) -> float:
    """The best of repeated products of ``[m, k]`` and ``[k, n]``."""
    m, k, n = shape
    a, b = (torch.randn(*size, device=device, dtype=torch.bfloat16) for size in ((m, k), (k, n)))
    out = torch.empty(m, n, device=device, dtype=torch.bfloat16)
    best, end, times = float("inf"), time.perf_counter() + SECONDS, 0
    calls = max(1, round(2e9 / (m * k * n))) if torch.device(device).type == "cpu" else 20
    while times < 3 or time.perf_counter() < end:
        synchronise(device)
        began = time.perf_counter()
        for _ in range(calls):
            torch.mm(a, b, out=out)
        synchronise(device)
        best = min(best, (time.perf_counter() - began) / calls)
        times += 1
    return 2.0 * m * k * n / best


def synchronise(device: str) -> None:
    """Wait until the device has done what it was given."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
