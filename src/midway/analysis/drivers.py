"""What gains go with: properties of languages, intermediates and targets.

1. `slopes` regresses gains of (target, language) cells on four properties of the language, with an
   intercept per target. English is left out. Cells of one language are a cluster.
2. `decomposition` asks how far a gain is a matter of the intermediate, of the target, or of the two
   together, over the complete part of the table intermediate x target of trained targets.

A slope describes the languages at hand; with a dozen of them, which differ in many ways at once, it
is a hint and no cause. Distance is that in syntax (`midway.languages.syntactic_distance`), which is
partly predicted for languages that are little described.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from midway.analysis.cube import Cube
from midway.analysis.gains import ENGLISH, Gain, compared, trained
from midway.analysis.low_resource import LanguageFacts, facts
from midway.stats import Interval, Shares, decompose, regress

LEAST_CC100 = 0.05  # GiB, for languages outside CC-100; 0.1 is the smallest figure published
TEXT, SCRIPT, SYNTAX, SEEN = (
    "ten times the text in CC-100",
    "Latin script",
    "0.1 further from English in syntax",
    "in the intermediate's data",
)


@dataclass(frozen=True, slots=True)
class Slope:
    """How a gain changes with one property of the language, the others held.

    Attributes:
        first: intermediate whose gain it is; or the first of a contrast.
        second: the baseline, or the second of a contrast.
        property: `TEXT`, `SCRIPT`, `SYNTAX` or `SEEN`.
        slope: in points.
        languages: how many.
        cells: pairs of target and language.
    """

    first: str
    second: str
    property: str
    slope: Interval
    languages: int
    cells: int


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Shares of the variation between mean gains.

    Attributes:
        intermediates: rows of the table.
        targets: its columns.
        shares: of intermediates (rows), targets (columns), and the two together.
    """

    intermediates: tuple[str, ...]
    targets: tuple[str, ...]
    shares: Shares


def slopes(
    cubes: Sequence[Cube],
    training: Mapping[str, Sequence[str]],
    contrasts: Sequence[Sequence[str]],
) -> tuple[Slope, ...]:
    """Return the slopes of every intermediate's gain, and of every contrast.

    Args:
        cubes: targets; only trained ones count.
        training: intermediate → codes of the languages of its data.
        contrasts: pairs of intermediates.
    """
    chosen = trained(cubes)
    pairs = compared(chosen, contrasts)
    return tuple(slope for pair in pairs for slope in _slopes(chosen, pair, training))


def _slopes(
    cubes: Sequence[Cube],
    pair: tuple[str, str],
    training: Mapping[str, Sequence[str]],
) -> list[Slope]:
    seen = {facts(code).canonical for code in training.get(pair[0], ())}
    seen -= {facts(code).canonical for code in training.get(pair[1], ())}
    values: list[float] = []
    rows: list[list[float]] = []
    blocks: list[int] = []
    names: list[str] = []
    seeds = []
    for block, cube in enumerate(cubes):
        common = cube.paired(pair) if set(pair) <= set(cube.systems) else ()
        if not common:
            continue
        seeds.append(len(common))
        picks = [cube.seeds.index(seed) for seed in common]
        first, second = (cube.values[cube.systems.index(name)][picks] for name in pair)
        for place, gain in enumerate((first - second).mean(axis=0).tolist()):
            code = cube.languages[place]
            fact = facts(code)
            if fact.from_english is None or code in ENGLISH:  # unknown, or nothing to transfer to
                continue
            values.append(gain)
            seen_too = float(fact.canonical in seen)
            rows.append([*_properties(fact), 10 * fact.from_english, seen_too])
            blocks.append(block)
            names.append(fact.canonical)
    if not values:
        return []
    table = np.array(rows)
    used = [place for place in range(table.shape[1]) if _varies(table[:, place], names)]
    clusters = np.unique(names, return_inverse=True)[1].tolist()
    found = regress(np.array(values), table[:, used], blocks, clusters, seeds=min(seeds))
    if found is None:
        return []
    labels = [(TEXT, SCRIPT, SYNTAX, SEEN)[place] for place in used]
    counts = len(set(names)), len(values)
    return [Slope(*pair, label, slope, *counts) for label, slope in zip(labels, found, strict=True)]


def _properties(fact: LanguageFacts) -> list[float]:
    return [math.log10(fact.cc100_gib or LEAST_CC100), float(fact.script == "Latn")]


def _varies(column: np.ndarray, names: Sequence[str]) -> bool:
    """Whether at least two languages differ from the most common value."""
    values, places = np.unique(column, return_inverse=True)
    common = np.bincount(places).argmax()
    return len(
        {name for name, place in zip(names, places, strict=True) if place != common}
    ) > 1 and (len(values) > 1)


def decomposition(gains: Sequence[Gain]) -> Decomposition | None:
    """Divide the variation between the mean gains on trained targets; None if there is too little.

    Targets that some intermediate lacks are left out.
    """
    cells = {(row.intermediate, row.target): row.mean.interval for row in gains if row.trained}
    names = tuple(dict.fromkeys(name for name, _ in cells))
    targets = tuple(
        target
        for target in dict.fromkeys(target for _, target in cells)
        if all((name, target) in cells for name in names)
    )
    if len(names) < 2 or len(targets) < 2:
        return None
    table = np.array([[cells[n, t].estimate for t in targets] for n in names])
    errors = np.array([[cells[n, t].error for t in targets] for n in names])
    shares = decompose(table, errors)
    return None if shares is None else Decomposition(names, targets, shares)
