"""Train an encoder on a mixture of tasks."""

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.heads import Head, load_head, make_head, save_heads
from midway.encoders.load import Encoder, load_encoder, save_delta
from midway.errors import StageError
from midway.families import FAMILIES
from midway.families.features import Features, read_features
from midway.graph.stage import Context
from midway.stages.specs import EntrySpec, TrainSpec
from midway.train.loop import Entry, Hooks, train
from midway.train.mixture import realised_shares
from midway.train.optimiser import untouched_factor
from midway.train.schedule import Step, entry_probabilities, plan_steps


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
    entries = []
    for i, (entry, part) in enumerate(zip(spec.entries, features, strict=True)):
        head = _head(entry, part, encoder, spec.seed + 1000 * i)
        if entry.head:
            head = _kept(entry, head, inputs["parent"])
        entries.append(Entry(FAMILIES[entry.family], part, head))
    steps = plan_steps(
        [len(entry.items) for entry in entries],
        [entry.weight for entry in spec.entries],
        spec.sampling,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        seed=spec.seed,
        batch_sizes=[entry.batch_size for entry in spec.entries],
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
        "rows": sum(len(step.items) for step in steps),
        "tokens": trained.tokens,
        "flops": 6 * parameters * trained.tokens,
        "training_seconds": round(trained.seconds, 2),
        "steps_here": trained.steps_here,
        "final_loss": round(float(np.mean(trained.losses[-10:])), 4),
        "active_pieces": len(encoder.active),
        "mixture": realised(spec, entries, steps),
    }


def realised(
    spec: TrainSpec, entries: Sequence[Entry], steps: Sequence[Step]
) -> list[dict[str, Any]]:
    """What each entry was meant to get of the steps, and what it got."""
    sizes = [len(entry.items) for entry in entries]
    intended = entry_probabilities(sizes, [e.weight for e in spec.entries], spec.sampling)
    shares = realised_shares(entries, steps, intended)
    return [{"task": e.task, **share} for e, share in zip(spec.entries, shares, strict=True)]


def _head(entry: EntrySpec, features: Features, encoder: Encoder, seed: int) -> Head:
    """A new head."""
    family, config = FAMILIES[entry.family], encoder.model.config
    dropout = float(getattr(config, "hidden_dropout_prob", 0.0))
    return make_head(
        family.head,
        config.hidden_size,
        family.outputs(features.labels),
        dropout=0.0 if entry.family == "span_qa" else dropout,
        seed=seed,
        labels=features.labels,
        table=encoder.model.get_input_embeddings().weight,
    )


def _kept(entry: EntrySpec, new: Head, parent: Path) -> Head:
    """The parent's head, which goes on being trained; its outputs in the order of the task's.

    Raises:
        StageError: its outputs are not those of the task.
    """
    old = load_head(parent, entry.head)
    if old.kind != new.kind or sorted(old.labels) != sorted(new.labels):
        raise StageError(
            f"the head {entry.head} ({old.kind}: {' '.join(old.labels)}) does not fit {entry.task} "
            f"({new.kind}: {' '.join(new.labels)}); train a new one"
        )
    state = old.module.state_dict()
    if new.labels:
        order = torch.tensor([old.labels.index(label) for label in new.labels])
        state |= {name: state[name][order] for name in ("out.weight", "out.bias")}
    new.module.load_state_dict(state)
    return new
