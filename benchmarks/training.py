"""Fine-tuning: midway against `transformers.Trainer`, in turn, in one run.

    python -m benchmarks.training [--task xnli udpos tydiqa] [--rows N] [--rounds 3] [--json FILE]
    python -m benchmarks.training --losses        # the loss curves of all three instead

The same encoder (multilingual-e5-small), weights, sequences, 16 of them a step in an order of each
round's own, AdamW, one epoch:

- ``midway``: packed sequences, bfloat16, active vocabulary;
- ``tuned``: Trainer with bfloat16, length grouping, dynamic padding, fused AdamW;
- ``default``: Trainer as in the example scripts: float32, padded to 128 tokens (XNLI, UDPOS) or 384
  (TyDiQA), as XTREME's scripts do; ``--pad 256`` is another greatest length, of all three.

``--compile`` adds ``compiled``: tuned with `torch_compile`; each system then takes two epochs, of
which only the second is timed. ``--loader-workers`` are processes that load data for tuned.

Sequences are drawn at random from the English training data under MIDWAY_DATA. The measure is
useful tokens (no padding) a second, over all steps but the first two. Attention dropout is off for
midway, its default, and at the encoder's 0.1 for Trainer, its default; ``--no-dropout`` turns all
dropout off on both sides. The last column is useful work over the best matrix product measured in
the same run; `midway.encoders.limits` states the formula.

``--losses`` trains with the same order of sequences, without dropout, and prints the loss of every
tenth step. Span QA's softmax then leaves padding out on both sides (transformers' own counts it).
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Record, against, finish, in_turn, parser, spread, table, values
from benchmarks.ours import Set, train_ours, write_model
from benchmarks.theirs import TUNED, export, train_theirs
from benchmarks.workloads import ENCODER, Workload, each_task, read_workload
from midway.encoders.limits import SQUARES, best_product

TASKS = ("xnli", "udpos", "tydiqa")
ROWS = {"xnli": 320, "udpos": 320, "tydiqa": 128}
SMALL_ROWS = 64


def add_options(made: argparse.ArgumentParser, batch: int) -> None:
    """Options of every comparison with Trainer."""
    made.add_argument("--rows", type=int, help=f"examples; unless given {ROWS}")
    made.add_argument("--batch", type=int, default=batch)
    made.add_argument("--compile", action="store_true")
    made.add_argument("--loader-workers", type=int, default=0)
    made.add_argument("--no-dropout", action="store_true")
    made.add_argument("--losses", action="store_true")
    made.add_argument("--device", default="cpu")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure each task and print a table of it."""
    made = parser(__doc__ or "")
    made.add_argument("--task", nargs="+", choices=TASKS, default=list(TASKS))
    made.add_argument("--pad", type=int, default=0)
    made.add_argument("--encoder", default=ENCODER)
    add_options(made, 16)
    options = made.parse_args(argv)

    def read(task: str, encoder: Path, folder: Path) -> Workload | None:
        rows = options.rows or (SMALL_ROWS if options.small else ROWS[task])
        return read_workload(
            task, "train", encoder, folder, examples=rows, languages=("en",), padded=options.pad
        )

    each_task(options, read, losses if options.losses else speeds)


def systems(
    folder: Path, encoder: Path, work: Workload, how: Set, *, same_order: bool = False
) -> dict[str, Callable[..., Record]]:
    """The three sides, each time with another seed; Trainer's take more settings as ``more``.

    Another order makes steps of other sizes, for which kernels may have to be made anew, as in a
    long training.
    """
    write_model(encoder, work, folder / "delta")
    exported = export(encoder, folder / "delta", work.card.family, folder / f"{work.task}-model")

    seeds: dict[str, int] = {}

    def another(side: str) -> Set:
        seeds[side] = seeds.get(side, 0) + 1
        return replace(how, seed=seeds[side])

    def midway() -> Record:
        return train_ours(encoder, work, another("midway"))

    def theirs(width: int | None, settings: Record, more: Record | None = None) -> Record:
        return train_theirs(
            exported, work, another(f"{width} {more}"),
            width=width, settings=settings | (more or {}), same_order=same_order,
        )  # fmt: skip

    return {
        "midway": midway,
        "tuned": partial(theirs, None, TUNED),
        "default": partial(theirs, work.padded, {}),
    }


