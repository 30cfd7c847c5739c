"""Heads: what turns an encoder's states into logits; new at every stage (Phang et al. 2020).

- ``token``: dropout, linear; for each token that is asked about. Equal to the heads of
  transformers' ``…ForTokenClassification`` and, with no dropout, ``…ForQuestionAnswering``.
- ``sequence``: dense, tanh, dropout, linear on the first token. Equal to BERT's pooler and
  classifier and, in evaluation, to XLM-R's classification head.
- ``pooler``: dense, tanh on the first token, scaled to length √scale; the scale is learnt and
  begins at 100 (XTREME-R's dual encoder).
- ``mlm``: dense, GELU, layer norm, and the embedding table as decoder, with a bias.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from midway.encoders.dropout import Dropout

HEADS = "heads.safetensors"
SPREAD = 0.02
FIRST_SCALE = 100.0
NORM_EPS = 1e-12


@dataclass(frozen=True)
class Head:
    """A head with what its outputs are called.

    Attributes:
        kind: see the module's text.
        module: maps ``[n, hidden]`` to ``[n, outputs]``.
        labels: names of the outputs; empty where they have none.
    """

    kind: str
    module: nn.Sequential
    labels: tuple[str, ...] = ()


class UnitVector(nn.Module):
    """Scale vectors to length √scale, so that a product of two is scale x cosine."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([FIRST_SCALE]))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """``[n, hidden]`` → the same."""
        unit = nn.functional.normalize(states.float(), dim=-1)
        return unit * self.scale.clamp(min=1e-3).sqrt()


class TiedDecoder(nn.Module):
    """Logits over the rows of an embedding table that belongs to somebody else."""

    def __init__(self, table: nn.Parameter) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(len(table)))
        self._table = [table]  # in a list, so that it is not registered a second time

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """``[n, hidden]`` → ``[n, rows]``."""
        return nn.functional.linear(states, self._table[0], self.bias)


def make_head(
    kind: str,
    hidden: int,
    outputs: int,
    *,
    dropout: float,
    seed: int,
    labels: Sequence[str] = (),
    table: nn.Parameter | None = None,
    eps: float = NORM_EPS,
) -> Head:
    """A new head: weights from N(0, 0.02²), biases 0.

    Args:
        kind: see the module's text.
        hidden: size of the encoder's states.
        outputs: logits per place; not used by ``pooler`` and ``mlm``.
        dropout: probability before the last linear layer.
        seed: of the run; initial weights depend on nothing else.
        labels: names of the outputs.
        table: the encoder's active embedding, for ``mlm``.
        eps: of ``mlm``'s layer norm; transformers uses the encoder's own.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    if kind != "token":
        parts["dense"] = nn.Linear(hidden, hidden)
        parts["activation"] = nn.GELU() if kind == "mlm" else nn.Tanh()
    if kind in ("token", "sequence"):
        parts["dropout"] = Dropout(dropout)
        parts["out"] = nn.Linear(hidden, outputs)
    elif kind == "pooler":
        parts["unit"] = UnitVector()
    elif table is not None:
        parts["norm"] = nn.LayerNorm(hidden, eps=eps)
        parts["decoder"] = TiedDecoder(table)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in parts.values():
            if isinstance(part, nn.Linear):
                part.weight.copy_(torch.randn(part.weight.shape, generator=generator) * SPREAD)
                part.bias.zero_()
    return Head(kind, nn.Sequential(parts), tuple(labels))


def save_heads(heads: Mapping[str, Head], out: Path) -> None:
    """Write ``heads.safetensors``: ``<name>.<part>.<weight>``; kinds and labels in its header."""
    tensors = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name, head in heads.items()
        for key, tensor in head.module.state_dict().items()
    }
    header = {name: _facts(head) for name, head in heads.items()}
    save_file(tensors, out / HEADS, {"heads": json.dumps(header, ensure_ascii=False)})


def _facts(head: Head) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": head.kind, "labels": list(head.labels)}
    norm = getattr(head.module, "norm", None)
    return facts | {"eps": norm.eps} if isinstance(norm, nn.LayerNorm) else facts


def read_head(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read what `save_heads` wrote of one head: ``kind``, ``labels`` (and ``eps``), and weights."""
    with safe_open(folder / HEADS, "pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()["heads"])[name]
        state = {
            key.removeprefix(f"{name}."): file.get_tensor(key)
            for key in file.keys()  # noqa: SIM118 (not a dict)
            if key.startswith(f"{name}.")
        }
    return facts, state


def load_head(folder: Path, name: str, *, dropout: float = 0.0) -> Head:
    """Read one head back (not ``mlm``, whose table is elsewhere)."""
    facts, state = read_head(folder, name)
    last = state.get("out.weight", state.get("dense.weight"))
    assert last is not None
    outputs, hidden = last.shape
    head = make_head(
        facts["kind"], hidden, outputs, dropout=dropout, seed=0, labels=facts["labels"]
    )
    head.module.load_state_dict(state)
    return head
