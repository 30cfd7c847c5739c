"""The tasks of XTREME and XTREME-R: languages, files, and how each is scored.

Source: ``evaluate.py`` of google-research/xtreme (Hu et al. 2020; Ruder et al. 2021). LAReQA has
neither languages nor a metric there: its entry follows the papers (Roy et al. 2020; Ruder et al.
2021), mAP@20 over the questions of all languages together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from midway.metrics.file_scores import (
    Score,
    score_answers,
    score_indices,
    score_labels,
    score_pairs,
    score_rankings,
    score_tags,
)
from midway.metrics.prediction_files import read_choices, read_labels


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """One task of a benchmark.

    Attributes:
        languages: in order.
        suffix: of its files.
        score: how a language is scored.
        micro: its mean weighs languages by their queries instead of equally.
    """

    languages: tuple[str, ...]
    suffix: str
    score: Score
    micro: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Tasks, groups of tasks, and what a mean over all of them is called."""

    tasks: Mapping[str, ScoredTask]
    groups: Mapping[str, tuple[str, ...]]
    overall: str


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

_CLASSES = partial(score_labels, read_labels)
_SHARED = {
    "xnli": _task("ar bg de el en es fr hi ru sw th tr ur vi zh", "tsv", _CLASSES),
    "mlqa": _task("ar de en es hi vi zh", "json", partial(score_answers, "mlqa")),
    "tydiqa": _task("ar bn en fi id ko ru sw te", "json", partial(score_answers, "official")),
}

XTREME = Benchmark(
    tasks=_SHARED
    | {
        "pawsx": _task("de en es fr ja ko zh", "tsv", _CLASSES),
        "panx": _task(_NER, "tsv", partial(score_tags, True)),
        "udpos": _task(_POS, "tsv", partial(score_tags, False)),
        "bucc2018": _task("de fr ru zh", "tsv", score_pairs),
        "tatoeba": _task(_TATOEBA, "tsv", score_indices),
        "xquad": _task(_XQUAD, "json", partial(score_answers, "official")),
    },
    groups={
        "classification": ("pawsx", "xnli"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc2018", "tatoeba"),
    },
    overall="all_task",
)

XTREME_R = Benchmark(
    tasks=_SHARED
    | {
        "xcopa": _task(
            "et ht id it qu sw ta th tr vi zh", "jsonl", partial(score_labels, read_choices)
        ),
        "panx": _task(f"{_NER} az gu lt pa pl qu ro uk", "tsv", partial(score_tags, True)),
        "udpos": _task(f"{_POS} lt pl ro uk wo", "tsv", partial(score_tags, False)),
        "tatoeba": _task(f"{_TATOEBA} az lt pl ro uk", "tsv", score_indices),
        "mewslix": _task("ar de en es fa ja pl ro ta tr uk", "json", score_rankings),
        "lareqa": ScoredTask(tuple(_XQUAD.split()), "json", score_rankings, micro=True),
        "xquad": _task(f"{_XQUAD} ro", "json", partial(score_answers, "official")),
    },
    groups={
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("tatoeba", "mewslix"),
        "multi_choice": ("xcopa",),
    },
    overall="all_task_by_paper",
)
