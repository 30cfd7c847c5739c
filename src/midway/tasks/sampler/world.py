"""What is the case, in no language: facts, and questions with one right answer.

1. A fact is a statement's name and the items in its slots. In a context the answer occurs once, and
   so does every place, year, month and thing, but for the thing that is counted.
2. Around the fact that is asked about (the key) stand facts of the same kind about others and a
   fact of another kind about the same person: the question has to be read.
3. Counts and years never meet in a context, since ``9`` is part of ``1990``.
4. Names, places and companies of a split occur in no other split; two of the statements' word
   orders (`HELD_OUT`) do not occur in training.
5. Choices come from SHA-256 of the version, the task, the split and the number, and from nothing
   else: the same in every version of Python.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import count
from typing import TypeVar

from midway.tasks.sampler.lexicon import QUESTIONS, Structure

VERSION = 1
SIZES = {
    "qa": {"train": 4000, "validation": 500, "test": 500},
    "ner": {"train": 4000, "validation": 500, "test": 500},
    "pair": {"test": 300},
}
HELD_OUT = ("born_2", "works_2")
CAPABILITIES = {
    "most": "comparison",
    "fewest": "comparison",
    "not_who": "negation",
}

SLOTS = {
    "lives": ("person", "place"),
    "born": ("person", "place", "year"),
    "profession": ("person", "profession"),
    "works": ("person", "org", "year"),
    "bought": ("person", "thing", "month"),
    "has": ("person", "n", "thing"),
    "founded": ("org", "year"),
    "office": ("org", "place"),
    "speaks": ("person", "tongue"),
    "speaks_not": ("person", "tongue"),
}
_ANSWERS = {
    "lives_where": "place",
    "born_where": "place",
    "born_when": "year",
    "profession_what": "profession",
    "works_what": "org",
    "works_when": "year",
    "bought_what": "thing",
    "bought_when": "month",
    "has_count": "n",
    "founded_when": "year",
    "office_where": "place",
    "speaks_what": "tongue",
}
_YEARS = {"born": (1950, 2000), "works": (2001, 2024), "founded": (1880, 1949)}
_FILLERS = ("lives", "profession", "bought", "speaks")
_NUMBERS = tuple(str(n) for n in range(5, 11))

T = TypeVar("T")
Draw = Iterator[int]
Fresh = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement about items: `kind` (see `SLOTS`), the template that says it, slot and item."""

    kind: str
    template: str
    values: tuple[tuple[str, str], ...]

    def __getitem__(self, slot: str) -> str:
        """Return the item in a slot."""
        return dict(self.values)[slot]


@dataclass(frozen=True, slots=True)
class Problem:
    """A context and a question about `facts[key]`, answered by what is in its slot `answer`."""

    question: str
    capability: str
    facts: tuple[Fact, ...]
    key: int
    answer: str


def draws(seed: str) -> Draw:
    """Yield whole numbers from 0 to 2**32 - 1: consecutive words of SHA-256 of seed and block."""
    for block in count():
        word = sha256(f"{seed}\x1f{block}".encode()).digest()
        for start in range(0, 32, 4):
            yield int.from_bytes(word[start : start + 4], "big")


def pick(draw: Draw, items: Sequence[str]) -> str:
    """Return one of `items`."""
    return items[next(draw) % len(items)]


def shuffled(draw: Draw, items: Sequence[T]) -> Iterator[T]:
    """Yield all `items` in a drawn order, drawing only as far as they are taken."""
    rest = list(items)
    while rest:
        i = next(draw) % len(rest)
        rest[i], rest[-1] = rest[-1], rest[i]
        yield rest.pop()


def _deck(draw: Draw, structure: Structure, split: str) -> Fresh:
    """Return a function that gives an item of a class that it has not given before."""
    piles: dict[str, Iterator[str]] = {}

    def fresh(name: str) -> str:
        if name == "person":
            return f"{fresh('given')}+{fresh('surname')}"
        if name not in piles:
            if name in _YEARS:
                items = tuple(str(year) for year in range(*_YEARS[name]))
            else:
                items = _NUMBERS if name == "n" else structure.items[name][split]
            piles[name] = shuffled(draw, items)
        return next(piles[name])

    return fresh


def _fact(draw: Draw, split: str, fresh: Fresh, kind: str, **given: str) -> Fact:
    """Return a fact with the items that are given, fresh ones in its other slots."""
    values = tuple(
        (slot, given[slot] if slot in given else fresh(kind if slot == "year" else slot))
        for slot in SLOTS[kind]
    )
    templates = [kind]
    if kind in ("born", "works", "bought") and (split != "train" or f"{kind}_2" not in HELD_OUT):
        templates.append(f"{kind}_2")
    return Fact(kind, pick(draw, templates), values)


