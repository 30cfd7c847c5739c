"""Span question answering: windows over long paragraphs, an n-best list, answers of ≤ 30 tokens.

1. A feature is a window: question, then as much of the paragraph as fits; neighbouring windows
   overlap by `stride` tokens (Devlin et al. 2019; XTREME's ``run_squad.py``).
2. In training a window that does not hold the whole answer points at the first token, as does one
   of a question without an answer.
3. The head gives each token a start and an end logit. A candidate's score is their sum; the best
   candidate over all windows wins. Where questions may have no answer, the empty answer scores the
   least first-token score over the windows (SQuAD v2).
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Encoding, Tokenizer

from midway.encoders.transfer import to_device
from midway.errors import DataError
from midway.families.family import Family
from midway.families.scores import Scores
from midway.families.tokens import QUERY_TOKENS, boundary, lists_of, shorten_question, spread, table
from midway.metrics import squad
from midway.metrics.normalise import AnswerProfile
from midway.tasks.card import TaskCard
from midway.tasks.examples import QAExample

N_BEST = 20
ANSWER_TOKENS = 30
CHUNK = 2000


def encode(
    examples: Sequence[QAExample],
    tokenizer: Tokenizer,
    card: TaskCard,
    *,
    max_length: int,
    stride: int,
) -> pa.Table:
    """Cut examples into windows.

    Returns:
        Columns ``ids``, ``boundary``, ``example`` (index), ``first`` and ``last`` (the
        paragraph's tokens in the window), ``begin`` and ``finish`` (each such token's character
        offsets in the paragraph), ``start`` and ``end`` (gold tokens, 0 if not here).

    Raises:
        DataError: `max_length` leaves no room for a question beside `stride` tokens of paragraph.
    """
    del card
    limit = min(QUERY_TOKENS, max_length - tokenizer.num_special_tokens_to_add(True) - stride - 1)
    if limit < 1:
        raise DataError(
            f"max_length {max_length} leaves no room for a question beside a stride of {stride}; "
            "raise max_length or lower stride"
        )
    kinds = dict.fromkeys(("boundary", "example", "first", "last", "start", "end"), "int32")
    kinds |= dict.fromkeys(("ids", "begin", "finish"), "list")
    columns: dict[str, list[Any]] = {name: [] for name in kinds}
    for base in range(0, len(examples), CHUNK):
        chunk = examples[base : base + CHUNK]
        questions = shorten_question(tokenizer, [e.question for e in chunk], limit)
        tokenizer.enable_truncation(max_length, stride=stride, strategy="only_second")
        pairs = [(q, e.context) for q, e in zip(questions, chunk, strict=True)]
        encodings = tokenizer.encode_batch(pairs)
        tokenizer.no_truncation()
        for index, (example, encoding) in enumerate(zip(chunk, encodings, strict=True)):
            typed = 1 in encoding.type_ids
            for window in [encoding, *encoding.overflowing]:
                row = _window(window, example, typed=typed) | {"example": base + index}
                for name, value in row.items():
                    columns[name].append(value)
    return table({name: (kinds[name], values) for name, values in columns.items()})


def _window(window: Encoding, example: QAExample, *, typed: bool) -> dict[str, Any]:
    """One row. Tokenizers without token types give them to all windows but the first: `typed`."""
    inside = [i for i, sequence in enumerate(window.sequence_ids) if sequence == 1]
    first, last = (inside[0], inside[-1]) if inside else (0, -1)
    offsets = np.array(window.offsets[first : last + 1], dtype=np.int32).reshape(-1, 2)
    _cover_marks(offsets, example.context)
    start, end = _gold(offsets, first, example)
    return {
        "ids": window.ids,
        "boundary": boundary(window) if typed else len(window.ids),
        "first": first,
        "last": last,
        "begin": offsets[:, 0],
        "finish": offsets[:, 1],
        "start": start,
        "end": end,
    }


def _cover_marks(offsets: np.ndarray, text: str) -> None:
    """Lengthen tokens over combining marks that normalising fused with their base character."""
    following = np.append(offsets[1:, 0], len(text))
    for i in np.flatnonzero(following > offsets[:, 1]).tolist():
        end = int(offsets[i, 1])
        while end < following[i] and unicodedata.combining(text[end]):
            end += 1
        offsets[i, 1] = end


def _gold(offsets: np.ndarray, first: int, example: QAExample) -> tuple[int, int]:
    """Tokens of the first answer, or (0, 0) when the window does not hold all of it."""
    known = [(s, a) for s, a in zip(example.starts, example.answers, strict=True) if s >= 0 and a]
    if not known or not len(offsets):
        return 0, 0
    begin, answer = known[0]
    finish = begin + len(answer)
    if offsets[0, 0] > begin or offsets[-1, 1] < finish:
        return 0, 0
    start = int(np.searchsorted(offsets[:, 1], begin, side="right"))
    end = int(np.searchsorted(offsets[:, 0], finish, side="left")) - 1
    return (first + start, first + end) if start <= end else (0, 0)


def loss(
    logits: torch.Tensor, batch: Mapping[str, np.ndarray], lengths: Sequence[int]
) -> torch.Tensor:
    """Sum over windows of (cross-entropy of the start + of the end) / 2.

    Args:
        logits: ``float32[T, 2]`` of a packed batch.
        batch: ``start`` and ``end``, one per window.
        lengths: tokens per window.
    """
    padded = pad_rows(logits, lengths, float("-inf"))
    total = logits.new_zeros(())
    for side, name in enumerate(("start", "end")):
        gold = to_device(batch[name].astype(np.int64), logits.device)
        total = total + torch.nn.functional.cross_entropy(padded[..., side], gold, reduction="sum")
    return total / 2


def pad_rows(values: torch.Tensor, lengths: Sequence[int], fill: float) -> torch.Tensor:
    """``[T, k]`` → ``[n, longest, k]``, the rest filled."""
    sizes = np.asarray(lengths)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    columns = spread(np.zeros_like(sizes), sizes)
    padded = values.new_full((len(sizes), int(sizes.max()), values.shape[1]), fill)
    device = values.device
    padded[to_device(rows, device), to_device(columns, device)] = values
    return padded


def candidates(
    logits: torch.Tensor, batch: Mapping[str, np.ndarray], lengths: Sequence[int]
) -> tuple[torch.Tensor, ...]:
    """The best spans of each window of a packed batch.

    Returns:
        Scores, first and last tokens, ``[n, N_BEST]`` (score -inf where there are fewer), and the
        first token's score, ``[n]``.
    """
    padded = pad_rows(logits, lengths, float("-inf"))
    null = padded[:, 0].sum(-1)
    place = torch.arange(padded.shape[1], device=logits.device)
    first, last = (
        to_device(batch[name].astype(np.int64), logits.device)[:, None]
        for name in ("first", "last")
    )
    padded = padded.masked_fill(~((place >= first) & (place <= last))[..., None], float("-inf"))
    k = min(N_BEST, padded.shape[1])
    start_score, start = padded[..., 0].topk(k)
    end_score, end = padded[..., 1].topk(k)
    score = start_score[:, :, None] + end_score[:, None, :]
    span = end[:, None, :] - start[:, :, None]
    score = score.masked_fill((span < 0) | (span >= ANSWER_TOKENS), float("-inf"))
    best, flat = score.flatten(1).topk(min(N_BEST, k * k))
    fewer = (0, N_BEST - best.shape[1])
    best = torch.nn.functional.pad(best, fewer, value=float("-inf"))
    spans = (start.gather(1, flat // k), end.gather(1, flat % k))
    return (best, *(torch.nn.functional.pad(place, fewer) for place in spans), null)


def decode(
    found: Sequence[torch.Tensor],
    features: pa.Table,
    examples: Sequence[QAExample],
    card: TaskCard,
    labels: Sequence[str] = (),
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Join the windows of each example.

    Args:
        found: what `candidates` says of each window, in the order of `features`.
        features: the windows; every example has at least one.
        examples: the examples they were cut from.
        card: the task; where questions may be unanswerable, the empty answer may win.
        labels: not used.

    Returns:
        The answer to each example, and its n-best list of ``{"text", "score"}``.
    """
    del labels
    score, start, end, null = (part.cpu().numpy() for part in found)
    example, first = (features[name].to_numpy() for name in ("example", "first"))
    (begins, begin), (_, finish) = (lists_of(features, name) for name in ("begin", "finish"))
    there = np.isfinite(score)
    window = np.flatnonzero(there) // N_BEST
    token = (begins[:-1] - first)[window]  # what to add to a token of the window
    left, right = begin[token + start[there]], finish[token + end[there]]
    nbests: list[dict[str, float]] = [{} for _ in examples]
    spans = (example[window], left, right, score[there])
    for index, a, b, value in zip(*(column.tolist() for column in spans), strict=True):
        nbest, text = nbests[index], examples[index].context[a:b].strip()
        nbest[text] = max(nbest.get(text, -math.inf), value)
    if card.unanswerable:
        least = np.full(len(examples), np.inf)
        np.minimum.at(least, example, null)
        for nbest, value in zip(nbests, least.tolist(), strict=True):
            nbest[""] = value
    answers = []
    for nbest in nbests:
        ranked = sorted(nbest.items(), key=lambda item: -item[1])[:N_BEST]
        best = ranked[0][0] if ranked else ""
        listed = [{"text": text, "score": round(score, 6)} for text, score in ranked]
        answers.append((best, listed))
    return answers


