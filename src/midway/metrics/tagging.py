"""Tagging: chunk precision, recall and F1 as XTREME prints them, and two cleaner views.

1. ``official`` chunks follow seqeval 0.0.12, which XTREME applies to named entities *and* to bare
   part-of-speech tags. A tag's scheme letter is its first character and its type is what follows
   the last hyphen, the whole tag if there is none. Hence neighbouring equal tags are one chunk
   (``NOUN NOUN`` is right or wrong as a whole), but tags that begin with S (SCONJ, SYM) or
   E are single chunks, and an I- tag opens a chunk where none is open.
2. ``strict`` chunks are IOB2: B-X, then I-X as long as the type stays. An I- tag with no open chunk
   of its type belongs to nothing.
3. Chunks never cross sentences: seqeval joins sentences with an ``O`` between them, so counts of
   single sentences add up to the counts of the corpus.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from midway.errors import DataError

Chunk = tuple[str, int, int]
Tags = Sequence[str]
ChunkScheme = Literal["official", "strict"]

_REMEMBERED = 1 << 16  # pairs of neighbouring tags; supertags have thousands


@dataclass(frozen=True, slots=True)
class Counts:
    """Chunks (or tokens) of a sentence or corpus: found rightly, predicted, in the gold data."""

    correct: int
    predicted: int
    gold: int


def chunks(tags: Tags) -> list[Chunk]:
    """Return the chunks of one sentence as (type, first index, last index), by seqeval 0.0.12.

    Linear in the number of tokens; what a pair of neighbouring tags means is worked out once.
    """
    found: list[Chunk] = []
    begin, previous = 0, "O"
    for index, tag in enumerate((*tags, "O")):
        if tag != previous or not _transparent(tag):
            ends, starts = _boundary(previous, tag)
            if ends:
                found.append((_type(previous), begin, index - 1))
            if starts:
                begin = index
        previous = tag
    return found


def strict_chunks(tags: Tags) -> list[Chunk]:
    """Return the chunks of one sentence as (type, first index, last index), by strict IOB2."""
    found: list[Chunk] = []
    begin, open_type = 0, None
    for index, tag in enumerate((*tags, "O")):
        letter, _, kind = tag.partition("-")
        if open_type is not None and (letter != "I" or kind != open_type):
            found.append((open_type, begin, index - 1))
            open_type = None
        if letter == "B":
            begin, open_type = index, kind
    return found


def sentence_counts(
    gold: Sequence[Tags], predicted: Sequence[Tags], *, scheme: ChunkScheme = "official"
) -> list[Counts]:
    """Count chunks sentence by sentence.

    Args:
        gold: tags of each sentence.
        predicted: the same number of sentences, of the same lengths.
        scheme: ``official`` (seqeval 0.0.12) or ``strict`` (IOB2).

    Raises:
        DataError: the two differ in the number of sentences or in the length of one.
    """
    find: Callable[[Tags], list[Chunk]] = chunks if scheme == "official" else strict_chunks
    counts: list[Counts] = []
    for truth, guess in _aligned(gold, predicted):
        expected, found = find(truth), find(guess)
        correct = len(expected) if expected == found else len(set(expected).intersection(found))
        counts.append(Counts(correct, len(found), len(expected)))
    return counts


def token_counts(gold: Sequence[Tags], predicted: Sequence[Tags]) -> list[Counts]:
    """Count right tokens sentence by sentence; `predicted` and `gold` are both the length.

    Raises:
        DataError: as in `sentence_counts`.
    """
    return [
        Counts(sum(map(str.__eq__, truth, guess)), len(truth), len(truth))
        for truth, guess in _aligned(gold, predicted)
    ]


def summarise(counts: Iterable[Counts]) -> dict[str, float]:
    """Return ``{"f1", "precision", "recall"}`` in percent, micro-averaged over all sentences.

    A quotient whose divisor is 0 is 0, as in seqeval 0.0.12.
    """
    parts = list(counts)
    correct = sum(part.correct for part in parts)
    predicted = sum(part.predicted for part in parts)
    gold = sum(part.gold for part in parts)
    return {
        "f1": _percent(2 * correct, predicted + gold),
        "precision": _percent(correct, predicted),
        "recall": _percent(correct, gold),
    }


def token_accuracy(gold: Sequence[Tags], predicted: Sequence[Tags]) -> float:
    """Return the share of tokens with the right tag, in percent; 0 if there are no tokens.

    Raises:
        DataError: as in `sentence_counts`.
    """
    parts = token_counts(gold, predicted)
    return _percent(sum(part.correct for part in parts), sum(part.gold for part in parts))


def official_scores(gold: Sequence[Tags], predicted: Sequence[Tags]) -> dict[str, float]:
    """Return F1, precision and recall of seqeval 0.0.12 chunks, in percent (XTREME's numbers)."""
    return summarise(sentence_counts(gold, predicted, scheme="official"))


def clean_scores(
    gold: Sequence[Tags], predicted: Sequence[Tags], *, entities: bool
) -> dict[str, float]:
    """Return the clean profile, in percent.

    Args:
        gold: tags of each sentence.
        predicted: the same shape.
        entities: whether the tags mark entities (strict IOB2 F1, precision, recall) or are tags of
            single tokens, such as parts of speech (token accuracy).
    """
    if entities:
        return summarise(sentence_counts(gold, predicted, scheme="strict"))
    return {"accuracy": token_accuracy(gold, predicted)}


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


def _aligned(gold: Sequence[Tags], predicted: Sequence[Tags]) -> Iterable[tuple[Tags, Tags]]:
    if len(gold) != len(predicted):
        raise DataError(f"{len(predicted)} predicted sentences, but {len(gold)} gold sentences")
    for number, (truth, guess) in enumerate(zip(gold, predicted, strict=True), start=1):
        if len(truth) != len(guess):
            raise DataError(
                f"sentence {number} has {len(guess)} predicted tags, but {len(truth)} gold tags"
            )
        yield truth, guess


@lru_cache(maxsize=_REMEMBERED)
def _type(tag: str) -> str:
    return tag.rpartition("-")[2]


@lru_cache(maxsize=_REMEMBERED)
def _transparent(tag: str) -> bool:
    """Whether a repetition of `tag` neither ends nor starts a chunk, as in most tags."""
    return _boundary(tag, tag) == (False, False)


@lru_cache(maxsize=_REMEMBERED)
def _boundary(previous: str, tag: str) -> tuple[bool, bool]:
    """Whether a chunk ends before `tag`, and whether one starts at it (seqeval 0.0.12)."""
    before, letter = previous[:1], tag[:1]
    changed = _type(previous) != _type(tag)
    ends = (
        before in ("E", "S")
        or (before in ("B", "I") and letter in ("B", "S", "O"))
        or (before not in ("O", ".") and changed)
    )
    starts = (
        letter in ("B", "S")
        or (before in ("E", "S", "O") and letter in ("E", "I"))
        or (letter not in ("O", ".") and changed)
    )
    return ends, starts
