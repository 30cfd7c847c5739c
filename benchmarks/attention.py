"""Training attention in bfloat16: midway's batched products against torch's fused CPU kernel.

    python -m benchmarks.attention

Both run forward and backward over the same packed sequences, in turn; medians of several rounds.
"""

import statistics
import time

import numpy as np
import torch

from midway.encoders import packing

ROUNDS, HEADS, SIZE = 7, 12, 32


def main() -> None:
    """Print both medians and their ratio."""
    rng = np.random.default_rng(0)
    lengths = sorted(np.clip(rng.normal(170, 50, 16).astype(int), 40, 256).tolist())
    packed = packing.pack(lengths)
    total = sum(lengths)
    torch.manual_seed(0)
    inputs = [torch.randn(HEADS, total, SIZE, dtype=torch.bfloat16) for _ in range(3)]
    grad = torch.randn(HEADS, total, SIZE, dtype=torch.bfloat16)

    def ours(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = packing._TrainableAttention.apply(q, k, v, packed.runs, SIZE**-0.5)
        return out

    def fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return packing._by_run(q, k, v, packed, scale=SIZE**-0.5, dropout=0.0, window=None)

    seconds: dict[str, list[float]] = {"ours": [], "fused": []}
    for _ in range(ROUNDS):
        for name, function in (("ours", ours), ("fused", fused)):
            leaves = [x.clone().requires_grad_() for x in inputs]
            began = time.perf_counter()
            function(*leaves).backward(grad)
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in medians.items():
        low, high = min(seconds[name]) * 1e3, max(seconds[name]) * 1e3
        print(f"{name:6} {value * 1e3:6.1f} ms  ({low:.1f} to {high:.1f})")
    print(f"ratio  {medians['fused'] / medians['ours']:.2f}")


if __name__ == "__main__":
    main()
