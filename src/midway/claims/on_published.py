"""Claims against published scores."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from midway.claims.audit import audit
from midway.claims.judgement import (
    CONTRADICTED,
    NOT_SUPPORTED,
    SUPPORTED,
    Grounds,
    Judgement,
    nothing,
)
from midway.claims.published import AVERAGE, RETRIEVAL, Published, System, singles
from midway.claims.schema import Claim
from midway.languages import lookup
from midway.metrics.benchmark import BENCHMARKS

STATED = 0.05 + 1e-9  # between two numbers that are printed with one decimal
Found = tuple[Judgement, Grounds]


def on_published(claim: Claim, published: Published) -> Found:
    """Judge a claim; confidence is not set yet."""
    return _WAYS[claim.test.kind](claim.test, published, claim.version)


def _gains(test: Any, published: Published, version: str) -> Found:
    known = {s.intermediate[0]: s for s in _with_gain(published, version)}
    found = [(item, known[item.intermediate]) for item in test.stated if item.intermediate in known]
    if not found:
        return nothing("no published table has these intermediates alone"), Grounds()
    said = [f"{i.intermediate} {s.mean:+.1f} for {i.points:+.1f}" for i, s in found]
    absent = [i.intermediate for i in test.stated if i.intermediate not in known]
    said += [f"{name} is not there" for name in absent]
    exact = not absent and all(abs((s.mean or 0.0) - i.points) <= STATED for i, s in found)
    same = all((s.mean or 0.0) * i.points > 0 for i, s in found)  # a loss can be claimed too
    systems = [system for _, system in found]
    verdict = SUPPORTED if exact else NOT_SUPPORTED if same else CONTRADICTED
    judgement = Judgement(
        verdict=verdict,
        reason=f"printed: {'; '.join(said)}; over the trained tasks alone {_trained(systems)}",
        effect=mean(s.mean or 0.0 for s in systems),
        sample=_sample(systems),
    )
    return judgement, _grounds(systems, published)


def _greatest(test: Any, published: Published, version: str) -> Found:
    rows = _with_gain(published, version)
    many = [s for s in published if len(s.intermediate) > 1 and not s.mlm and s.mean is not None]
    if not rows or not many:
        return nothing("no published table has one and several intermediates"), Grounds()
    best, several = (max(group, key=lambda s: s.mean or 0.0) for group in (rows, many))
    effect = (several.mean or 0.0) - (best.mean or 0.0)
    stated = "" if test.points is None else f" (claimed: {test.points:+.1f})"
    judgement = Judgement(
        verdict=SUPPORTED if effect > 0 else CONTRADICTED,
        reason=(
            f"{several.name} gains {several.mean:+.1f}{stated}, {best.name} alone "
            f"{best.mean:+.1f}; over the trained tasks alone {_trained([several])} and "
            f"{_trained([best])}"
        ),
        effect=effect,
        sample=_sample([*rows, several]),
    )
    return judgement, _grounds([several, best], published)


def _task_gains(test: Any, published: Published, version: str) -> Found:
    rows = [s for s in _with_gain(published, version) if set(test.tasks) <= set(s.tasks)]
    if not rows:
        return nothing(f"no published differences on {', '.join(test.tasks)}"), Grounds()
    gains = [mean(s.score(task) for task in test.tasks) for s in rows]
    others = [mean([s.score(t) for t in s.tasks if t not in test.tasks] or [0]) for s in rows]
    more = sum(gain > max(0.0, other) for gain, other in zip(gains, others, strict=True))
    verdict = SUPPORTED if more == len(rows) else NOT_SUPPORTED if mean(gains) > 0 else CONTRADICTED
    judgement = Judgement(
        verdict=verdict,
        reason=(
            f"{more} of {len(rows)} intermediates raise {' and '.join(test.tasks)}, and more than "
            f"the other tasks: {mean(gains):+.1f} against {mean(others):+.1f} points on average"
        ),
        effect=mean(gains),
        sample=_sample(rows),
    )
    return judgement, Grounds(sources=_sources(rows))


def _uneven(test: Any, published: Published, version: str) -> Found:
    rows = [s for s in _with_gain(published, version) if {test.raised, test.flat} <= set(s.tasks)]
    if not rows:
        return nothing(f"no published differences on {test.raised} and {test.flat}"), Grounds()
    up = sum(s.score(test.raised) > 0 for s in rows)
    flat = sum(s.score(test.flat) > 0 for s in rows)
    effect = mean(s.score(test.raised) - s.score(test.flat) for s in rows)
    holds = up > len(rows) / 2 and flat == 0
    judgement = Judgement(
        verdict=SUPPORTED if holds else NOT_SUPPORTED if effect > 0 else CONTRADICTED,
        reason=(
            f"{up} of {len(rows)} intermediates raise {test.raised}, {flat} raise {test.flat}; "
            f"{effect:+.1f} points apart on average"
        ),
        effect=effect,
        sample=_sample(rows),
    )
    return judgement, Grounds(sources=_sources(rows))


def _best_per_target(test: Any, published: Published, version: str) -> Found:
    rows = [s for s in published if s.intermediate == ("best",) and s.mean is not None]
    base = next((s for s in published if s.name == test.reference and s.mean is not None), None)
    gains = [
        (s, s.mean if s.delta else s.mean - ((base and base.mean) or 0.0))
        for s in rows
        if s.mean is not None and (s.delta or base is not None)
    ]
    if not gains:
        return nothing("no published mean of the best intermediate of each target"), Grounds()
    system, effect = min(gains, key=lambda pair: pair[0].source != version)
    said = [f"{s.source}, {s.table}: {gain:+.1f}" for s, gain in gains]
    share = 0.0
    whole = next((s for s in rows if len(s.tasks) > 1), None)
    if whole is not None and base is not None:
        differences = {t: whole.score(t) - base.score(t) for t in whole.tasks if t in base.scores}
        total = sum(differences.values())
        share = sum(differences.get(t, 0.0) for t in RETRIEVAL) / total if total else 0.0
        said.append(f"{share:.0%} of the first table's gain comes from untrained retrieval")
    if len(system.tasks) < 2:
        said.append(f"no row of {system.source} is published to check its average by")
    runs = [s for s in published if s.delta and s.intermediate and s not in rows]
    of = max(1, len(runs))
    judgement = Judgement(
        verdict=SUPPORTED if abs(effect - test.points) <= STATED else NOT_SUPPORTED,
        reason="; ".join(said),
        effect=effect,
        sample=f"for each target the greatest of {of} runs that are published",
    )
    checked = _grounds([system], published).consistent and len(system.tasks) > 1
    grounds = Grounds(sources=(system.source,), consistent=checked, retrieval_share=share, of=of)
    return judgement, grounds


def _alternatives(test: Any, published: Published, version: str) -> Found:
    del test
    plain = {s.intermediate: s for s in published if s.intermediate and not s.mlm and s.delta}
    mixed = {s.intermediate: s for s in published if s.intermediate and s.mlm and s.delta}
    pairs = [(plain[key], mixed[key]) for key in plain if key in mixed]
    if not pairs:
        return nothing(
            "no published table has intermediates with and without an alternative"
        ), Grounds()
    differences = [(a.mean or 0.0) - (b.mean or 0.0) for a, b in pairs]
    rest = mean(mean(a.trained or [0]) - mean(b.trained or [0]) for a, b in pairs)
    effect, up = mean(differences), sum(value > 0 for value in differences)
    holds = up == len(pairs) and rest > 0
    judgement = Judgement(
        verdict=SUPPORTED if holds else NOT_SUPPORTED if effect > 0 else CONTRADICTED,
        reason=(
            f"plain is better than mixed with language modelling in {up} of {len(pairs)} pairs, by "
            f"{effect:+.1f} points; over the trained tasks alone by {rest:+.1f}; no numbers are "
            "published about translated data"
        ),
        effect=effect,
        sample=_sample([system for pair in pairs for system in pair]),
    )
    return judgement, _grounds([system for pair in pairs for system in pair], published)


def _leads(test: Any, published: Published, version: str) -> Found:
    del version
    best, seen, ahead, sources, met = 0, 0, set(), [], set()
    for one in [s for s in published if s.name == test.system and not s.delta]:
        peers = [s for s in published if (s.source, s.table) == (one.source, one.table)]
        if len(peers) < 3 or any(s.delta for s in peers):
            continue
        for task in one.tasks:
            others = [s for s in peers if s is not one and task in s.scores]
            rivals = [s for s in others if not test.among or s.name in test.among]
            if not rivals:
                continue
            seen += 1
            sources.append(one.source)
            met |= {s.name for s in rivals}
            best += all(s.score(task) <= one.score(task) for s in rivals)
            ahead |= {s.name for s in others if s.score(task) > one.score(task)}
    if not seen:
        return nothing(f"{test.system} stands in no published table beside its rivals"), Grounds()
    share = best / seen
    judgement = Judgement(
        verdict=SUPPORTED if share >= test.share else NOT_SUPPORTED if best else CONTRADICTED,
        reason=(
            f"best in {best} of {seen} columns of published tables among {len(met)} rivals; ahead "
            f"of it somewhere, whenever published: {', '.join(sorted(ahead)) or 'nobody'}"
        ),
        effect=share,
        sample=f"{seen} columns, rivals {', '.join(sorted(met))}; no error bars printed",
    )
    return judgement, Grounds(sources=tuple(dict.fromkeys(sources)))


def _scope(test: Any, published: Published, version: str) -> Found:
    del published, version
    scored = BENCHMARKS[test.benchmark].tasks
    known = [task for task in test.tasks if task in scored]
    codes = {code for task in known for code in scored[task].languages}
    entries = {code: lookup(code) for code in codes}
    found = {code if entry is None else entry.iso639_3 for code, entry in entries.items()}
    holds = set(test.tasks) == set(scored) and len(found) == test.languages
    judgement = Judgement(
        verdict=SUPPORTED if holds else NOT_SUPPORTED,
        reason=(
            f"its own scorer has {len(known)} of {len(test.tasks)} tasks, {len(scored)} in all, "
            f"and {len(found)} languages between them for {test.languages}"
        ),
        effect=float(len(found)),
        sample="the benchmark's own list, with English",
    )
    return judgement, Grounds(sources=("benchmark",))


def _count(test: Any, published: Published, version: str) -> Found:
    rows = [s for s in _with_gain(published, version) if not version or s.source == version]
    if not rows:  # how many another version compares says nothing
        return nothing("this version's table of single intermediates is not published"), Grounds()
    judgement = Judgement(
        verdict=SUPPORTED if len(rows) == test.number else NOT_SUPPORTED,
        reason=f"{_sources(rows)[0]} has {len(rows)}, {test.number} are claimed",
        effect=float(len(rows)),
        sample=_sample(rows),
    )
    return judgement, Grounds(sources=_sources(rows))


def _kinds(test: Any, published: Published, version: str) -> Found:
    names = {s.intermediate[0] for s in _with_gain(published, version)}
    if not names:
        return nothing("no published table of single intermediates"), Grounds()
    absent = [kind for kind, tasks in test.kinds.items() if not names & set(tasks)]
    judgement = Judgement(
        verdict=NOT_SUPPORTED if absent else SUPPORTED,
        reason=(
            f"none of {', '.join(absent)} among {len(names)} intermediates"
            if absent
            else f"each of the {len(test.kinds)} kinds is among {len(names)} intermediates"
        ),
        effect=float(len(test.kinds) - len(absent)),
        sample=f"{len(names)} intermediates",
    )
    return judgement, Grounds(sources=_sources(_with_gain(published, version)))


def _with_gain(published: Published, version: str) -> list[System]:
    """Single intermediates with a mean gain; of the claim's own version if it has any."""
    rows = [s for s in singles(published) if s.delta and s.mean is not None]
    return [s for s in rows if s.source == version] or rows


