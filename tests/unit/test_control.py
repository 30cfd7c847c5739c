"""Controls keep texts and label counts, and break what ties them together."""

from collections import Counter

import pytest

from midway.errors import DataError
from midway.tasks.control import shuffled
from midway.tasks.examples import (
    ChoiceExample,
    LabelledText,
    QAExample,
    SentencePair,
    TaggedSentence,
)

LANGUAGES = ("en", "sw")


def labelled(n, language):
    label = "yes" if n % 3 else f"no in {language}"
    return LabelledText(f"{n}", language, "d", f"text {n}", "", label)


def choice(n, language):
    return ChoiceExample(f"{n}", language, "d", "c", "q", ("a", "b", "c", "d"), n % 4)


def tagged(n, language):
    tokens = tuple("abcde"[: 1 + n % 5])
    return TaggedSentence(f"{n}", language, "d", tokens, tuple(t + language for t in tokens))


def question(n, language):
    context = f"The number {n} stands in the middle of a rather long sentence."
    return QAExample(f"{n}", language, "d", context, "q", (str(n),), (context.index(str(n)),))


def some(make):
    return [make(n, language) for language in LANGUAGES for n in range(60)]


def gold(example):
    return getattr(example, "label", None) or getattr(example, "tags", None)


@pytest.mark.parametrize("make", [labelled, choice, tagged])
def test_labels_keep_their_counts_within_a_language(make):
    before = some(make)
    after = shuffled(before, seed=1)
    for language in LANGUAGES:
        counts = []
        for examples in (before, after):
            mine = [e for e in examples if e.language == language]
            counts.append(
                Counter(
                    tag
                    for e in mine
                    for tag in (e.tags if isinstance(e, TaggedSentence) else [e.label])
                )
            )
        assert counts[0] == counts[1]
    changed = sum(gold(a) != gold(b) for a, b in zip(before, after, strict=True))
    assert changed > 20
    same = [(a.id, a.language, getattr(a, "tokens", ()), getattr(a, "text", "")) for a in before]
    assert same == [
        (b.id, b.language, getattr(b, "tokens", ()), getattr(b, "text", "")) for b in after
    ]


def test_answers_move_and_keep_their_length():
    before = some(question)
    after = shuffled(before, seed=1)
    for a, b in zip(before, after, strict=True):
        assert a.context == b.context
        assert b.context[b.starts[0] : b.starts[0] + len(b.answers[0])] == b.answers[0]
        assert len(a.answers[0]) == len(b.answers[0])
    assert sum(a.starts != b.starts for a, b in zip(before, after, strict=True)) > 80


def test_the_seed_decides():
    examples = some(labelled)
    assert shuffled(examples, seed=1) == shuffled(examples, seed=1)
    assert shuffled(examples, seed=1) != shuffled(examples, seed=2)


def test_what_has_no_labels_is_refused():
    with pytest.raises(DataError, match="SentencePair has none"):
        shuffled([SentencePair("1", "en", "d", "a", "b")], seed=1)
