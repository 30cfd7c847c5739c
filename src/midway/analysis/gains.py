"""Gains: what an intermediate adds to the baseline, by target, by language and on average.

Means over languages include English, as the benchmark's do; English and the other languages also
stand apart, since a target trained on English says nothing about transfer when tested on English.
Means over targets are given with and without untrained retrieval: in published work most of the
average gain came from those two tasks (Phang et al. 2020, draft, Table 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from midway.analysis.cube import Cube
from midway.analysis.estimate import Estimate, Term, estimate, mean_over
from midway.analysis.results import BASELINE

ENGLISH = frozenset({"en", "eng", "eng_Latn"})


@dataclass(frozen=True, slots=True)
class Gain:
    """What `intermediate` adds on `target`; all in points of the target's main metric.

    Attributes:
        intermediate: its name.
        target: its name.
        trained: whether the target was trained.
        languages: number of languages averaged, English included.
        examples: number of evaluation examples in all.
        baseline: mean score of the baseline over languages and paired seeds.
        score: mean score of the intermediate.
        mean: gain over all languages, the benchmark's convention.
        transfer: gain over all languages but English; None if there is no other.
        english: gain on English; None if the target has none.
    """

    intermediate: str
    target: str
    trained: bool
    languages: int
    examples: int
    baseline: float
    score: float
    mean: Estimate
    transfer: Estimate | None
    english: Estimate | None


@dataclass(frozen=True, slots=True)
class Average:
    """Mean gain of `intermediate` over `targets`, each with equal weight."""

    intermediate: str
    targets: tuple[str, ...]
    with_untrained: bool
    mean: Estimate


@dataclass(frozen=True, slots=True)
class LanguageGain:
    """What `intermediate` adds on one language of `target`."""

    intermediate: str
    target: str
    language: str
    examples: int
    baseline: float
    score: float
    mean: Estimate


def intermediates(cubes: Sequence[Cube]) -> tuple[str, ...]:
    """Return the names of all intermediates in study order, without the baseline."""
    names = dict.fromkeys(name for cube in cubes for name in cube.systems)
    return tuple(name for name in names if name != BASELINE)


def trained(cubes: Sequence[Cube]) -> tuple[Cube, ...]:
    """Return the targets that were trained, without those that stand apart."""
    return tuple(cube for cube in cubes if cube.trained and not cube.apart)


def against_baseline(name: str) -> dict[str, float]:
    """Return the weights of a gain."""
    return {name: 1.0, BASELINE: -1.0}


def compared(cubes: Sequence[Cube], contrasts: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Return every intermediate with the baseline, and the two sides of every contrast."""
    against = [(name, BASELINE) for name in intermediates(cubes)]
    return [*against, *((first, second) for first, second in contrasts)]


def baseline_scores(cube: Cube) -> dict[str, float]:
    """Return the baseline's score of each language in percent, the mean over all its seeds.

    A study has it before any gain is known. Empty if the baseline is not scored on this target.
    """
    if BASELINE not in cube.systems:
        return {}
    row = cube.systems.index(BASELINE)
    seeds = [
        seed
        for seed, values in zip(cube.seeds, cube.values[row], strict=True)
        if not np.isnan(values).any()
    ]
    return {code: score(cube, BASELINE, (code,), seeds) for code in cube.languages}


def gain_table(cubes: Sequence[Cube], rng: np.random.Generator) -> tuple[Gain, ...]:
    """Return the gain of every intermediate on every target that both systems were scored on."""
    table = []
    for cube in cubes:
        english = tuple(code for code in cube.languages if code in ENGLISH)
        others = tuple(code for code in cube.languages if code not in ENGLISH)
        for name in intermediates([cube]):
            weights = against_baseline(name)
            whole = _over(cube, cube.languages, weights, rng)
            if whole is None:
                continue
            seeds = tuple(whole.per_seed)
            table.append(
                Gain(
                    intermediate=name,
                    target=cube.target,
                    trained=cube.trained,
                    languages=len(cube.languages),
                    examples=sum(cube.sizes),
                    baseline=score(cube, BASELINE, cube.languages, seeds),
                    score=score(cube, name, cube.languages, seeds),
                    mean=whole,
                    transfer=_over(cube, others, weights, rng),
                    english=_over(cube, english, weights, rng),
                )
            )
    return tuple(table)


def averages(cubes: Sequence[Cube], rng: np.random.Generator) -> tuple[Average, ...]:
    """Return the mean gain of every intermediate over trained targets, and over all targets.

    The second is left out when every target is trained. An intermediate that lacks a target has no
    mean: means over different targets cannot be compared.
    """
    groups = [(trained(cubes), False)]
    every = tuple(cube for cube in cubes if not cube.apart)
    if len(trained(cubes)) < len(every):
        groups.append((every, True))
    table = []
    for chosen, with_untrained in groups:
        for name in intermediates(cubes):
            mean = estimate(mean_over(chosen), against_baseline(name), rng=rng)
            if mean is not None:
                targets = tuple(cube.target for cube in chosen)
                table.append(Average(name, targets, with_untrained, mean))
    return tuple(table)


def language_gains(cubes: Sequence[Cube], rng: np.random.Generator) -> tuple[LanguageGain, ...]:
    """Return the gain of every intermediate on every language of every target."""
    table = []
    for cube in cubes:
        for name in intermediates([cube]):
            for language, examples in zip(cube.languages, cube.sizes, strict=True):
                mean = _over(cube, (language,), against_baseline(name), rng)
                if mean is None:
                    continue
                seeds = tuple(mean.per_seed)
                table.append(
                    LanguageGain(
                        intermediate=name,
                        target=cube.target,
                        language=language,
                        examples=examples,
                        baseline=score(cube, BASELINE, (language,), seeds),
                        score=score(cube, name, (language,), seeds),
                        mean=mean,
                    )
                )
    return tuple(table)


def score(cube: Cube, system: str, languages: Sequence[str], seeds: Sequence[int]) -> float:
    """Return the mean score of `system` in percent over `languages` and `seeds`."""
    row = cube.systems.index(system)
    picks = [cube.seeds.index(seed) for seed in seeds]
    columns = [cube.languages.index(language) for language in languages]
    return float(cube.values[row][np.ix_(picks, columns)].mean())


def _over(
    cube: Cube, languages: tuple[str, ...], weights: dict[str, float], rng: np.random.Generator
) -> Estimate | None:
    """Estimate on some languages of one target; None if there are none."""
    if not languages:
        return None
    return estimate([Term(cube, languages)], weights, rng=rng)
