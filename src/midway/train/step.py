"""One optimiser step's gradients: items are cut into micro-batches, packed, run and summed.

1. How a step is cut is a function of its rows' lengths and of `Stepper.limit` alone. It changes
   nothing but rounding; the masks of torch's own dropout it does (`Stepper.own_masks`).
2. A step that does not fit in memory is begun again, with no gradient from the failed try, in
   micro-batches of half the size, to which all later steps keep.
3. On CUDA the host never waits inside a step: inputs come from pinned memory, the loss stays on
   the device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from midway.encoders.dropout import Rows, rows_of
from midway.encoders.heads import Head
from midway.encoders.load import Encoder
from midway.families.family import Family, Items
from midway.families.features import Batch, Features, Pieces, at_places, make_batch
from midway.train.memory import Shortage, is_shortage, release_failed, smaller
from midway.train.schedule import Step

TRIAL_TOKENS = 2048
ADVICE = "choose a smaller max_length or batch_size, or run with --gradient-checkpointing"


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
class MicroBatch:
    """What is computed at once, on its device.

    Attributes:
        batch: packed rows.
        fields: what the loss reads of them.
        items: how many whole items it has; of a step that is never cut 1.
        seed: of this forward pass (dropout).
    """

    batch: Batch
    fields: dict[str, Any]
    items: int
    seed: int


@dataclass(frozen=True)
class Prepared:
    """A step's inputs.

    Attributes:
        number: of the step.
        step: what it draws.
        parts: its micro-batches.
        units: what the summed loss is divided by.
    """

    number: int
    step: Step
    parts: list[MicroBatch]
    units: float


def forward_seed(seed: Sequence[int], first: int) -> int:
    """Seed of all randomness inside one forward pass.

    Args:
        seed: of the step.
        first: how many items the step's earlier micro-batches have, where this matters.
    """
    return int(np.random.SeedSequence([*seed, first]).generate_state(1)[0])


@dataclass
class Stepper:
    """Computes the gradients of steps.

    Attributes:
        encoder: is trained, with the entries' heads.
        entries: of the mixture.
        precision: see `Recipe`.
        device: where.
        seed: of the run.
        limit: tokens computed at once; it is lowered where they do not fit.
        share: number of this process among those that train together, and how many these are.
    """

    encoder: Encoder
    entries: Sequence[Entry]
    precision: str
    device: torch.device
    seed: int
    limit: int
    share: tuple[int, int] = (0, 1)

    @property
    def own_masks(self) -> bool:
        """Whether all dropout is `midway.encoders.dropout`'s, whose masks are those of the rows."""
        return self.device.type == "cpu" and not self.encoder.attention_dropout

    def prepare(self, steps: Sequence[Step], number: int) -> Prepared | None:
        """Cut a step and bring its inputs to the device; None after the last step."""
        return self._prepare(number, steps[number]) if number < len(steps) else None

    def _prepare(self, number: int, step: Step) -> Prepared:
        entry, seed = self.entries[step.entry], [self.seed, number]
        parts = []
        mine, first = entry.pieces.share(step.items, *self.share)
        for chosen, rows in entry.pieces.cut(mine, self.limit):
            batch, fields = self._batch(entry, rows, seed)
            items = 1 if entry.family.whole else len(chosen)
            before = 0 if self.own_masks else first
            parts.append(MicroBatch(batch, fields, items, forward_seed(seed, before)))
            first += items
        units = entry.family.units(entry.features.table, step.items, entry.items)
        return Prepared(number, step, parts, units)

    def gradients(self, prepared: Prepared) -> torch.Tensor:
        """Leave a step's gradients in the parameters, which must have none; returns its loss.

        Raises:
            StageError: a single item does not fit in memory.
        """
        while True:
            try:
                return self._sum(prepared)
            except Shortage as shortage:
                self.limit = smaller(self.limit, shortage, ADVICE)
            # the error, and with it all it kept of the failed pass, is gone here
            self.clear()
            release_failed()
            prepared = self._prepare(prepared.number, prepared.step)

    def clear(self) -> None:
        """Throw gradients away."""
        for module in (self.encoder.model, *(entry.head.module for entry in self.entries)):
            module.zero_grad(set_to_none=True)

    def trial(self) -> int:
        """Compute about 2,048 tokens of every entry, the longest; returns how many the least had.

        Gradients stay in the parameters.
        """
        tokens = []
        for number, entry in enumerate(self.entries):
            order = np.argsort(entry.pieces.sizes, kind="stable")[::-1]
            count = int(np.searchsorted(np.cumsum(entry.pieces.sizes[order]), TRIAL_TOKENS))
            prepared = self._prepare(0, Step(number, order[: count + 1]))
            self.gradients(prepared)
            tokens.append(max(len(part.batch.ids) for part in prepared.parts))
        return min(tokens)

    def _sum(self, prepared: Prepared) -> torch.Tensor:
        total = torch.zeros((), device=self.device)
        entry = self.entries[prepared.step.entry]
        for part in prepared.parts:
            try:
                total += self._one(entry, part, prepared.units)
            except (MemoryError, RuntimeError) as error:
                if not is_shortage(error):
                    raise
                raise Shortage(len(part.batch.ids), part.items, str(error)) from None
        return total

    def _one(self, entry: Entry, part: MicroBatch, units: float) -> torch.Tensor:
        batch, fields, family = part.batch, part.fields, entry.family
        lengths = batch.packing.lengths
        places = family.places(fields, lengths)
        begins = entry.features.offsets[batch.rows].tolist()
        torch.manual_seed(part.seed)
        autocast = torch.autocast(self.device.type, torch.bfloat16, self.precision == "bf16")
        with rows_of(Rows(begins, lengths, _asked(places, lengths))):
            with autocast:
                states = self.encoder.hidden_states(batch.ids, batch.types, batch.packing)[-1]
                logits = entry.head.module(at_places(states, places))
            loss: torch.Tensor = family.loss(logits.float(), fields, lengths) / units
            loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _batch(
        self, entry: Entry, rows: np.ndarray, seed: Sequence[int]
    ) -> tuple[Batch, dict[str, Any]]:
        """Packed rows and what the loss reads of them."""
        features, family = entry.features, entry.family
        fields: dict[str, Any] = {"row": rows}
        pieces = None
        if family.draw is not None:
            pieces, drawn = family.draw(features, rows, seed)
            gold = self.encoder.renumber(drawn["gold"])
            fields |= drawn | {"gold": gold}
        fields |= {name: features.column(name, rows) for name in family.trains_on}
        return make_batch(features, rows, self.encoder, self.device, pieces=pieces), fields


def _asked(places: np.ndarray | None, lengths: Sequence[int]) -> Sequence[int]:
    """How many tokens of each row the head sees."""
    if places is None:
        return lengths
    asked: list[int] = np.diff(np.searchsorted(places, np.cumsum([0, *lengths]))).tolist()
    return asked
