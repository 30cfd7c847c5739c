"""All scores of one target as an array, with the same scores on resampled examples.

1. `values[system, seed, language]` are main metrics in percent; a run that is missing is NaN.
2. `replicates` are the same on bootstrap samples. One sample of examples serves all systems and
   seeds, so that every difference taken later is paired. `swapped` are gains of pairs of systems
   whose answers to an example were swapped at random (`midway.stats.permutation`).
3. Only languages that all runs of the target have are kept; the others are listed.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midway.analysis.examples import Examples, load_examples
from midway.analysis.results import APART, BASELINE, ScoredRun, load_scores
from midway.errors import StoreError
from midway.stats import interaction, resample_ratios, swapped_gains

Floats = NDArray[np.float64]
Pair = tuple[str, str]
_THREADS = 4  # most of resampling runs outside the interpreter's lock
_TOLERANCE = 1e-6  # points between scores.json and the sums of examples.parquet


@dataclass(frozen=True, eq=False)
class Cube:
    """The scores of one target.

    Attributes:
        target: its name.
        family: ``span_qa``, ``tagging`` or ``retrieval``.
        metric: main metric.
        split: evaluation split.
        trained: whether the target was trained.
        systems: intermediates, the baseline first.
        seeds: in ascending order.
        languages: benchmark codes, sorted.
        sizes: number of examples per language.
        left_out: languages that some run lacks.
        values: ``[system, seed, language]`` in percent.
        replicates: of each language, ``[run, resample]`` in percent.
        runs: (place of the system, place of the seed) → run.
        pairs: two systems → place in `swapped`; each intermediate with the baseline among them.
        swapped: of each language, ``[pair, resample]`` in points, over the seeds of `paired`.
    """

    target: str
    family: str
    metric: str
    split: str
    trained: bool
    systems: tuple[str, ...]
    seeds: tuple[int, ...]
    languages: tuple[str, ...]
    sizes: tuple[int, ...]
    left_out: tuple[str, ...]
    values: Floats
    replicates: tuple[Floats, ...]
    runs: Mapping[tuple[int, int], int]
    pairs: Mapping[Pair, int] = field(default_factory=dict)
    swapped: tuple[Floats, ...] = ()

    def paired(self, pair: Pair) -> tuple[int, ...]:
        """The seeds that both systems were scored with."""
        rows = [self.systems.index(name) for name in pair]
        both: NDArray[np.bool_] = np.all(self.complete[rows], axis=0)
        return tuple(seed for place, seed in enumerate(self.seeds) if both[place])

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Which systems were scored with which seeds, ``[system, seed]``."""
        complete: NDArray[np.bool_] = np.logical_not(np.isnan(self.values).any(axis=2))
        return complete

    @cached_property
    def _over(self) -> dict[tuple[int, tuple[int, ...]], tuple[Floats, Floats]]:
        return {}

    def over_seeds(self, row: int, picks: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Mean of a system's replicates over some seeds, and how sure the seeds are of it.

        Args:
            row: place of the system.
            picks: places of the seeds.

        Returns:
            The mean, ``[language, resample]``, and its variance from what example and seed have in
            common, ``[language]``, see `midway.stats.bootstrap.interaction`.
        """
        if (row, picks) not in self._over:  # every quantity of the system needs it
            chosen = [self.runs[row, pick] for pick in picks]
            means, noise = [], []
            for language in self.replicates:
                scores = language[chosen]
                means.append(scores.mean(axis=0))
                noise.append(interaction(scores))
            self._over[row, picks] = np.stack(means), np.array(noise)
        return self._over[row, picks]

    @property
    def apart(self) -> bool:
        """Whether it enters no average: chosen by an oracle, or scored with what leaks."""
        return self.target.endswith(APART)

    @property
    def resamples(self) -> int:
        """Number of bootstrap samples."""
        return int(self.replicates[0].shape[1])


def build_cubes(
    runs: Sequence[ScoredRun],
    *,
    resamples: int,
    rng: np.random.Generator,
    contrasts: Sequence[Sequence[str]] = (),
) -> tuple[Cube, ...]:
    """Read the examples of all runs and resample them, target by target.

    Args:
        runs: all scored runs of a study.
        resamples: number of bootstrap samples.
        rng: source of randomness.
        contrasts: pairs of intermediates that will be tested against each other.

    Returns:
        One cube per target, trained targets first, then in the order of `runs`.

    Raises:
        StoreError: an artefact is damaged, two runs have the same coordinates, or two runs of a
            target were scored on different examples and cannot be paired.
    """
    groups: dict[str, list[ScoredRun]] = {}
    for run in runs:
        groups.setdefault(run.target, []).append(run)
    ordered = sorted(groups.values(), key=lambda group: not group[0].trained)
    pairs = [(first, second) for first, second in contrasts]
    return tuple(_build(group, resamples, rng, pairs) for group in ordered)


def _build(
    runs: list[ScoredRun], resamples: int, rng: np.random.Generator, contrasts: Sequence[Pair]
) -> Cube:
    """Build the cube of one target."""
    first = runs[0]
    names = dict.fromkeys(run.intermediate for run in runs)
    systems = tuple(sorted(names, key=lambda name: name != BASELINE))  # stable: study order
    seeds = tuple(sorted({run.seed for run in runs}))
    cells = [(systems.index(run.intermediate), seeds.index(run.seed)) for run in runs]
    if len(set(cells)) < len(cells):
        raise StoreError(
            f"target {first.target!r} has two runs with one intermediate and seed; "
            "expected one of each, give every run a folder of its own"
        )
    loaded = _load_all(runs)
    shared = set.intersection(*(set(examples.order.rows) for examples in loaded))
    every = set.union(*(set(examples.order.rows) for examples in loaded))
    languages = tuple(sorted(shared))
    values = np.full((len(systems), len(seeds), len(languages)), np.nan)
    tables = [_paired(runs, loaded, language) for language in languages]
    rows, picks = (list(places) for places in zip(*cells, strict=True))
    for column, (top, bottom) in enumerate(tables):
        totals = bottom.sum(axis=0)
        points = 100 * np.divide(top.sum(axis=0), totals, out=0 * totals, where=totals > 0)
        values[rows, picks, column] = points
    _check_against_scores(runs, cells, languages, values)
    cube = Cube(
        target=first.target,
        family=first.family,
        metric=first.main_metric,
        split=first.split,
        trained=first.trained,
        systems=systems,
        seeds=seeds,
        languages=languages,
        sizes=tuple(len(top) for top, _ in tables),
        left_out=tuple(sorted(every - shared)),
        values=values,
        replicates=tuple(_resample(tables, resamples, rng)),
        runs={cell: number for number, cell in enumerate(cells)},
    )
    wanted = [(name, BASELINE) for name in systems if BASELINE in systems and name != BASELINE]
    wanted += [pair for pair in contrasts if set(pair) <= set(systems)]
    pairs = {pair: place for place, pair in enumerate(dict.fromkeys(wanted))}
    return replace(cube, pairs=pairs, swapped=tuple(_swap(cube, list(pairs), tables, rng)))


def _swap(
    cube: Cube, pairs: Sequence[Pair], tables: list[tuple[Floats, Floats]], rng: np.random.Generator
) -> Iterator[Floats]:
    """Gains with examples swapped, language by language."""
    places = {seed: place for place, seed in enumerate(cube.seeds)}

    def runs(name: str, pair: Pair) -> list[int]:
        row = cube.systems.index(name)
        return [cube.runs[row, places[seed]] for seed in cube.paired(pair)]

    both = [(runs(pair[0], pair), runs(pair[1], pair)) for pair in pairs]
    return _in_threads(
        lambda table, stream: swapped_gains(*table, both, resamples=cube.resamples, rng=stream),
        tables,
        rng,
    )


def _resample(
    tables: list[tuple[Floats, Floats]], resamples: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Scores on bootstrap samples, language by language."""
    return _in_threads(
        lambda table, stream: resample_ratios(*table, resamples=resamples, rng=stream).T,
        tables,
        rng,
    )


def _in_threads(
    one: Callable[[tuple[Floats, Floats], np.random.Generator], Floats],
    tables: list[tuple[Floats, Floats]],
    rng: np.random.Generator,
) -> Iterator[Floats]:
    """Each language with its own stream of random numbers, so threads change nothing."""
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        yield from pool.map(one, tables, rng.spawn(len(tables)))


def _load_all(runs: list[ScoredRun]) -> list[Examples]:
    """Load each folder once: untrained baselines are one artefact for all seeds."""
    by_folder: dict[Path, Examples] = {}
    order = None
    for run in runs:
        if run.folder not in by_folder:
            by_folder[run.folder] = load_examples(run.folder, order)
            order = by_folder[run.folder].order
    return [by_folder[run.folder] for run in runs]


def _paired(runs: list[ScoredRun], loaded: list[Examples], language: str) -> tuple[Floats, Floats]:
    """Stack one language of all runs: ``[examples, runs]`` numerators and denominators."""
    first = loaded[0].order
    for run, examples in zip(runs, loaded, strict=True):
        same = examples.order is first or examples.order.ids[language].equals(first.ids[language])
        if not same:
            raise StoreError(
                f"{run.folder}: its {language} examples differ from those in {runs[0].folder}, so "
                f"the two cannot be compared; evaluate both on the same data"
            )
    top = [examples.numerators[examples.order.rows[language]] for examples in loaded]
    bottom = [examples.denominators[examples.order.rows[language]] for examples in loaded]
    return np.stack(top, axis=1), np.stack(bottom, axis=1)


def _check_against_scores(
    runs: list[ScoredRun],
    cells: list[tuple[int, int]],
    languages: tuple[str, ...],
    values: Floats,
) -> None:
    """Refuse artefacts whose examples do not add up to their main metric."""
    by_folder: dict[Path, dict[str, Any]] = {}
    for run, (system, seed) in zip(runs, cells, strict=True):
        scores = by_folder.setdefault(run.folder, {}) or load_scores(run.folder)
        by_folder[run.folder] = scores
        for column, language in enumerate(languages):
            stated = scores.get(language, {}).get("official", {}).get(run.main_metric)
            found = values[system, seed, column]
            if stated is None or abs(stated - found) > _TOLERANCE:
                raise StoreError(
                    f"{run.folder}: scores.json says {run.main_metric} {stated} for {language}, "
                    f"its examples add up to {found:.6f}; score it again"
                )
