"""The training loop.

1. `plan_steps` says which items (a row, or the rows of one example) each optimiser step sees.
2. A step's items are sorted by length and cut into micro-batches by tokens; each is packed, run and
   its loss divided by the step's total of units (`midway.train.step`).
3. Gradients are clipped, AdamW steps, the rate follows the schedule. Loss and norm are read once a
   step, between the two, when the next step's inputs are ready: a GPU waits there until AdamW and
   the next forward pass are launched, and nowhere else.
4. A `Keeper`, if there is one, validates every few steps and keeps weights by its rule.
5. Every five seconds a checkpoint is written; less often where that takes long.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from midway.encoders.load import Encoder
from midway.errors import UsageError
from midway.graph.stage import Progress, Runtime
from midway.train.checkpoint import restore_checkpoint, save_checkpoint
from midway.train.memory import CPU_TOKENS, limit_of, release_memory
from midway.train.optimiser import learning_rate, make_adamw, set_rate
from midway.train.processes import rank, size, sum_gradients
from midway.train.recipe import Recipe
from midway.train.schedule import Step
from midway.train.selection import Keeper
from midway.train.step import Entry, Stepper

TRIM_STEPS = 10
SAVE_SECONDS, SAVE_SHARE = 5.0, 20


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
        micro_batch_tokens: limit on tokens computed at once, at the end.
    """

    losses: list[float]
    tokens: int
    seconds: float
    steps_here: int
    kept: list[int]
    diverged: bool
    micro_batch_tokens: int


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
    modules = _ready(encoder, entries, runtime)
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    optimiser = make_adamw(parameters, recipe.weight_decay)
    first, losses, limit = restore_checkpoint(hooks.work, parameters, optimiser, keeper)
    device = torch.device(runtime.device)
    stepper = Stepper(encoder, entries, recipe.precision, device, seed, limit)
    _set_limit(stepper, parameters, runtime)
    stepper.share = rank(), size()

    def save(done: int) -> None:
        if rank() == 0:
            save_checkpoint(
                hooks.work, parameters, optimiser, keeper,
                step=done, losses=losses, limit=stepper.limit,
            )  # fmt: skip

    began = saved = time.monotonic()
    tokens_here, diverged, done, cost = 0, False, first, 0.0
    prepared = stepper.prepare(steps, done)
    while prepared is not None:
        try:
            hooks.check()
        except KeyboardInterrupt:  # the user stops: nothing done so far is lost
            save(done)
            raise
        set_rate(optimiser, learning_rate(done, len(steps), recipe.warmup, recipe.learning_rate))
        total = sum_gradients(parameters, stepper.gradients(prepared))
        prepared = stepper.prepare(steps, done + 1)  # while a device still computes
        loss = _update(optimiser, parameters, total, recipe.clip)
        if loss is None:
            diverged = True
            break
        losses.append(loss)
        tokens_here += entries[steps[done].entry].pieces.tokens(steps[done].items)
        done += 1
        now = time.monotonic()
        hooks.report(_progress(done, len(steps), losses, tokens_here / (now - began)))
        if done % TRIM_STEPS == 0:
            release_memory()
        if not _goes_on(keeper, done, hooks, parameters, modules):
            break
        if now - saved > _pause(runtime, cost) and done < len(steps):
            save(done)
            saved, cost = time.monotonic(), time.monotonic() - now
    kept = (keeper.finish(parameters) if keeper else []) or [done]
    tokens = sum(entries[step.entry].pieces.tokens(step.items) for step in steps[:done])
    seconds = time.monotonic() - began
    return Trained(losses, tokens, seconds, done - first, kept, diverged, stepper.limit)


def _pause(runtime: Runtime, cost: float) -> float:
    """Seconds between two checkpoints, of which the last one took `cost` seconds."""
    if runtime.checkpoint_seconds is not None:
        return runtime.checkpoint_seconds
    return max(SAVE_SECONDS, SAVE_SHARE * cost)


def _progress(done: int, steps: int, losses: Sequence[float], speed: float) -> Progress:
    facts = {"loss": f"{np.mean(losses[-10:]):.3f}", "tokens/s": f"{speed:,.0f}"}
    return Progress(done, steps, "steps", facts)


def _ready(encoder: Encoder, entries: Sequence[Entry], runtime: Runtime) -> list[torch.nn.Module]:
    """The modules that are trained, on the device and in the mode of training."""
    model = encoder.model
    modules = list(dict.fromkeys([model, *(entry.head.module for entry in entries)]))
    for module in modules:
        module.to(runtime.device).train()
    if runtime.gradient_checkpointing:
        if not model.supports_gradient_checkpointing:
            raise UsageError(
                f"{type(model).__name__} cannot compute its layers a second time; run without "
                "--gradient-checkpointing"
            )
        model.config.use_cache = False  # of decoders; transformers warns of it
        old = model.gradient_checkpointing_enable  # the name in older releases of transformers 5
        getattr(model, "activation_checkpointing_enable", old)({"use_reentrant": False})
    return modules


def _set_limit(
    stepper: Stepper, parameters: Sequence[torch.nn.Parameter], runtime: Runtime
) -> None:
    """Tokens computed at once: as told, as before an interruption, or what suits the device."""
    known = [tokens for tokens in (runtime.micro_batch_tokens, stepper.limit) if tokens]
    stepper.limit = min(known, default=CPU_TOKENS)
    if not known and stepper.device.type == "cuda":
        trained = sum(parameter.numel() for parameter in parameters)
        stepper.limit = limit_of(stepper.trial, trained, stepper.device)
        stepper.clear()


def _update(
    optimiser: torch.optim.AdamW,
    parameters: Sequence[torch.nn.Parameter],
    total: torch.Tensor,
    clip: float,
) -> float | None:
    """Take the step if loss and gradient are finite; returns the loss, or None if they are not.

    Then weights that are not finite become 0: the model can be stored like any other.
    """
    norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
    loss, length = torch.stack([total, norm]).tolist()  # here the host waits for the device
    finite = math.isfinite(loss) and math.isfinite(length)
    if finite:
        optimiser.step()
    else:
        with torch.no_grad():
            for parameter in parameters:
                parameter.nan_to_num_(0.0, 0.0, 0.0)
    optimiser.zero_grad(set_to_none=True)
    return loss if finite else None


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