def speeds(folder: Path, encoder: Path, work: Workload, options: argparse.Namespace) -> Record:
    """Useful tokens per second of all systems in turn."""
    print(f"\n{work.text}", flush=True)
    steps = -(-len(work.features.lengths) // options.batch)
    how = Set(
        batch=options.batch,
        epochs=2.0 if options.compile else 1.0,
        warm=steps if options.compile else min(2, steps - 1),
        dropout=not options.no_dropout,
        device=options.device,
    )
    runs = systems(folder, encoder, work, how)
    runs["tuned"] = partial(runs["tuned"], more={"dataloader_num_workers": options.loader_workers})
    if options.compile:
        runs["compiled"] = partial(runs["tuned"], more={"torch_compile": True})
    squares = SQUARES[:2] if options.small else SQUARES
    config = train_config(encoder)
    runs["matrix product"] = lambda: {
        "products": best_product(
            config.hidden_size, config.intermediate_size, options.device, squares=squares
        )
    }
    found = in_turn(runs, options.rounds)
    title = f"Fine-tuning, {work.text}"
    title += f"; {config.num_hidden_layers} layers of {config.hidden_size}"
    text = f"{steps} steps of {options.batch}, the first {how.warm} not timed; dropout "
    text += "as each side has it" if how.dropout else "off"
    text += f"\n{comparison(found)}"
    finish(title, text, {}, None, options.device)
    return {"task": work.text, "settings": vars(how), "runs": found}


def comparison(found: dict[str, list[Record]]) -> str:
    """Tokens per second, how many times as fast ours is, share of the limit."""
    products = [record["products"] for record in found["matrix product"]]
    limit = max(max(record.values()) for record in products)
    rows = []
    for name in found:
        if name == "matrix product":
            continue
        ratio = against(found, "midway", name, "tokens_per_second").text(".2f")
        flops = values(found[name], "flops_per_second").median
        rows.append([
            name, values(found[name], "tokens_per_second").text(), ratio,
            f"{flops / 1e9:,.0f}", f"{flops / limit:.1%}",
        ])  # fmt: skip
    header = ["", "useful tokens/s", "midway is x times as fast", "useful GFLOP/s", "of the limit"]
    shape = max(products[0], key=lambda name: spread([p[name] for p in products]).median)
    rates = spread([record[shape] / 1e9 for record in products])
    best = f"best matrix product, bfloat16: {shape}, {rates.text()} GFLOP/s"
    return f"{table(header, rows)}\n{best}; the limit is {limit / 1e9:,.0f}"


def losses(folder: Path, encoder: Path, work: Workload, options: argparse.Namespace) -> Record:
    """The three loss curves without dropout, the same sequences in every step."""
    print(f"\n{work.text}", flush=True)
    how = Set(batch=options.batch, warm=0, dropout=False, device=options.device)
    runs = systems(folder, encoder, work, how, same_order=True)
    exact = Set(**{**vars(how), "precision": "float32"})
    runs["midway, float32"] = partial(train_ours, encoder, work, exact)
    found = in_turn(runs, 1)
    curves = {name: np.array(records[0]["losses"]) for name, records in found.items()}
    every = max(1, len(curves["midway"]) // 10)
    rows = [
        [str(step + 1), *(f"{curve[step]:.4f}" for curve in curves.values())]
        for step in range(0, len(curves["midway"]), every)
    ]
    pairs = [("midway, float32", "default"), ("midway", "tuned"), ("midway", "default")]
    apart = {f"{a} - {b}": float(np.abs(curves[a] - curves[b]).max()) for a, b in pairs}
    text = table(["step", *curves], rows)
    text += "".join(f"\ngreatest difference, {name}: {value:.2e}" for name, value in apart.items())
    finish(f"Loss without dropout, {work.text}", text, {}, None)
    return {"task": work.text, "losses": {n: c.tolist() for n, c in curves.items()}, **apart}


def train_config(encoder: Path) -> Any:
    """The encoder's configuration."""
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(encoder / "config.json", local_files_only=True)


if __name__ == "__main__":
    main()
