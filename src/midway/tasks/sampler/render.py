"""A fact in a language: a sentence, where each slot lies in it, and its tokens.

Tokens are divided at white space, punctuation is split off; a sign between two letters
(``Paris'te``) is not. Chinese has a token per character, as in PAN-X. An entity or an answer is
always whole tokens: where a case ending is attached to a name it belongs to it.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from midway.tasks.sampler.lexicon import NUMBERS, Choice, Lexicon, Slot

_JOINERS = frozenset("'’-")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) are the slot called `slot`."""

    slot: str
    start: int
    end: int


def render(
    lexicon: Lexicon, template: str, values: Mapping[str, str]
) -> tuple[str, tuple[Span, ...]]:
    """Return the text of a template filled with `values` and the spans of its slots."""
    text = ""
    spans: list[Span] = []
    for part in lexicon.templates[template]:
        if isinstance(part, str):
            text += part
        elif isinstance(part, Choice):
            text += part.f if _gender(lexicon, values) == "f" else part.m
        else:
            word = _word(lexicon, part, values)
            spans.append(Span(part.name, len(text), len(text) + len(word)))
            text += word
    return text, tuple(spans)


def _gender(lexicon: Lexicon, values: Mapping[str, str]) -> str:
    return lexicon.genders[values["person"].split("+")[0]]


def _word(lexicon: Lexicon, slot: Slot, values: Mapping[str, str]) -> str:
    item = values[slot.name]
    if slot.name in NUMBERS:
        return item
    if slot.name == "person":
        given, surname = item.split("+")
        sign = " " if lexicon.spaced else "·"
        return lexicon.words["given"][""][given] + sign + lexicon.words["surname"][""][surname]
    form = _gender(lexicon, values) if slot.name == "profession" else slot.form
    return lexicon.words[slot.name][form][item]


def join(lexicon: Lexicon, sentences: Iterable[str]) -> str:
    """Return sentences as one text."""
    return (" " if lexicon.spaced else "").join(sentences)


def tokenize(text: str, *, spaced: bool) -> list[tuple[int, int]]:
    """Return start and end (exclusive) of each token, in order.

    Args:
        text: the text.
        spaced: whether the language divides words by spaces; if not, a token is a character.
    """
    tokens: list[tuple[int, int]] = []
    open_at = -1
    for i, sign in enumerate(text):
        joined = not sign.isspace() and (spaced and (not _splits(sign) or _between(text, i)))
        if joined:
            open_at = i if open_at < 0 else open_at
            continue
        if open_at >= 0:
            tokens.append((open_at, i))
            open_at = -1
        if not sign.isspace():
            tokens.append((i, i + 1))
    if open_at >= 0:
        tokens.append((open_at, len(text)))
    return tokens


@cache
def _splits(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "PS"


def _between(text: str, i: int) -> bool:
    around = text[i - 1 : i] + text[i + 1 : i + 2]
    return (
        text[i] in _JOINERS
        and len(around) == 2
        and not any(sign.isspace() or _splits(sign) for sign in around)
    )


def widen(text: str, span: Span, *, spaced: bool) -> Span:
    """Return the span of all tokens that `span` touches."""
    if not spaced:
        return span
    touched = [
        (start, end)
        for start, end in tokenize(text, spaced=True)
        if start < span.end and end > span.start
    ]
    return Span(span.slot, touched[0][0], touched[-1][1])
