"""What midway computes in its own way on CPU, against torch's own: attention and dropout.

    python -m benchmarks.kernels [--rounds 7]

Attention in bfloat16, forward and backward, over packed sequences of three length distributions:
batched products (ours) and torch's fused kernel. Dropout of one layer's states, forward.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from benchmarks import common
from midway.encoders import packing
from midway.encoders.dropout import Dropout

HEADS, SIZE = 12, 32
LENGTHS = {"QA (170)": (170, 50, 16), "NLI (45)": (45, 15, 32), "words (28)": (28, 12, 32)}


Systems = dict[str, Callable[[], common.Record]]


def main() -> None:
    """Measure in turn; print a table."""
    parser = common.parser(__doc__)
    parser.set_defaults(rounds=7)
    options = parser.parse_args()
    rows = []
    for name, (mean, deviation, count) in LENGTHS.items():
        rng = np.random.default_rng(0)
        lengths = sorted(np.clip(rng.normal(mean, deviation, count).astype(int), 6, 256).tolist())
        rows.append(_row(f"attention, {name}", _attention(lengths), options.rounds))
    rows.append(_row("dropout, 2,720 x 384", _dropout(), options.rounds))
    print(common.table(["", "ours, ms", "torch, ms", "torch / ours"], rows))


def _row(name: str, systems: Systems, rounds: int) -> list[str]:
    for run in systems.values():
        run()
    runs = common.in_turn(systems, rounds)
    ours, theirs = (common.values(runs[system], "ms") for system in ("ours", "torch"))
    return [name, ours.text(".2f"), theirs.text(".2f"), f"{theirs.median / ours.median:.2f}"]


def _timed(function: Callable[[], object]) -> Callable[[], common.Record]:
    def run() -> common.Record:
        began = time.perf_counter()
        function()
        seconds = time.perf_counter() - began
        return {"ms": seconds * 1e3}

    return run


def _attention(lengths: Sequence[int]) -> Systems:
    packed, total = packing.pack(lengths), sum(lengths)
    inputs = [torch.randn(HEADS, total, SIZE, dtype=torch.bfloat16) for _ in range(3)]
    grad = torch.randn(HEADS, total, SIZE, dtype=torch.bfloat16)
    scale = SIZE**-0.5

    def ours(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = packing._TrainableAttention.apply(q, k, v, packed.groups, scale)
        return out

    def fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return packing._by_group(q, k, v, packed.groups, scale=scale, dropout=0.0, window=None)

    def run(function: Callable[..., torch.Tensor]) -> None:
        function(*(x.clone().requires_grad_() for x in inputs)).backward(grad)

    return {"ours": _timed(lambda: run(ours)), "torch": _timed(lambda: run(fused))}


def _dropout() -> Systems:
    states = torch.randn(2720, 384, dtype=torch.bfloat16)
    cheap = Dropout(0.1)
    return {
        "ours": _timed(lambda: cheap(states)),
        "torch": _timed(lambda: torch.nn.functional.dropout(states, 0.1)),
    }


if __name__ == "__main__":
    main()
