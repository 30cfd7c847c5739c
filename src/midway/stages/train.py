"""Train an encoder on a mixture of tasks, again if it collapses."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.encoders.adapters import add_adapters, merge_adapters
from midway.encoders.heads import NORM_EPS, Head, load_head, make_head, save_heads
from midway.encoders.load import Encoder, load_encoder, save_delta
from midway.errors import StageError
from midway.families import FAMILIES
from midway.families.features import Features, read_features
from midway.graph.stage import Context
from midway.stages.specs import EntrySpec, TrainSpec
from midway.stages.steps import planned_steps
from midway.stages.validation import Measured, Probe, collapse, measure, probes_of
from midway.train.loop import Hooks, Trained, train
from midway.train.mixture import realised_shares
from midway.train.optimiser import untouched_factor
from midway.train.processes import from_first, rank, run_together, size
from midway.train.schedule import Step, entry_probabilities
from midway.train.selection import Keeper
from midway.train.step import Entry

ATTEMPTS = "attempts.json"


@dataclass(frozen=True)
class Attempt:
    """A model that has been trained.

    Attributes:
        encoder: with its weights.
        entries: with their heads.
        steps: planned.
        trained: what the loop tells.
        keeper: what validation told, if there was any.
        measured: what the model reaches in the end.
        reason: why it counts as collapsed, or empty.
    """

    encoder: Encoder
    entries: Sequence[Entry]
    steps: Sequence[Step]
    trained: Trained
    keeper: Keeper | None
    measured: Sequence[tuple[Probe, Measured]]
    reason: str


def run(spec: TrainSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``delta.safetensors``, ``heads.safetensors`` and ``log.jsonl`` (loss per step).

    A collapsed model is trained again, with a seed derived from the run's, at most `restarts`
    times; the last one is kept, whatever became of it, and the facts tell all attempts.
    With several processes this function runs in each of them (`midway.train.processes`).
    """
    if context.runtime.processes > 1:
        return run_together(run, spec, inputs, context)
    if context.runtime.threads:
        torch.set_num_threads(context.runtime.threads)
    features = [read_features(inputs[f"features{i}"]) for i in range(len(spec.entries))]
    probes = probes_of(spec, inputs, features)
    record = context.work / ATTEMPTS
    attempts: list[dict[str, Any]] = json.loads(record.read_text()) if record.is_file() else []
    while True:
        seed = attempt_seed(spec.seed, len(attempts))
        work = context.work / f"attempt{len(attempts)}"
        made = _attempt(
            replace(spec, seed=seed), inputs, features, probes, replace(context, work=work)
        )
        attempts.append({"seed": seed, "steps": len(made.trained.losses), "collapse": made.reason})
        if not made.reason or len(attempts) > spec.restarts:
            if rank() == 0:
                _save(spec, made, inputs, context.out)
            return _facts(spec, made, attempts)
        del made  # before the next model takes its memory
        if rank() == 0:
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(json.dumps(attempts))


def attempt_seed(seed: int, attempt: int) -> int:
    """Seed of an attempt: the run's own for the first, derived from it for the others."""
    if not attempt:
        return seed
    return int(np.random.SeedSequence([seed, attempt]).generate_state(1)[0])


def _attempt(
    spec: TrainSpec,
    inputs: Mapping[str, Path],
    features: Sequence[Features],
    probes: Sequence[Probe],
    context: Context,
) -> Attempt:
    recipe = spec.recipe
    encoder = load_encoder(
        inputs["encoder"],
        inputs.get("parent"),
        reduce(np.union1d, [part.active for part in (*features, *(p.features for p in probes))]),
        dropout=recipe.dropout,
        attention_dropout=recipe.attention_dropout,
    )
    heads = _heads(spec, features, encoder, inputs)
    entries = [
        Entry(FAMILIES[entry.family], part, heads[entry.task, part.labels])
        for entry, part in zip(spec.entries, features, strict=True)
    ]
    steps = planned_steps(spec, [len(entry.items) for entry in entries])
    if spec.lora is not None:
        add_adapters(encoder.model, spec.lora.rank, spec.lora.alpha, seed=spec.seed)

    def measured() -> list[tuple[Probe, Measured]]:
        found = from_first(
            lambda: [
                measure(probe, encoder, entries[probe.entry].head, context, recipe.precision)
                for probe in probes
            ]
        )
        return list(zip(probes, found, strict=True))

    def validate() -> float:
        return float(np.mean([found.score for probe, found in measured() if probe.held_out]))

    keeper = Keeper(spec.selection, len(steps)) if spec.selection is not None else None
    hooks = Hooks(context.report, context.check, context.work, validate)
    trained = train(
        encoder, entries, steps, recipe, context.runtime, seed=spec.seed, hooks=hooks, keeper=keeper
    )
    if spec.lora is not None:
        merge_adapters(encoder.model)
    last = measured()
    reason = "the loss was no longer finite" if trained.diverged else collapse(last)
    return Attempt(encoder, entries, steps, trained, keeper, last, reason)


