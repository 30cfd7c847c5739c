"""What a reader returns: plain examples, one shape per family, and a count of what was dropped."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class QAExample:
    """A question about a paragraph, answered by a span of it.

    Attributes:
        id: unique within a task, split and language.
        language: the benchmark's code of the question and paragraph.
        document: what the paragraph belongs to (an article); folds never cut one in two.
        context: the paragraph.
        question: the question.
        answers: accepted answers; empty if the question has none (SQuAD v2).
        starts: character offset of each answer in `context`, same length as `answers`.
    """

    id: str
    language: str
    document: str
    context: str
    question: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence of words, each with a tag; `tokens` and `tags` have the same length."""

    id: str
    language: str
    document: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A sentence in `language` and its English translation."""

    id: str
    language: str
    document: str
    sentence: str
    english: str


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, or two (`pair` is empty for one), with a label from the card's `labels`."""

    id: str
    language: str
    document: str
    text: str
    pair: str
    label: str


@dataclass(frozen=True, slots=True)
class ChoiceExample:
    """Several continuations or answers, of which number `label` (from 0) is right.

    Each choice is encoded as the pair (`context` and `question`, the choice).
    """

    id: str
    language: str
    document: str
    context: str
    question: str
    choices: tuple[str, ...]
    label: int


@dataclass(frozen=True, slots=True)
class RankedText:
    """One text of a search, on either side of it.

    Attributes:
        id: unique within a task, split, language and side.
        language: the benchmark's code.
        document: what it belongs to; folds never cut one in two.
        side: ``query`` or ``candidate``.
        text: what is embedded: a question, a sentence, a mention.
        context: more text behind it (a passage around a sentence), or empty.
        keys: a candidate is right for a query if they have a key in common, in any language.
    """

    id: str
    language: str
    document: str
    side: str
    text: str
    context: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text without a label."""

    id: str
    language: str
    document: str
    text: str


Example = (
    QAExample
    | TaggedSentence
    | SentencePair
    | LabelledText
    | ChoiceExample
    | RankedText
    | PlainText
)


@dataclass(slots=True)
class Reading:
    """Examples in file order, and what happened to the rest.

    Attributes:
        examples: the examples.
        dropped: rows left out, counted by reason.
        repaired: rows put right without being left out, counted by reason.
        warnings: whatever a user should know of these files, a sentence each that names the file.
    """

    examples: list[Example]
    dropped: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
