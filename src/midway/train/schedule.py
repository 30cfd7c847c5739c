"""What each optimiser step sees, as a pure function of the seed.

1. A mixture has entries; each step draws one entry and takes its next batch.
2. An entry's examples come in a fresh order each epoch; epochs follow each other without a gap, so
   every step but an entry's last has exactly `batch_size` examples.
3. Nothing is drawn from a running generator, so any step can be computed at any time: resuming
   needs no generator states.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

RULES = ("proportional", "uniform", "temperature", "weights")


@dataclass(frozen=True)
class Sampling:
    """How a step's entry is drawn.

    Attributes:
        rule: ``proportional`` to min(examples, cap), ``uniform``, ``temperature`` (min(examples,
            cap) to the power 1 / temperature), or given ``weights``.
        cap: the cap; the paper's is 2^17 (Phang et al. 2020).
        temperature: of the rule ``temperature``.
    """

    rule: str = "proportional"
    cap: int = 131072
    temperature: float = field(default=1.0, metadata={"neutral": 1.0})


@dataclass(frozen=True)
class Step:
    """One optimiser step: items of one entry, by number (`midway.families.family.Items`)."""

    entry: int
    items: np.ndarray


def entry_probabilities(
    sizes: Sequence[int], weights: Sequence[float], sampling: Sampling
) -> np.ndarray:
    """Probability of drawing each entry."""
    if sampling.rule == "uniform":
        share = np.ones(len(sizes))
    elif sampling.rule == "weights":
        share = np.asarray(weights, dtype=float)
    else:
        share = np.minimum(sizes, sampling.cap).astype(float)
        if sampling.rule == "temperature":
            share = share ** (1.0 / sampling.temperature)
    probabilities: np.ndarray = share / share.sum()
    return probabilities


def plan_steps(
    sizes: Sequence[int],
    weights: Sequence[float],
    sampling: Sampling,
    *,
    batch_size: int,
    epochs: float,
    seed: int,
    batch_sizes: Sequence[int] = (),
) -> list[Step]:
    """All steps of a training stage.

    Args:
        sizes: items of each entry.
        weights: each entry's weight, used by the rule ``weights``.
        sampling: how entries are drawn.
        batch_size: items per step, of entries without a batch size of their own.
        epochs: passes over all entries together.
        seed: of the run.
        batch_sizes: items per step of each entry; 0 or nothing: `batch_size`.
    """
    batches = [own or batch_size for own in batch_sizes or [0] * len(sizes)]
    totals = [max(1, round(size * epochs)) for size in sizes]
    if len(sizes) == 1:
        draws = np.zeros(-(-totals[0] // batches[0]), dtype=int)
    else:
        count = sum(-(-total // batch) for total, batch in zip(totals, batches, strict=True))
        share = entry_probabilities(sizes, weights, sampling)
        draws = np.random.default_rng([seed, 0]).choice(len(sizes), size=count, p=share)
        totals = [int((draws == entry).sum()) * batch for entry, batch in enumerate(batches)]
    streams = [
        _stream(size, total, [seed, 1, entry])
        for entry, (size, total) in enumerate(zip(sizes, totals, strict=True))
    ]
    taken = [0] * len(sizes)
    steps = []
    for entry in draws.tolist():
        begin = taken[entry]
        taken[entry] = begin + batches[entry]
        steps.append(Step(entry, streams[entry][begin : taken[entry]]))
    return steps


def _stream(size: int, total: int, seed: list[int]) -> np.ndarray:
    """`total` item numbers: permutations of `size` items, one after another."""
    passes = [
        np.random.default_rng([*seed, epoch]).permutation(size)
        for epoch in range(-(-total // size))
    ]
    stream: np.ndarray = np.concatenate(passes)[:total]
    return stream
