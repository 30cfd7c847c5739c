"""Hyper-parameters of a training stage; every field is part of its key."""

from dataclasses import dataclass

PRECISIONS = ("bf16", "float32")


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
        attention_dropout: on attention weights (`docs/decisions/attention-dropout.md`).
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
