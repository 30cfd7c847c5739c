"""Do gains reach low-resource languages, and languages absent from the intermediate data?

1. Each language has a resource class (Joshi et al. 2020: 0 has next to nothing, 5 is English-like)
   and a pretraining size (GiB in CC-100, the corpus of XLM-R).
2. Low-resource and high-resource means exclude English, which targets are trained on. The
   difference is a claim about languages in general, so its interval resamples languages too.
3. Seen languages occur in an intermediate's training data; unseen ones do not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from midway import languages
from midway.analysis.cube import Cube
from midway.analysis.estimate import Estimate, estimate, mean_over
from midway.analysis.gains import ENGLISH, against_baseline, intermediates, trained

TRAINED_MEAN = "mean of trained targets"


@dataclass(frozen=True, slots=True)
class LanguageFacts:
    """What the analysis needs to know of a language; None where nobody knows.

    Attributes:
        code: the code that the data use.
        canonical: one code per language, whatever the benchmark calls it.
        name: English name.
        family: language family.
        script: usual script.
        resource_class: Joshi et al. class, 0 to 5.
        low_resource: whether the language table counts it as low-resource.
        cc100_gib: GiB of text in CC-100.
        wikipedia_articles: number of articles.
        from_english: how far its syntax is from English, 0 to 1.
    """

    code: str
    canonical: str
    name: str
    family: str | None
    script: str | None
    resource_class: int | None
    low_resource: bool | None
    cc100_gib: float | None
    wikipedia_articles: int | None
    from_english: float | None


@dataclass(frozen=True, slots=True)
class GroupContrast:
    """Gains of one intermediate in two groups of languages of one target, and their difference.

    Attributes:
        intermediate: its name.
        target: its name, or `TRAINED_MEAN`.
        first_languages: codes in the first group (low-resource; seen).
        second_languages: codes in the second group (high-resource; unseen).
        first: mean gain in the first group.
        second: mean gain in the second group.
        difference: first minus second, languages resampled too; None if either group is empty.
    """

    intermediate: str
    target: str
    first_languages: tuple[str, ...]
    second_languages: tuple[str, ...]
    first: Estimate | None
    second: Estimate | None
    difference: Estimate | None


@dataclass(frozen=True, slots=True)
class LanguageProfile:
    """Mean gain of one intermediate on one language over the trained targets that have it."""

    intermediate: str
    facts: LanguageFacts
    targets: tuple[str, ...]
    mean: Estimate


@cache
def facts(code: str) -> LanguageFacts:
    """Look a language up; an unknown code gives a record of Nones."""
    record = languages.lookup(code)
    if record is None:
        return LanguageFacts(code, code, code, None, None, None, None, None, None, None)
    return LanguageFacts(
        code=code,
        canonical=record.code,
        name=record.name,
        family=record.family,
        script=record.script,
        resource_class=record.joshi_class,
        low_resource=languages.is_low_resource(code),
        cc100_gib=record.cc100_gib,
        wikipedia_articles=record.wikipedia_articles,
        from_english=languages.syntactic_distance(code, "en"),
    )


def by_resources(codes: Sequence[str]) -> list[LanguageFacts]:
    """Order languages from the poorest to the richest; those without a class come last."""
    return sorted((facts(code) for code in codes), key=_poverty)


def _poverty(fact: LanguageFacts) -> tuple[bool, int, float, int, str]:
    return (
        fact.resource_class is None,
        fact.resource_class or 0,
        fact.cc100_gib or 0.0,
        fact.wikipedia_articles or 0,
        fact.name,
    )


def resource_groups(cube: Cube) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the (low-resource, high-resource) languages of a target, without English."""
    known = {code: facts(code).low_resource for code in cube.languages if code not in ENGLISH}
    low = tuple(code for code, value in known.items() if value is True)
    high = tuple(code for code, value in known.items() if value is False)
    return low, high


