"""Load an encoder for one stage: only the embedding rows its data use, packed attention.

1. The *active vocabulary* is the sorted set of piece ids that occur in a stage's data. Only these
   rows are loaded, trained and saved; token ids are renumbered by `Encoder.renumber`.
2. A trained encoder is stored as a *delta* on the pretrained one: all other weights in full, the
   rows that were ever active, and one factor for the rows that never were (see `midway.train`).
3. `Encoder.hidden_states` runs a packed batch.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel
from transformers.initialization import no_init_weights

from midway.encoders.convert import CONFIG, WEIGHTS
from midway.encoders.dropout import use_cheap_dropout
from midway.encoders.packing import ATTENTION, Packing, positions

DELTA = "delta.safetensors"
_ROWS, ROW_IDS = "active.rows", "active.ids"


@dataclass
class Encoder:
    """A bare transformers encoder over the active vocabulary.

    Attributes:
        model: the module; its input embedding has one row per active id.
        active: ``int64[n]``, sorted piece ids of the rows.
        embedding: name of the embedding weight in the model's state.
        first_position: 0, or pad + 1 in the RoBERTa family.
        types: whether token types are an input.
        attention_dropout: probability on attention weights, in training.
    """

    model: Any
    active: np.ndarray
    embedding: str
    first_position: int
    types: bool
    attention_dropout: float = 0.0

    def renumber(self, ids: np.ndarray) -> np.ndarray:
        """Piece ids → row numbers of the active embedding."""
        rows: np.ndarray = np.searchsorted(self.active, ids)
        return rows

    def hidden_states(
        self,
        ids: torch.Tensor,
        types: torch.Tensor | None,
        packing: Packing,
        *,
        every_layer: bool = False,
    ) -> tuple[torch.Tensor, ...]:
        """Run a packed batch.

        Args:
            ids: row numbers, ``int64[T]``.
            types: token types, ``int64[T]``, or None for all zero.
            packing: how T divides into sequences.
            every_layer: return embeddings and every layer instead of the last layer only.

        Returns:
            Tensors ``[T, hidden]``; the last one is the last layer.
        """
        extra = {"token_type_ids": types.unsqueeze(0)} if self.types and types is not None else {}
        output = self.model(
            input_ids=ids.unsqueeze(0),
            position_ids=positions(packing, self.first_position).to(ids.device),
            output_hidden_states=every_layer,
            packing=packing,
            **extra,
        )
        layers = output.hidden_states if every_layer else (output.last_hidden_state,)
        return tuple(layer[0] for layer in layers)


def load_encoder(
    folder: Path,
    delta: Path | None,
    active: np.ndarray,
    *,
    dropout: float | None = None,
    attention_dropout: float = 0.0,
) -> Encoder:
    """Load the pretrained encoder in `folder`, changed by the delta in `delta`, if any.

    Args:
        folder: an artefact of the import stage.
        delta: an artefact of a training stage on that encoder, or None.
        active: sorted unique piece ids.
        dropout: probability in hidden layers; None keeps the encoder's own.
        attention_dropout: probability on attention weights.
    """
    config = AutoConfig.from_pretrained(
        folder / CONFIG, local_files_only=True, trust_remote_code=False
    )
    pad = config.pad_token_id or 0
    active = np.unique(active)
    config.vocab_size = len(active)
    config.pad_token_id = None  # a piece id, not a row of the active table; nothing is padded
    for name in ("hidden_dropout_prob", "mlp_dropout", "embedding_dropout"):
        if dropout is not None and hasattr(config, name):
            setattr(config, name, dropout)
    for name in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            setattr(config, name, attention_dropout)
    with no_init_weights():  # all are loaded below; drawing them first takes longer than loading
        model = AutoModel.from_config(config, attn_implementation=ATTENTION, dtype=torch.float32)
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    use_cheap_dropout(model)
    table = model.get_input_embeddings()
    embedding = next(name for name, p in model.named_parameters() if p is table.weight)
    model.load_state_dict(_state(folder, delta, active, embedding), strict=True)
    roberta = hasattr(getattr(model, "embeddings", None), "create_position_ids_from_input_ids")
    return Encoder(
        model=model,
        active=active,
        embedding=embedding,
        first_position=pad + 1 if roberta else 0,
        types=getattr(config, "type_vocab_size", 0) > 1,
        attention_dropout=attention_dropout,
    )


def _state(
    folder: Path, delta: Path | None, active: np.ndarray, embedding: str
) -> dict[str, torch.Tensor]:
    state = {}
    with safe_open(folder / WEIGHTS, "pt") as weights:
        for name in weights.keys():  # noqa: SIM118 (not a dict)
            tensor = weights.get_tensor(name)
            state[name] = tensor[torch.from_numpy(active)] if name == embedding else tensor
    if delta is None:
        return state
    with safe_open(delta / DELTA, "pt") as weights:
        factor = float(weights.metadata()["factor"])
        ids = weights.get_tensor(ROW_IDS).numpy()
        rows = weights.get_tensor(_ROWS)
        for name in weights.keys():  # noqa: SIM118
            if name not in (_ROWS, ROW_IDS):
                state[name] = weights.get_tensor(name)
    table = state[embedding] * factor
    _, mine, theirs = np.intersect1d(active, ids, return_indices=True)
    table[torch.from_numpy(mine)] = rows[torch.from_numpy(theirs)]
    state[embedding] = table
    return state


def save_delta(encoder: Encoder, parent: Path | None, factor: float, out: Path) -> None:
    """Write the encoder as a delta on the pretrained one.

    Args:
        encoder: after training.
        parent: the delta it was trained from, or None.
        factor: what the training stage multiplied the rows outside the active vocabulary by.
        out: folder of the artefact.
    """
    state = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in encoder.model.state_dict().items()
    }
    rows = state.pop(encoder.embedding)
    ids = encoder.active
    if parent is not None:
        with safe_open(parent / DELTA, "pt") as weights:
            factor_before = float(weights.metadata()["factor"])
            ids_before = weights.get_tensor(ROW_IDS).numpy()
            rows_before = weights.get_tensor(_ROWS)
        kept = ~np.isin(ids_before, ids)
        ids = np.concatenate([ids, ids_before[kept]])
        rows = torch.cat([rows, rows_before[torch.from_numpy(kept)] * factor])
        factor *= factor_before
    state[_ROWS] = rows.contiguous()
    state[ROW_IDS] = torch.from_numpy(ids.astype(np.int64))
    save_file(state, out / DELTA, metadata={"factor": repr(factor)})
