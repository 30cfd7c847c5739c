"""midway's side of a comparison: the loop that a training stage runs, and a predicting stage's."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.workloads import Workload
from midway.encoders.heads import Head, make_head, save_heads
from midway.encoders.limits import synchronise
from midway.encoders.load import Encoder, load_encoder, save_delta
from midway.families import FAMILIES
from midway.graph.stage import Context, Runtime
from midway.stages.forward import head_says
from midway.stages.speed import rates, timed_training
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling, Step, plan_steps
from midway.train.step import Entry

HEAD = "bench"


@dataclass(frozen=True, kw_only=True)
class Set:
    """How both sides train.

    Attributes:
        batch: sequences per optimiser step.
        epochs: passes.
        warm: first steps, which are not timed.
        dropout: whether there is dropout as each side has it; else none anywhere.
        device: of both sides.
        precision: of ours.
        seed: of order and dropout.
    """

    batch: int = 16
    epochs: float = 1.0
    warm: int = 2
    dropout: bool = True
    device: str = "cpu"
    precision: str = "bf16"
    seed: int = 1


def new_model(
    encoder: Path, work: Workload, active: np.ndarray | None = None, *, dropout: bool = False
) -> tuple[Encoder, Head]:
    """The encoder with a new head, the same weights at every call."""
    family = FAMILIES[work.card.family]
    rate = None if dropout else 0.0
    pieces = work.features.active if active is None else active
    made = load_encoder(encoder, None, pieces, dropout=rate)
    config = made.model.config
    hidden = float(getattr(config, "hidden_dropout_prob", 0.0))
    head = make_head(
        family.head, config.hidden_size, family.outputs(work.features.labels),
        dropout=0.0 if work.card.family == "span_qa" else hidden, seed=1,
        labels=work.features.labels,
    )  # fmt: skip
    return made, head


def write_model(encoder: Path, work: Workload, out: Path) -> None:
    """Write `new_model` as a training stage would."""
    made, head = new_model(encoder, work)
    out.mkdir(parents=True, exist_ok=True)
    save_delta(made, None, 1.0, out)
    save_heads({HEAD: head}, out)


def steps_of(work: Workload, how: Set) -> list[Step]:
    """Which rows each step sees."""
    size = len(work.features.lengths)
    return plan_steps(
        [size], [1.0], Sampling(), batch_size=how.batch, epochs=how.epochs, seed=how.seed
    )


def train_ours(encoder: Path, work: Workload, how: Set) -> dict[str, Any]:
    """Train and time all steps but the first ones.

    Returns:
        ``tokens_per_second`` and ``flops_per_second`` of the timed steps, ``seconds``, ``tokens``,
        ``losses`` of all steps.
    """
    made, head = new_model(encoder, work, dropout=how.dropout)
    entry = Entry(FAMILIES[work.card.family], work.features, head)
    steps = steps_of(work, how)
    recipe = Recipe(batch_size=how.batch, epochs=how.epochs, precision=how.precision)
    runtime = Runtime(checkpoint_seconds=1e9, device=how.device)
    done, seconds = timed_training(
        made, entry, steps, recipe, runtime, seed=how.seed, warm=how.warm
    )
    rows = np.concatenate([step.items for step in steps[how.warm :]])
    lengths = work.features.lengths[rows]
    return rates(made.model, lengths, seconds, training=True) | {"losses": list(done.losses)}


def predict_ours(
    made: Encoder, head: Head, work: Workload, *, precision: str = "bf16", device: str = "cpu"
) -> tuple[list[Any], dict[str, Any]]:
    """From features to a prediction an example, in one pass over all languages."""
    family = FAMILIES[work.card.family]
    runtime = Runtime(device=device)
    context = Context(Path(), Path(), runtime, lambda progress: None, lambda: None)
    made.model.eval().to(device)
    synchronise(device)
    began = time.perf_counter()
    with torch.inference_mode():
        found = head_says(made, head, family, work.features, context, precision)
    predictions = decode(found, work)
    seconds = time.perf_counter() - began
    return predictions, rates(made.model, work.features.lengths, seconds, training=False)


def decode(found: Sequence[Any], work: Workload) -> list[Any]:
    """From what the head says to one prediction an example; made-up rows have none."""
    if not work.examples:
        return list(found)
    family = FAMILIES[work.card.family]
    labels = work.features.labels
    return family.decode(found, work.features.table, work.examples, work.card, labels)
