"""Tokenising: pieces, character offsets, special tokens, feature tables."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Encoding, Tokenizer

QUERY_TOKENS = 64


@dataclass(frozen=True)
class Specials:
    """The special tokens that a tokenizer puts around a single sequence."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.before) + len(self.after)


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load the tokenizer of an imported encoder, with neither truncation nor padding.

    It is kept for the next stage: reading a large vocabulary takes half a second.
    """
    tokenizer = _tokenizer(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@functools.lru_cache(maxsize=1)
def _tokenizer(path: str) -> Tokenizer:
    return Tokenizer.from_file(path)


def specials(tokenizer: Tokenizer) -> Specials:
    """Find which special tokens surround a single sequence."""
    encoding = tokenizer.encode("a")
    inner = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
    first, last = inner[0], inner[-1]
    return Specials(tuple(encoding.ids[:first]), tuple(encoding.ids[last + 1 :]))


def boundary(encoding: Encoding) -> int:
    """Index of the first token of type 1; the number of tokens if all are of type 0."""
    types: list[int] = encoding.type_ids
    return types.index(1) if 1 in types else len(types)


def shorten_question(tokenizer: Tokenizer, questions: Sequence[str], limit: int) -> list[str]:
    """Cut questions to at most `limit` pieces, at a piece's end (XTREME cuts to 64)."""
    encodings = tokenizer.encode_batch(list(questions), add_special_tokens=False)
    return [
        question if len(encoding.ids) <= limit else _shorten(tokenizer, question, encoding, limit)
        for question, encoding in zip(questions, encodings, strict=True)
    ]


def _shorten(tokenizer: Tokenizer, question: str, encoding: Encoding, limit: int) -> str:
    for last in range(limit - 1, -1, -1):
        text = question[: encoding.offsets[last][1]]
        # the pieces of a text's beginning need not be the beginning of its pieces
        if len(tokenizer.encode(text, add_special_tokens=False).ids) <= limit:
            return text
    return ""


def table(columns: Mapping[str, tuple[str, Any]]) -> pa.Table:
    """Build a feature table from ``{name: (type, values)}``; types: ``int32`` or ``list`` of it."""
    types = {"int32": pa.int32(), "list": pa.list_(pa.int32())}
    return pa.table({name: pa.array(v, types[kind]) for name, (kind, v) in columns.items()})


def lists_of(features: pa.Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A column of lists as it lies in memory, without copying it.

    Returns:
        Where each row's values begin, ``int32[rows + 1]``, and all rows' values, end to end.
    """
    chunks = features[name].chunks
    kind = features.schema.field(name).type
    lists = chunks[0] if len(chunks) == 1 else pa.concat_arrays([*chunks, pa.array([], kind)])
    return lists.offsets.to_numpy(), lists.values.to_numpy()


def lists(sizes: np.ndarray, values: np.ndarray) -> pa.ListArray:
    """Lists of these sizes, cut from `values`; for `table`."""
    ends = np.cumsum(sizes, dtype=np.int32)
    return pa.ListArray.from_arrays(np.append(np.int32(0), ends), values.astype(np.int32))


def spread(begins: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """``[begins[0], begins[0] + 1, … sizes[0] of them, begins[1], …]``."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(begins - before, sizes) + np.arange(int(sizes.sum()))


def with_labels(features: pa.Table, labels: Sequence[str]) -> pa.Table:
    """Note in a feature table what its label numbers are called."""
    return _with_note(features, "labels", list(labels))


def labels_of(features: pa.Table) -> tuple[str, ...]:
    """What the label numbers of a feature table are called."""
    return tuple(_note(features, "labels"))


def with_languages(features: pa.Table, spoken: Sequence[str]) -> pa.Table:
    """Add the column ``language``, a number per row, and note the codes.

    Args:
        features: a table with a column ``example``.
        spoken: language of each example.
    """
    codes = list(dict.fromkeys(spoken))
    number = {code: place for place, code in enumerate(codes)}
    rows = [number[spoken[example]] for example in features["example"].to_pylist()]
    noted = _with_note(features, "languages", codes)
    return noted.append_column("language", pa.array(rows, pa.int32()))


def languages_of(features: pa.Table) -> tuple[str, ...]:
    """Codes of the languages that `with_languages` numbered."""
    return tuple(_note(features, "languages"))


def with_mask(features: pa.Table, mask: int, before: int, after: int) -> pa.Table:
    """Note the mask's piece, and how many special tokens stand before and after each text."""
    return _with_note(features, "mask", [mask, before, after])


def mask_of(features: pa.Table) -> tuple[int, ...]:
    """What `with_mask` noted; empty if nothing."""
    return tuple(_note(features, "mask"))


def _with_note(features: pa.Table, name: str, value: list[Any]) -> pa.Table:
    notes = features.schema.metadata or {}
    note = {name.encode(): json.dumps(value, ensure_ascii=False).encode()}
    return features.replace_schema_metadata({**notes, **note})


def _note(features: pa.Table, name: str) -> list[Any]:
    found: list[Any] = json.loads((features.schema.metadata or {}).get(name.encode(), b"[]"))
    return found
