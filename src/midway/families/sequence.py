"""What families share that read one state per sequence, the first token's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer


def first_tokens(fields: Mapping[str, Any], lengths: Sequence[int]) -> np.ndarray:
    """Where the sequences of a packed batch begin, ``int64[n]``."""
    del fields
    sizes = np.asarray(lengths, dtype=np.int64)
    begins: np.ndarray = np.cumsum(sizes) - sizes
    return begins


def encode_pairs(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], max_length: int
) -> list[Encoding]:
    """Tokenise texts and pairs of texts (an empty second text is none), cut to `max_length`.

    Of a pair the longer text is cut first, token by token, as in transformers' scripts.
    """
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    texts = [pair if pair[1] else pair[0] for pair in pairs]
    encodings: list[Encoding] = tokenizer.encode_batch_fast(texts)
    tokenizer.no_truncation()
    return encodings
