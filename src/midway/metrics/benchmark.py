"""XTREME and XTREME-R: score a folder of predictions against a folder of labels.

1. Both folders hold a folder per task, with a file ``test-<language>.<suffix>`` per language.
2. A task's score is the unweighted mean over its languages, English included; for question
   answering the mean of the mean F1 and the mean exact match.
3. ``overall`` has a mean per group of tasks, and for XTREME ``all_task``, the mean over all tasks;
   each is there only if all of its tasks are. XTREME-R's script can never print its own overall
   score (one of its tasks has neither languages nor a metric), so there is none here either.

Source: ``evaluate.py`` of google-research/xtreme (Hu et al. 2020; Ruder et al. 2021).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from midway.errors import DataError, UsageError
from midway.metrics import retrieval, squad, tagging
from midway.metrics.normalise import AnswerProfile
from midway.metrics.prediction_files import (
    read_answers,
    read_choices,
    read_indices,
    read_labels,
    read_pairs,
    read_rankings,
    read_references,
    read_tags,
)

Profile = Literal["official", "clean"]
LanguageScores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Context:
    """What a scoring function may need to know besides the two files."""

    language: str
    profile: Profile


Score = Callable[[Path, Path, Context], LanguageScores]


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """One task of a benchmark: its languages, its files' suffix, and how a language is scored."""

    languages: tuple[str, ...]
    suffix: str
    score: Score


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Tasks, groups of tasks, and whether a mean over all tasks is defined."""

    tasks: Mapping[str, ScoredTask]
    groups: Mapping[str, tuple[str, ...]]
    overall: bool


def benchmark_scores(
    predictions: Path, labels: Path, *, benchmark: str, profile: Profile = "official"
) -> dict[str, Any]:
    """Score every task that has a folder on both sides.

    Args:
        predictions: folder with a folder per task, ``<task>/test-<language>.<suffix>``.
        labels: the same with gold labels.
        benchmark: ``xtreme`` or ``xtreme-r``.
        profile: ``official``: the script's numbers; ``clean``: answers normalised for their
            language, accuracy for part-of-speech tags, strict IOB2 entities.

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
        name: task_scores(predictions / name, labels / name, chosen.tasks[name], profile)
        for name in present
    }
    return {"overall": _overall(chosen, tasks), "tasks": tasks}


