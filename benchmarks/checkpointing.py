"""Gradient checkpointing: peak memory and time of a step with and without it.

    python -m benchmarks.checkpointing [--tokens 2048] [--steps 2]

An encoder of XLM-R Large's shape with random weights, question answering, bfloat16, one micro-batch
of about so many tokens; gradients only, no optimiser. Each setting is a process of its own. ``above
weights`` is the peak of resident memory less what weights and gradients take. The first step is not
timed.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.active_vocabulary import GIB, _write_features, _write_large
from midway.encoders.convert import import_encoder
from midway.encoders.heads import make_head
from midway.encoders.load import load_encoder
from midway.encoders.offline import NAME
from midway.encoders.source import EncoderIdentity
from midway.families import FAMILIES
from midway.families.features import read_features
from midway.train.schedule import Step
from midway.train.step import Entry, Stepper

SETTINGS = ("kept", "again")  # what layers computed is kept, or computed again


def main() -> None:
    """Print a line per setting."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--run", nargs=2, metavar=("FOLDER", "SETTING"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(_run(Path(options.run[0]), options.run[1], options)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        import_encoder(NAME, EncoderIdentity(NAME, "", {}), folder)
        print(_write_features(folder, ("span_qa",), 400))
        _write_large(folder)
        for setting in SETTINGS:
            command = [sys.executable, "-m", "benchmarks.checkpointing", "--run", name, setting]
            command += ["--tokens", str(options.tokens), "--steps", str(options.steps)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            print(said.stdout.splitlines()[-1], flush=True)


def _run(folder: Path, setting: str, options: argparse.Namespace) -> dict[str, object]:
    features = read_features(folder / "span_qa")
    encoder = load_encoder(folder, None, features.active)
    head = make_head("token", encoder.model.config.hidden_size, 2, dropout=0.0, seed=1)
    entry = Entry(FAMILIES["span_qa"], features, head)
    encoder.model.train()
    if setting == "again":
        encoder.model.config.use_cache = False
        encoder.model.activation_checkpointing_enable({"use_reentrant": False})
    rows = np.random.default_rng(0).permutation(len(features.lengths))
    rows = rows[: int(np.searchsorted(np.cumsum(features.lengths[rows]), options.tokens))]
    stepper = Stepper(encoder, [entry], "bf16", torch.device("cpu"), seed=1, limit=10**9)
    steps = [Step(0, rows)] * (options.steps + 1)
    spent = []
    for number in range(len(steps)):
        prepared = stepper.prepare(steps, number)
        assert prepared is not None
        began = time.process_time()
        loss = stepper.gradients(prepared)
        spent.append(round(time.process_time() - began, 2))
        if number < options.steps:
            stepper.clear()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    weights = sum(8 * p.numel() for p in encoder.model.parameters())
    norm = torch.nn.utils.get_total_norm([p.grad for p in encoder.model.parameters()])
    return {
        "setting": setting,
        "tokens": int(features.lengths[rows].sum()),
        "peak": f"{peak / GIB:.2f} GiB",
        "above weights": f"{(peak - weights) / GIB:.2f} GiB",
        "processor seconds": spent[1:],
        "loss": float(loss),
        "gradient norm": float(norm),
    }


if __name__ == "__main__":
    main()
