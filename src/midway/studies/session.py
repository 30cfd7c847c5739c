"""A study opened on this machine: its plan, its store, and what its results are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from midway.canonical import DigestCache, file_digest
from midway.encoders.source import identify
from midway.graph.plan import Plan, build, demand
from midway.graph.stage import Runtime, Stage
from midway.stages import specs
from midway.store.local import Store
from midway.store.manifest import Manifest
from midway.studies.budgets import budgets_stage, check_budgets
from midway.studies.build import Builder
from midway.studies.estimate import Estimator
from midway.studies.expand import Cell, Expansion, expand
from midway.studies.halving import Halving, costliest, halve
from midway.studies.schema import Study
from midway.studies.study_file import load_study
from midway.tasks.sources import check_folders


@dataclass(frozen=True)
class Session:
    """A study and everything derived from it.

    Attributes:
        path: the study file.
        text: its text.
        study: its content.
        expansion: cells and stages.
        budgets: the stage that counts and compares budgets, if there is anything to compare.
        halving: which intermediates go on, if the study asks for successive halving; the plan and
            the cells are then those that are run for certain.
        dearest: the plan if every open choice costs most; `plan` itself if none is open.
        store: where results are.
        runtime: where data are.
    """

    path: Path
    text: str
    study: Study
    expansion: Expansion
    budgets: Stage | None
    plan: Plan
    halving: Halving | None
    dearest: Plan
    store: Store
    runtime: Runtime

    @property
    def missing(self) -> dict[str, Stage]:
        """What of the plan there is to compute, by key (`midway.graph.plan.demand`)."""
        return demand(self.plan.leaves, self.store.has)

    @property
    def droppable(self) -> frozenset[str]:
        """Keys of target models, whose weights go once their predictions exist."""
        return frozenset(stage.key for stage in self.expansion.target_models)

    def record(self, stage: Stage) -> Manifest | None:
        """The manifest of a stage, also of one whose weights were dropped."""
        return self.store.record(stage.key, stage.kind.name)


def open_session(
    path: Path, store: Store, data: tuple[Path, ...], *, strict: bool = False
) -> Session:
    """Read a study file and plan it.

    Args:
        path: the study file.
        store: where results are.
        data: folders of benchmark files.
        strict: hash every data file anew instead of trusting size and time.

    Raises:
        MidwayError: whatever is wrong with study, data or encoder and can be known now.
    """
    study, text = load_study(path)
    check_folders(data)
    digest_of = file_digest if strict else DigestCache(store.cache).digest
    encoder, folder = encoder_stage(study.encoder, path.parent, digest_of)
    runtime = Runtime(data=data, cache=store.cache, encoder_folder=folder or Path())
    facts_of = partial(_facts, store)
    estimator = Estimator(facts_of, encoder, folder)
    encoder = replace(encoder, estimate=estimator.units("encoder", encoder.spec, {}))
    builder = Builder(study, runtime, digest_of, encoder, estimator)
    expansion = expand(builder)
    check_budgets(study, path)
    budgets = budgets_stage(study, expansion.intermediates)
    checks = [stage for stage in (budgets, expansion.leaks) if stage is not None]
    halving, cells = None, expansion.cells
    if study.halving is not None:
        halving = halve(study, study.halving, cells, facts_of)
        expansion.cells = halving.planned(cells)
    plan = dearest = build([*checks, *in_order(expansion.cells)])
    if halving is not None and halving.open:
        dearest = build([*plan.leaves, *costliest(halving, plan, cells)])
    return Session(path, text, study, expansion, budgets, plan, halving, dearest, store, runtime)


def encoder_stage(
    name: str, near: Path, digest_of: Callable[[Path], str]
) -> tuple[Stage, Path | None]:
    """The stage that imports an encoder, and the folder where it lies, if it lies in one.

    Args:
        name: as a study gives it.
        near: a relative folder that is not there is looked for in this one.
        digest_of: returns the sha256 of a file.

    Raises:
        EncoderError: it cannot be found.
    """
    folder = Path(name).expanduser()
    if not folder.is_absolute() and not folder.is_dir():
        folder = near / folder
    local = not name.startswith("offline:") and folder.is_dir()
    spec = specs.EncoderSpec(
        name="folder" if local else name,
        identity=identify(str(folder) if local else name, digest_of),
    )
    return Stage(specs.ENCODER, spec, {}, f"import {name}"), folder if local else None


def in_order(cells: Sequence[Cell]) -> list[Stage]:
    """Scores in the order of work, in which a run that ends early is worth most.

    All that the first seed asks for comes before the second seed: a gain is a difference between
    an intermediate and the baseline with the same seed, so the baseline and one intermediate on one
    target are the first comparison there can be, every further intermediate adds one, and every
    target repeats them. Seeds come last, since they only narrow the intervals of what is known.
    """
    seeds = list(dict.fromkeys(cell.seed for cell in cells))
    return [cell.score for cell in sorted(cells, key=lambda cell: seeds.index(cell.seed))]


def _facts(store: Store, stage: Stage) -> Mapping[str, Any] | None:
    manifest = store.record(stage.key, stage.kind.name)
    return None if manifest is None else manifest.facts


def plan_study(path: Path, store: Store, data: tuple[Path, ...]) -> Plan:
    """Plan a study; see `open_session`."""
    return open_session(path, store, data).plan
