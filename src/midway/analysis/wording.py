"""Numbers and lists in words, for the verdict and the report."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from midway.analysis.stages import Progress
from midway.stats import Interval, seeds_needed

YES, NO, MIXED = "yes", "no", "mixed"
CANNOT_TELL, NOT_TESTED = "cannot tell", "not tested"
LISTED = 5  # more than these are not listed in a sentence
_FEW_SEEDS = 3


def points(value: float) -> str:
    """Format a difference: sign, one decimal, a true minus sign; no sign for nil."""
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def with_interval(interval: Interval) -> str:
    """Format an estimate with its interval, e.g. ``+4.2 points (95 % interval 2.1 to 6.3)``."""
    low, high = points(interval.low), points(interval.high)
    return f"{points(interval.estimate)} points (95 % interval {low} to {high})"


def in_brackets(interval: Interval) -> str:
    """Format an estimate for a list, e.g. ``+4.2 (2.1 to 6.3)``."""
    return f"{points(interval.estimate)} ({points(interval.low)} to {points(interval.high)})"


def ends(parts: Sequence[str]) -> list[str]:
    """The first and the last of many parts of an ordered list, and how many lie between."""
    if len(parts) <= LISTED:
        return list(parts)
    return [*parts[: LISTED - 2], f"{len(parts) - LISTED + 1} in between", parts[-1]]


def scores_after(scores: Sequence[tuple[str, float]]) -> str:
    """Scores after some intermediates, or how far those after many reach."""
    if len(scores) <= LISTED:
        return join_names([f"{score:.1f} after {name}" for name, score in scores])
    (worst, low), *_, (best, high) = sorted(scores, key=lambda item: item[1])
    return f"from {low:.1f} after {worst} to {high:.1f} after {best}"


def join_names(names: Sequence[str]) -> str:
    """Join names: ``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def name_targets(targets: Sequence[str]) -> str:
    """Name one target, or the mean of many."""
    if len(targets) == 1:
        return targets[0]
    return f"the mean of {len(targets)} trained targets"


def languages_gain(codes: Sequence[str], kind: str) -> str:
    """Begin a sentence: ``1 low-resource language gains``, ``3 low-resource languages gain``."""
    one = len(codes) == 1
    return f"{len(codes)} {kind} {'language gains' if one else 'languages gain'}"


def zeros(unclear: int, total: int) -> str:
    """Say how many of `total` intervals include zero."""
    if total == 1:
        return "The interval includes zero"
    who = (
        "All intervals include"
        if unclear == total
        else (
            "One interval includes" if unclear == 1 else f"{unclear} of {total} intervals include"
        )
    )
    return f"{who} zero"


def how_many(count: int, total: int, verb: str) -> str:
    """Say how many of `total` intermediates do something; `verb` without its ``s``."""
    if count == total:
        who = {1: "the intermediate", 2: "both intermediates"}.get(
            total, f"all {total} intermediates"
        )
    else:
        who = f"{count} of {total} intermediates"
    return f"{who} {verb}{'s' if count == 1 else ''}"


def leak_in_words(leak: Mapping[str, Any]) -> str:
    """Describe one leak: ``3 of 900 examples of tydiqa are in what … trains on``."""
    shared, of = leak["shared"], leak["of"]
    gone = ", and left out of its scores" if leak.get("left_out") else ""
    return (
        f"{shared:,} of {of:,} examples of {leak['target']} {'is' if shared == 1 else 'are'} in "
        f"what {leak['training']} trains on{gone}"
    )


LEAK_KINDS = {
    "id": "the same item",
    "exact": "the same text",
    "normalised": "the same text but for case, white space or Unicode form",
    "near": "nearly the same text",
    "translated": "the same item in another language",
    "document": "from the same document",
    "title": "from an article of the same title",
    "neighbour": "nearest in the encoder's space, in another language",
}
"""What each kind of `midway.stages.leak_kinds` says of an example, the strongest first."""


def collapse_in_words(run: Mapping[str, Any]) -> str:
    """Say what became of a training run that collapsed."""
    again = len(run["attempts"]) - 1
    repeats = f"{again} time{'' if again == 1 else 's'}"
    if run["collapsed"]:
        tried = f" It was repeated {repeats} with other seeds." if again else ""
        return f"Collapsed: {run['run']} ({run['collapsed']}).{tried} Its scores are in every mean."
    return (
        f"{run['run']} collapsed ({run['attempts'][0]['collapse']}) and was repeated {repeats} "
        "with another seed; the last attempt counts."
    )


