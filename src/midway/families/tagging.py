"""Tagging: one label a word, read off and trained on the word's first piece.

1. Words are tokenised one by one. A word that gives no piece becomes the unknown piece, one of more
   pieces than a window holds is cut to it (XTREME makes both unknown).
2. A sentence too long for a window is split between words; the windows are joined again, so no word
   is ever left without a tag.
3. The loss is the mean cross-entropy over the words of a step.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.encoders.transfer import to_device
from midway.families.family import Family, Items
from midway.families.scores import Scores
from midway.families.tokens import Specials, lists, lists_of, specials, spread, table, with_labels
from midway.metrics import tagging as metrics
from midway.tasks.card import TaskCard
from midway.tasks.examples import TaggedSentence


def encode(
    examples: Sequence[TaggedSentence],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Cut sentences into windows of at most `max_length` tokens; windows do not overlap.

    Returns:
        Columns ``ids``, ``boundary``, ``example`` (index), ``word`` (index of the window's first
        word), ``heads`` (each word's first piece, as a token index), ``tags`` (label numbers);
        the labels are the card's or, where it has none, those that occur.
    """
    del stride
    around = specials(tokenizer)
    room = max_length - len(around)
    labels = card.labels or sorted({tag for example in examples for tag in example.tags})
    label = {tag: number for number, tag in enumerate(labels)}
    pieces, sizes = _word_pieces(examples, tokenizer, room)
    first = np.cumsum([0, *(len(example.tokens) for example in examples)])
    windows = [
        (index, begin, end)
        for index in range(len(examples))
        for begin, end in _windows(sizes[first[index] : first[index + 1]].tolist(), room)
    ]
    example, begin, end = np.array(windows).T
    ids, heads = _windowed(pieces, sizes, end - begin, around)
    tags = np.array([label[tag] for example in examples for tag in example.tags], np.int32)
    made = table({
        "boundary": ("int32", np.diff(ids.offsets.to_numpy())),
        "example": ("int32", example),
        "word": ("int32", begin),
        "ids": ("list", ids),
        "heads": ("list", heads),
        "tags": ("list", lists(end - begin, tags)),
    })  # fmt: skip
    return with_labels(made, labels)