def _trained(systems: Sequence[System]) -> str:
    """Mean difference over the tasks that are trained, in words."""
    values = [mean(system.trained) for system in systems if system.trained]
    return f"{mean(values):+.1f}" if values else "not published"


def _sample(systems: Sequence[System]) -> str:
    tasks = {task for system in systems for task in system.scores if task != AVERAGE}
    return f"{len(systems)} systems, {len(tasks)} tasks, {systems[0].split}; no error bars printed"


def _sources(systems: Sequence[System]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(system.source for system in systems))


def _grounds(systems: Sequence[System], published: Published) -> Grounds:
    names = {(s.source, s.table, s.name) for s in systems}
    rows = [f for f in audit(published) if (f.source, f.table, f.system) in names]
    shares = [f.retrieval_share for f in rows if f.retrieval_share is not None]
    return Grounds(
        sources=_sources(systems),
        consistent=all(f.consistent for f in rows),
        retrieval_share=min(1.0, max(0.0, mean(shares))) if shares else 0.0,
    )


_WAYS: dict[str, Callable[[Any, Published, str], Found]] = {
    "gains": _gains,
    "greatest": _greatest,
    "task_gains": _task_gains,
    "uneven": _uneven,
    "best_per_target": _best_per_target,
    "alternatives": _alternatives,
    "leads": _leads,
    "scope": _scope,
    "count": _count,
    "kinds": _kinds,
}