def _problem(draw: Draw, structure: Structure, split: str, question: str) -> Problem:
    fresh = _deck(draw, structure, split)
    kind, _, rest = question.rpartition("_")
    if question == "speaks_not_who":
        rest, facts = "not_who", _negation(draw, split, fresh)
    elif kind == "has":
        facts = _counts(draw, split, fresh, rest)
    else:
        facts = [_fact(draw, split, fresh, kind) for _ in range(3)]
    key = facts[0]
    answer = _ANSWERS.get(question, "person")
    facts += _others(draw, split, fresh, facts, open_key=answer != "person")
    order = list(shuffled(draw, range(len(facts))))
    return Problem(
        question=question,
        capability=CAPABILITIES.get(rest, rest),
        facts=tuple(facts[i] for i in order),
        key=order.index(facts.index(key)),
        answer=answer,
    )


def _negation(draw: Draw, split: str, fresh: Fresh) -> list[Fact]:
    """Return: one does not speak a language, two do, and one of these lacks another language."""
    tongue, other = fresh("tongue"), fresh("tongue")
    key, first, second = (fresh("person") for _ in range(3))
    return [
        _fact(draw, split, fresh, "speaks_not", person=key, tongue=tongue),
        _fact(draw, split, fresh, "speaks", person=first, tongue=tongue),
        _fact(draw, split, fresh, "speaks", person=second, tongue=tongue),
        _fact(draw, split, fresh, "speaks_not", person=first, tongue=other),
    ]


def _counts(draw: Draw, split: str, fresh: Fresh, rest: str) -> list[Fact]:
    """Return what three people have of one thing, the one asked about first."""
    thing = fresh("thing")
    facts = [_fact(draw, split, fresh, "has", thing=thing) for _ in range(3)]
    if rest != "count":
        facts.sort(key=lambda fact: int(fact["n"]), reverse=rest == "most")
    return facts


def _others(
    draw: Draw, split: str, fresh: Fresh, facts: Sequence[Fact], *, open_key: bool
) -> list[Fact]:
    """Return up to three facts about those in `facts`, the first of them about the key's subject.

    `open_key` is whether more may be said of the key's subject; if not, it is the answer.
    """
    key, *rest = facts
    extra: list[Fact] = []
    if key.kind in ("founded", "office"):
        other = "office" if key.kind == "founded" else "founded"
        extra.append(_fact(draw, split, fresh, other, org=key["org"]))
        people = [fresh("person")]
    else:
        people = [fact["person"] for fact in rest]
        if open_key:
            kinds = [kind for kind in _FILLERS if kind != key.kind]
            if key.kind == "lives":
                kinds.append("born")
            if key.kind == "born":
                kinds = ["lives", "lives", *kinds]
            extra.append(_fact(draw, split, fresh, pick(draw, kinds), person=key["person"]))
    said = {(fact["person"], fact.kind) for fact in facts if "person" in dict(fact.values)}
    for _ in range(next(draw) % (7 - len(facts) - len(extra))):
        person, kind = pick(draw, people), pick(draw, _FILLERS)
        if (person, kind) not in said and not (key.kind == "speaks_not" and kind == "speaks"):
            said.add((person, kind))
            extra.append(_fact(draw, split, fresh, kind, person=person))
    return extra


@lru_cache(maxsize=8)
def problems(structure: Structure, split: str) -> tuple[Problem, ...]:
    """Return the contexts and questions of a split, all distinct; kinds of question take turns."""
    draw = draws(f"{VERSION}-qa-{split}")
    found: dict[Problem, None] = {}
    while len(found) < SIZES["qa"][split]:
        question = QUESTIONS[len(found) % len(QUESTIONS)]
        found[_problem(draw, structure, split, question)] = None
    return tuple(found)


@lru_cache(maxsize=8)
def sentences(structure: Structure, task: str, split: str) -> tuple[tuple[Fact, ...], ...]:
    """Return distinct groups of facts: single ones for pairs, one or two for tagging."""
    draw = draws(f"{VERSION}-{task}-{split}")
    found: dict[tuple[Fact, ...], None] = {}
    while len(found) < SIZES[task][split]:
        fresh = _deck(draw, structure, split)
        number = 1 + next(draw) % 2 if task == "ner" else 1
        kinds = [pick(draw, tuple(SLOTS)) for _ in range(number)]
        found[tuple(_fact(draw, split, fresh, kind) for kind in kinds)] = None
    return tuple(found)
