"""A tiny model of transformers, the same one as an encoder, and data to train both on."""

import numpy as np
import torch
from tiny import artefact, config, features, sequences, shake
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForTokenClassification,
)

from midway.encoders.heads import make_head
from midway.encoders.load import load_encoder
from midway.families import FAMILIES
from midway.graph.stage import Runtime
from midway.train.loop import Entry, Hooks, train
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling, plan_steps

RECIPE = Recipe(
    learning_rate=1e-3, batch_size=6, epochs=3.0, weight_decay=0.1, precision="float32", dropout=0.0
)
QUIET = Runtime(checkpoint_seconds=1e9)
FAMILY_NAMES = ("span_qa", "tagging")
OUTPUTS = {"span_qa": 2, "tagging": 5}
# Their gradient is 0 in exact arithmetic (a shift of all scores of a softmax), so AdamW blows up
# rounding errors; nothing depends on them.
FREE = {
    "span_qa": ("key.bias", "encoder.layer.1.output.LayerNorm.bias"),
    "tagging": ("key.bias",),
}


def rows_of(family, folder, count=60, seed=0):
    random = np.random.default_rng(seed)
    lengths = random.integers(4, 30, count)
    columns = {"boundary": (lengths // 2).astype(int).tolist()}
    if family == "span_qa":
        columns["start"] = [int(n // 2) for n in lengths]
        columns["end"] = [int(random.integers(n // 2, n)) for n in lengths]
    else:
        columns["heads"] = [list(range(1, int(n), 2)) for n in lengths]
        columns["tags"] = [random.integers(0, 5, len(h)).tolist() for h in columns["heads"]]
    return features(folder, sequences(lengths, 120, seed), **columns)


class Case:
    """One model of transformers and the same one as our encoder, with the same head."""

    def __init__(self, tmp_path, family="span_qa", kind="bert", **changes):
        torch.manual_seed(0)
        auto = {
            "span_qa": AutoModelForQuestionAnswering,
            "tagging": AutoModelForTokenClassification,
        }
        self.family = family
        shape = config(kind, num_labels=OUTPUTS[family], **changes)
        self.model = shake(auto[family].from_config(shape), scale=0.05)
        self.base = self.model.base_model
        self.folder = artefact(self.base, tmp_path)
        self.features = rows_of(family, tmp_path / "features")
        self.steps = plan(len(self.features.lengths))

    def run(self, work, *, runtime=QUIET, recipe=RECIPE, check=lambda: None, steps=None):
        encoder = load_encoder(self.folder, None, self.features.active, dropout=recipe.dropout)
        head = make_head("token", 32, OUTPUTS[self.family], dropout=recipe.dropout, seed=1)
        entry = Entry(FAMILIES[self.family], self.features, head)
        hooks = Hooks(lambda _: None, check, work)
        trained = train(encoder, [entry], steps or self.steps, recipe, runtime, seed=1, hooks=hooks)
        return encoder, head, trained


def plan(*sizes, recipe=RECIPE, seed=1):
    return plan_steps(
        sizes,
        [1.0] * len(sizes),
        Sampling("uniform"),
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        seed=seed,
    )
