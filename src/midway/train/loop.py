"""The training loop.

1. `plan_steps` says which rows each optimiser step sees.
2. A step's rows are sorted by length and cut into micro-batches by tokens; each is packed, run and
   its loss divided by the step's total of units, so how it is cut changes nothing but rounding
   (and dropout masks, which are drawn per micro-batch from a seed made of run, step and piece).
3. Gradients are clipped, AdamW steps, the rate follows the schedule.
4. Every few seconds a checkpoint is written.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from midway.encoders.load import Encoder
from midway.errors import StageError
from midway.families.features import Features, cut, make_batch
from midway.graph.stage import Progress, Runtime
from midway.train.checkpoint import restore_checkpoint, save_checkpoint
from midway.train.memory import release_memory
from midway.train.optimiser import learning_rate, make_adamw
from midway.train.recipe import Recipe
from midway.train.schedule import Step

TRIM_STEPS = 10


@dataclass(frozen=True)
class Entry:
    """One entry of a mixture, ready to train on.

    Attributes:
        family: the family's module.
        features: its rows.
        head: its head.
        fields: columns its loss reads.
    """

    family: ModuleType
    features: Features
    head: torch.nn.Sequential
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """What a training stage has to tell.

    Attributes:
        losses: mean loss of every step.
        tokens: computed tokens, all steps.
        seconds: spent in this process, without what an interrupted one had done before.
        steps_here: steps done in this process.
    """

    losses: list[float]
    tokens: int
    seconds: float
    steps_here: int


@dataclass(frozen=True)
class Hooks:
    """How the loop speaks with the outside: `midway.graph.stage.Context`'s callables."""

    report: Callable[[Progress], None]
    check: Callable[[], None]
    work: Path


def train(
    encoder: Encoder,
    entries: Sequence[Entry],
    steps: Sequence[Step],
    recipe: Recipe,
    runtime: Runtime,
    *,
    seed: int,
    hooks: Hooks,
) -> Trained:
    """Train encoder and heads in place.

    Raises:
        StageError: the loss is no longer finite.
    """
    device = torch.device(runtime.device)
    modules = [encoder.model, *(entry.head for entry in entries)]
    for module in modules:
        module.to(device).train()
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    optimiser = make_adamw(parameters, recipe.weight_decay)
    first, losses = restore_checkpoint(hooks.work, parameters, optimiser)
    began = saved = time.monotonic()
    tokens_here = 0
    for number in range(first, len(steps)):
        try:
            hooks.check()
        except KeyboardInterrupt:  # the user stops: nothing done so far is lost
            save_checkpoint(hooks.work, parameters, optimiser, step=number, losses=losses)
            raise
        rate = learning_rate(number, len(steps), recipe.warmup, recipe.learning_rate)
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss, tokens = _step(
            encoder, entries[steps[number].entry], steps[number].rows, recipe, runtime,
            seed=[seed, number],
        )  # fmt: skip
        norm = torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        losses.append(loss)
        if not (math.isfinite(loss) and math.isfinite(float(norm))):
            raise StageError(
                f"the loss is {loss} at step {number + 1} of {len(steps)}: training has diverged; "
                f"lower the learning rate (now {recipe.learning_rate:g})"
            )
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        tokens_here += tokens
        now = time.monotonic()
        facts = {"loss": f"{np.mean(losses[-10:]):.3f}"}
        facts["tokens/s"] = f"{tokens_here / (now - began):,.0f}"
        hooks.report(Progress(number + 1, len(steps), "steps", facts))
        if number % TRIM_STEPS == TRIM_STEPS - 1:
            release_memory()
        if now - saved > runtime.checkpoint_seconds and number + 1 < len(steps):
            save_checkpoint(hooks.work, parameters, optimiser, step=number + 1, losses=losses)
            saved = time.monotonic()
    total = sum(int(entries[s.entry].features.lengths[s.rows].sum()) for s in steps)
    return Trained(losses, total, time.monotonic() - began, len(steps) - first)


def _step(
    encoder: Encoder,
    entry: Entry,
    rows: np.ndarray,
    recipe: Recipe,
    runtime: Runtime,
    *,
    seed: Sequence[int],
) -> tuple[float, int]:
    """Gradients of one step; returns its loss and its tokens."""
    device = torch.device(runtime.device)
    units = entry.family.units(entry.features.table, rows)
    lengths = entry.features.lengths
    total = torch.zeros((), device=device)
    for piece, part in enumerate(cut(rows, lengths, runtime.micro_batch_tokens)):
        torch.manual_seed(int(np.random.SeedSequence([*seed, piece]).generate_state(1)[0]))
        batch = make_batch(entry.features, part, encoder, device)
        fields = {name: entry.features.column(name, part) for name in entry.fields}
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
            states = encoder.hidden_states(batch.ids, batch.types, batch.packing)[-1]
            logits = entry.head(states)
        loss = entry.family.loss(logits.float(), fields, batch.packing.lengths) / units
        loss.backward()
        total += loss.detach()
    return float(total), int(lengths[rows].sum())
