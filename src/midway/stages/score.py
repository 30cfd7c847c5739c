"""Score predictions. Cheap, and can be repeated for ever: predictions are plain files."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from midway.families import FAMILIES
from midway.graph.stage import Context
from midway.stages.leaking import left, read_leaking
from midway.stages.prediction_files import LABELS, read_predictions
from midway.stages.specs import ScoreSpec
from midway.tasks import load_card
from midway.tasks.storage import read_examples


def run(spec: ScoreSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``scores.json`` and ``examples.parquet``; leaking examples may be left out of both.

    ``scores.json`` holds per language the number of examples and both profiles' metrics;
    ``examples.parquet`` each example's share of the main metric's numerator and denominator.
    """
    card = load_card(spec.task)
    examples = read_examples(inputs["examples"], spec.family)
    gone = read_leaking(inputs["leaks"], spec.without) if spec.without else {}
    labels = json.loads((inputs["predictions"] / LABELS).read_text(encoding="utf-8"))
    languages: dict[str, Any] = {}
    columns: dict[str, list[Any]] = {
        name: [] for name in ("language", "id", "numerator", "denominator")
    }
    for language, group in groupby(examples, key=lambda example: example.language):
        gold = list(group)
        predictions = read_predictions(inputs["predictions"], spec.family, language, gold)
        pool = examples if spec.family == "ranking" else gold
        if language in gone:
            predictions, pool = left(spec.family, predictions, pool, (language, gone[language]))
            gold = [example for example in pool if example.language == language]
            if not gold:
                continue
        scores = asdict(FAMILIES[spec.family].score(predictions, pool, card, language, labels))
        ids = scores.pop("ids")
        ids = [example.id for example in gold] if ids is None else ids
        if not ids:
            continue  # a language with nothing but candidates, or nothing but leaks
        columns["language"] += [language] * len(ids)
        columns["id"] += ids
        for name in ("numerator", "denominator"):
            columns[name] += scores.pop(name)
        languages[language] = scores
    text = json.dumps({"languages": languages}, indent=1)
    (context.out / "scores.json").write_text(text, encoding="utf-8")
    pq.write_table(pa.table(columns), context.out / "examples.parquet")
    return {"languages": len(languages), "examples": len(examples)}
