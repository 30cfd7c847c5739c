"""XTREME and XTREME-R: score a folder of predictions against a folder of labels.

1. Both folders hold a folder per task, with a file ``test-<language>.<suffix>`` per language.
2. A task's score is the unweighted mean over its languages, English included; for question
   answering the mean of the mean F1 and the mean exact match.
3. ``overall`` has a mean per group of tasks, and a mean over all tasks; each is there only if all
   of its tasks are. XTREME's is ``all_task``. XTREME-R's script can never print one (LAReQA has
   neither languages nor a metric in it); ours follows the paper and is called
   ``all_task_by_paper``.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from midway.errors import DataError, UsageError
from midway.metrics.file_scores import Context, Profile, count_queries
from midway.metrics.official import XTREME, XTREME_R, Benchmark, ScoredTask

BENCHMARKS = {"xtreme": XTREME, "xtreme-r": XTREME_R}


def _silent(_: str) -> None:
    pass


def benchmark_scores(
    predictions: Path,
    labels: Path,
    *,
    benchmark: str,
    profile: Profile = "official",
    warn: Callable[[str], None] = _silent,
) -> dict[str, Any]:
    """Score every task that has a folder on both sides.

    Args:
        predictions: folder with a folder per task, ``<task>/test-<language>.<suffix>``.
        labels: the same with gold labels.
        benchmark: ``xtreme`` or ``xtreme-r``.
        profile: ``official``: the script's numbers; ``clean``: answers normalised for their
            language, accuracy for part-of-speech tags, strict IOB2 entities.
        warn: called with a sentence on each file whose scores should not be believed.

    Returns:
        ``{"overall": {group: value}, "tasks": {task: {metric: {language: value},
        "avg_<metric>": value, "avg_metric": value}}}``, all in percent.

    Raises:
        UsageError: there is no such benchmark.
        DataError: no task has a folder on both sides, a language's file is missing, or a file
            cannot be read or does not fit its counterpart.
    """
    if benchmark not in BENCHMARKS:
        known = " ".join(BENCHMARKS)
        raise UsageError(f"unknown benchmark {benchmark!r}; the benchmarks are {known}")
    chosen = BENCHMARKS[benchmark]
    for folder in (predictions, labels):
        if not folder.is_dir():
            raise DataError(f"{folder} is not a folder; expected one with a folder per task")
    present = [
        name for name in chosen.tasks if (predictions / name).is_dir() and (labels / name).is_dir()
    ]
    if not present:
        raise DataError(
            f"no task has a folder in both {predictions} and {labels};"
            f" tasks of {benchmark} are called {' '.join(chosen.tasks)}"
        )
    tasks = {
        name: task_scores(predictions / name, labels / name, chosen.tasks[name], profile, warn)
        for name in present
    }
    return {"overall": _overall(chosen, tasks), "tasks": tasks}


def task_scores(
    predictions: Path,
    labels: Path,
    task: ScoredTask,
    profile: Profile,
    warn: Callable[[str], None] = _silent,
) -> dict[str, Any]:
    """Score one task in all of its languages; see `benchmark_scores` for the result.

    Raises:
        DataError: a language's file is missing, cannot be read or does not fit its counterpart.
    """
    scores: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for language in task.languages:
        guess = _language_file(predictions, language, task)
        truth = _language_file(labels, language, task)
        sizes[language] = count_queries(truth) if task.micro else 1
        for metric, value in task.score(guess, truth, Context(language, profile, warn)).items():
            scores.setdefault(metric, {})[language] = value
    averages = {f"avg_{metric}": _weighted(values, sizes) for metric, values in scores.items()}
    if "exact_match" in scores:
        averages["avg_metric"] = (averages["avg_exact_match"] + averages["avg_f1"]) / 2
    else:
        main = next(name for name in ("f1", "accuracy", "map@20") if name in scores)
        averages["avg_metric"] = averages[f"avg_{main}"]
    return scores | averages


def _weighted(values: Mapping[str, float], sizes: Mapping[str, int]) -> float:
    return sum(values[name] * sizes[name] for name in values) / max(sum(sizes.values()), 1)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _overall(benchmark: Benchmark, tasks: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    groups = dict(benchmark.groups)
    groups = {benchmark.overall: tuple(benchmark.tasks)} | groups
    return {
        group: _mean([tasks[name]["avg_metric"] for name in members])
        for group, members in groups.items()
        if all(name in tasks for name in members)
    }


def _language_file(folder: Path, language: str, task: ScoredTask) -> Path:
    wanted = folder / f"test-{language}.{task.suffix}"
    if wanted.is_file():
        return wanted
    others = sorted(path.name for path in folder.glob(f"test-{language}.*"))
    if others:
        raise DataError(f"{folder} has {others[0]}, expected {wanted.name}; rename or convert it")
    raise DataError(
        f"{wanted} is missing; the benchmark has {len(task.languages)} languages here"
        f" ({' '.join(task.languages)}) and all are needed for its mean"
    )
