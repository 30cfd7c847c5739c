"""Embed the texts of examples: the encoder's last states, mean-pooled, as in sentence retrieval."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from midway.encoders.load import load_encoder
from midway.families.features import read_features, write_features
from midway.families.tokens import boundary, load_tokenizer, table
from midway.graph.stage import Context
from midway.stages.forward import layers_of, pooled
from midway.stages.leak_kinds import read_data_set
from midway.stages.specs import VectorsSpec
from midway.train.memory import release_memory

FILE = "vectors.safetensors"
CHUNK = 4096


def run(spec: VectorsSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``vectors.safetensors``: ``float16[texts, hidden]``, a unit vector for each text.

    Texts are those of `midway.stages.leak_kinds.DataSet`, in their order.
    """
    if context.runtime.threads:
        torch.set_num_threads(context.runtime.threads)
    texts = read_data_set(inputs["examples"], spec.task, spec.split).original
    tokenizer = load_tokenizer(inputs["encoder"])
    tokenizer.enable_truncation(spec.max_length)
    ids, ends = [], []
    for base in range(0, len(texts), CHUNK):
        for encoding in tokenizer.encode_batch_fast(texts[base : base + CHUNK]):
            ids.append(encoding.ids)
            ends.append(boundary(encoding))
    tokenizer.no_truncation()
    write_features(table({"ids": ("list", ids), "boundary": ("int32", ends)}), context.work)
    features = read_features(context.work)
    encoder = load_encoder(inputs["encoder"], None, features.active)
    encoder.model.eval().to(context.runtime.device)
    rows = np.arange(len(texts))
    with torch.inference_mode():
        found = pooled(encoder, features, rows, layers_of("last", encoder), context, "float32")[0]
    save_file({"vectors": found.cpu().numpy().astype(np.float16)}, context.out / FILE)
    release_memory()
    return {"texts": len(texts), "tokens": len(features.tokens)}


def read_vectors(folder: Path) -> np.ndarray:
    """Read ``float16[texts, hidden]``."""
    vectors: np.ndarray = load_file(folder / FILE)["vectors"]
    return vectors
