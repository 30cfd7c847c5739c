"""Gains by kind of language: family, script, resources, size of corpus, distance from English.

Each kind of language has the mean over the trained targets that have such languages, with equal
weight, English left out. Kinds rest on different targets and languages: what one gains more than
another is a difference between these, and `midway.analysis.drivers` asks which property goes with
it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from midway.analysis.cube import Cube
from midway.analysis.estimate import Estimate, estimate, mean_over
from midway.analysis.gains import ENGLISH, compared, trained
from midway.analysis.low_resource import LanguageFacts, facts

UNKNOWN, LOW, HIGH = "unknown", "low-resource", "high-resource"
SIZES = ("not in it", "below 1 GiB", "1 to 10 GiB", "10 GiB or more")
DISTANCES = ("below 0.2", "0.2 to 0.4", "0.4 or more")
_ORDER = (LOW, HIGH, *SIZES, *DISTANCES, UNKNOWN)  # others by their names, before these


def _size(fact: LanguageFacts) -> str:
    gib = fact.cc100_gib
    return SIZES[0 if gib is None else 1 + (gib >= 1) + (gib >= 10)]


def _syntax(fact: LanguageFacts) -> str:
    away = fact.from_english
    return UNKNOWN if away is None else DISTANCES[(away >= 0.2) + (away >= 0.4)]


def _resources(fact: LanguageFacts) -> str:
    return {True: LOW, False: HIGH, None: UNKNOWN}[fact.low_resource]


PROPERTIES: Mapping[str, Callable[[LanguageFacts], str]] = MappingProxyType(
    {
        "Resources": _resources,
        "Family": lambda fact: fact.family or UNKNOWN,
        "Script": lambda fact: fact.script or UNKNOWN,
        "Resource class": lambda fact: (
            UNKNOWN if fact.resource_class is None else str(fact.resource_class)
        ),
        "Text in CC-100": _size,
        "Distance from English in syntax": _syntax,
    }
)


@dataclass(frozen=True, slots=True)
class KindGain:
    """Mean gain on the languages of one kind.

    Attributes:
        first: intermediate whose gain it is; or the first of a contrast.
        second: the baseline, or the second of a contrast.
        property: one of `PROPERTIES`.
        kind: its value.
        languages: canonical codes.
        targets: that have any of them.
        mean: in points.
    """

    first: str
    second: str
    property: str
    kind: str
    languages: tuple[str, ...]
    targets: tuple[str, ...]
    mean: Estimate


def kind_gains(
    cubes: Sequence[Cube], contrasts: Sequence[Sequence[str]], rng: np.random.Generator
) -> tuple[KindGain, ...]:
    """Return gains by kind of language, a property at a time, of intermediates and contrasts."""
    chosen = trained(cubes)
    pairs = compared(chosen, contrasts)
    table = []
    for name, value in PROPERTIES.items():
        kinds: dict[str, dict[str, tuple[str, ...]]] = {}
        for cube in chosen:
            for code in cube.languages:
                if code not in ENGLISH:
                    where = kinds.setdefault(value(facts(code)), {})
                    where[cube.target] = (*where.get(cube.target, ()), code)
        for kind in sorted(kinds, key=_place):
            where = kinds[kind]
            codes = {facts(code).canonical for own in where.values() for code in own}
            shared = name, kind, tuple(sorted(codes)), tuple(where)
            for first, second in pairs:
                mean = estimate(mean_over(chosen, where), {first: 1.0, second: -1.0}, rng=rng)
                if mean is not None:
                    table.append(KindGain(first, second, *shared, mean))
    return tuple(table)


def _place(kind: str) -> tuple[int, str]:
    return (_ORDER.index(kind) if kind in _ORDER else -1, kind)
