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
from pathlib import Path

import numpy as np
import torch

from midway.encoders.load import Encoder
from midway.graph.stage import Progress, Runtime
from midway.train.checkpoint import restore_checkpoint, save_checkpoint
from midway.train.memory import release_memory
from midway.train.optimiser import learning_rate, make_adamw
from midway.train.recipe import Recipe
from midway.train.schedule import Step
from midway.train.selection import Keeper
from midway.train.step import Entry, step_gradients

TRIM_STEPS = 10


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
        loss, tokens = step_gradients(
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
