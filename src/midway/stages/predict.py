"""Predict a target in all its languages, in one pass sorted by length."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.heads import load_head
from midway.encoders.load import load_encoder
from midway.families import FAMILIES
from midway.families.features import read_features
from midway.graph.stage import Context
from midway.stages import search
from midway.stages.forward import head_says
from midway.stages.prediction_files import LABELS, write_predictions
from midway.stages.specs import PredictSpec
from midway.tasks import load_card
from midway.tasks.storage import read_examples
from midway.train.memory import release_memory


def run(spec: PredictSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write predictions (`midway.stages.prediction_files`) and the labels that the head knows."""
    if context.runtime.threads:
        torch.set_num_threads(context.runtime.threads)
    features = read_features(inputs["features"])
    tuning = read_features(inputs["tuning_features"]) if "tuning_features" in inputs else None
    examples = read_examples(inputs["examples"], spec.family)
    active = features.active if tuning is None else np.union1d(features.active, tuning.active)
    encoder = load_encoder(inputs["encoder"], inputs.get("model"), active)
    encoder.model.eval().to(context.runtime.device)
    parameters = sum(
        p.numel() for name, p in encoder.model.named_parameters() if name != encoder.embedding
    )
    began = time.monotonic()
    labels: tuple[str, ...] = ()
    with torch.inference_mode():
        if spec.family == "retrieval":
            search.retrieve(spec, encoder, features, examples, context)
        elif spec.family == "mining":
            development = None
            if tuning is not None:
                development = (tuning, read_examples(inputs["tuning_examples"], spec.family))
            search.mine(spec, encoder, (features, examples), development, context)
        else:
            head = load_head(inputs["model"], spec.head)
            labels = head.labels
            family, card = FAMILIES[spec.family], load_card(spec.task)
            found = head_says(encoder, head, family, features, context, spec.precision)
            predictions = family.decode(found, features.table, examples, card, labels)
            for language, places in search.by_language(examples):
                write_predictions(
                    spec.family,
                    [predictions[i] for i in places],
                    [examples[i] for i in places],
                    language,
                    context.out,
                )
    (context.out / LABELS).write_text(json.dumps(labels, ensure_ascii=False), encoding="utf-8")
    release_memory()
    return {
        "examples": len(examples),
        "tokens": len(features.tokens),
        "flops": 2 * parameters * len(features.tokens),
        "predicting_seconds": round(time.monotonic() - began, 2),
    }
