"""Tagging: one label a word, read off and trained on the word's first piece.

1. Words are tokenised one by one. A word that gives no piece becomes the unknown piece, one of more
   pieces than a window holds is cut to it (XTREME makes both unknown).
2. A sentence too long for a window is split between words; the windows are joined again, so no word
   is ever left without a tag.
3. The loss is the mean cross-entropy over the words of a step.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer

from midway.families.scores import Scores
from midway.families.tokens import Specials, specials, table
from midway.metrics import tagging as metrics
from midway.tasks.card import TaskCard
from midway.tasks.examples import TaggedSentence


def outputs(card: TaskCard) -> int:
    """One logit a token for each tag."""
    return len(card.labels)


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
        word), ``heads`` (each word's first piece, as a token index), ``tags`` (label numbers).
    """
    del stride
    around = specials(tokenizer)
    room = max_length - len(around)
    label = {tag: number for number, tag in enumerate(card.labels)}
    pieces = _word_pieces(examples, tokenizer, room)
    kinds = {"boundary": "int32", "example": "int32", "word": "int32"}
    kinds |= {"ids": "list", "heads": "list", "tags": "list"}
    columns: dict[str, list[Any]] = {name: [] for name in kinds}
    for index, example in enumerate(examples):
        words = [pieces[token] for token in example.tokens]
        for begin, end in _windows([len(word) for word in words], room):
            row = _window(words[begin:end], around) | {
                "example": index,
                "word": begin,
                "tags": [label[tag] for tag in example.tags[begin:end]],
            }
            for name, value in row.items():
                columns[name].append(value)
    return table({name: (kinds[name], values) for name, values in columns.items()})


def _word_pieces(
    examples: Sequence[TaggedSentence], tokenizer: Tokenizer, room: int
) -> dict[str, list[int]]:
    """Pieces of every distinct word, never empty, never more than `room`."""
    words = sorted({token for example in examples for token in example.tokens})
    encodings = tokenizer.encode_batch(
        [[word] for word in words], is_pretokenized=True, add_special_tokens=False
    )
    unknown = _unknown(tokenizer)
    return {
        word: encoding.ids[:room] or [unknown]
        for word, encoding in zip(words, encodings, strict=True)
    }


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


def _window(words: Sequence[Sequence[int]], around: Specials) -> dict[str, Any]:
    sizes = np.array([len(word) for word in words])
    heads = len(around.before) + np.cumsum(sizes) - sizes
    ids = [*around.before, *(piece for word in words for piece in word), *around.after]
    return {"ids": ids, "boundary": len(ids), "heads": heads.astype(np.int32)}


def units(features: pa.Table, rows: np.ndarray) -> float:
    """A step's loss is a mean over words."""
    heads = features["heads"].combine_chunks()
    offsets = heads.offsets.to_numpy()
    return float((offsets[rows + 1] - offsets[rows]).sum())


def loss(logits: torch.Tensor, batch: Mapping[str, Any], lengths: Sequence[int]) -> torch.Tensor:
    """Sum over words of the cross-entropy at the word's first piece.

    Args:
        logits: ``float32[T, tags]`` of a packed batch.
        batch: ``heads`` and ``tags``, lists of one array per window.
        lengths: tokens per window.
    """
    place = torch.from_numpy(_head_places(batch, lengths)).to(logits.device)
    gold = torch.from_numpy(np.concatenate(batch["tags"]).astype(np.int64)).to(logits.device)
    return torch.nn.functional.cross_entropy(logits[place], gold, reduction="sum")


def _head_places(batch: Mapping[str, Any], lengths: Sequence[int]) -> np.ndarray:
    starts = np.cumsum(lengths) - np.asarray(lengths)
    places = [start + heads for start, heads in zip(starts, batch["heads"], strict=True)]
    return np.concatenate(places).astype(np.int64)


def candidates(
    logits: torch.Tensor, batch: Mapping[str, Any], lengths: Sequence[int]
) -> list[np.ndarray]:
    """The best label number of each word, one array per window of a packed batch."""
    best = logits.argmax(-1).cpu().numpy()[_head_places(batch, lengths)]
    counts = np.cumsum([len(heads) for heads in batch["heads"]])[:-1]
    return np.split(best, counts)


def decode(
    found: Sequence[np.ndarray],
    features: pa.Table,
    examples: Sequence[TaggedSentence],
    card: TaskCard,
) -> list[list[str]]:
    """Join windows: one tag for every word of every sentence.

    Args:
        found: what `candidates` returned, in the order of `features`.
        features: the windows.
        examples: the sentences they were cut from.
        card: the task; its labels name the numbers.
    """
    tags = [[""] * len(example.tokens) for example in examples]
    places = zip(features["example"].to_pylist(), features["word"].to_pylist(), strict=True)
    for (example, word), numbers in zip(places, found, strict=True):
        tags[example][word : word + len(numbers)] = [card.labels[n] for n in numbers]
    return tags


def score(
    predictions: Mapping[str, Sequence[str]],
    examples: Sequence[TaggedSentence],
    card: TaskCard,
    language: str,
) -> Scores:
    """Score one language: chunk F1 as in XTREME; accuracy or strict entity F1 in the clean profile.

    Args:
        predictions: example id → tags.
        examples: the gold, of one language.
        card: the task.
        language: not used; tags mean the same in every language.
    """
    del language
    gold = [example.tags for example in examples]
    guess = [predictions[example.id] for example in examples]
    counts = metrics.sentence_counts(gold, guess)
    entities = any(tag.startswith("B-") for tag in card.labels)
    return Scores(
        n=len(examples),
        official=metrics.summarise(counts),
        clean=metrics.clean_scores(gold, guess, entities=entities),
        numerator=[2.0 * count.correct for count in counts],
        denominator=[float(count.predicted + count.gold) for count in counts],
    )
