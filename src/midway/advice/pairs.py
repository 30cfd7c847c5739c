"""What can be said of an intermediate and a target before the two were trained one after the other.

Six quantities, each the greater the better the intermediate should suit:

- ``text``: cosine of the two data's text embeddings (Vu et al. 2020; Poth et al. 2021).
- ``family``: share of the mixture's families that are the target's.
- ``labels``: share of the target's label names that the intermediate has; 0 without labels.
- ``lengths``: minus the absolute log ratio of the mean lengths in tokens.
- ``languages``: minus the mean distance, in 1,000 km, from the target's evaluation languages to the
  nearest language of the intermediate's data (Lin et al. 2019, LangRank, use such distances).
- ``size``: log10 of the number of training examples.

They are compared within one target only: each is centred and scaled over the candidates, so that a
target that is near everything says nothing. `before` is their mean, with equal weights: there is no
honest way to weigh them without results.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midway.languages import distance

Floats = NDArray[np.float64]
QUANTITIES = ("text", "family", "labels", "lengths", "languages", "size")


@dataclass(frozen=True, slots=True)
class Data:
    """A training set, or a mixture of several.

    Attributes:
        tasks: names of the cards.
        families: of these tasks.
        labels: names of labels, lower case; empty where there are none.
        languages: canonical codes; for a target those that it is evaluated in.
        examples: how many there are.
        length: mean number of tokens of a sequence.
        embedding: mean text embedding by the pretrained encoder, ``[hidden]``.
    """

    tasks: tuple[str, ...]
    families: tuple[str, ...]
    labels: frozenset[str]
    languages: tuple[str, ...]
    examples: int
    length: float
    embedding: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """How well a model's features tell a target's labels apart (`midway.stats.transferability`)."""

    log_me: float
    h_score: float
    nearest: float


def quantities(intermediate: Data, target: Data) -> dict[str, float]:
    """The six quantities of one pair."""
    one, other = np.array(intermediate.embedding), np.array(target.embedding)
    length = np.linalg.norm(one) * np.linalg.norm(other)
    away = [_nearest(code, intermediate.languages) for code in target.languages]
    known = [kilometres for kilometres in away if kilometres is not None]
    return {
        "text": float(one @ other / length) if length else 0.0,
        "family": sum(f in target.families for f in intermediate.families)
        / len(intermediate.families),
        "labels": len(intermediate.labels & target.labels) / max(len(target.labels), 1),
        "lengths": -abs(math.log(max(intermediate.length, 1) / max(target.length, 1))),
        "languages": -sum(known) / len(known) / 1000 if known else 0.0,
        "size": math.log10(max(intermediate.examples, 1)),
    }


def _nearest(code: str, languages: Sequence[str]) -> float | None:
    """Kilometres to the nearest of some languages; None if no place is known."""
    found = [0.0 if code == other else distance(code, other) for other in languages]
    return min((kilometres for kilometres in found if kilometres is not None), default=None)


def standard(values: Sequence[float]) -> Floats:
    """Values centred and scaled over the candidates; all 0 where they do not differ."""
    column = np.array(values, dtype=np.float64)
    spread = column.std()
    return (column - column.mean()) / spread if spread > 1e-12 else np.zeros(len(column))


def before(rows: Sequence[Mapping[str, float]]) -> Floats:
    """One number for each candidate of a target: the mean of its standardised quantities."""
    columns = [standard([row[name] for row in rows]) for name in QUANTITIES]
    return standard(np.mean(columns, axis=0).tolist())
