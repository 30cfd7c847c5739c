"""Dense training against the active vocabulary: memory, size of a checkpoint, time per step.

    python -m benchmarks.active_vocabulary [--examples 1000] [--steps 6] [--rounds 3]
                                           [--batch 16] [--large] [--json FILE]

The same encoder, windows, order and steps of 16 windows, bfloat16, by the same loop:

- ``active``: the embedding has the rows of the pieces that occur, as in every midway stage;
- ``dense``: it has all rows, as elsewhere. `tests/unit/test_against_trainer.py` says what is equal.

Every run is a process of its own, the two in turn. Its peak is the resident memory of the whole
process, loading and one checkpoint among it. The first step is not timed; beside the time on the
clock stands processor time, which other processes disturb less.

Tasks are question answering and masked language modelling on TyDiQA's English training data under
MIDWAY_DATA; without it on our sampler, whose sequences are shorter. ``--large`` trains an encoder
of XLM-R Large's shape with random weights on question answering, in micro-batches of 1,024 tokens,
and writes nothing.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel

from benchmarks.common import data_folders
from benchmarks.workloads import LARGE
from midway.encoders.convert import CONFIG, TOKENIZER, WEIGHTS, import_encoder
from midway.encoders.heads import make_head
from midway.encoders.load import DELTA, load_encoder, save_delta
from midway.encoders.offline import NAME
from midway.encoders.source import EncoderIdentity
from midway.families import FAMILIES
from midway.families.features import read_features, write_features
from midway.families.tokens import load_tokenizer
from midway.graph.stage import Progress, Runtime
from midway.tasks import load_card
from midway.train.checkpoint import FILE
from midway.train.loop import Hooks, train
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling, plan_steps
from midway.train.step import Entry

LENGTH = 256
SYSTEMS = ("active", "dense")
LARGE_TOKENS = 1024
GIB, MIB = 2**30, 2**20


def main() -> None:
    """Run all rounds and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--run", nargs=2, metavar=("FOLDER", "SYSTEM"), help=argparse.SUPPRESS)
    parser.add_argument("--family", default="span_qa", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        folder, system = options.run
        print(json.dumps(_run(Path(folder), options.family, system, options)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        import_encoder(NAME, EncoderIdentity(NAME, "", {}), folder)
        families = ("span_qa",) if options.large else ("span_qa", "mlm")
        task = _write_features(folder, families, options.examples)
        if options.large:
            _write_large(folder)
        runs: list[dict[str, Any]] = []
        for _ in range(options.rounds):
            for family in families:
                for system in SYSTEMS:
                    runs.append(_spawn(folder, family, system, options))
                    print(_line(runs[-1:]), flush=True)
    _print(task, families, runs, options)


def _write_features(folder: Path, families: tuple[str, ...], count: int) -> str:
    data = data_folders()
    card = load_card("tydiqa" if data else "sampler-qa")
    examples: list[Any] = card.read(card.find(data, "train", "en"), "train", "en").examples
    for family in families:
        table = FAMILIES[family].encode(
            examples[:count], load_tokenizer(folder), card, max_length=LENGTH, stride=LENGTH // 3
        )
        (folder / family).mkdir()
        write_features(table, folder / family)
    return f"{card.name}, {min(count, len(examples))} English questions"


def _write_large(folder: Path) -> None:
    """Random weights in the place of the imported ones; the pieces are XLM-R's in both."""
    torch.manual_seed(0)
    model = AutoModel.from_config(LARGE, dtype=torch.float32)
    model.pooler = None
    save_file(model.state_dict(), folder / WEIGHTS)
    LARGE.to_json_file(str(folder / CONFIG), use_diff=False)
    (folder / TOKENIZER).unlink()


def _spawn(folder: Path, family: str, system: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.active_vocabulary", "--family", family]
    command += ["--run", str(folder), system, "--steps", str(options.steps)]
    command += ["--batch", str(options.batch)]
    command += ["--large"] if options.large else []
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


class _Enough(Exception):  # noqa: N818
    """The steps are done, and nothing is to be written."""


def _run(folder: Path, family: str, system: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train in this process until the steps are done, and write one checkpoint."""
    features = read_features(folder / family)
    rows = AutoConfig.from_pretrained(folder / CONFIG, local_files_only=True).vocab_size
    active = features.active if system == "active" else np.arange(rows)
    encoder = load_encoder(folder, None, active)
    head = make_head(
        FAMILIES[family].head, encoder.model.config.hidden_size, 2, dropout=0.0, seed=1,
        table=encoder.model.get_input_embeddings().weight,
    )  # fmt: skip
    entry = Entry(FAMILIES[family], features, head)
    recipe = Recipe(batch_size=options.batch, epochs=1.0)
    steps = plan_steps(
        [len(entry.items)], [1.0], Sampling(), batch_size=options.batch, epochs=1.0, seed=1
    )
    ends: list[float] = []
    spent: list[float] = []
    losses: list[str] = []

    def report(progress: Progress) -> None:
        ends.append(time.perf_counter())
        spent.append(time.process_time())
        losses.append(str(progress.facts["loss"]))

    def check() -> None:
        if len(ends) > options.steps:
            raise _Enough if options.large else KeyboardInterrupt

    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        hooks = Hooks(report, check, work)
        runtime = Runtime(checkpoint_seconds=1e9)
        if options.large:
            runtime = Runtime(checkpoint_seconds=1e9, micro_batch_tokens=LARGE_TOKENS)
        try:
            train(encoder, [entry], steps, recipe, runtime, seed=1, hooks=hooks)
        except _Enough:
            pass
        except KeyboardInterrupt:  # at which the loop writes a checkpoint
            save_delta(encoder, None, 1.0, work)
        sizes = {path.name: path.stat().st_size for path in work.iterdir()}
    return {
        "family": family,
        "system": system,
        "rows": len(active),
        "seconds": [round(b - a, 3) for a, b in itertools.pairwise(ends)],
        "processor_seconds": [round(b - a, 3) for a, b in itertools.pairwise(spent)],
        "loss": losses[-1],
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "checkpoint": sizes.get(FILE, 0),
        "model": sizes.get(DELTA, 0),
        "load": round(os.getloadavg()[0], 2),
    }


def _line(runs: list[dict[str, Any]]) -> str:
    first = runs[0]
    wall, spent = (
        sorted(itertools.chain.from_iterable(run[name] for run in runs))
        for name in ("seconds", "processor_seconds")
    )
    peak = statistics.median(run["peak"] for run in runs) / GIB
    sizes = f"{first['checkpoint'] / MIB:6,.0f} MiB {first['model'] / MIB:6,.0f} MiB"
    return (
        f"{first['family']:8} {first['system']:7} {first['rows']:8,} {peak:6.2f} GiB {sizes}"
        f" {statistics.median(wall):6.2f} s ({wall[0]:.2f} to {wall[-1]:.2f})"
        f" {statistics.median(spent):6.2f} s ({spent[0]:.2f} to {spent[-1]:.2f})"
        f"  loss {first['loss']}"
    )


def _print(
    task: str, families: tuple[str, ...], runs: list[dict[str, Any]], options: argparse.Namespace
) -> None:
    encoder = "random weights in XLM-R Large's shape" if options.large else NAME
    print(f"\n{encoder}; {task}; {options.batch} windows a step; {torch.get_num_threads()} threads")
    loads = [run["load"] for run in runs]
    print(f"load average {min(loads)} to {max(loads)}, our own process among it")
    print("family   table       rows       peak  checkpoint      model  a step: clock, processor")
    for family in families:
        for system in SYSTEMS:
            print(_line([r for r in runs if (r["family"], r["system"]) == (family, system)]))
    if options.json is not None:
        document = {"encoder": encoder, "task": task, "batch": options.batch, "runs": runs}
        options.json.write_text(json.dumps(document, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
