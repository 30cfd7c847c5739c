"""Folds: halves of a data set that share no document, for training on one and evaluating the other.

1. A document's half is decided by a hash of its name: parallel documents are on the same side in
   every language.
2. Documents of a language that share a paragraph (one text under two titles) are one.
"""

from collections.abc import Sequence
from hashlib import sha256

from midway.tasks.examples import Example, QAExample

FOLDS = ("A", "B")


def fold_of(document: str) -> str:
    """Return ``A`` or ``B``: the lowest bit of the first byte of the document's SHA-256."""
    return FOLDS[sha256(document.encode("utf-8")).digest()[0] % 2]


def folded(examples: Sequence[Example], fold: str | None) -> list[Example]:
    """Return the examples of a fold; None is both."""
    if fold is None:
        return list(examples)
    first = _joined(examples)
    return [e for e in examples if fold_of(first.get((e.language, e.document), e.document)) == fold]


def _joined(examples: Sequence[Example]) -> dict[tuple[str, str], str]:
    """The first name, in order of the alphabet, of the documents that belong together."""
    first: dict[tuple[str, str], str] = {}
    holders: dict[tuple[str, str], str] = {}
    for example in examples:
        if not isinstance(example, QAExample):
            continue
        language, name = example.language, example.document
        other = holders.setdefault((language, " ".join(example.context.split())), name)
        mine, theirs = (first.get((language, each), each) for each in (name, other))
        if mine != theirs:
            low, high = sorted((mine, theirs))
            for each in (name, other, high):
                first[language, each] = low
            first |= {key: low for key, at in first.items() if key[0] == language and at == high}
    return first
