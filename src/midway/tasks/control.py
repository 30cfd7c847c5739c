"""Control tasks: the same texts with labels that mean nothing.

What such an intermediate task gains is due to more training, not to what the labels teach (Chang
and Lu 2021, arXiv 2108.11696). Labels keep their distribution:

- classification, choice: labels are permuted among the examples of a language;
- tagging: tags are permuted among all words of a language;
- span QA: each answer becomes a span of as many characters elsewhere in the paragraph.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from midway.errors import DataError
from midway.tasks.examples import (
    ChoiceExample,
    Example,
    LabelledText,
    QAExample,
    TaggedSentence,
)


def shuffled(examples: Sequence[Example], *, seed: int) -> list[Example]:
    """Return the examples with shuffled labels, in the same order.

    Args:
        examples: of one task, in any number of languages.
        seed: of the shuffle; it depends on nothing else but the examples.

    Raises:
        DataError: they have no labels to shuffle.
    """
    by_language: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        by_language.setdefault(example.language, []).append(place)
    changed: dict[int, Example] = {}
    for number, places in enumerate(by_language.values()):
        random = np.random.default_rng([seed, number])
        mine = [examples[place] for place in places]
        changed |= zip(places, _relabel(mine, random), strict=True)
    return [changed[place] for place in range(len(examples))]


def _relabel(examples: list[Example], random: np.random.Generator) -> list[Example]:
    order = random.permutation(len(examples))
    first = examples[0]
    if isinstance(first, LabelledText):
        texts = [e for e in examples if isinstance(e, LabelledText)]
        return [replace(e, label=texts[i].label) for e, i in zip(texts, order, strict=True)]
    if isinstance(first, ChoiceExample):
        # a permuted number can be too high where examples differ in their number of choices
        items = [e for e in examples if isinstance(e, ChoiceExample)]
        numbers = [items[i].label % len(e.choices) for e, i in zip(items, order, strict=True)]
        return [replace(e, label=n) for e, n in zip(items, numbers, strict=True)]
    if isinstance(first, TaggedSentence):
        return _retag([e for e in examples if isinstance(e, TaggedSentence)], random)
    if isinstance(first, QAExample):
        return [_elsewhere(e, random) for e in examples if isinstance(e, QAExample)]
    raise DataError(
        f"a control needs labels to shuffle, {type(first).__name__} has none; drop 'control'"
    )


def _retag(examples: list[TaggedSentence], random: np.random.Generator) -> list[Example]:
    tags = [tag for example in examples for tag in example.tags]
    shuffled_tags = [tags[i] for i in random.permutation(len(tags))]
    done: list[Example] = []
    begin = 0
    for example in examples:
        end = begin + len(example.tags)
        done.append(replace(example, tags=tuple(shuffled_tags[begin:end])))
        begin = end
    return done


def _elsewhere(example: QAExample, random: np.random.Generator) -> QAExample:
    if not example.answers:
        return example
    length = min(len(example.answers[0]), len(example.context))
    start = int(random.integers(0, len(example.context) - length + 1))
    text = example.context[start : start + length]
    return replace(example, answers=(text,), starts=(start,))
