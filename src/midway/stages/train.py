"""Train an encoder on a mixture of tasks."""

import json
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.heads import save_heads, token_head
from midway.encoders.load import load_encoder, save_delta
from midway.families import FAMILIES
from midway.families.features import Features, read_features
from midway.graph.stage import Context
from midway.stages.specs import EntrySpec, TrainSpec
from midway.tasks import load_card
from midway.train.loop import Entry, Hooks, train
from midway.train.optimiser import untouched_factor
from midway.train.schedule import plan_steps

FIELDS = {"span_qa": ("start", "end"), "tagging": ("heads", "tags")}


def run(spec: TrainSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``delta.safetensors``, ``heads.safetensors`` and ``log.jsonl`` (loss per step)."""
    runtime, recipe = context.runtime, spec.recipe
    if runtime.threads:
        torch.set_num_threads(runtime.threads)
    features = [read_features(inputs[f"features{i}"]) for i in range(len(spec.entries))]
    encoder = load_encoder(
        inputs["encoder"],
        inputs.get("parent"),
        reduce(np.union1d, [part.active for part in features]),
        dropout=recipe.dropout,
        attention_dropout=recipe.attention_dropout,
    )
    config = encoder.model.config
    usual = float(getattr(config, "hidden_dropout_prob", 0.0))
    entries = [
        _entry(entry, part, config.hidden_size, usual, spec.seed + 1000 * i)
        for i, (entry, part) in enumerate(zip(spec.entries, features, strict=True))
    ]
    steps = plan_steps(
        [len(part.lengths) for part in features],
        [entry.weight for entry in spec.entries],
        spec.sampling,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        seed=spec.seed,
    )
    hooks = Hooks(context.report, context.check, context.work)
    trained = train(encoder, entries, steps, recipe, runtime, seed=spec.seed, hooks=hooks)
    factor = untouched_factor(len(steps), recipe.warmup, recipe.learning_rate, recipe.weight_decay)
    save_delta(encoder, inputs.get("parent"), factor, context.out)
    names = [f"{i}.{entry.task}" for i, entry in enumerate(spec.entries)]
    heads = {name: part.head for name, part in zip(names, entries, strict=True)}
    save_heads(heads, context.out)
    with (context.out / "log.jsonl").open("w", encoding="utf-8") as log:
        for number, loss in enumerate(trained.losses, start=1):
            log.write(json.dumps({"step": number, "loss": loss}) + "\n")
    parameters = sum(
        p.numel() for name, p in encoder.model.named_parameters() if name != encoder.embedding
    )
    return {
        "steps": len(steps),
        "rows": sum(len(step.rows) for step in steps),
        "tokens": trained.tokens,
        "flops": 6 * parameters * trained.tokens,
        "training_seconds": round(trained.seconds, 2),
        "steps_here": trained.steps_here,
        "final_loss": round(float(np.mean(trained.losses[-10:])), 4),
        "active_pieces": len(encoder.active),
    }


def _entry(entry: EntrySpec, features: Features, hidden: int, dropout: float, seed: int) -> Entry:
    family = FAMILIES[entry.family]
    outputs = family.outputs(load_card(entry.task))
    head = token_head(
        hidden, outputs, dropout=0.0 if entry.family == "span_qa" else dropout, seed=seed
    )
    return Entry(family, features, head, FIELDS[entry.family])