def _word_pieces(
    examples: Sequence[TaggedSentence], tokenizer: Tokenizer, room: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of all words, end to end, and how many each word has: 1 to `room`."""
    words = sorted({token for example in examples for token in example.tokens})
    encodings = tokenizer.encode_batch_fast(
        [[word] for word in words], is_pretokenized=True, add_special_tokens=False
    )
    unknown = _unknown(tokenizer)
    known = [encoding.ids[:room] or [unknown] for encoding in encodings]
    sizes = np.array([len(pieces) for pieces in known], np.int64)
    number = {word: place for place, word in enumerate(words)}
    which = [number[token] for example in examples for token in example.tokens]
    begins = (np.cumsum(sizes) - sizes)[which]
    return np.fromiter(chain(*known), np.int32)[spread(begins, sizes[which])], sizes[which]


def _unknown(tokenizer: Tokenizer) -> int:
    for name in ("<unk>", "[UNK]"):
        number = tokenizer.token_to_id(name)
        if number is not None:
            return int(number)
    return 0


def _windows(sizes: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Half-open ranges of words, each of at most `room` pieces, filled from the left."""
    ranges, begin, used = [], 0, 0
    for word, size in enumerate(sizes):
        if used + size > room:
            ranges.append((begin, word))
            begin, used = word, 0
        used += size
    return [*ranges, (begin, len(sizes))]


def _windowed(
    pieces: np.ndarray, sizes: np.ndarray, words: np.ndarray, around: Specials
) -> tuple[pa.ListArray, pa.ListArray]:
    """Each window's piece ids, with the special tokens, and where in it its words begin.

    Args:
        pieces: of all words, end to end.
        sizes: how many each word has.
        words: how many words each window has.
        around: the special tokens.
    """
    ends = np.append(0, np.cumsum(sizes))  # of the words among the pieces
    last = np.cumsum(words)
    lengths = ends[last] - ends[last - words]  # pieces of each window
    places = len(around.before) + spread(np.zeros_like(lengths), lengths)
    ids = np.empty(int(lengths.sum()) + len(lengths) * len(around), np.int32)
    begins = np.cumsum(lengths + len(around)) - lengths - len(around)
    ids[np.repeat(begins, lengths) + places] = pieces
    ids[begins[:, None] + np.arange(len(around.before))] = around.before
    after = (begins + len(around.before) + lengths)[:, None] + np.arange(len(around.after))
    ids[after] = around.after
    return lists(lengths + len(around), ids), lists(words, places[ends[:-1]])


def units(features: pa.Table, items: np.ndarray, of: Items) -> float:
    """A step's loss is a mean over words."""
    rows = of.of(items)
    offsets, _ = lists_of(features, "heads")
    return float((offsets[rows + 1] - offsets[rows]).sum())


def loss(logits: torch.Tensor, batch: Mapping[str, Any], lengths: Sequence[int]) -> torch.Tensor:
    """Sum over words of the cross-entropy at the word's first piece.

    Args:
        logits: ``float32[words, tags]``, at the words' first pieces.
        batch: ``tags``, a list of one array per window.
        lengths: not used.
    """
    del lengths
    gold = to_device(np.concatenate(batch["tags"]).astype(np.int64), logits.device)
    return torch.nn.functional.cross_entropy(logits, gold, reduction="sum")


def places(batch: Mapping[str, Any], lengths: Sequence[int]) -> np.ndarray:
    """First pieces of the words of a packed batch."""
    starts = np.cumsum(lengths) - np.asarray(lengths)
    found = [start + heads for start, heads in zip(starts, batch["heads"], strict=True)]
    return np.concatenate(found).astype(np.int64)


def candidates(
    logits: torch.Tensor, batch: Mapping[str, Any], lengths: Sequence[int]
) -> tuple[torch.Tensor]:
    """Number of the best label of each word, ``int64[words]``."""
    del batch, lengths
    return (logits.argmax(-1),)


def decode(
    found: Sequence[torch.Tensor],
    features: pa.Table,
    examples: Sequence[TaggedSentence],
    card: TaskCard,
    labels: Sequence[str],
) -> list[list[str]]:
    """Join windows: one tag for every word of every sentence.

    Args:
        found: what `candidates` says of each word, in order; no word is in two windows.
        features: not used.
        examples: the sentences they were cut from.
        card: not used.
        labels: of the head; they name the numbers.
    """
    del features, card
    tags = iter([labels[number] for number in found[0].tolist()])
    return [list(islice(tags, len(example.tokens))) for example in examples]


def score(
    predictions: Mapping[str, Sequence[str]],
    examples: Sequence[TaggedSentence],
    card: TaskCard,
    language: str,
    labels: Sequence[str] = (),
) -> Scores:
    """Score one language.

    Official: chunk F1 as in XTREME or, where the card's rule is ``accuracy``, token accuracy.
    Clean: accuracy, or strict entity F1 without the entity types that the head does not know.

    Args:
        predictions: example id → tags.
        examples: the gold, of one language.
        card: the task.
        language: not used; tags mean the same in every language.
        labels: of the head that predicted; empty means all of the card's.
    """
    del language
    gold = [example.tags for example in examples]
    guess = [predictions[example.id] for example in examples]
    entities = any(tag.startswith("B-") for tag in card.labels)
    missing = set(card.labels) - set(labels) if labels else set()
    known = [tuple("O" if tag in missing else tag for tag in tags) for tags in gold]
    clean = metrics.clean_scores(known if entities else gold, guess, entities=entities)
    if card.rule == "accuracy":
        counts = metrics.token_counts(gold, guess)
        official = {"accuracy": metrics.token_accuracy(gold, guess)}
        numerator = [float(count.correct) for count in counts]
        denominator = [float(count.gold) for count in counts]
    else:
        counts = metrics.sentence_counts(gold, guess)
        official = metrics.summarise(counts)
        numerator = [2.0 * count.correct for count in counts]
        denominator = [float(count.predicted + count.gold) for count in counts]
    return Scores(
        n=len(examples),
        official=official,
        clean=clean,
        numerator=numerator,
        denominator=denominator,
    )


FAMILY = Family(
    encode=encode,
    score=score,
    head="token",
    trains_on=("heads", "tags"),
    asks=("heads",),
    places=places,
    units=units,
    loss=loss,
    candidates=candidates,
    decode=decode,
)
