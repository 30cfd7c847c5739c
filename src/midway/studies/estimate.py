"""Rough costs before anything runs.

Exact where the features are in the store already: their tokens are known. Else a guess from the
number of examples and the task's statistics (`midway.tasks.statistics`), which are of the data that
we test with; the guess is for deciding whether to start, not for billing.
FLOPs are 6 x parameters x tokens for training and 2 x for prediction (Kaplan et al. 2020,
arXiv 2001.08361), without the embedding table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from midway.graph.stage import Stage
from midway.tasks.kinds import KINDS
from midway.tasks.statistics import load_statistics

# Parameters without the embedding table, until the encoder is imported and they are known.
OFFLINE_PARAMETERS = 21_500_000  # multilingual-e5-small
BASE_PARAMETERS = 86_000_000  # a base-size encoder
EXAMPLES = 1000  # per language, where a study asks for all there are


@dataclass(frozen=True)
class Estimator:
    """Costs of stages.

    Attributes:
        facts_of: facts of a stage's manifest, or None if it was never computed.
        encoder: the encoder's stage.
    """

    facts_of: Callable[[Stage], Mapping[str, Any] | None]
    encoder: Stage

    def training(self, features: Sequence[Stage], epochs: float) -> dict[str, float]:
        """Tokens, FLOPs and bytes of a training stage on these features."""
        tokens = epochs * sum(self._tokens(stage) for stage in features)
        parameters = self._parameters()
        return {"tokens": tokens, "flops": 6 * parameters * tokens, "bytes": 4.8 * parameters}

    def predicting(self, features: Stage) -> dict[str, float]:
        """Tokens, FLOPs and bytes of a prediction stage."""
        tokens = self._tokens(features)
        return {"tokens": tokens, "flops": 2 * self._parameters() * tokens, "bytes": tokens}

    def _parameters(self) -> float:
        facts = self.facts_of(self.encoder)
        if facts is None:
            offline = self.encoder.spec.name.startswith("offline:")
            return OFFLINE_PARAMETERS if offline else BASE_PARAMETERS
        return float(facts["parameters"] - facts["vocabulary"] * facts["hidden"])

    def _tokens(self, features: Stage) -> float:
        facts = self.facts_of(features)
        if facts is not None:
            return float(facts["tokens"])
        spec, examples = features.spec, features.inputs["examples"].spec
        known = load_statistics(examples.task).get(examples.split, {})
        here = [known[part.language] for part in examples.languages if part.language in known]
        languages = len(examples.languages)
        whole = sum(record["examples"] for record in here) / len(here) if here else EXAMPLES
        count = examples.total or (examples.per_language or whole) * languages
        if not here:
            return float(count * spec.max_length * KINDS[spec.family].share)
        length = sum(record["tokens"]["mean"] for record in here) / len(here)
        return float(count * min(length, spec.max_length) * KINDS[spec.family].sequences)
