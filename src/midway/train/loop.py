"""The training loop.

1. `plan_steps` says which items (a row, or the rows of one example) each optimiser step sees.
2. A step's items are sorted by length and cut into micro-batches by tokens; each is packed, run and
   its loss divided by the step's total of units, so how it is cut changes nothing but rounding
   (and dropout masks, which are drawn per micro-batch from a seed made of run, step and piece).
3. Gradients are clipped, AdamW steps, the rate follows the schedule.
4. A `Keeper`, if there is one, validates every few steps and keeps weights by its rule.
5. Every few seconds a checkpoint is written.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.heads import Head
from midway.encoders.load import Encoder
from midway.families.family import Family, Items
from midway.families.features import Batch, Features, Pieces, at_places, make_batch
from midway.graph.stage import Progress, Runtime
from midway.train.checkpoint import restore_checkpoint, save_checkpoint
from midway.train.memory import release_memory
from midway.train.optimiser import learning_rate, make_adamw
from midway.train.recipe import Recipe
from midway.train.schedule import Step
from midway.train.selection import Keeper

TRIM_STEPS = 10


@dataclass(frozen=True)
class Entry:
    """One entry of a mixture, ready to train on.

    Attributes:
        family: the family.
        features: its rows.
        head: its head.
    """

    family: Family
    features: Features
    head: Head

    @cached_property
    def items(self) -> Items:
        """What steps draw."""
        return self.family.items(self.features.table)

    @cached_property
    def pieces(self) -> Pieces:
        """How steps are cut."""
        return Pieces(self.items, self.features.lengths, self.family.whole)


@dataclass(frozen=True)
class Trained:
    """What a training stage has to tell.

    Attributes:
        losses: mean loss of every step that was taken.
        tokens: computed tokens, all steps.
        seconds: spent in this process, without what an interrupted one had done before.
        steps_here: steps done in this process.
        kept: steps after which the weights that are kept were taken; several: their mean is kept.
        diverged: the loss or the gradient was no longer finite; the weights are those of before,
            with 0 for what was not finite in them.
    """

    losses: list[float]
    tokens: int
    seconds: float
    steps_here: int
    kept: list[int]
    diverged: bool


@dataclass(frozen=True)
class Hooks:
    """How the loop speaks with the outside.

    Attributes:
        report: see `midway.graph.stage.Context`.
        check: see there.
        work: folder of the checkpoint.
        validate: score of the model as it is, for the keeper; it may leave modules in any mode.
    """

    report: Callable[[Progress], None]
    check: Callable[[], None]
    work: Path
    validate: Callable[[], float] | None = None


def train(
    encoder: Encoder,
    entries: Sequence[Entry],
    steps: Sequence[Step],
    recipe: Recipe,
    runtime: Runtime,
    *,
    seed: int,
    hooks: Hooks,
    keeper: Keeper | None = None,
) -> Trained:
    """Train encoder and heads in place."""
    device = torch.device(runtime.device)
    modules = list(dict.fromkeys([encoder.model, *(entry.head.module for entry in entries)]))
    for module in modules:
        module.to(device).train()
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    optimiser = make_adamw(parameters, recipe.weight_decay)
    first, losses = restore_checkpoint(hooks.work, parameters, optimiser, keeper)

    def save(done: int) -> None:
        save_checkpoint(hooks.work, parameters, optimiser, keeper, step=done, losses=losses)

    began = saved = time.monotonic()
    tokens_here, diverged, done = 0, False, first
    while done < len(steps):
        try:
            hooks.check()
        except KeyboardInterrupt:  # the user stops: nothing done so far is lost
            save(done)
            raise
        rate = learning_rate(done, len(steps), recipe.warmup, recipe.learning_rate)
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss, tokens = _step(
            encoder, entries[steps[done].entry], steps[done].items, recipe, runtime,
            seed=[seed, done],
        )  # fmt: skip
        diverged = not _update(optimiser, parameters, loss, recipe.clip)
        if diverged:
            break
        losses.append(loss)
        done, tokens_here = done + 1, tokens_here + tokens
        now = time.monotonic()
        facts = {"loss": f"{np.mean(losses[-10:]):.3f}"}
        facts["tokens/s"] = f"{tokens_here / (now - began):,.0f}"
        hooks.report(Progress(done, len(steps), "steps", facts))
        if done % TRIM_STEPS == 0:
            release_memory()
        if not _goes_on(keeper, done, hooks, parameters, modules):
            break
        if now - saved > runtime.checkpoint_seconds and done < len(steps):
            save(done)
            saved = time.monotonic()
    kept = (keeper.finish(parameters) if keeper else []) or [done]
    total = sum(entries[step.entry].pieces.tokens(step.items) for step in steps[:done])
    seconds = time.monotonic() - began
    return Trained(losses, total, seconds, done - first, kept, diverged)


def _update(
    optimiser: torch.optim.AdamW,
    parameters: Sequence[torch.nn.Parameter],
    loss: float,
    clip: float,
) -> bool:
    """Take the step if loss and gradient are finite; whether they are.

    If not, weights that are not finite become 0: the model can be stored like any other.
    """
    norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
    finite = math.isfinite(loss) and math.isfinite(float(norm))
    if finite:
        optimiser.step()
    else:
        with torch.no_grad():
            for parameter in parameters:
                parameter.nan_to_num_(0.0, 0.0, 0.0)
    optimiser.zero_grad(set_to_none=True)
    return finite


def _goes_on(
    keeper: Keeper | None,
    done: int,
    hooks: Hooks,
    parameters: Sequence[torch.nn.Parameter],
    modules: Sequence[torch.nn.Module],
) -> bool:
    """Validate if it is due; whether to train on."""
    if keeper is None or hooks.validate is None or not keeper.due(done):
        return True
    score = hooks.validate()
    for module in modules:
        module.train()
    return keeper.take(done, score, parameters)


def _step(
    encoder: Encoder,
    entry: Entry,
    items: np.ndarray,
    recipe: Recipe,
    runtime: Runtime,
    *,
    seed: Sequence[int],
) -> tuple[float, int]:
    """Gradients of one step; returns its loss and its tokens."""
    device = torch.device(runtime.device)
    family = entry.family
    units = family.units(entry.features.table, items, entry.items)
    total = torch.zeros((), device=device)
    for piece, rows in enumerate(entry.pieces.cut(items, runtime.micro_batch_tokens)):
        torch.manual_seed(int(np.random.SeedSequence([*seed, piece]).generate_state(1)[0]))
        batch, fields = _batch(encoder, entry, rows, device, seed)
        lengths = batch.packing.lengths
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
            states = encoder.hidden_states(batch.ids, batch.types, batch.packing)[-1]
            logits = entry.head.module(at_places(states, family.places(fields, lengths)))
        loss = family.loss(logits.float(), fields, lengths) / units
        loss.backward()
        total += loss.detach()
    return float(total), entry.pieces.tokens(items)


def _batch(
    encoder: Encoder, entry: Entry, rows: np.ndarray, device: torch.device, seed: Sequence[int]
) -> tuple[Batch, dict[str, Any]]:
    """Packed rows and what the loss reads of them."""
    features, family = entry.features, entry.family
    fields: dict[str, Any] = {"row": rows}
    pieces = None
    if family.draw is not None:
        pieces, drawn = family.draw(features, rows, seed)
        gold = encoder.renumber(drawn["gold"])
        fields |= drawn | {"gold": gold}
    fields |= {name: features.column(name, rows) for name in family.trains_on}
    return make_batch(features, rows, encoder, device, pieces=pieces), fields
