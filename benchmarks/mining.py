"""Bitext mining at size: exact k-nearest neighbours of both sides, ratio margin, candidate pairs.

    python -m benchmarks.mining [--rows 100000] [--left 100000] [--hidden 384] [--json FILE]

Each side has `rows` random unit vectors in float32 (the left one only `left`, if given: time grows
with the product, so a slice of a large search can be measured). A tenth of the left ones are
planted near-pairs, and the share of these that is found is printed, so that a fast wrong answer
shows. Memory is the process's peak (resident set), vectors included.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import torch

from midway.families.mining import candidate_pairs


def planted(left_rows: int, rows: int, hidden: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Unit vectors of both sides; the first tenth of the left are pairs with a cosine near 0.9."""
    generator = torch.Generator().manual_seed(0)
    left, right = (
        torch.nn.functional.normalize(torch.randn(n, hidden, generator=generator), dim=-1)
        for n in (left_rows, rows)
    )
    pairs = left_rows // 10
    noise = right[:pairs] * 0.45
    right[:pairs] = torch.nn.functional.normalize(left[:pairs] + noise, dim=-1)
    return left, right, pairs


def main() -> None:
    """Mine once and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--left", type=int)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    size = options.left or options.rows
    left, right, pairs = planted(size, options.rows, options.hidden)
    began = time.perf_counter()
    with torch.inference_mode():
        found = candidate_pairs(left, right)
    seconds = time.perf_counter() - began
    hits = int(((found.left == found.right) & (found.left < pairs)).sum())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    flops = 2 * size * options.rows * options.hidden
    record = {
        "left": size,
        "rows": options.rows,
        "hidden": options.hidden,
        "threads": torch.get_num_threads(),
        "seconds": round(seconds, 1),
        "gflops": round(flops / seconds / 1e9, 1),
        "peak_gib": round(peak, 2),
        "planted_found": hits / pairs,
    }
    print(
        f"{size:,} x {options.rows:,} x {options.hidden}: {seconds:,.1f} s, "
        f"{record['gflops']} GFLOP/s, peak {peak:.2f} GiB, "
        f"{hits:,} of {pairs:,} planted pairs found"
    )
    if options.json is not None:
        options.json.write_text(json.dumps(record, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
