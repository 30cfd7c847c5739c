"""From scored runs to everything a report states, in one call that trains nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from midway.analysis.best import Best, best_per_target
from midway.analysis.comparisons import (
    Comparison,
    english_and_multilingual,
    founding_contrast,
    ranking,
    stated_contrasts,
)
from midway.analysis.cube import Cube, build_cubes
from midway.analysis.drivers import Decomposition, Slope, decomposition, slopes
from midway.analysis.gains import (
    Average,
    Gain,
    LanguageGain,
    averages,
    gain_table,
    intermediates,
    language_gains,
    trained,
)
from midway.analysis.headline import Standing
from midway.analysis.kinds import LOW, KindGain, kind_gains
from midway.analysis.low_resource import (
    GroupContrast,
    LanguageProfile,
    language_profiles,
    resource_contrasts,
    seen_contrasts,
)
from midway.analysis.results import APART, BASELINE, ResultRow, ScoredRun, collect
from midway.analysis.stages import progress
from midway.analysis.tests import explored, stated
from midway.analysis.verdict import Evidence, Verdict, judge
from midway.errors import StudyError

RESAMPLES = 2000
LEVEL = 0.95
SEED = 20200526  # any fixed number: the same scores give the same report


@dataclass(frozen=True, slots=True)
class ReportData:
    """Plain data behind ``report.html`` and ``summary.json``.

    Attributes:
        study: name of the study.
        encoder: name of the encoder.
        text: the study file, verbatim.
        rows: the results table.
        cubes: per target, scores by system, seed and language, and their resamples.
        gains: per intermediate and target.
        averages: per intermediate, over trained targets and over all.
        by_language: per intermediate, target and language.
        resources: low-resource against high-resource languages.
        profiles: per intermediate and language, over the trained targets that have the language.
        seen: languages seen in the intermediate data against unseen ones.
        stated: contrasts that the study file asks for.
        founding: multilingual minus English intermediates.
        kinds: by family, script and other properties of languages.
        slopes: how gains go with properties of languages.
        decomposition: how far gains are a matter of intermediate, target, or both together.
        best: each target's best intermediate by validation, if the study asks for it.
        verdict: the same in words.
        seeds: all seeds.
        standing: what the study has, and how far it has come.
        provenance: as given to `analyse`.
    """

    study: str
    encoder: str
    text: str
    rows: tuple[ResultRow, ...]
    cubes: tuple[Cube, ...]
    gains: tuple[Gain, ...]
    averages: tuple[Average, ...]
    by_language: tuple[LanguageGain, ...]
    resources: tuple[GroupContrast, ...]
    profiles: tuple[LanguageProfile, ...]
    seen: tuple[GroupContrast, ...]
    stated: tuple[Comparison, ...]
    founding: Comparison | None
    kinds: tuple[KindGain, ...]
    slopes: tuple[Slope, ...]
    decomposition: Decomposition | None
    best: tuple[Best, ...]
    verdict: Verdict
    seeds: tuple[int, ...]
    standing: Standing
    provenance: Mapping[str, Any]

    @property
    def contrasts(self) -> tuple[Comparison, ...]:
        """The stated contrasts, and the founding one unless it is among them."""
        pairs = {(row.first, row.second) for row in self.stated}
        if self.founding is None or (self.founding.first, self.founding.second) in pairs:
            return self.stated
        return (*self.stated, self.founding)


def analyse(
    study: str,
    text: str,
    runs: Sequence[ScoredRun],
    provenance: Mapping[str, Any],
    *,
    resamples: int = RESAMPLES,
) -> ReportData:
    """Analyse the scored runs of a study.

    Args:
        study: its name.
        text: its file, verbatim.
        runs: all scored evaluations in study order.
        provenance: what `midway.report.write_report` documents; used are encoder, intermediates,
            contrasts, stages, leaks, collapsed, best, halving.
        resamples: bootstrap samples.

    Raises:
        StudyError: there is no run.
        StoreError: a score artefact is damaged or runs cannot be paired.
    """
    if not runs:
        raise StudyError(f"study {study!r} has no scores yet; `midway run` computes them")
    rng = np.random.default_rng(SEED)
    encoder = str(provenance.get("encoder", ""))
    pairs, training = _pairs(runs, provenance), _languages(provenance)
    cubes = build_cubes(runs, resamples=resamples, rng=rng, contrasts=pairs)
    gains, standing = explored(gain_table(cubes, rng)), _standing(cubes, provenance)
    kinds = explored(kind_gains(cubes, pairs, rng))
    lows = {row.first: row for row in kinds if row.kind == LOW and row.second == BASELINE}
    evidence = _evidence(cubes, gains, lows, standing, provenance, rng)
    return ReportData(
        study=study,
        encoder=encoder,
        text=text,
        rows=tuple(collect(study, encoder, runs)),
        cubes=cubes,
        gains=gains,
        averages=tuple(evidence.averages),
        by_language=explored(language_gains(cubes, rng)),
        resources=tuple(evidence.resources),
        profiles=explored(language_profiles(cubes, rng)),
        seen=seen_contrasts(cubes, training, rng),
        stated=tuple(evidence.stated),
        founding=evidence.founding,
        kinds=kinds,
        slopes=slopes(cubes, training, pairs),
        decomposition=decomposition(evidence.gains),
        best=best_per_target(cubes, runs, rng) if provenance.get("best") else (),
        verdict=judge(evidence),
        seeds=tuple(sorted({run.seed for run in runs})),
        standing=standing,
        provenance=provenance,
    )


def _evidence(
    cubes: Sequence[Cube],
    gains: Sequence[Gain],
    lows: Mapping[str, KindGain],
    standing: Standing,
    provenance: Mapping[str, Any],
    rng: np.random.Generator,
) -> Evidence:
    """What the verdict rests on."""
    contrasts = provenance.get("contrasts", ())
    ranked = [name for name in intermediates(cubes) if name not in standing.stopped]
    return Evidence(
        gains=tuple(row for row in gains if not row.target.endswith(APART)),
        averages=averages(cubes, rng),
        resources=resource_contrasts(cubes, rng),
        ranking=ranking(cubes, ranked, rng),
        founding=founding_contrast(cubes, _languages(provenance), contrasts, rng),
        stated=stated(stated_contrasts(cubes, contrasts, rng)),
        seeds=len({seed for cube in cubes for seed in cube.seeds}),
        offline_encoder=str(provenance.get("encoder", "")).startswith("offline:"),
        standing=standing,
        lows=lows,
    )


def _pairs(runs: Sequence[ScoredRun], provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of intermediates that are tested: stated ones, and the founding one if it is a pair."""
    names = tuple(dict.fromkeys(run.intermediate for run in runs))
    pairs = [(first, second) for first, second in provenance.get("contrasts", ())]
    english, multilingual = english_and_multilingual(names, _languages(provenance))
    if len(english) == len(multilingual) == 1 and (english[0], multilingual[0]) not in pairs:
        pairs.append((multilingual[0], english[0]))
    return [pair for pair in dict.fromkeys(pairs) if set(pair) <= set(names)]


def _languages(provenance: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Languages of each intermediate's training data."""
    planned = provenance.get("intermediates", {})
    return {name: tuple(facts.get("languages", ())) for name, facts in planned.items()}


def _standing(cubes: Sequence[Cube], provenance: Mapping[str, Any]) -> Standing:
    """Describe what there is, whatever the numbers are."""
    planned = provenance.get("intermediates", {})
    halving = provenance.get("halving") or {}
    chosen = trained(cubes)
    return Standing(
        progress=progress(provenance.get("stages", ())),
        leaks=tuple(provenance.get("leaks") or ()),
        intermediates=tuple(dict.fromkeys((*planned, *intermediates(cubes)))),
        trained=tuple(cube.target for cube in chosen),
        baseline=tuple(cube.target for cube in chosen if BASELINE in cube.systems),
        started=tuple(cube.target for cube in chosen if intermediates([cube])),
        untrained=tuple(cube.target for cube in cubes if not cube.trained),
        collapsed=tuple(provenance.get("collapsed") or ()),
        stopped=halving.get("stopped", {}),
        waiting=halving.get("waiting", 0),
    )
