"""All scores of one target as an array, with the same scores on resampled examples.

1. `values[system, seed, language]` are main metrics in percent; a run that is missing is NaN.
2. `replicates[resample, system, seed, language]` are the same on bootstrap samples. One sample of
   examples serves all systems and seeds, so that every difference taken later is paired.
3. Only languages that all runs of the target have are kept; the others are listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midway.analysis.results import BASELINE, ScoredRun, load_scores
from midway.errors import StoreError
from midway.stats import resample_ratios

Floats = NDArray[np.float64]
Examples = dict[str, tuple[Any, Floats, Floats]]  # ids are an Arrow column
_TOLERANCE = 1e-6  # points between scores.json and the sums of examples.parquet


@dataclass(frozen=True, slots=True)
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
        replicates: ``[resample, system, seed, language]`` in percent.
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
    replicates: Floats


def load_examples(folder: Path) -> Examples:
    """Read ``examples.parquet``: per language the ids, numerators and denominators, sorted by id.

    Raises:
        StoreError: the file is missing, damaged or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "examples.parquet"
    columns = ["language", "id", "numerator", "denominator"]
    try:
        table = pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreError(
            f"{path}: not a score artefact ({error}); `midway store verify` finds what is damaged"
        ) from error
    table = table.sort_by([("language", "ascending"), ("id", "ascending")]).combine_chunks()
    top, bottom = table["numerator"].to_numpy(), table["denominator"].to_numpy()
    found: Examples = {}
    start = 0
    for count in table["language"].value_counts().to_pylist():  # in order of appearance
        here = slice(start, start + count["counts"])
        ids = table["id"].slice(start, count["counts"])
        found[count["values"]] = (ids, top[here], bottom[here])
        start = here.stop
    return found


def build_cubes(
    runs: Sequence[ScoredRun], *, resamples: int, rng: np.random.Generator
) -> tuple[Cube, ...]:
    """Read the examples of all runs and resample them, target by target.

    Args:
        runs: all scored runs of a study.
        resamples: number of bootstrap samples.
        rng: source of randomness.

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
    return tuple(_build(group, resamples, rng) for group in ordered)


def _build(runs: list[ScoredRun], resamples: int, rng: np.random.Generator) -> Cube:
    """Build the cube of one target."""
    first = runs[0]
    names = dict.fromkeys(run.intermediate for run in runs)
    systems = tuple(sorted(names, key=lambda name: name != BASELINE))  # stable: study order
    seeds = tuple(sorted({run.seed for run in runs}))
    cells = [(systems.index(run.intermediate), seeds.index(run.seed)) for run in runs]
    if len(set(cells)) < len(cells):
        raise StoreError(f"target {first.target!r} has two runs with one intermediate and seed")
    loaded = _load_all(runs)
    shared = set.intersection(*(set(examples) for examples in loaded))
    every = set.union(*(set(examples) for examples in loaded))
    languages = tuple(sorted(shared))
    values = np.full((len(systems), len(seeds), len(languages)), np.nan)
    replicates = np.full((resamples, *values.shape), np.nan)
    sizes = []
    for column, language in enumerate(languages):
        top, bottom = _paired(runs, loaded, language)
        sizes.append(len(top))
        totals = bottom.sum(axis=0)
        points = 100 * np.divide(top.sum(axis=0), totals, out=0 * totals, where=totals > 0)
        samples = resample_ratios(top, bottom, resamples=resamples, rng=rng)
        for index, (system, seed) in enumerate(cells):
            values[system, seed, column] = points[index]
            replicates[:, system, seed, column] = samples[:, index]
    _check_against_scores(runs, cells, languages, values)
    return Cube(
        target=first.target,
        family=first.family,
        metric=first.main_metric,
        split=first.split,
        trained=first.trained,
        systems=systems,
        seeds=seeds,
        languages=languages,
        sizes=tuple(sizes),
        left_out=tuple(sorted(every - shared)),
        values=values,
        replicates=replicates,
    )


def _load_all(runs: list[ScoredRun]) -> list[Examples]:
    """Load each folder once: untrained baselines are one artefact for all seeds."""
    by_folder: dict[Path, Examples] = {}
    for run in runs:
        if run.folder not in by_folder:
            by_folder[run.folder] = load_examples(run.folder)
    return [by_folder[run.folder] for run in runs]


def _paired(runs: list[ScoredRun], loaded: list[Examples], language: str) -> tuple[Floats, Floats]:
    """Stack one language of all runs: ``[examples, runs]`` numerators and denominators."""
    ids = loaded[0][language][0]
    for run, examples in zip(runs, loaded, strict=True):
        if not ids.equals(examples[language][0]):
            raise StoreError(
                f"{run.folder}: its {language} examples differ from those in {runs[0].folder}, so "
                f"the two cannot be compared; evaluate both on the same data"
            )
    top = np.stack([examples[language][1] for examples in loaded], axis=1)
    bottom = np.stack([examples[language][2] for examples in loaded], axis=1)
    return top, bottom


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