def score(
    predictions: Mapping[str, str],
    examples: Sequence[QAExample],
    card: TaskCard,
    language: str,
    labels: Sequence[str] = (),
) -> Scores:
    """Score one language: SQuAD's F1 and exact match, both profiles.

    Args:
        predictions: example id → answer.
        examples: the gold, of one language.
        card: the task; its rule says how the official profile normalises.
        language: the benchmark's code; MLQA's rule and the clean profile normalise by it.
        labels: not used.
    """
    del labels
    rule: AnswerProfile = "mlqa" if card.rule == "mlqa" else "official"
    golds = {example.id: list(example.answers) for example in examples}
    official = squad.per_question(predictions, golds, language=language, profile=rule)
    clean = squad.per_question(predictions, golds, language=language, profile="clean")
    return Scores(
        n=len(examples),
        official=squad.summarise(official.values()),
        clean=squad.summarise(clean.values()) | _error_rates(clean, card),
        numerator=[official[example.id][0] for example in examples],
        denominator=[1.0] * len(examples),
    )


def _error_rates(scores: squad.PerQuestion, card: TaskCard) -> dict[str, float]:
    """Percent of questions without an exact match, in all and for each capability."""
    if card.capability is None:
        return {}
    wrong: dict[str, list[float]] = {}
    for identity, (_, exact) in scores.items():
        for name in ("error_rate", f"error_rate_{card.capability(identity)}"):
            wrong.setdefault(name, []).append(100.0 * (1.0 - exact))
    return {name: sum(values) / len(values) for name, values in sorted(wrong.items())}


FAMILY = Family(
    encode=encode,
    score=score,
    head="token",
    outputs=lambda _: 2,  # start and end
    trains_on=("start", "end"),
    asks=("first", "last"),
    loss=loss,
    candidates=candidates,
    decode=decode,
)
