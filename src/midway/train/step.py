"""One optimiser step's gradients: items are cut into micro-batches, packed, run and summed.

How a step is cut changes nothing but rounding (and dropout masks, which are drawn per micro-batch
from `forward_seed`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from midway.encoders.heads import Head
from midway.encoders.load import Encoder
from midway.families.family import Family, Items
from midway.families.features import Batch, Features, Pieces, at_places, make_batch
from midway.graph.stage import Runtime
from midway.train.recipe import Recipe


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


def step_gradients(
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
        torch.manual_seed(forward_seed(seed, piece))
        batch, fields = _batch(encoder, entry, rows, device, seed)
        lengths = batch.packing.lengths
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
            states = encoder.hidden_states(batch.ids, batch.types, batch.packing)[-1]
            logits = entry.head.module(at_places(states, family.places(fields, lengths)))
        loss = family.loss(logits.float(), fields, lengths) / units
        loss.backward()
        total += loss.detach()
    return float(total), entry.pieces.tokens(items)


def forward_seed(seed: Sequence[int], piece: int) -> int:
    """Seed of all randomness inside one forward pass (dropout)."""
    return int(np.random.SeedSequence([*seed, piece]).generate_state(1)[0])


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
