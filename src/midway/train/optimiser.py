"""AdamW with linear warm-up and decay, as in `transformers`' and XTREME's scripts.

Weight decay is not applied to biases and norms (parameters of one dimension). Rows of the
embedding outside the active vocabulary have no gradient; dense AdamW would multiply them by
1 - learning rate x weight decay at every step and leave them alone otherwise (its update is
0 / (0 + epsilon)). `untouched_factor` is that product in closed form.
"""

import math
from collections.abc import Iterable

import torch


def learning_rate(step: int, steps: int, warmup: float, peak: float) -> float:
    """Rate of step `step` (from 0): linear up over the first `warmup` share, then linear to 0.

    Source: ``get_linear_schedule_with_warmup`` of transformers.
    """
    rise = math.ceil(steps * warmup)
    if step < rise:
        return peak * step / max(1, rise)
    return peak * max(0.0, (steps - step) / max(1, steps - rise))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Let the next steps have this learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def untouched_factor(
    steps: int, warmup: float, peak: float, decay: float, *, done: int | None = None
) -> float:
    """What dense AdamW multiplies a weight by that never has a gradient.

    Args:
        steps: of the schedule.
        warmup: its share of rising steps.
        peak: greatest rate.
        decay: weight decay.
        done: steps that were taken; all if None.
    """
    factor = 1.0
    for step in range(steps if done is None else done):
        factor *= 1.0 - learning_rate(step, steps, warmup, peak) * decay
    return factor


def make_adamw(
    parameters: Iterable[torch.nn.Parameter], decay: float, *, epsilon: float = 1e-8
) -> torch.optim.AdamW:
    """AdamW over two groups: matrices with decay; biases and norms without."""
    trained = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, eps=epsilon, betas=(0.9, 0.999), fused=True)
