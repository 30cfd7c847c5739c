"""Checkpoints: enough to continue a training stage as if it had never stopped.

One safetensors file holds weights, AdamW's state (none for the head of an entry not yet drawn;
its step counts the parameter's own updates) and the weights that a `Keeper` has kept; its header
holds the step, the losses, the validation scores so far and the size of micro-batches. It is
replaced by a rename: it is either the old one or the new one. What a step sees depends only on the
seed and the step's number (`midway.train.schedule`), so no generator is saved.
A checkpoint is bound to its stage by the name of its folder, and is never read as a result.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from midway.train.selection import Keeper

FILE = "checkpoint.safetensors"
STATE = ("step", "exp_avg", "exp_avg_sq")


def save_checkpoint(
    folder: Path,
    parameters: Sequence[torch.nn.Parameter],
    optimiser: torch.optim.AdamW,
    keeper: Keeper | None = None,
    *,
    step: int,
    losses: Sequence[float],
    limit: int,
) -> None:
    """Write the state after `step` steps, computed in micro-batches of at most `limit` tokens."""
    tensors = {}
    for i, parameter in enumerate(parameters):
        tensors[f"{i}.weight"] = parameter.detach()
        for name, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{i}.{name}"] = value
    tensors |= {f"{i}.kept": tensor for i, tensor in enumerate(keeper.tensors if keeper else [])}
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{FILE}.partial"
    header = {"step": str(step), "losses": json.dumps(list(losses)), "limit": str(limit)}
    if keeper is not None:
        header["keeper"] = json.dumps(keeper.state())
    save_file({name: t.cpu().contiguous() for name, t in tensors.items()}, partial, header)
    partial.replace(folder / FILE)


def restore_checkpoint(
    folder: Path,
    parameters: Sequence[torch.nn.Parameter],
    optimiser: torch.optim.AdamW,
    keeper: Keeper | None = None,
) -> tuple[int, list[float], int]:
    """Load the last checkpoint, if there is a whole one.

    Returns:
        How many steps it has behind it, 0 if there is none, their losses, and the limit on tokens
        of a micro-batch, 0 if it is not known.
    """
    try:
        with safe_open(folder / FILE, "pt") as file:
            header = file.metadata()
            loaded = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return 0, [], 0
    step = int(header["step"])
    with torch.no_grad():
        for i, parameter in enumerate(parameters):
            parameter.copy_(loaded[f"{i}.weight"])
            state = {name: loaded.get(f"{i}.{name}") for name in STATE}
            if all(value is not None for value in state.values()):
                optimiser.state[parameter] = {
                    name: value.to(parameter.device)
                    for name, value in state.items()
                    if value is not None
                }
    if keeper is not None:
        names = [f"{i}.kept" for i in range(len(parameters))]
        kept = [loaded[name].to(p.device) for name, p in zip(names, parameters, strict=True)
                if name in loaded]  # fmt: skip
        keeper.restore(json.loads(header["keeper"]), kept)
    return step, list(json.loads(header["losses"])), int(header.get("limit", 0))
