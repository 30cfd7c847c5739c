"""Predict a target in all its languages, in one pass sorted by length."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.heads import load_head
from midway.encoders.load import Encoder, load_encoder
from midway.families import FAMILIES, retrieval, span_qa, tagging
from midway.families.features import Batch, Features, cut, make_batch, read_features
from midway.graph.stage import Context, Progress
from midway.stages import prediction_files as files
from midway.stages.specs import PredictSpec
from midway.tasks import load_card
from midway.tasks.storage import read_examples
from midway.train.memory import release_memory

POOLED_BYTES = 1 << 30
FIELDS = {"span_qa": ("first", "last"), "tagging": ("heads",)}


def run(spec: PredictSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write predictions; see `midway.stages.prediction_files`."""
    if context.runtime.threads:
        torch.set_num_threads(context.runtime.threads)
    features = read_features(inputs["features"])
    examples = read_examples(inputs["examples"], spec.family)
    encoder = load_encoder(inputs["encoder"], inputs.get("model"), features.active)
    encoder.model.eval().to(context.runtime.device)
    parameters = sum(
        p.numel() for name, p in encoder.model.named_parameters() if name != encoder.embedding
    )
    began = time.monotonic()
    with torch.inference_mode():
        if spec.family == "retrieval":
            _retrieve(spec, encoder, features, examples, context)
        else:
            head = load_head(inputs["model"], spec.head).to(context.runtime.device)
            found = _candidates(spec, encoder, head, features, context)
            _write(spec, found, features, examples, context.out)
    release_memory()
    return {
        "examples": len(examples),
        "tokens": len(features.tokens),
        "flops": 2 * parameters * len(features.tokens),
        "predicting_seconds": round(time.monotonic() - began, 2),
    }


def _states(
    spec: PredictSpec,
    encoder: Encoder,
    features: Features,
    rows: np.ndarray,
    context: Context,
    *,
    every_layer: bool = False,
) -> Iterator[tuple[Batch, tuple[torch.Tensor, ...]]]:
    """Packed batches in order of length, each with the encoder's states; reports progress."""
    runtime = context.runtime
    device = torch.device(runtime.device)
    total, done, began = int(features.lengths[rows].sum()), 0, time.monotonic()
    for part in cut(rows, features.lengths, runtime.micro_batch_tokens):
        context.check()
        batch = make_batch(features, part, encoder, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=spec.precision == "bf16"):
            states = encoder.hidden_states(
                batch.ids, batch.types, batch.packing, every_layer=every_layer
            )
        yield batch, states
        done += len(batch.ids)
        rate = done / max(time.monotonic() - began, 1e-9)
        context.report(Progress(done, total, "tokens", {"tokens/s": f"{rate:,.0f}"}))


def _candidates(
    spec: PredictSpec,
    encoder: Encoder,
    head: torch.nn.Module,
    features: Features,
    context: Context,
) -> list[Any]:
    """What the head says of every row, in the order of the table."""
    family = FAMILIES[spec.family]
    found: list[Any] = [None] * len(features.lengths)
    for batch, states in _states(spec, encoder, features, np.arange(len(found)), context):
        logits = head(states[-1].float())
        fields = {name: features.column(name, batch.rows) for name in FIELDS[spec.family]}
        said = family.candidates(logits, fields, batch.packing.lengths)
        if isinstance(said, dict):
            said = [
                {name: array[i] for name, array in said.items()} for i in range(len(batch.rows))
            ]
        for row, value in zip(batch.rows.tolist(), said, strict=True):
            found[row] = value
    return found


def _write(
    spec: PredictSpec,
    found: list[Any],
    features: Features,
    examples: Sequence[Any],
    out: Path,
) -> None:
    table = features.table
    if spec.family == "tagging":
        tags = tagging.decode(found, table, examples, load_card(spec.task))
        for language, places in _by_language(examples):
            files.write_tags([tags[i] for i in places], language, out)
        return
    answers, lists = span_qa.decode(found, table, examples, unanswerable=spec.unanswerable)
    (out / "nbest").mkdir()
    for language, places in _by_language(examples):
        files.write_answers({examples[i].id: answers[i] for i in places}, language, out)
        with (out / "nbest" / f"test-{language}.jsonl").open("w", encoding="utf-8") as file:
            for i in places:
                row = {"id": examples[i].id, "nbest": lists[i]}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _by_language(examples: Sequence[Any]) -> Iterator[tuple[str, list[int]]]:
    places = range(len(examples))
    for language, group in groupby(places, key=lambda i: str(examples[i].language)):
        yield language, list(group)


def _retrieve(
    spec: PredictSpec,
    encoder: Encoder,
    features: Features,
    examples: Sequence[Any],
    context: Context,
) -> None:
    depth, hidden = encoder.model.config.num_hidden_layers, encoder.model.config.hidden_size
    named = {"last": (depth,), "all": tuple(range(depth + 1))}
    layers = named[spec.layers] if isinstance(spec.layers, str) else spec.layers
    room = POOLED_BYTES // (len(layers) * hidden * 4)
    example, side = (features.table[name].to_numpy() for name in ("example", "side"))
    for group in _groups(list(_by_language(examples)), room // 2):
        rows = np.flatnonzero(np.isin(example, [i for _, places in group for i in places]))
        vectors = _pooled(spec, encoder, features, rows, layers, context)
        for language, places in group:
            mine = np.isin(example[rows], places)
            foreign = np.flatnonzero(mine & (side[rows] == retrieval.FOREIGN))
            english = np.flatnonzero(mine & (side[rows] == retrieval.ENGLISH))
            for k, layer in enumerate(layers):
                texts, queries = vectors[k, foreign], vectors[k, english]
                _, to_foreign = retrieval.nearest(queries, texts)
                if layer == layers[-1]:
                    _, to_english = retrieval.nearest(texts, queries)
                    reverse = context.out / files.REVERSE
                    files.write_indices(to_english[:, 0].tolist(), language, reverse)
                    folder = context.out / files.MAIN
                    files.write_indices(to_foreign[:, 0].tolist(), language, folder)
                if len(layers) > 1:
                    folder = context.out / f"layer-{layer}"
                    files.write_indices(to_foreign[:, 0].tolist(), language, folder)


def _groups(
    languages: list[tuple[str, list[int]]], room: int
) -> Iterator[list[tuple[str, list[int]]]]:
    """Neighbouring languages whose vectors fit into memory together; at least one each."""
    group: list[tuple[str, list[int]]] = []
    used = 0
    for language, places in languages:
        if group and used + len(places) > room:
            yield group
            group, used = [], 0
        group.append((language, places))
        used += len(places)
    yield group


def _pooled(
    spec: PredictSpec,
    encoder: Encoder,
    features: Features,
    rows: np.ndarray,
    layers: Sequence[int],
    context: Context,
) -> torch.Tensor:
    """Unit vectors ``float32[layers, rows, hidden]``."""
    hidden = encoder.model.config.hidden_size
    vectors = torch.empty(len(layers), len(rows), hidden, device=context.runtime.device)
    for batch, states in _states(spec, encoder, features, rows, context, every_layer=True):
        where = torch.from_numpy(np.searchsorted(rows, batch.rows))
        for k, layer in enumerate(layers):
            vectors[k, where] = retrieval.pool(states[layer], batch.packing.offsets)
    return vectors
