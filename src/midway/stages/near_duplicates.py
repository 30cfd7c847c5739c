"""Near duplicates among many texts: MinHash and banding find candidates, counting decides.

1. A text is the set of its character 5-grams, each a 64-bit hash. Characters, because words are not
   marked in every script.
2. `HASHES` minima of random functions of these hashes are its signature: two texts agree in each
   with the probability of their Jaccard similarity (Broder 1997).
3. Signatures are cut into `BANDS` of `ROWS`; texts that agree in a whole band are candidates
   (Leskovec, Rajaraman and Ullman 2014, Mining of Massive Datasets, 3.4). At a similarity of
   `SIMILAR` 99.997 % of pairs are.
4. Candidates count if the true Jaccard similarity of their sets reaches `SIMILAR`, so that what is
   reported is exact; only what is missed is a matter of chance. The functions are fixed, so equal
   texts give equal answers.

Memory is 320 bytes a text besides the texts; 5-grams are held for `CHUNK` characters at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from midway.families.tokens import spread

SHINGLE, BANDS, ROWS = 5, 20, 4
HASHES = BANDS * ROWS
SIMILAR = 0.8
SHORTEST = 20
"""Characters; of shorter texts too much is equal by chance."""
CHUNK = 1 << 16
MOST = 32
"""Candidates of a text in one band. More are members of one family of texts; any will do."""
_ESTIMATE = 0.6  # 4.5 standard deviations of the estimate below `SIMILAR`
_PRIME = np.uint64(0x100000001B3)
_RNG = np.random.default_rng(20240607)
_ODD = _RNG.integers(0, 2**63, HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_PLUS = _RNG.integers(0, 2**63, HASHES, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Signed:
    """Texts with their signatures.

    Attributes:
        texts: all of at least `SHORTEST` characters.
        numbers: what the caller calls them, ``int64[n]``.
        signatures: ``uint32[n, HASHES]``.
    """

    texts: Sequence[str]
    numbers: np.ndarray
    signatures: np.ndarray

    @cached_property
    def bands(self) -> np.ndarray:
        """A hash of each band, ``uint64[BANDS, n]``."""
        parts = self.signatures.reshape(-1, BANDS, ROWS).astype(np.uint64)
        found = np.zeros(parts.shape[:2], np.uint64)
        for row in range(ROWS):
            found = _mixed(found * _PRIME + parts[:, :, row])
        return np.ascontiguousarray(found.T)


def sign(texts: Sequence[str]) -> Signed:
    """Sign those of `texts` that are long enough; their numbers are places in `texts`."""
    places = [i for i, text in enumerate(texts) if len(text) >= SHORTEST]
    kept = [texts[i] for i in places]
    signatures = np.empty((len(kept), HASHES), np.uint32)
    for begin, end in _chunks(kept):
        grams, starts = _shingles(kept[begin:end])
        for k in range(HASHES):
            values = ((grams * _ODD[k] + _PLUS[k]) >> np.uint64(32)).astype(np.uint32)
            signatures[begin:end, k] = np.minimum.reduceat(values, starts)
    return Signed(kept, np.array(places, np.int64), signatures)


def similar(left: Signed, right: Signed) -> Iterator[tuple[int, int, float]]:
    """For each text on the right that has a near duplicate on the left, the likeliest one.

    Yields:
        Number on the left, number on the right, Jaccard similarity of at least `SIMILAR`, in the
        order of the right.
    """
    rows, columns = _candidates(left, right)
    agree = np.empty(len(rows))
    for begin in range(0, len(rows), CHUNK):
        part = slice(begin, begin + CHUNK)
        agree[part] = (left.signatures[rows[part]] == right.signatures[columns[part]]).mean(axis=1)
    likely = np.flatnonzero(agree >= _ESTIMATE)
    order = likely[np.lexsort((rows[likely], -agree[likely], columns[likely]))]
    sets: dict[int, np.ndarray] = {}
    found = -1
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if column == found:
            continue  # one is enough
        if row not in sets:
            sets[row] = grams_of(left.texts[row])
        score = jaccard(sets[row], grams_of(right.texts[column]))
        if score >= SIMILAR:
            found = column
            yield int(left.numbers[row]), int(right.numbers[column]), score


def jaccard(left: np.ndarray, right: np.ndarray) -> float:
    """Size of the intersection over that of the union of two sets, ``uint64[…]`` each."""
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / (len(left) + len(right) - shared)


def grams_of(text: str) -> np.ndarray:
    """The set of a text's hashed 5-grams, ``uint64[m]``."""
    return np.unique(_shingles([text])[0])


def _candidates(left: Signed, right: Signed) -> tuple[np.ndarray, np.ndarray]:
    """Rows on the left and on the right that agree in a band, each pair once."""
    pairs = np.empty(0, np.int64)
    size = max(len(left.texts), 1)
    for ours, theirs in zip(left.bands, right.bands, strict=True):
        order = np.argsort(ours, kind="stable")
        first = np.searchsorted(ours[order], theirs, side="left")
        counts = np.searchsorted(ours[order], theirs, side="right") - first
        counts = np.minimum(counts, MOST)
        columns = np.repeat(np.arange(len(theirs)), counts)
        rows = order[spread(first, counts)]
        pairs = np.union1d(pairs, columns * size + rows)
    return pairs % size, pairs // size


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Runs of texts of about `CHUNK` characters, at least one text each."""
    begin = used = 0
    for place, text in enumerate(texts):
        if used and used + len(text) > CHUNK:
            yield begin, place
            begin, used = place, 0
        used += len(text)
    if begin < len(texts):
        yield begin, len(texts)


def _shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the 5-grams of texts that have one, and where each text's begin."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    last = len(codes) - SHINGLE + 1
    grams = np.zeros(last, np.uint64)
    for k in range(SHINGLE):
        grams = grams * _PRIME + codes[k : last + k]
    inside = np.ones(len(codes), bool)
    tails = np.cumsum(lengths)[:, None] - np.arange(1, SHINGLE)
    inside[tails.ravel()] = False
    counts = lengths - SHINGLE + 1
    return _mixed(grams[inside[:last]]), np.cumsum(counts) - counts


def _mixed(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = values ^ (values >> np.uint64(31))
    return mixed
