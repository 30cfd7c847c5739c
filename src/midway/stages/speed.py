"""How fast an encoder trains and predicts on this machine, and what its matrix products allow.

Sequences are made up, all of one length, with a head for question answering; what is timed are the
loop of a training stage, all steps but the first two, and the pass of a predicting stage.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig

from midway.encoders.convert import CONFIG
from midway.encoders.heads import make_head
from midway.encoders.limits import best_product, synchronise, useful_flops
from midway.encoders.load import Encoder, load_encoder
from midway.families import FAMILIES
from midway.families.features import Features, read_features, write_features
from midway.families.tokens import table, with_labels
from midway.graph.stage import Context, Progress, Runtime
from midway.stages.forward import head_says
from midway.train.loop import Hooks, Trained, train
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling, Step, plan_steps
from midway.train.step import Entry

FAMILY = "span_qa"
WARM = 2  # steps, in which kernels and memory are made
MOST_PIECES = 20_000  # distinct ones, about as many as a few thousand texts have


def speeds(
    encoder: Path,
    runtime: Runtime,
    *,
    lengths: Sequence[int],
    batch: int,
    steps: int,
    precision: str = "bf16",
) -> Iterator[dict[str, Any]]:
    """Measure one length after the other.

    Args:
        encoder: an artefact of the import stage.
        runtime: device, threads and micro-batches.
        lengths: tokens of a sequence.
        batch: sequences a step.
        steps: timed steps.
        precision: see `Recipe`.

    Yields:
        For each length ``{"length", "batch", "train": {"tokens_per_second", "flops_per_second"},
        "predict": the same}``.
    """
    pieces = min(MOST_PIECES, _config(encoder).vocab_size)
    for length in lengths:
        with tempfile.TemporaryDirectory() as name:
            features = made_up([length] * batch * (steps + WARM), pieces, Path(name))
            model = load_encoder(encoder, None, features.active)
            entry = Entry(FAMILIES[FAMILY], features, _head(model, features))
            recipe = Recipe(batch_size=batch, epochs=1.0, precision=precision)
            order = plan_steps(
                [len(features.lengths)], [1.0], Sampling(), batch_size=batch, epochs=1.0, seed=1
            )
            _, seconds = timed_training(model, entry, order, recipe, runtime, seed=1)
            timed = features.lengths[batch * WARM :]
            found = {
                "length": length,
                "batch": batch,
                "train": rates(model.model, timed, seconds, training=True),
            }
            _predict(model, entry, runtime, precision)  # makes the kernels
            seconds = _predict(model, entry, runtime, precision)
            found["predict"] = rates(model.model, features.lengths, seconds, training=False)
            yield found


def limit(encoder: Path, device: str) -> tuple[str, float]:
    """The best bfloat16 matrix product among squares and the encoder's own shapes.

    Returns:
        Its shape, and operations a second.
    """
    config = _config(encoder)
    products = best_product(config.hidden_size, config.intermediate_size, device)
    best = max(products, key=lambda shape: products[shape])
    return best, products[best]


def made_up(lengths: Sequence[int], pieces: int, folder: Path) -> Features:
    """Windows of question answering of these lengths, with ids drawn from so many pieces.

    Args:
        lengths: tokens of each.
        pieces: ids are below it.
        folder: for the features.
    """
    rng = np.random.default_rng(0)
    sizes, numbers = list(lengths), list(range(len(lengths)))
    ends = [int(rng.integers(1, size)) for size in sizes]
    ids = [rng.integers(4, pieces, size).tolist() for size in sizes]
    integers = {
        "boundary": sizes,
        "example": numbers,
        "first": [1] * len(sizes),
        "last": [size - 1 for size in sizes],
        "start": [1] * len(sizes),
        "end": ends,
    }
    columns: dict[str, tuple[str, list[Any]]] = {"ids": ("list", ids)}
    columns |= {name: ("int32", list(column)) for name, column in integers.items()}
    write_features(with_labels(table(columns), ()), folder)
    return read_features(folder)


def timed_training(
    encoder: Encoder,
    entry: Entry,
    steps: Sequence[Step],
    recipe: Recipe,
    runtime: Runtime,
    *,
    seed: int,
    warm: int = WARM,
) -> tuple[Trained, float]:
    """Train as a training stage does; also the seconds of all steps but the first `warm`."""
    begins: list[float] = []

    def check() -> None:  # the loop calls it before every step
        if len(begins) <= warm:
            synchronise(runtime.device)
            begins.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as name:
        hooks = Hooks(_ignore, check, Path(name))
        done = train(encoder, [entry], steps, recipe, runtime, seed=seed, hooks=hooks)
    synchronise(runtime.device)
    return done, time.perf_counter() - begins[warm]


def rates(
    model: torch.nn.Module, lengths: np.ndarray, seconds: float, *, training: bool
) -> dict[str, Any]:
    """Useful tokens and operations per second (`midway.encoders.limits`)."""
    flops = useful_flops(model, lengths, training=training)
    return {
        "seconds": seconds,
        "tokens": int(lengths.sum()),
        "tokens_per_second": float(lengths.sum()) / seconds,
        "flops_per_second": flops / seconds,
    }


def _config(encoder: Path) -> Any:
    return AutoConfig.from_pretrained(
        encoder / CONFIG, local_files_only=True, trust_remote_code=False
    )


def _head(encoder: Encoder, features: Features) -> Any:
    family = FAMILIES[FAMILY]
    hidden = encoder.model.config.hidden_size
    return make_head(family.head, hidden, family.outputs(features.labels), dropout=0.0, seed=1)


def _predict(encoder: Encoder, entry: Entry, runtime: Runtime, precision: str) -> float:
    """Seconds of one pass over all sequences."""
    context = Context(Path(), Path(), runtime, _ignore, lambda: None)
    encoder.model.eval().to(runtime.device)
    entry.head.module.eval()
    synchronise(runtime.device)
    began = time.perf_counter()
    with torch.inference_mode():
        head_says(encoder, entry.head, entry.family, entry.features, context, precision)
    synchronise(runtime.device)
    return time.perf_counter() - began


def _ignore(progress: Progress) -> None:
    del progress
