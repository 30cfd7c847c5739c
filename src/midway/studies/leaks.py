"""The stages that look for training data in evaluation data, and scores without what they found."""

from collections.abc import Sequence
from dataclasses import replace

from midway.graph.stage import Stage
from midway.stages import specs

Named = Sequence[tuple[str, Stage]]

MARGIN = 1.04
"""Ratio margin from which neighbours count; what it finds and misses: docs/results/leaks.md."""
MAX_LENGTH = 128
LABEL = "look for training text in evaluation data"


def leaks_stage(training: Named, evaluation: Named, policy: str) -> Stage | None:
    """The stage that compares all training with all evaluation data; None if nothing trains.

    Args:
        training: (who trains on it, examples) of every part.
        evaluation: (target, examples) of every target.
        policy: ``error``, ``drop`` or ``warn``.
    """
    if not training:
        return None
    inputs = {f"train{i}": stage for i, (_, stage) in enumerate(training)}
    inputs |= {f"evaluation{i}": stage for i, (_, stage) in enumerate(evaluation)}
    spec = specs.LeaksSpec(
        training=tuple((who, stage.spec.task, stage.spec.split) for who, stage in training),
        evaluation=tuple((who, stage.spec.task, stage.spec.split) for who, stage in evaluation),
        policy=policy,
    )
    return Stage(specs.LEAKS, spec, inputs, LABEL)


def searching(leaks: Stage, encoder: Stage) -> Stage:
    """The same comparison, with the encoder's neighbours in other languages as a further kind."""
    inputs: dict[str, Stage] = {}
    for role, examples in leaks.inputs.items():
        spec = specs.VectorsSpec(
            task=examples.spec.task, split=examples.spec.split, max_length=MAX_LENGTH
        )
        read = {"encoder": encoder, "examples": examples}
        label = examples.label.replace("examples of", "vectors of", 1)
        side = "train" if role.startswith("train") else "evaluation"
        inputs[role] = examples
        inputs[role.replace(side, f"{side}_vectors", 1)] = Stage(specs.VECTORS, spec, read, label)
    search = specs.NeighboursSpec(
        training=tuple(entry[1:] for entry in leaks.spec.training),
        evaluation=tuple(entry[1:] for entry in leaks.spec.evaluation),
        margin=MARGIN,
    )
    found = Stage(specs.NEIGHBOURS, search, inputs, "look for translations of training text")
    return Stage(leaks.kind, leaks.spec, {**leaks.inputs, "neighbours": found}, leaks.label)


def recorded(leaks: Stage) -> Stage:
    """The same comparison under ``warn``, which always ends with a record."""
    return replace(leaks, spec=replace(leaks.spec, policy="warn"))


def without(score: Stage, target: str, leaks: Stage) -> Stage:
    """The stage that scores the same predictions without the target's leaking examples."""
    spec = replace(score.spec, without=target)
    return replace(score, spec=spec, inputs={**score.inputs, "leaks": leaks})