def _save(spec: TrainSpec, made: Attempt, inputs: Mapping[str, Path], out: Path) -> None:
    """Write the artefact. Without adapters, rows that are never trained still decay."""
    recipe, factor = spec.recipe, 1.0
    if spec.lora is None:
        rates = (len(made.steps), recipe.warmup, recipe.learning_rate, recipe.weight_decay)
        factors = [untouched_factor(*rates, done=done) for done in made.trained.kept]
        factor = float(np.mean(factors))
    save_delta(made.encoder, inputs.get("parent"), factor, out)
    heads: dict[str, Head] = {}
    for i, (entry, part) in enumerate(zip(spec.entries, made.entries, strict=True)):
        if part.head not in heads.values():
            heads[f"{i}.{entry.task}"] = part.head
    save_heads(heads, out)
    with (out / "log.jsonl").open("w", encoding="utf-8") as log:
        for number, loss in enumerate(made.trained.losses, start=1):
            log.write(json.dumps({"step": number, "loss": loss}) + "\n")


def _facts(spec: TrainSpec, made: Attempt, attempts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    trained, encoder = made.trained, made.encoder
    taken = made.steps[: len(trained.losses)]
    parameters = sum(
        p.numel() for name, p in encoder.model.named_parameters() if name != encoder.embedding
    )
    return {
        "steps": len(taken),
        "planned_steps": len(made.steps),
        "rows": sum(len(step.items) for step in taken),
        "tokens": trained.tokens,
        "processes": size(),
        "flops": 6 * parameters * trained.tokens,
        "training_seconds": round(trained.seconds, 2),
        "steps_here": trained.steps_here,
        "micro_batch_tokens": trained.micro_batch_tokens,
        "final_loss": round(float(np.mean(trained.losses[-10:])), 4) if taken else None,
        "active_pieces": len(encoder.active),
        "mixture": realised(spec, made.entries, taken),
        "attempts": list(attempts),
        "collapsed": made.reason,
        "kept_steps": trained.kept,
        "history": [list(point) for point in made.keeper.history] if made.keeper else [],
        "quality": [
            {
                "task": probe.card.name,
                "metric": probe.card.metrics[0],
                "held_out": probe.held_out,
                "n": len(probe.examples),
                "score": round(found.score, 4),
                "chance": round(probe.chance, 4),
            }
            for probe, found in made.measured
        ],
    }


def realised(
    spec: TrainSpec, entries: Sequence[Entry], steps: Sequence[Step]
) -> list[dict[str, Any]]:
    """What each entry was meant to get of the steps, and what it got."""
    sizes = [len(entry.items) for entry in entries]
    intended = entry_probabilities(sizes, [e.weight for e in spec.entries], spec.sampling)
    shares = realised_shares(entries, steps, intended)
    return [{"task": e.task, **share} for e, share in zip(spec.entries, shares, strict=True)]


def _heads(
    spec: TrainSpec, features: Sequence[Features], encoder: Encoder, inputs: Mapping[str, Path]
) -> dict[tuple[str, tuple[str, ...]], Head]:
    """One head for each task and its labels, however many entries have them."""
    heads: dict[tuple[str, tuple[str, ...]], Head] = {}
    for i, (entry, part) in enumerate(zip(spec.entries, features, strict=True)):
        if (entry.task, part.labels) not in heads:
            head = _head(entry, part, encoder, spec.seed + 1000 * i)
            kept = _kept(entry, head, inputs["parent"]) if entry.head else head
            heads[entry.task, part.labels] = kept
    return heads


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
        eps=float(getattr(config, "layer_norm_eps", NORM_EPS)),
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
