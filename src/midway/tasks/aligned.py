"""Which tasks call the same thing by the same name, in several languages or in several data sets.

1. A collection is a source that several tasks draw on, or one task in several languages, whose ids
   and documents mean the same wherever they stand: SQuAD's question 56be… is XQuAD's in every
   language. Names of different collections have nothing to do with each other: row 17 of one file
   is not row 17 of another.
2. In some collections numbers begin anew in each split; there the split is part of the name.
3. Encyclopaedic data sets are apart from that comparable by the title of the article.
"""

from collections.abc import Hashable

from midway.tasks.examples import Example, QAExample, RankedText

_COLLECTIONS = {
    "squad": "squad",
    "squad-v2": "squad",
    "xquad": "squad",
    "lareqa": "squad",
    "mlqa": "mlqa",
    "copa": "copa",
    "xcopa": "copa",
    "xnli": "xnli",
    "americasnli": "xnli",
    "pawsx": "pawsx",
    "sib200": "sib200",
    "sib200-pairs": "sib200",
    "flores": "flores",
    "django-messages": "django",
    "sampler-qa": "sampler",
    "sampler-checks": "sampler",
    "sampler-ner": "sampler",
    "sampler-pairs": "sampler",
}
_BY_SPLIT = {"xnli", "pawsx", "flores"}
# Where ids differ between the tasks of a collection, the document is the item.
_BY_DOCUMENT = {"copa"}
# Where an item has a row number in one task and another in the other, only documents agree.
_NO_ITEMS = {"americasnli"}
_TITLED = {"squad", "squad-v2", "xquad", "lareqa", "mlqa", "tydiqa", "afriqa"}


def item_of(example: Example, task: str, split: str) -> Hashable:
    """What the example is, whatever its language; None if its id says nothing outside its file."""
    collection = _COLLECTIONS.get(task)
    if collection is None or task in _NO_ITEMS:
        return None
    if isinstance(example, RankedText) and example.side == "candidate":
        return None  # numbered by paragraph, anew in each file
    name = example.document if collection in _BY_DOCUMENT else example.id
    return (collection, split if collection in _BY_SPLIT else "", name)


def document_of(example: Example, task: str, split: str) -> Hashable:
    """The document that the example belongs to, by name within its collection; None if unknown."""
    collection = _COLLECTIONS.get(task)
    if collection is None or not example.document or example.document.startswith("article-"):
        return None
    return (collection, split if collection in _BY_SPLIT else "", example.document)


def title_of(example: Example, task: str) -> str | None:
    """The title of the article that the example is from, comparable between collections."""
    if task not in _TITLED or not isinstance(example, QAExample | RankedText):
        return None
    title = " ".join(example.document.replace("_", " ").casefold().split())
    return None if not title or title.startswith("article-") else title
