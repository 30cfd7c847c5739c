"""Bitext mining: exact 4 nearest neighbours of both sides, ratio margin, candidate pairs.

    python -m benchmarks.mining [--rows 20000] [--left N] [--hidden 384] [--rounds 3] [--json FILE]

Each side has ``--rows`` random unit vectors in float32 (the left one only ``--left``, if given:
time grows with the product, so a slice of a large search can be measured). A tenth of the left ones
are planted near-pairs, and the share of them that is found is printed, so that a fast wrong answer
shows. The same search four ways, then the same margin and choice of pairs:

- ``midway``: `midway.families.mining`;
- ``faiss``: exact search with ``IndexFlatIP``, both ways, as sentence-transformers' example of
  bitext mining does (``pip install faiss-cpu``; left out if it is not there);
- ``sentence-transformers``: `semantic_search` with its defaults, both ways;
- ``mteb``: the loop of mteb 2.26's evaluator of bitext mining (100 queries at a time, cosines
  computed and both sides scaled to length 1 anew for each block), for 4 neighbours and both ways.

The last two take minutes at 100,000 rows; ``--ways midway faiss`` leaves them out. Every run is a
process of its own, all in turn; ``peak`` is the memory of the process, vectors included. ``same``
is the share of midway's pairs that a way finds too (roundings differ).
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.common import Record, against, finish, in_turn, parser, table, values
from midway.families.mining import NEIGHBOURS, candidate_pairs
from midway.metrics.mining import Mined, Neighbours, mine

CHUNK = 100  # of mteb and sentence-transformers
Search = Callable[[torch.Tensor, torch.Tensor], Neighbours]


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


def with_faiss(queries: torch.Tensor, index: torch.Tensor) -> Neighbours:
    """Exact search of inner products."""
    import faiss

    flat = faiss.IndexFlatIP(index.shape[1])
    flat.add(index.numpy())
    scores, places = flat.search(queries.numpy(), NEIGHBOURS)
    return Neighbours(scores.astype(np.float64), places)


def with_sentence_transformers(queries: torch.Tensor, index: torch.Tensor) -> Neighbours:
    """`semantic_search` as it comes."""
    from sentence_transformers.util import semantic_search

    return _of_lists(semantic_search(queries, index, top_k=NEIGHBOURS))


def with_mteb(queries: torch.Tensor, index: torch.Tensor) -> Neighbours:
    """Blocks of queries, cosines of each block, lists of dictionaries, sorted."""
    from sentence_transformers.util import cos_sim

    found: list[list[dict[str, float]]] = []
    for begin in range(0, len(queries), CHUNK):
        cosines = cos_sim(queries[begin : begin + CHUNK], index)
        scores, places = torch.topk(cosines.clone(), NEIGHBOURS, dim=1, sorted=False)
        for row in zip(places.tolist(), scores.tolist(), strict=True):
            found.append([{"corpus_id": i, "score": s} for i, s in zip(*row, strict=True)])
    return _of_lists([sorted(row, key=lambda hit: hit["score"], reverse=True) for row in found])


def _of_lists(found: Sequence[Sequence[dict[str, float]]]) -> Neighbours:
    scores, places = (
        np.array([[hit[name] for hit in row] for row in found]) for name in ("score", "corpus_id")
    )
    return Neighbours(scores, places.astype(np.int64))


def both_ways(search: Search, left: torch.Tensor, right: torch.Tensor) -> Mined:
    """Search both directions and choose pairs as midway does."""
    return mine(search(left, right), search(right, left))


WAYS: dict[str, Callable[[torch.Tensor, torch.Tensor], Mined]] = {
    "midway": candidate_pairs,
    "faiss": partial(both_ways, with_faiss),
    "sentence-transformers": partial(both_ways, with_sentence_transformers),
    "mteb": partial(both_ways, with_mteb),
}
NEEDS = {
    "faiss": ("faiss", "faiss-cpu"),
    "sentence-transformers": ("sentence_transformers", "sentence-transformers"),
    "mteb": ("sentence_transformers", "sentence-transformers"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Mine in turn and print a table."""
    made = parser(__doc__ or "")
    made.add_argument("--rows", type=int, default=20_000)
    made.add_argument("--left", type=int)
    made.add_argument("--hidden", type=int, default=384)
    made.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    made.add_argument("--run", choices=list(WAYS), help=argparse.SUPPRESS)
    made.add_argument("--pairs", type=Path, help=argparse.SUPPRESS)
    options = made.parse_args(argv)
    rows = min(options.rows, 2000) if options.small else options.rows
    left = options.left or rows
    if options.run:
        print(json.dumps(run(options.run, left, rows, options.hidden, options.pairs)))
        return
    ways = []
    for way in options.ways:
        module, package = NEEDS.get(way, ("torch", "torch"))
        if importlib.util.find_spec(module) is None:
            print(f"{way}: left out; pip install {package}")
        else:
            ways.append(way)
    sizes = ["--left", str(left), "--rows", str(rows), "--hidden", str(options.hidden)]
    with tempfile.TemporaryDirectory() as name:
        files = {way: Path(name) / f"{way}.npy" for way in ways}
        runs = {way: partial(spawn, way, [*sizes, "--pairs", str(files[way])]) for way in ways}
        found = in_turn(runs, options.rounds)
        pairs = {way: set(map(tuple, np.load(file).tolist())) for way, file in files.items()}
    title = f"Bitext mining, {left:,} x {rows:,} x {options.hidden}, float32"
    ours = pairs.get("midway", set())
    same = {way: len(ours & other) / max(1, len(ours)) for way, other in pairs.items()}
    document = {"left": left, "rows": rows, "hidden": options.hidden, "same": same, "runs": found}
    finish(title, lines(found, same), document, options.json)


def spawn(way: str, sizes: Sequence[str]) -> Record:
    """Run one way in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.mining", "--run", way, *sizes]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    record: Record = json.loads(said.stdout.splitlines()[-1])
    return record


def run(way: str, left_rows: int, rows: int, hidden: int, out: Path) -> Record:
    """Mine once in this process and write the pairs; a small search before it is not timed."""
    left, right, pairs = planted(left_rows, rows, hidden)
    with torch.inference_mode():
        WAYS[way](left[:64], right[:64])
        began = time.perf_counter()
        found = WAYS[way](left, right)
    seconds = time.perf_counter() - began
    hits = int(((found.left == found.right) & (found.left < pairs)).sum())
    np.save(out, np.stack([found.left, found.right], 1))
    return {
        "seconds": seconds,
        "pairs_per_second": left_rows * rows / seconds,
        "gflops": 2 * left_rows * rows * hidden / seconds / 1e9,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "planted_found": hits / max(1, pairs),
        "found": len(found.left),
    }


def lines(found: dict[str, list[Record]], same: dict[str, float]) -> str:
    """One line a way."""
    rows = []
    for way, records in found.items():
        known = "midway" in found
        ratio = against(found, "midway", way, "pairs_per_second").text(".2f") if known else "-"
        rows.append([
            way, values(records, "seconds").text(",.2f"), ratio,
            f"{values(records, 'gflops').median:,.0f}",
            f"{values(records, 'peak_gib').median:.2f}",
            f"{values(records, 'planted_found').low:.2%}", f"{same[way]:.3%}",
        ])  # fmt: skip
    header = ["", "seconds", "midway is x times as fast", "GFLOP/s (one search)", "peak GiB",
              "planted found", "same"]  # fmt: skip
    return table(header, rows)


if __name__ == "__main__":
    main()
