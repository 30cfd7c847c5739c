"""Hyper-parameters of a training stage; every field is part of its key."""

from dataclasses import dataclass

PRECISIONS = ("bf16", "float32")
SELECTIONS = ("last", "best", "average")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained.

    Attributes:
        learning_rate: peak rate of AdamW.
        batch_size: examples per optimiser step (windows in span QA and MLM), whatever the device
            holds at once.
        epochs: passes over the data.
        warmup: share of the steps in which the rate rises.
        weight_decay: on matrices only.
        clip: greatest norm of the gradient.
        dropout: in hidden layers; None keeps the encoder's own.
        attention_dropout: on attention weights (`docs/decisions/0001-attention-dropout-off.md`).
        precision: ``bf16`` (autocast, float32 master weights) or ``float32``.
    """

    learning_rate: float = 5e-5
    batch_size: int = 16
    epochs: float = 2.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float | None = None
    attention_dropout: float = 0.0
    precision: str = "bf16"


@dataclass(frozen=True)
class Selection:
    """What is kept.

    Attributes:
        rule: ``last``, ``best`` (greatest validation score, of equal ones the earliest) or
            ``average`` (mean of the weights at the last `keep` validations).
        every: steps between validations; 0: a tenth of the stage, or for ``last`` only the end.
        patience: validations without a new best after which training ends; 0: it never ends early.
        keep: of the rule ``average``.
    """

    rule: str = "last"
    every: int = 0
    patience: int = 0
    keep: int = 3


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters instead of the encoder's own weights (`midway.encoders.adapters`).

    Attributes:
        rank: of the two matrices whose product is added to a layer's weight.
        alpha: the product is multiplied by alpha / rank.
    """

    rank: int = 8
    alpha: float = 16.0
