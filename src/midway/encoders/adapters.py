"""Low-rank adapters: train a few small matrices instead of the encoder's own (LoRA).

Source: Hu et al. 2022, arXiv 2106.09685, as `peft` implements it. The adapters sit beside every
linear layer of the encoder; after training they are added to the weights, so that everything that
follows sees an encoder like any other.
"""

from typing import Any

import torch

from midway.errors import UsageError


def add_adapters(model: Any, rank: int, alpha: float, *, seed: int) -> None:
    """Freeze the encoder, its embeddings too, and put adapters beside its linear layers, in place.

    At first an adapter adds nothing: one of its matrices is zero, the other is drawn with `seed`.

    Args:
        model: a transformers encoder.
        rank: of the two matrices whose product is added to a layer's weight.
        alpha: the product is multiplied by alpha / rank.
        seed: of the run.

    Raises:
        UsageError: `peft` is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise UsageError("lora needs the package peft; install midway[lora]") from None
    linear = [name for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)]
    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=linear, bias="none"
    )
    inject_adapter_in_model(config, model)


def merge_adapters(model: Any) -> None:
    """Add the adapters to the weights and take them away, in place."""
    from peft.tuners.lora import LoraLayer

    for name, part in list(model.named_modules()):
        if isinstance(part, LoraLayer):
            part.merge()
            where, _, last = name.rpartition(".")
            setattr(model.get_submodule(where), last, part.get_base_layer())
