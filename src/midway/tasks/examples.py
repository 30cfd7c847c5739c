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


Example = QAExample | TaggedSentence | SentencePair


@dataclass(slots=True)
class Reading:
    """Examples in file order, and how many rows were left out for which reason."""

    examples: list[Example]
    dropped: Counter[str] = field(default_factory=Counter)
