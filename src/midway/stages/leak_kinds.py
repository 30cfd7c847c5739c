"""What two data sets share, kind by kind.

1. ``id``: the same item of a collection (`midway.tasks.aligned`) in the same language.
2. ``exact``: the same text, character by character; ``normalised``: only in the normal form;
   ``near``: neither, but a near duplicate (`midway.stages.near_duplicates`).
3. ``translated``: the same item of a collection in another language.
4. ``document``: the same document of a collection and none of the above; ``title``: an article of
   the same title in another collection, and none of the above.
5. ``neighbour``: each other's nearest in the encoder's space, in different languages
   (`midway.stages.neighbours`); only where it was searched.

Kinds in `COUNTED` are leaks. The others are hints: another paragraph of an article shares its
topic, not its text, and neighbours are right most of the time only.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from midway.stages.leak_texts import normal, skeleton, texts, whole
from midway.stages.near_duplicates import Signed, sign, similar
from midway.tasks import load_card
from midway.tasks.aligned import document_of, item_of, title_of
from midway.tasks.examples import Example, SentencePair
from midway.tasks.select import is_candidate
from midway.tasks.storage import read_examples

KINDS = ("id", "exact", "normalised", "near", "translated", "document", "title", "neighbour")
COUNTED = frozenset({"id", "exact", "normalised", "near", "translated", "document"})
SHOWN = 3
ENGLISH = "en"

Found = dict[str, dict[int, str]]
"""Kind → {row of the second data set: id in the first one}."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """What is compared of a data set; row i of every list is example i.

    Attributes:
        ids: as the reader gives them.
        languages: the benchmark's codes.
        items: what the example is in its collection, or None.
        documents: what it belongs to in its collection, or None.
        titles: of its article, or None.
        raw: its texts.
        texts: numbers of its texts in `normal`.
        normal: all texts in their normal form, each once.
        spoken: the language of each of these.
        original: one of the texts that have it as their normal form, for each of these.
        repeated: rows that repeat an earlier one of the same language, gold aside.
        candidates: rows that are searched, which `midway.stages.leaking` never leaves out.
    """

    ids: list[str]
    languages: list[str]
    items: list[Hashable]
    documents: list[Hashable]
    titles: list[str | None]
    raw: list[tuple[str, ...]]
    texts: list[tuple[int, ...]]
    normal: list[str]
    spoken: list[str]
    original: list[str]
    repeated: dict[int, str]
    candidates: frozenset[int]

    @cached_property
    def signed(self) -> Signed:
        """Signatures of `normal`."""
        return sign([skeleton(text) for text in self.normal])

    @cached_property
    def owners(self) -> list[list[int]]:
        """The rows that have each text of `normal`."""
        owners: list[list[int]] = [[] for _ in self.normal]
        for row, numbers in enumerate(self.texts):
            for number in numbers:
                owners[number].append(row)
        return owners

    @cached_property
    def by_text(self) -> tuple[dict[str, int], dict[str, int]]:
        """The first row with each text, exact and in the normal form."""
        exact: dict[str, int] = {}
        for row, own in enumerate(self.raw):
            for text in own:
                exact.setdefault(text, row)
        return exact, {text: own[0] for text, own in zip(self.normal, self.owners, strict=True)}

    @cached_property
    def by_item(self) -> dict[Hashable, dict[str, int]]:
        """The row of each item in each language."""
        found: dict[Hashable, dict[str, int]] = {}
        for row, item in enumerate(self.items):
            if item is not None:
                found.setdefault(item, {}).setdefault(self.languages[row], row)
        return found

    def name(self, row: int) -> str:
        """How an example is shown: ``ar:56be…``."""
        return f"{self.languages[row]}:{self.ids[row]}"


def read_data_set(folder: Path, task: str, split: str) -> DataSet:
    """Read an artefact of examples."""
    examples: list[Example] = read_examples(folder, load_card(task).family)
    raw = [tuple(dict.fromkeys(texts(example))) for example in examples]
    known = {text: normal(text) for own in raw for text in own}
    numbers: dict[str, int] = {}
    placed = [
        tuple(dict.fromkeys(numbers.setdefault(known[text], len(numbers)) for text in own))
        for own in raw
    ]
    original: dict[str, str] = {}
    for own in raw:
        for text in own:
            original.setdefault(known[text], text)  # in the order of `numbers`
    spoken = [""] * len(numbers)
    for example, places in zip(examples, placed, strict=True):
        for number in places:
            spoken[number] = spoken[number] or example.language
        if isinstance(example, SentencePair):
            spoken[places[-1]] = ENGLISH
    return DataSet(
        ids=[example.id for example in examples],
        languages=[example.language for example in examples],
        items=[item_of(example, task, split) for example in examples],
        documents=[document_of(example, task, split) for example in examples],
        titles=[title_of(example, task) for example in examples],
        raw=raw,
        texts=placed,
        normal=list(numbers),
        spoken=spoken,
        original=list(original.values()),
        repeated=_repeated(examples),
        candidates=frozenset(row for row, example in enumerate(examples) if is_candidate(example)),
    )


def _repeated(examples: Sequence[Example]) -> dict[int, str]:
    first: dict[tuple[str, str], str] = {}
    found = {}
    for row, example in enumerate(examples):
        key = (example.language, whole(example))
        if key in first:
            found[row] = f"{example.language}:{first[key]}"
        else:
            first[key] = example.id
    return found


def shared(first: DataSet, second: DataSet) -> Found:
    """What the second data set has of the first one; an example may be there in several kinds."""
    found: Found = {kind: {} for kind in KINDS}
    exact, normalised = first.by_text
    documents = _first_rows(first.documents)
    titles = _first_rows(first.titles)
    for row, language in enumerate(second.languages):
        item = first.by_item.get(second.items[row], {}) if second.items[row] is not None else {}
        _put(found["id"], row, first, item.get(language))
        others = (at for code, at in item.items() if code != language)
        _put(found["translated"], row, first, next(others, None))
        _put(found["exact"], row, first, _any(exact, second.raw[row]))
        own = (second.normal[number] for number in second.texts[row])
        _put(found["normalised"], row, first, _any(normalised, own))
        for kind, known, name in (
            ("document", documents, second.documents[row]),
            ("title", titles, second.titles[row]),
        ):
            _put(found[kind], row, first, known.get(name))
    for left, right, _ in similar(first.signed, second.signed):
        for row in second.owners[right]:
            _put(found["near"], row, first, first.owners[left][0])
    return found


def _put(found: dict[int, str], row: int, first: DataSet, at: int | None) -> None:
    if at is not None and row not in found:
        found[row] = first.name(at)


def _any(known: Mapping[str, int], wanted: Iterable[str]) -> int | None:
    return next((known[text] for text in wanted if text in known), None)


def _first_rows(names: Sequence[Hashable]) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    for row, name in enumerate(names):
        if name is not None:
            found.setdefault(name, row)
    return found


def joined(parts: Iterable[Found]) -> Found:
    """What is shared with any of several data sets, weaker kinds without what stronger ones say."""
    found: Found = {kind: {} for kind in KINDS}
    for part in parts:
        for kind, rows in part.items():
            found[kind] = rows | found[kind]
    same: set[int] = set()
    for kind in ("exact", "normalised", "near"):
        found[kind] = {row: at for row, at in found[kind].items() if row not in same}
        same |= found[kind].keys()
    same |= found["id"].keys() | found["translated"].keys()
    for kind in ("document", "title"):
        found[kind] = {row: at for row, at in found[kind].items() if row not in same}
        same |= found[kind].keys()
    return found


def counted(found: Found) -> set[int]:
    """Rows that leak."""
    return {row for kind in COUNTED for row in found[kind]}


def in_numbers(found: Found, second: DataSet) -> list[dict[str, Any]]:
    """``{"kind", "shared", "languages", "examples", "with"}`` of each kind that there is.

    `examples` are the first few ids, `with` what each was found to be in the first data set.
    """
    rows = []
    for kind in KINDS:
        places = sorted(found[kind])
        if places:
            rows.append(
                {
                    "kind": kind,
                    "shared": len(places),
                    "languages": sorted({second.languages[row] for row in places}),
                    "examples": [second.ids[row] for row in places[:SHOWN]],
                    "with": [found[kind][row] for row in places[:SHOWN]],
                }
            )
    return rows
