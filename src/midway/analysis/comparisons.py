"""Intermediates compared with each other, and the founding question of the project.

The founding question is a contrast of contrasts: what multilingual intermediate data add over
English ones, on low-resource languages, minus the same on high-resource ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from midway.analysis.cube import Cube
from midway.analysis.estimate import Estimate, estimate, mean_over
from midway.analysis.gains import ENGLISH, intermediates, trained
from midway.analysis.low_resource import resource_groups


@dataclass(frozen=True, slots=True)
class Comparison:
    """`first` minus `second` on the mean of trained targets.

    Attributes:
        first: names of intermediates, averaged.
        second: names of intermediates, averaged.
        stated: whether the study file asks for it under ``contrasts``.
        mean: over all languages of the trained targets.
        low: on low-resource languages without English.
        high: on high-resource languages without English.
        low_minus_high: the contrast of contrasts, languages resampled too.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    stated: bool
    mean: Estimate
    low: Estimate | None
    high: Estimate | None
    low_minus_high: Estimate | None


def compare(
    cubes: Sequence[Cube],
    first: Sequence[str],
    second: Sequence[str],
    *,
    stated: bool,
    rng: np.random.Generator,
) -> Comparison | None:
    """Compare the mean of some intermediates with the mean of others; None if not both scored."""
    chosen = trained(cubes)
    weights = {name: 1 / len(first) for name in first}
    for name in second:
        weights[name] = weights.get(name, 0.0) - 1 / len(second)
    mean = estimate(mean_over(chosen), weights, rng=rng)
    if mean is None:
        return None
    pairs = {cube.target: resource_groups(cube) for cube in chosen}
    low = {target: pair[0] for target, pair in pairs.items() if pair[0] and pair[1]}
    high = {target: pair[1] for target, pair in pairs.items() if pair[0] and pair[1]}
    both = (*mean_over(chosen, low), *mean_over(chosen, high, sign=-1))
    return Comparison(
        first=tuple(first),
        second=tuple(second),
        stated=stated,
        mean=mean,
        low=estimate(mean_over(chosen, low), weights, rng=rng),
        high=estimate(mean_over(chosen, high), weights, rng=rng),
        low_minus_high=estimate(both, weights, rng=rng, over_languages=True),
    )


def english_and_multilingual(
    names: Sequence[str], training: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split intermediates by the languages of their data: (English only, others).

    Intermediates whose languages are unknown are in neither group.
    """
    known = [name for name in names if training.get(name)]
    english = tuple(name for name in known if set(training[name]) <= ENGLISH)
    return english, tuple(name for name in known if name not in english)


def stated_contrasts(
    cubes: Sequence[Cube], contrasts: Sequence[Sequence[str]], rng: np.random.Generator
) -> tuple[Comparison, ...]:
    """Return the contrasts that the study file asks for, where both sides were scored."""
    found = [compare(cubes, (a,), (b,), stated=True, rng=rng) for a, b in contrasts]
    return tuple(item for item in found if item is not None)


def founding_contrast(
    cubes: Sequence[Cube],
    training: Mapping[str, Sequence[str]],
    contrasts: Sequence[Sequence[str]],
    rng: np.random.Generator,
) -> Comparison | None:
    """Return multilingual minus English-only; None if the study lacks either.

    A stated contrast between one of each decides, since it was chosen to differ in nothing else;
    without one, all multilingual intermediates stand against all English ones.
    """
    english, multilingual = english_and_multilingual(intermediates(cubes), training)
    for pair in contrasts:
        for first, second in (tuple(pair), tuple(reversed(pair))):
            if first in multilingual and second in english:
                return compare(cubes, (first,), (second,), stated=True, rng=rng)
    if not english or not multilingual:
        return None
    return compare(cubes, multilingual, english, stated=False, rng=rng)


def ranking(
    cubes: Sequence[Cube], names: Sequence[str], rng: np.random.Generator
) -> Comparison | None:
    """Compare the best intermediate on the mean of trained targets with the second best.

    The best of many is a maximum and flatters; the comparison is shown for what it is.
    """
    chosen = trained(cubes)
    means = {name: estimate(mean_over(chosen), {name: 1.0}, rng=rng) for name in names}
    known = [(value.interval.estimate, name) for name, value in means.items() if value]
    if len(known) < 2:
        return None
    (_, second), (_, first) = sorted(known)[-2:]
    return compare(cubes, (first,), (second,), stated=False, rng=rng)