def resource_contrasts(
    cubes: Sequence[Cube], rng: np.random.Generator
) -> tuple[GroupContrast, ...]:
    """Return low-resource against high-resource gains per intermediate and target."""
    return _contrasts(cubes, lambda _, cube: resource_groups(cube), rng)


def seen_contrasts(
    cubes: Sequence[Cube], training: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> tuple[GroupContrast, ...]:
    """Return gains on languages seen in the intermediate data against unseen ones.

    Args:
        cubes: targets.
        training: intermediate → codes of the languages of its data; English is left out.
        rng: source of randomness.
    """
    canonical = {
        name: {facts(code).canonical for code in codes} for name, codes in training.items()
    }

    def split(name: str, cube: Cube) -> tuple[tuple[str, ...], tuple[str, ...]]:
        codes = [code for code in cube.languages if code not in ENGLISH]
        inside = tuple(code for code in codes if facts(code).canonical in canonical.get(name, ()))
        outside = tuple(code for code in codes if code not in inside)
        return (inside, outside) if inside and outside else ((), ())

    return _contrasts(cubes, split, rng)


def language_profiles(
    cubes: Sequence[Cube], rng: np.random.Generator
) -> tuple[LanguageProfile, ...]:
    """Return the gain of each language over trained targets, from the poorest to the richest.

    Codes that mean one language (``sw``, ``swh``) are joined. A study without trained targets has
    profiles over all its targets.
    """
    chosen = trained(cubes) or tuple(cubes)
    codes: dict[str, dict[str, tuple[str, ...]]] = {}
    for cube in chosen:
        for code in cube.languages:
            targets = codes.setdefault(facts(code).canonical, {})
            targets[cube.target] = (*targets.get(cube.target, ()), code)
    shown = {canonical: min(min(codes[canonical].values())) for canonical in codes}
    table = []
    for fact in by_resources(list(shown.values())):
        where = codes[fact.canonical]
        for name in intermediates(chosen):
            mean = estimate(mean_over(chosen, where), against_baseline(name), rng=rng)
            if mean is not None:
                table.append(LanguageProfile(name, fact, tuple(where), mean))
    return tuple(table)


Split = Callable[[str, Cube], tuple[tuple[str, ...], tuple[str, ...]]]


def _contrasts(
    cubes: Sequence[Cube], split: Split, rng: np.random.Generator
) -> tuple[GroupContrast, ...]:
    """Contrast two groups of languages on each target and on the mean of the trained ones."""
    table = []
    for name in intermediates(cubes):
        for cube in cubes:
            if name in cube.systems:
                table.append(_contrast(name, cube.target, [cube], split, rng))
        if len(trained(cubes)) > 1:
            table.append(_contrast(name, TRAINED_MEAN, trained(cubes), split, rng))
    return tuple(row for row in table if row.first or row.second)


def _contrast(
    name: str, label: str, cubes: Sequence[Cube], split: Split, rng: np.random.Generator
) -> GroupContrast:
    """Contrast two groups of languages on the mean of `cubes`."""
    groups = {cube.target: split(name, cube) for cube in cubes}
    if len(cubes) > 1:  # a difference of means needs the same targets on both sides
        groups = {target: pair for target, pair in groups.items() if pair[0] and pair[1]}
    first = {target: pair[0] for target, pair in groups.items()}
    second = {target: pair[1] for target, pair in groups.items()}
    weights = against_baseline(name)
    left, right = mean_over(cubes, first), mean_over(cubes, second, sign=-1)
    plus = mean_over(cubes, second)
    both = (*left, *right) if left and right else ()
    return GroupContrast(
        intermediate=name,
        target=label,
        first_languages=tuple(sorted({code for codes in first.values() for code in codes})),
        second_languages=tuple(sorted({code for codes in second.values() for code in codes})),
        first=estimate(left, weights, rng=rng),
        second=estimate(plus, weights, rng=rng),
        difference=estimate(both, weights, rng=rng, over_languages=True),
    )
