"""Does the arithmetic of a published table hold, and what do its averages consist of?

A printed average can be reproduced if the mean of the row's printed scores, by one of the ways that
benchmarks average, differs from it by no more than rounding: each score and the average are off by
0.05 at most. The share of retrieval is what untrained retrieval adds to an average difference.
"""

from dataclasses import dataclass

from midway.claims.published import RETRIEVAL, Published, System

ROUNDING = 0.1 + 1e-9
CONVENTIONS = ("mean of F1 and exact match", "F1 alone")


@dataclass(frozen=True)
class Finding:
    """What is to be known of one row of a table.

    Attributes:
        source: paper and version.
        table: in the paper.
        system: the row.
        printed: its average.
        computed: by `convention`.
        convention: the first of `CONVENTIONS` that gives what is printed; the first if none does.
        consistent: whether they differ by rounding alone.
        retrieval_share: of an average difference, what untrained retrieval adds; None if there is
            none or the average is no difference.
        trained_mean: mean difference over the other tasks; None likewise.
    """

    source: str
    table: str
    system: str
    printed: float
    computed: float
    convention: str
    consistent: bool
    retrieval_share: float | None
    trained_mean: float | None


def audit(published: Published) -> tuple[Finding, ...]:
    """Check every row that has an average and at least two tasks."""
    rows = [s for s in published if s.mean is not None and len(s.tasks) > 1]
    return tuple(_check(system) for system in rows)


def _check(system: System) -> Finding:
    printed = system.mean or 0.0
    ways = dict(zip(CONVENTIONS, (_mean(system), _f1_mean(system)), strict=True))
    fitting = [name for name in CONVENTIONS if abs(ways[name] - printed) <= ROUNDING]
    convention = (fitting or CONVENTIONS)[0]
    computed = ways[convention]
    share, trained = None, None
    untrained = [task for task in system.tasks if task in RETRIEVAL]
    if system.delta and untrained:
        rest = [system.score(task) for task in system.tasks if task not in RETRIEVAL]
        whole = sum(system.score(task) for task in system.tasks)
        trained = sum(rest) / len(rest)
        share = sum(system.score(task) for task in untrained) / whole if whole else None
    return Finding(
        system.source,
        system.table,
        system.name,
        printed,
        round(computed, 3),
        convention,
        bool(fitting),
        share,
        trained,
    )


def _mean(system: System) -> float:
    return sum(system.score(task) for task in system.tasks) / len(system.tasks)


def _f1_mean(system: System) -> float:
    scores = [system.scores[task] for task in system.tasks]
    return sum(s.get("f1", next(iter(s.values()))) for s in scores) / len(scores)
