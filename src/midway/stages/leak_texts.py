"""What is compared of an example, and in which form.

1. The texts of an example: the paragraph of a question, the words of a tagged sentence, either side
   of a sentence pair, both texts of a labelled pair together, all of a multiple-choice item, a text
   that is searched or searched with, and the passage around it.
2. The normal form: NFKC, case folded, white space joined.
3. The skeleton, for near duplicates: the normal form without white space, punctuation and symbols,
   so that tokenised and untokenised text are the same.
"""

import unicodedata
from collections.abc import Iterator

from midway.tasks.examples import (
    ChoiceExample,
    Example,
    LabelledText,
    PlainText,
    QAExample,
    RankedText,
    SentencePair,
    TaggedSentence,
)


def texts(example: Example) -> Iterator[str]:
    """The texts of an example in which a leak would show."""
    match example:
        case QAExample():
            yield example.context
        case TaggedSentence():
            yield " ".join(example.tokens)
        case SentencePair():
            yield example.sentence
            yield example.english
        case LabelledText():
            yield f"{example.text} {example.pair}".rstrip()
        case ChoiceExample():
            yield f"{example.context} {example.question} {' '.join(example.choices)}"
        case RankedText():
            yield example.text
            if example.context:
                yield example.context
        case PlainText():
            yield example.text


def whole(example: Example) -> str:
    """All of an example but its gold: two with the same are the same item twice."""
    parts = list(texts(example))
    if isinstance(example, QAExample):
        parts.append(example.question)
    if isinstance(example, RankedText):
        parts.insert(0, example.side)
    return "\n".join(map(normal, parts))


def normal(text: str) -> str:
    """NFKC, case folded, white space joined."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class _Dropped(dict[int, int | None]):
    """For `str.translate`: letters, marks and digits stay; the rest goes."""

    def __missing__(self, code: int) -> int | None:
        kept = code if unicodedata.category(chr(code))[0] in "LMN" else None
        self[code] = kept
        return kept


_DROPPED = _Dropped()


def skeleton(normal_text: str) -> str:
    """The letters, marks and digits of a text in its normal form."""
    return normal_text.translate(_DROPPED)
