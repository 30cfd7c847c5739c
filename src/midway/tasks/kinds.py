"""What planning needs to know of a family, without loading what trains it.

`midway.families` holds what is done with examples; here are plain facts about them.
"""

from dataclasses import dataclass
from typing import Any

from midway.tasks.examples import (
    ChoiceExample,
    LabelledText,
    PlainText,
    QAExample,
    RankedText,
    SentencePair,
    TaggedSentence,
)

MAX_LENGTH = 256
RETRIEVAL_LENGTH = 512


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Facts about a family.

    Attributes:
        example: the shape of its examples.
        trained: whether a target of this family is trained; the others are searched with the
            encoder as it comes out of the intermediate stage.
        evaluated: whether it can be a target at all.
        measured: whether a model that is being trained on it can be validated on it.
        max_length: tokens of a sequence, if a study says nothing.
        windows: whether long texts become overlapping windows (then `stride` counts).
        share: tokens of an example as a share of `max_length`, where a card has no statistics.
        sequences: sequences per example.
        by_example: whether training steps draw examples, not rows.
        feature_bytes: per token of its features, about.
        answer_bytes: per example of its predictions, about.
    """

    example: type[Any]
    trained: bool = True
    evaluated: bool = True
    measured: bool = True
    max_length: int = MAX_LENGTH
    windows: bool = False
    share: float = 0.15
    sequences: float = 1.0
    by_example: bool = False
    feature_bytes: float = 5.0
    answer_bytes: float = 40.0


KINDS = {
    "classification": Kind(example=LabelledText),
    "choice": Kind(example=ChoiceExample, share=0.6, sequences=3.0, by_example=True),
    "tagging": Kind(example=TaggedSentence, feature_bytes=10.0),
    "span_qa": Kind(
        example=QAExample, windows=True, share=0.7, feature_bytes=11.5, answer_bytes=1800.0
    ),
    "mlm": Kind(example=PlainText, evaluated=False, measured=False),
    "ranking": Kind(example=RankedText, measured=False, share=0.25, sequences=2.0, by_example=True),
    "retrieval": Kind(
        example=SentencePair,
        trained=False,
        measured=False,
        max_length=RETRIEVAL_LENGTH,
        share=0.2,
        sequences=2.0,
    ),
    "mining": Kind(
        example=RankedText,
        trained=False,
        measured=False,
        max_length=RETRIEVAL_LENGTH,
        share=0.1,
        sequences=2.5,
    ),
}
