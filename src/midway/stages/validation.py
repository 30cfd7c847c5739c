"""How good a model is while it is trained, and whether it has collapsed.

1. A `Probe` is a sample of one entry's data: validation data where a study gives some, else some
   of what it trains on. Entries without labels to compare (MLM, dual encoders) and controls, whose
   labels mean nothing, have none.
2. A score is the main official metric over all languages of the sample.
3. A model has collapsed if its loss is no longer finite or if, on every probe, it always says the
   same or is no better than chance: what shuffled labels and random spans score as predictions
   (`midway.tasks.control`). Collapsed fine-tuning runs: Phang et al. 2018 (arXiv 1811.01088),
   Mosbach et al. 2021 (arXiv 2006.04884).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.heads import Head
from midway.encoders.load import Encoder
from midway.families import FAMILIES
from midway.families.features import Features, of_examples, read_features
from midway.graph.stage import Context, Progress
from midway.stages.forward import head_says
from midway.stages.specs import TrainSpec
from midway.stages.steps import SAMPLE_EXAMPLES, SAMPLE_TOKENS
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.tasks.control import shuffled
from midway.tasks.kinds import KINDS
from midway.tasks.storage import read_examples

SHUFFLES = 5


@dataclass(frozen=True)
class Probe:
    """Examples that a model is measured on.

    Attributes:
        entry: number of the mixture's entry.
        card: its task.
        features: of the examples.
        examples: the examples.
        held_out: whether they are validation data.
    """

    entry: int
    card: TaskCard
    features: Features
    examples: list[Any]
    held_out: bool

    @cached_property
    def chance(self) -> float:
        """What labels without meaning score, in percent."""
        guesses = [
            [_said(e) for e in shuffled(self.examples, seed=seed)] for seed in range(SHUFFLES)
        ]
        return sum(self.score(guess) for guess in guesses) / SHUFFLES

    def score(self, predictions: Sequence[Any], labels: Sequence[str] = ()) -> float:
        """Main official metric of predictions over all languages, in percent."""
        score, total, weight = FAMILIES[self.card.family].score, 0.0, 0.0
        pairs = zip(self.examples, predictions, strict=True)
        for language, group in groupby(pairs, key=lambda pair: pair[0].language):
            gold, said = zip(*group, strict=True)
            keyed = self.card.family in ("tagging", "span_qa")
            given = {e.id: p for e, p in zip(gold, said, strict=True)} if keyed else list(said)
            scores = score(given, list(gold), self.card, language, labels)
            total += sum(scores.numerator)
            weight += sum(scores.denominator)
        return 100.0 * total / weight if weight else 0.0


@dataclass(frozen=True)
class Measured:
    """What a model reached on a probe: `score` in percent, and whether it always says the same."""

    score: float
    constant: bool


def probes_of(
    spec: TrainSpec, inputs: Mapping[str, Path], features: Sequence[Features]
) -> list[Probe]:
    """One probe for each entry that can be measured."""
    found = []
    for i, entry in enumerate(spec.entries):
        if not KINDS[entry.family].measured or entry.control:
            continue
        card = load_card(entry.validation or entry.task)
        held_out = f"validation_features{i}" in inputs
        if held_out:
            source = read_features(inputs[f"validation_features{i}"])
            examples = read_examples(inputs[f"validation_examples{i}"], entry.family)
        else:
            chosen = _sample(features[i])
            source = of_examples(features[i], chosen)
            examples = read_examples(inputs[f"examples{i}"], entry.family, set(chosen.tolist()))
        found.append(Probe(i, card, source, examples, held_out))
    return found


def _sample(features: Features) -> np.ndarray:
    """Sorted numbers of some examples, drawn at random but always the same."""
    count = int(features.table["example"].to_numpy().max()) + 1  # every example has a row
    per_example = len(features.tokens) / count
    size = min(count, SAMPLE_EXAMPLES, max(20, int(SAMPLE_TOKENS / per_example)))
    drawn: np.ndarray = np.sort(np.random.default_rng(0).permutation(count)[:size])
    return drawn


def measure(
    probe: Probe, encoder: Encoder, head: Head, context: Context, precision: str
) -> Measured:
    """Predict a probe with the model as it is; leaves encoder and head in evaluation mode."""
    family, quiet = FAMILIES[probe.card.family], replace(context, report=_unheard)
    encoder.model.eval()
    with torch.inference_mode():
        found = head_says(encoder, head, family, probe.features, quiet, precision)
    decoded = family.decode(found, probe.features.table, probe.examples, probe.card, head.labels)
    said = [answer[0] if probe.card.family == "span_qa" else answer for answer in decoded]
    gold = [_said(example) for example in probe.examples]
    constant = len(_kinds(said)) <= 1 < len(_kinds(gold))
    return Measured(probe.score(said, head.labels), constant)


def _unheard(progress: Progress) -> None:
    del progress


def _said(example: Any) -> Any:
    """The gold, as a prediction."""
    if hasattr(example, "answers"):
        return example.answers[0] if example.answers else ""
    return list(example.tags) if hasattr(example, "tags") else example.label


def _kinds(predictions: Sequence[Any]) -> set[Any]:
    """The different labels, tags or answers among predictions."""
    if predictions and isinstance(predictions[0], list):
        return {tag for tags in predictions for tag in tags}
    return set(predictions)


def collapse(measured: Sequence[tuple[Probe, Measured]]) -> str:
    """Why a model counts as collapsed, in words; empty if it does not."""
    reasons = []
    for probe, found in measured:
        if found.constant:
            reasons.append("always predicts the same")
        elif found.score <= probe.chance:
            reasons.append(f"no better than chance ({found.score:.1f} against {probe.chance:.1f})")
        else:
            return ""
    return reasons[0] if reasons else ""
