"""Which wanted stages are missing, and whether those that are there can be believed."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from midway.graph.closure import changed_files, code_of
from midway.graph.plan import Plan, demand
from midway.graph.stage import Stage
from midway.store.local import Store
from midway.store.manifest import DamagedError, Manifest, outputs_digest


@dataclass(frozen=True)
class Survey:
    """What is missing, what is there.

    Attributes:
        missing: wanted stages to compute, by key.
        hits: wanted stages that are there and verified.
        damaged: one line for each artefact that was moved away.
    """

    missing: Mapping[str, Stage]
    hits: tuple[Stage, ...]
    damaged: tuple[str, ...]


def survey(
    store: Store,
    roots: Iterable[Stage],
    *,
    trusted: Collection[str] = frozenset(),
    blocked: Collection[str] = frozenset(),
) -> Survey:
    """Walk from `roots` through everything that is missing.

    Artefacts that are there are verified (see `Store.open`), those in `trusted` only looked for.
    Damaged ones are moved away and are then missing. Keys in `blocked` are not looked at.

    Raises:
        StoreError: the store cannot be read.
    """
    hits: list[Stage] = []
    damaged: list[str] = []

    def present(stage: Stage) -> bool:
        try:
            found = store.has(stage) if stage.key in trusted else store.open(stage) is not None
        except DamagedError as error:
            store.quarantine(stage)
            damaged.append(f"{error}; it was moved away and is computed again")
            return False
        if found:
            hits.append(stage)
        return found

    missing = demand(roots, present, blocked)
    return Survey(missing, tuple(hits), tuple(damaged))


def history(plan: Plan, store: Store, missing: Collection[str]) -> dict[str, Manifest]:
    """Return the manifests, by key, of all that went into the results that are there.

    Those of dropped artefacts are among them, so that drift shows also in a run that has
    nothing to compute.
    """
    found = {}
    for stage in plan.stages:
        if stage.key not in missing:
            manifest = store.record(stage.key, stage.kind.name)
            if manifest is not None:
                found[stage.key] = manifest
    return found


def drift(plan: Plan, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return a line for each kind whose artefacts were made by source that has changed since."""
    changed: dict[tuple[str, int], set[str]] = defaultdict(set)
    counts: Counter[tuple[str, int]] = Counter()
    for key, manifest in manifests.items():
        kind = plan.by_key[key].kind
        now, then = code_of(kind.run), manifest.code
        if now.digest != then.digest:
            counts[kind.name, kind.version] += 1
            changed[kind.name, kind.version].update(changed_files(then.files, now.files))
    lines = []
    for (name, version), files in sorted(changed.items()):
        number, shown = counts[name, version], ", ".join(sorted(files)[:3])
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        results = "result was" if number == 1 else "results were"
        lines.append(
            f"code drift: {number} {name} v{version} {results} computed before {shown}{more} "
            "changed"
        )
    return lines


def rebuilt_inputs(plan: Plan, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return a line for each artefact whose input was computed again, with other bytes.

    Equal keys promise equal meaning, not equal bits: a GPU stage that is computed again may
    differ in the last digits.
    """
    lines = []
    for key, manifest in manifests.items():
        for role, read in manifest.inputs.items():
            other = manifests.get(read.key)
            if other is not None and outputs_digest(other.outputs) != read.digest:
                stage = plan.by_key[key]
                lines.append(
                    f"{stage.label or stage.kind.name} was computed from another copy of its "
                    f"{role} than the one on record now: equal in meaning, not in bits"
                )
    return lines