def _collapses(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What runs collapsed for good, and which were saved by another seed."""
    lost = [f"{run['run']} ({run['collapsed']})" for run in runs if run["collapsed"]]
    saved = [run["run"] for run in runs if not run["collapsed"]]
    notes = []
    if lost:
        notes.append(
            f"Collapsed in every attempt: {'; '.join(lost)}. Their scores are in every mean."
        )
    if saved:
        notes.append(
            f"Collapsed, then repeated with another seed, which counts: {'; '.join(saved)}."
        )
    return notes


def _halving(stopped: Mapping[str, str], waiting: int) -> list[str]:
    """What successive halving has stopped, what that leaves unknown, and what is still open."""
    notes = []
    if stopped:
        which = "; ".join(f"{name} {why}" for name, why in stopped.items())
        notes.append(
            f"Stopped by successive halving: {which}. The choice rests on few seeds and on the "
            "training language alone, so one that was stopped may have been the better. Its "
            "intervals, and those of every comparison with it, rest on the seeds it has (with one, "
            "they are too narrow); the answers above are about the others."
        )
    if waiting:
        notes.append(
            f"Successive halving has a choice to make when all validation scores are there; "
            f"{waiting} more runs follow for what goes on."
        )
    return notes


def _many(compared: int, tested: int, below: int, adjusted: int) -> list[str]:
    """What many comparisons do to a maximum, to intervals and to p-values."""
    notes = []
    if compared > 1:
        notes.append(
            f"{compared} intermediates are compared and the best is named: a maximum flatters. "
            "Intervals are for one comparison each, not for all together."
        )
    if tested < 2 or not below:
        return notes
    return [
        *notes,
        f"Of {tested} gains and losses on single targets {below} have p < 0.05, as one in twenty "
        f"would if there were nothing to find; {adjusted} remain after Benjamini and Hochberg's "
        "correction for that many tests.",
    ]


def unseen(detectable: float) -> str:
    """What a study of this size would hardly have seen."""
    return f"a true difference below {detectable:.1f} points would mostly have gone unseen"


def more_seeds(interval: Interval) -> str:
    """What it would take to tell: seeds, or examples; empty if nothing is known of seeds."""
    if not interval.seed_variance_known:
        return ""
    needed = seeds_needed(interval, 1.0)
    if needed is None:
        return (
            " One hundred seeds would not bring the interval to one point either side; that takes "
            "more test examples, or runs that vary less."
        )
    if needed <= interval.seeds:
        return ""
    return f" It takes at least {needed} seeds to bring the interval to one point either side."


def caveats(
    *,
    progress: Progress,
    leaks: Sequence[Mapping[str, Any]],
    collapsed: Sequence[Mapping[str, Any]] = (),
    stopped: Mapping[str, str] = MappingProxyType({}),
    waiting: int = 0,
    seeds: int,
    compared: int,
    offline_retrieval: bool,
    tests: tuple[int, int, int] = (0, 0, 0),
) -> tuple[str, ...]:
    """Say what must be known before a verdict is quoted.

    Args:
        progress: how far the study has come.
        leaks: training data found in evaluation data.
        collapsed: training runs that collapsed at least once, see `midway.report`.
        stopped: intermediates that successive halving stopped, and why.
        waiting: evaluations that wait for a choice of successive halving.
        seeds: number of seeds.
        compared: number of intermediates compared.
        offline_retrieval: whether untrained retrieval was measured with the offline encoder.
        tests: gains on single targets: tested, with p < 0.05, and with q < 0.05.
    """
    notes = []
    if progress.missing:
        notes.append(
            f"Incomplete: {progress.scored} of {progress.total} runs are scored. Everything here "
            "rests on those and may change with the others."
        )
    if leaks:
        found = "; ".join(map(leak_in_words, leaks))
        memory = " Scores there may show memory, not transfer."
        kept = "" if all(leak.get("left_out") for leak in leaks) else memory
        notes.append(f"Training data return in the evaluation data: {found}.{kept}")
    notes += [*_collapses(collapsed), *_halving(stopped, waiting)]
    if seeds == 1:
        notes.append(
            "One seed: how far the numbers move with another random seed is unknown. Intervals "
            "cover only the choice of test examples and are too narrow."
        )
    elif seeds < _FEW_SEEDS:
        notes.append(
            f"{seeds} seeds: seed variance rests on very few values. A third seed would make the "
            "intervals more trustworthy than anything else."
        )
    notes += _many(compared, *tests)
    if offline_retrieval:
        notes.append(
            "The offline encoder was trained contrastively for retrieval. Its untrained retrieval "
            "is high to begin with and intermediate training tends to lower it; an encoder such as "
            "XLM-R starts low and gains."
        )
    return tuple(notes)
