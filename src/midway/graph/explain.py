"""Why each stage of a plan is computed or not, in words.

A missing stage is compared with the existing artefact of its kind, present or dropped, that
differs in the fewest fields of its Spec, its version and its inputs.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from midway.graph.plan import Plan, State, select, states
from midway.graph.stage import Stage
from midway.store.local import Store
from midway.store.manifest import Manifest

_ABSENT = "absent"
_LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """A field that differs, e.g. ``spec.learning_rate``; values as canonical JSON."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Explanation:
    """Why one stage is in its state.

    Attributes:
        key: its key.
        name: its label.
        stage: name of its kind.
        state: ``cached``, ``run`` or ``waiting``.
        reason: one sentence.
        nearest: key of the artefact it was compared with; empty for none.
        differences: fields that differ from the nearest artefact.
    """

    key: str
    name: str
    stage: str
    state: State
    reason: str
    nearest: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The reason and the differences, a line each, as people read them."""
        return (self.reason, *(f"{d.path}: {d.old} → {d.new}" for d in self.differences))

    def __str__(self) -> str:
        head = f"{self.state:8} {self.key[:12]}  {self.name}: "
        return head + "\n           ".join(self.lines)


@dataclass(frozen=True, eq=False)
class _Known:
    manifest: Manifest

    @cached_property
    def fields(self) -> dict[str, str]:
        return _flat(json.loads(self.manifest.text))

    @cached_property
    def items(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.fields.items())


def why(plan: Plan, store: Store, pattern: str | None = None) -> list[Explanation]:
    """Explain the stages of `plan`, inputs before their readers.

    Args:
        plan: the plan.
        store: where its artefacts are looked for.
        pattern: only stages that fit (see `midway.graph.plan.select`); None for all.

    Raises:
        UsageError: no stage fits.
    """
    state = states(plan, store)
    chosen = plan.stages if pattern is None else select(plan, pattern)
    missing = {stage.kind.name for stage in chosen if state[stage.key] != "cached"}
    known = {kind: [_Known(item) for item in store.records(kind)] for kind in sorted(missing)}
    return [_explain(stage, state, store, known) for stage in chosen]


def _explain(
    stage: Stage,
    state: Mapping[str, State],
    store: Store,
    known: Mapping[str, list[_Known]],
) -> Explanation:
    name, kind = stage.label or stage.kind.name, stage.kind.name

    def explanation(reason: str, **more: Any) -> Explanation:
        return Explanation(stage.key, name, kind, state[stage.key], reason, **more)

    if state[stage.key] == "cached":
        if store.has(stage):
            return explanation("in the store")
        dropped = " (dropped to save space)" if store.record(stage.key, kind) else ""
        return explanation(f"not needed: everything that reads it is in the store{dropped}")
    if store.record(stage.key, kind) is not None:
        return explanation("computed before and dropped to save space; needed again")
    failure = _last_line(store, stage.key)
    if failure:
        return explanation(f"failed when it last ran: {failure}")
    if any(store.root.glob(f"damaged/{kind}-{stage.key}-*")):
        return explanation("its artefact was damaged and moved away")
    if not known[kind]:
        return explanation(f"nothing of this kind ({kind}) in the store yet")
    fields = _flat(json.loads(stage.text))
    items = frozenset(fields.items())
    nearest = min(known[kind], key=lambda other: len(other.items ^ items))
    differences = tuple(_differences(nearest.fields, fields, stage))
    other = nearest.manifest
    reason = (
        f"not in the store; nearest is {other.label or kind} ({other.key[:12]}), which differs in "
        f"{len(differences)} {'field' if len(differences) == 1 else 'fields'}"
    )
    return explanation(reason, nearest=other.key, differences=differences)


def _differences(
    old: Mapping[str, str], new: Mapping[str, str], stage: Stage
) -> Iterator[Difference]:
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path, _ABSENT), new.get(path, _ABSENT)
        if before == after:
            continue
        if path.startswith("inputs."):
            item = stage.inputs.get(path.removeprefix("inputs."))
            # Keys say nothing to people; the input's own explanation says what differs in it.
            before, after = before.strip('"')[:12], after.strip('"')[:12]
            after = f"{after} ({item.label or item.kind.name})" if item else after
        yield Difference(path, _short(before), _short(after))


def _flat(value: object, path: str = "") -> dict[str, str]:
    """Return the leaves of a JSON value by dotted path, as canonical JSON."""
    if isinstance(value, dict) and value:
        children = {f"{path}.{key}" if path else key: item for key, item in value.items()}
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        children = {f"{path}[{i}]": item for i, item in enumerate(value)}
    else:
        return {path: json.dumps(value, ensure_ascii=False)}
    return {name: text for at, item in children.items() for name, text in _flat(item, at).items()}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _last_line(store: Store, key: str) -> str:
    try:
        text = store.failure(key).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
