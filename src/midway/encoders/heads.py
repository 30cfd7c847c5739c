"""Heads: a linear layer per token, new at every stage (Phang et al. 2020)."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HEADS = "heads.safetensors"


def token_head(hidden: int, outputs: int, *, dropout: float, seed: int) -> torch.nn.Sequential:
    """Dropout, then one linear layer per token, weights from N(0, 0.02²), bias 0.

    Equal to the heads of transformers' ``…ForTokenClassification`` and, with no dropout,
    ``…ForQuestionAnswering``.

    Args:
        hidden: size of the encoder's states.
        outputs: logits per token.
        dropout: probability before the linear layer.
        seed: of the run; initial weights depend on nothing else.
    """
    generator = torch.Generator().manual_seed(seed)
    linear = torch.nn.Linear(hidden, outputs)
    with torch.no_grad():
        linear.weight.copy_(torch.randn(outputs, hidden, generator=generator) * 0.02)
        linear.bias.zero_()
    return torch.nn.Sequential(torch.nn.Dropout(dropout), linear)


def save_heads(heads: dict[str, torch.nn.Sequential], out: Path) -> None:
    """Write ``heads.safetensors``: ``<name>.weight`` and ``<name>.bias``."""
    tensors = {}
    for name, head in heads.items():
        linear = head[-1]
        assert isinstance(linear, torch.nn.Linear)
        tensors[f"{name}.weight"] = linear.weight.detach().cpu().contiguous()
        tensors[f"{name}.bias"] = linear.bias.detach().cpu().contiguous()
    save_file(tensors, out / HEADS)


def load_head(folder: Path, name: str) -> torch.nn.Linear:
    """Read one head back, for evaluation."""
    tensors = load_file(folder / HEADS)
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
    linear.load_state_dict({"weight": weight, "bias": bias})
    return linear
