"""A study with known effects, written as score artefacts: what the analysis reads, nothing else.

Answers are right with a probability that depends on the target, the language and the intermediate;
on trained targets each run adds a seed effect. Gains in points are in `EFFECTS`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from midway.analysis import ScoredRun

LANGUAGES = ("ar", "bn", "de", "en", "fi", "hi", "id", "ru", "sw", "te", "yo", "zh")
LOW = ("sw", "te", "yo")
TARGETS = {
    "tydiqa": ("span_qa", "f1", True, 45.0),
    "xquad": ("span_qa", "f1", True, 60.0),
    "udpos": ("tagging", "f1", True, 70.0),
    "tatoeba": ("retrieval", "accuracy", False, 85.0),
}
EFFECTS = {"squad-en": 6.0, "xquad-multi": 12.0, "qqp-en": -8.0}
RETRIEVAL = {"squad-en": -10.0, "xquad-multi": -20.0, "qqp-en": -15.0}
PROVENANCE = {
    "encoder": "offline:multilingual-e5-small",
    "contrasts": [["xquad-multi", "squad-en"]],
    "intermediates": {
        "squad-en": {"tasks": ["squad"], "languages": ["en"], "examples": 1000},
        "xquad-multi": {
            "tasks": ["xquad"],
            "languages": ["ar", "de", "hi", "ru", "zh"],
            "examples": 1000,
        },
        "qqp-en": {"tasks": ["qqp"], "languages": ["en"], "examples": 1000},
    },
    "versions": {"midway": "0.1.0", "python": "3.11.9", "torch": "2.13.0"},
    "commands": ["midway run studies/synthetic.toml"],
    "stages": [
        {"name": name, "key": f"{index:04x}" * 16, "seconds": seconds, "state": "computed"}
        for index, (name, seconds) in enumerate(
            {
                "import offline:multilingual-e5-small": 6.9,
                "examples of squad train, en": 0.5,
                "look for training text in evaluation data": 0.3,
                "train squad-en · seed 1": 84.2,
                "train xquad-multi · seed 1": 90.8,
                "train tydiqa · seed 1": 60.0,
                "train tydiqa after squad-en · seed 1": 61.0,
                "predict tydiqa after squad-en · seed 1": 20.0,
                "predict tydiqa after none · seed 1": 19.0,
                "score tydiqa after none · seed 1": 0.4,
            }.items()
        )
    ],
    "computing_seconds": 343.1,
    "leaks": [],
    "data": [
        {
            "task": "tydiqa",
            "licence": "Apache-2.0",
            "citation": "Clark et al. 2020",
            "homepage": "https://github.com/google-research-datasets/tydiqa",
        }
    ],
    "files": [
        {"task": "tydiqa", "split": "validation", "language": "te", "file": "te.json", "rows": 669}
    ],
    "dropped": [
        {"task": "tydiqa", "split": "train", "language": "en", "reason": "answer not in context",
         "count": 3}
    ],
}  # fmt: skip


def write_artefact(
    folder: Path, scores: Mapping[str, Sequence[tuple[float, float]]], metric: str
) -> None:
    """Write a score artefact: language → (numerator, denominator) of each example."""
    folder.mkdir(parents=True)
    languages = {}
    columns: dict[str, list] = {"language": [], "id": [], "numerator": [], "denominator": []}
    for language, pairs in scores.items():
        top = sum(pair[0] for pair in pairs)
        value = 100 * top / sum(pair[1] for pair in pairs)
        official = {metric: value}
        if metric == "f1" and all(pair[1] == 1 for pair in pairs):
            official["exact_match"] = value * 0.8
        languages[language] = {"n": len(pairs), "official": official, "clean": official}
        columns["language"] += [language] * len(pairs)
        columns["id"] += [f"{language}-{index:05d}" for index in range(len(pairs))]
        columns["numerator"] += [float(pair[0]) for pair in pairs]
        columns["denominator"] += [float(pair[1]) for pair in pairs]
    text = json.dumps({"languages": languages})
    (folder / "scores.json").write_text(text, encoding="utf-8")
    pq.write_table(pa.table(columns), folder / "examples.parquet")


def make_runs(
    root: Path,
    *,
    effects: Mapping[str, float] = EFFECTS,
    retrieval: Mapping[str, float] = RETRIEVAL,
    seeds: Sequence[int] = (1, 2),
    examples: int = 300,
    seed_sd: float = 0.3,
    low_factor: Mapping[str, float] | None = None,
    languages: Sequence[str] = LANGUAGES,
    targets: Mapping[str, tuple[str, str, bool, float]] = TARGETS,
    draw: int = 0,
) -> list[ScoredRun]:
    """Write the artefacts of a study under `root` and return its runs.

    Args:
        root: an empty folder.
        effects: intermediate → gain in points on trained targets.
        retrieval: intermediate → gain in points on untrained retrieval.
        seeds: seeds of the study.
        examples: examples per language.
        seed_sd: standard deviation of the seed effect in points.
        low_factor: intermediate → factor of its effect on the languages `LOW`.
        languages: benchmark codes.
        targets: name → (family, main metric, trained, score of the baseline).
        draw: which draw of the study's randomness.
    """
    rng = np.random.default_rng([draw, 7])
    runs = []
    for target, (family, metric, trained, base) in targets.items():
        spoken = [code for code in languages if trained or code != "en"]
        hardness = {code: rng.random(examples) for code in spoken}
        level = {code: rng.normal(0, 5) for code in spoken}
        for name in ("none", *effects):
            for seed in seeds:
                folder = root / f"{target}-{name}-{seed}".replace("/", "_")
                if name == "none" and not trained:
                    folder = root / f"{target}-none"
                if not folder.exists():
                    shift = rng.normal(0, seed_sd) if trained or name != "none" else 0.0
                    scores = {}
                    for code in spoken:
                        gain = (effects if trained else retrieval).get(name, 0.0)
                        if trained and code in LOW:
                            gain *= (low_factor or {}).get(name, 1.0)
                        chance = (base + level[code] + gain + shift) / 100
                        right = (hardness[code] + rng.normal(0, 0.05, examples)) < chance
                        weight = 2.0 if family == "tagging" else 1.0
                        scores[code] = [(weight * float(hit), weight) for hit in right]
                    write_artefact(folder, scores, metric)
                runs.append(ScoredRun(name, target, seed, "test", folder, family, metric, trained))
    return runs