def task_scores(
    predictions: Path, labels: Path, task: ScoredTask, profile: Profile
) -> dict[str, Any]:
    """Score one task in all of its languages; see `benchmark_scores` for the result.

    Raises:
        DataError: a language's file is missing, cannot be read or does not fit its counterpart.
    """
    scores: dict[str, Any] = {}
    for language in task.languages:
        guess = _language_file(predictions, language, task)
        truth = _language_file(labels, language, task)
        for metric, value in task.score(guess, truth, Context(language, profile)).items():
            scores.setdefault(metric, {})[language] = value
    averages = {f"avg_{metric}": _mean(list(values.values())) for metric, values in scores.items()}
    if "exact_match" in scores:
        averages["avg_metric"] = (averages["avg_exact_match"] + averages["avg_f1"]) / 2
    else:
        main = next(name for name in ("f1", "accuracy", "map@20") if name in scores)
        averages["avg_metric"] = averages[f"avg_{main}"]
    return scores | averages


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _overall(benchmark: Benchmark, tasks: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    groups = dict(benchmark.groups)
    if benchmark.overall:
        groups = {"all_task": tuple(benchmark.tasks)} | groups
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
        raise DataError(f"{folder} has {others[0]}, but the file must be called {wanted.name}")
    raise DataError(
        f"{wanted} is missing; the benchmark has {len(task.languages)} languages here"
        f" ({' '.join(task.languages)}) and all are needed for its mean"
    )


def _fitting(guess: Path, truth: Path, error: DataError) -> DataError:
    return DataError(f"{guess} does not fit {truth}: {error}")


def _score_answers(
    official: AnswerProfile, guess: Path, truth: Path, at: Context
) -> LanguageScores:
    """Exact match and F1; `official` is the rule that the official profile uses."""
    questions = squad.per_question(
        read_answers(guess),
        read_references(truth),
        language=at.language,
        profile="clean" if at.profile == "clean" else official,
    )
    return squad.summarise(questions.values())


def _score_tags(entities: bool, guess: Path, truth: Path, at: Context) -> LanguageScores:
    predicted, gold = read_tags(guess), read_tags(truth)
    try:
        if at.profile == "clean":
            return tagging.clean_scores(gold, predicted, entities=entities)
        return tagging.official_scores(gold, predicted)
    except DataError as error:
        raise _fitting(guess, truth, error) from error


def _score_indices(guess: Path, truth: Path, _at: Context) -> LanguageScores:
    try:
        return {"accuracy": retrieval.accuracy(read_indices(guess), read_indices(truth))}
    except DataError as error:
        raise _fitting(guess, truth, error) from error


def _score_labels(
    read: Callable[[Path], list[str]], guess: Path, truth: Path, _at: Context
) -> LanguageScores:
    predicted, gold = read(guess), read(truth)
    if len(predicted) != len(gold):
        counts = DataError(f"{len(predicted)} predicted labels, but {len(gold)} gold labels")
        raise _fitting(guess, truth, counts)
    right = sum(map(str.__eq__, predicted, gold))
    return {"accuracy": 100.0 * right / len(gold) if gold else 0.0}


def _score_pairs(guess: Path, truth: Path, _at: Context) -> LanguageScores:
    predicted, gold = read_pairs(guess), read_pairs(truth)
    found = tagging.Counts(len(predicted & gold), len(predicted), len(gold))
    return tagging.summarise([found])


def _score_rankings(guess: Path, truth: Path, _at: Context) -> LanguageScores:
    predicted, gold = read_rankings(guess), read_rankings(truth)
    values = [
        retrieval.average_precision(predicted.get(query, []), right, depth=20)
        for query, right in gold.items()
    ]
    return {"map@20": 100.0 * sum(values) / max(len(values), 1)}


def _task(languages: str, suffix: str, score: Score) -> ScoredTask:
    return ScoredTask(tuple(sorted(languages.split())), suffix, score)


_NER = (
    "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw"
    " ta te th tl tr ur vi yo zh"
)
_POS = (
    "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi"
    " yo zh"
)
_TATOEBA = " ".join(code for code in _NER.split() if code not in ("en", "ms", "my", "yo"))
_XQUAD = "ar de el en es hi ru th tr vi zh"

_CLASSES = partial(_score_labels, read_labels)
_SHARED = {
    "xnli": _task("ar bg de el en es fr hi ru sw th tr ur vi zh", "tsv", _CLASSES),
    "mlqa": _task("ar de en es hi vi zh", "json", partial(_score_answers, "mlqa")),
    "tydiqa": _task("ar bn en fi id ko ru sw te", "json", partial(_score_answers, "official")),
}

XTREME = Benchmark(
    tasks=_SHARED
    | {
        "pawsx": _task("de en es fr ja ko zh", "tsv", _CLASSES),
        "panx": _task(_NER, "tsv", partial(_score_tags, True)),
        "udpos": _task(_POS, "tsv", partial(_score_tags, False)),
        "bucc2018": _task("de fr ru zh", "tsv", _score_pairs),
        "tatoeba": _task(_TATOEBA, "tsv", _score_indices),
        "xquad": _task(_XQUAD, "json", partial(_score_answers, "official")),
    },
    groups={
        "classification": ("pawsx", "xnli"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc2018", "tatoeba"),
    },
    overall=True,
)

XTREME_R = Benchmark(
    tasks=_SHARED
    | {
        "xcopa": _task(
            "et ht id it qu sw ta th tr vi zh", "jsonl", partial(_score_labels, read_choices)
        ),
        "panx": _task(f"{_NER} az gu lt pa pl qu ro uk", "tsv", partial(_score_tags, True)),
        "udpos": _task(f"{_POS} lt pl ro uk wo", "tsv", partial(_score_tags, False)),
        "tatoeba": _task(f"{_TATOEBA} az lt pl ro uk", "tsv", _score_indices),
        "mewslix": _task("ar de en es fa ja pl ro ta tr uk", "json", _score_rankings),
        "xquad": _task(f"{_XQUAD} ro", "json", partial(_score_answers, "official")),
    },
    groups={
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("tatoeba", "mewslix"),
        "multi_choice": ("xcopa",),
    },
    overall=False,
)

BENCHMARKS = {"xtreme": XTREME, "xtreme-r": XTREME_R}
