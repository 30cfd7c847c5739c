"""What an encoder makes of training data before it is trained on them.

1. The *embedding* of the data is the mean over sequences of their mean-pooled unit vectors, the
   text embedding of Vu et al. (2020), Exploring and predicting transferability across NLP tasks,
   section 4, and of Poth et al. (2021), What to pre-train on?
2. Where there are labels, LogME, H-score and leave-one-out nearest neighbours
   (`midway.stats.transferability`) say how well the states that a head would read tell the labels
   apart: the first token of a text, the first piece of a word, and in a paragraph the tokens of the
   answer and as many others.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.load import load_encoder
from midway.families import FAMILIES, retrieval
from midway.families.features import Batch, Features, at_places, read_features
from midway.families.sequence import first_tokens
from midway.graph.stage import Context
from midway.stages.forward import encoded_batches
from midway.stages.specs import PROBE_FILE, ProbeSpec
from midway.stats.transferability import h_score, log_me, nearest
from midway.train.memory import release_memory

LABELS = {"classification": "label", "choice": "right", "tagging": "tags"}  # their columns
PLACES = 1200  # states that labels are told by, at most


def run(spec: ProbeSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``probe.json``: ``embedding`` and, where there are labels, three scores of them."""
    if context.runtime.threads:
        torch.set_num_threads(context.runtime.threads)
    features = read_features(inputs["features"])
    count = len(features.lengths)
    rows = np.unique(np.linspace(0, count - 1, min(spec.rows, count)).astype(np.int64))
    encoder = load_encoder(inputs["encoder"], inputs.get("model"), features.active)
    encoder.model.eval().to(context.runtime.device)
    vectors, states, labels = [], [], []
    with torch.inference_mode():
        for batch, layers in encoded_batches(encoder, features, rows, context, spec.precision):
            last = layers[-1].float()
            vectors.append(retrieval.pool(last, batch.packing.offsets).cpu())
            places, named = _labelled(spec.family, features, batch)
            states.append(at_places(last, places).cpu().numpy())
            labels.append(named)
    embedding = torch.cat(vectors).mean(dim=0).tolist()
    found: dict[str, Any] = {"embedding": [round(value, 6) for value in embedding]}
    found |= _told_apart(np.concatenate(states), np.concatenate(labels))
    (context.out / PROBE_FILE).write_text(json.dumps(found, indent=1), encoding="utf-8")
    release_memory()
    return {"rows": len(rows), "tokens": int(features.lengths[rows].sum())}


def _told_apart(states: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Scores of the labels of at most `PLACES` states; nothing where labels do not differ."""
    chosen = np.linspace(0, max(len(labels) - 1, 0), min(PLACES, len(labels))).astype(np.int64)
    states, labels = states[chosen].astype(np.float64), labels[chosen]
    kinds = len(np.unique(labels))
    if kinds < 2 or len(labels) <= kinds:
        return {}
    return {
        "places": len(labels),
        "kinds": kinds,
        "log_me": log_me(states, labels),
        "h_score": h_score(states, labels),
        "nearest": nearest(states, labels),
    }


def _labelled(family: str, features: Features, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Places in a packed batch, and the label of each; empty where a family has no labels."""
    lengths = batch.packing.lengths
    if family in LABELS:
        fields = {name: features.column(name, batch.rows) for name in FAMILIES[family].asks}
        places = FAMILIES[family].places(fields, lengths)
        assert places is not None  # these heads read some tokens, not all
        labels = features.column(LABELS[family], batch.rows)
        return places, np.concatenate(labels) if isinstance(labels, list) else labels
    if family == "span_qa":
        names = ("first", "last", "start", "end")
        columns = zip(*(features.column(name, batch.rows) for name in names), strict=True)
        starts = first_tokens({}, lengths)
        pairs = [_answer(start, *row) for start, row in zip(starts, columns, strict=True)]
        found = [np.concatenate(parts).astype(np.int64) for parts in zip(*pairs, strict=True)]
        return found[0], found[1]
    none = np.zeros(0, np.int64)
    return none, none


def _answer(
    offset: int, first: int, last: int, start: int, end: int
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of an answer (1) and as many others of its window (0); nothing if it is not there."""
    inside = np.arange(start, end + 1)
    others = np.setdiff1d(np.arange(first, last + 1), inside)
    if start < first or not len(others):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    picks = np.linspace(0, len(others) - 1, min(len(inside), len(others))).astype(np.int64)
    labels = np.concatenate([np.ones(len(inside)), np.zeros(len(picks))]).astype(np.int64)
    return offset + np.concatenate([inside, others[picks]]), labels
