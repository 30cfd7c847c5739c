"""A tiny model of transformers, the same one as an encoder, and data to train both on."""

import numpy as np
import torch
from tiny import artefact, config, features, sequences, shake
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertModel,
)

from midway.encoders.heads import make_head
from midway.encoders.load import load_encoder
from midway.families import FAMILIES
from midway.families.features import read_features, write_features
from midway.families.tokens import with_mask
from midway.graph.stage import Runtime
from midway.train.loop import Hooks, train
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling, plan_steps
from midway.train.step import Entry

RECIPE = Recipe(
    learning_rate=1e-3, batch_size=6, epochs=3.0, weight_decay=0.1, precision="float32", dropout=0.0
)
QUIET = Runtime(checkpoint_seconds=1e9)
FAMILY_NAMES = ("span_qa", "tagging", "classification", "choice", "mlm", "ranking")
OUTPUTS = {"span_qa": 2, "tagging": 5, "classification": 3, "choice": 1, "mlm": 0, "ranking": 0}
AUTO = {
    "span_qa": AutoModelForQuestionAnswering,
    "tagging": AutoModelForTokenClassification,
    "classification": AutoModelForSequenceClassification,
    "choice": AutoModelForMultipleChoice,
    "mlm": AutoModelForMaskedLM,
}
# Their gradient is 0 in exact arithmetic (a shift of all scores of a softmax), so AdamW blows up
# rounding errors; nothing depends on them.
FREE = dict.fromkeys(FAMILY_NAMES, ("key.bias",)) | {
    "span_qa": ("key.bias", "encoder.layer.1.output.LayerNorm.bias")
}
MASK = 4


class DualEncoder(torch.nn.Module):
    """BERT's pooler and a learnt scale: XTREME-R's dual encoder."""

    def __init__(self, shape):
        super().__init__()
        self.config = shape
        self.base_model = BertModel(shape)
        self.scale = torch.nn.Parameter(torch.tensor([100.0]))

    def forward(self, **inputs):
        return torch.nn.functional.normalize(self.base_model(**inputs).pooler_output, dim=-1)


def rows_of(family, folder, count=60, seed=0, *, lengths=(4, 30), choices=(2, 5), vocabulary=120):
    """Random rows; `lengths` and `choices` are half-open ranges."""
    random = np.random.default_rng(seed)
    columns = {}
    if family == "choice":
        sizes = random.integers(*choices, count)
        columns["example"] = np.repeat(np.arange(count), sizes).tolist()
        right = [np.arange(size) == random.integers(size) for size in sizes]
        columns["right"] = np.concatenate(right).astype(int).tolist()
        count = len(columns["example"])
    lengths = random.integers(*lengths, count)
    columns["boundary"] = (lengths // 2).astype(int).tolist()
    if family == "span_qa":
        columns["start"] = [int(n // 2) for n in lengths]
        columns["end"] = [int(random.integers(n // 2, n)) for n in lengths]
    elif family == "tagging":
        columns["heads"] = [list(range(1, int(n), 2)) for n in lengths]
        columns["tags"] = [random.integers(0, 5, len(h)).tolist() for h in columns["heads"]]
    elif family == "classification":
        columns["label"] = random.integers(0, 3, count).tolist()
    elif family == "ranking":
        columns |= ranked(random, count)
    made = features(folder, sequences(lengths, vocabulary, seed), **columns)
    if family != "mlm":
        return made
    noted = folder / "noted"  # the other file is mapped
    noted.mkdir()
    write_features(with_mask(made.table, MASK, 1, 1), noted)
    return read_features(noted)


def ranked(random, count):
    """Twice as many queries as candidates, in any order; some queries are right for several."""
    side = random.permutation(np.arange(count) % 3 == 0).astype(int)
    rows = np.flatnonzero(side)
    keys = {int(row): {place} for place, row in enumerate(rows)}
    for row in rows[1::4]:  # two candidates with one key
        keys[int(row)] |= keys[int(rows[0])]
    right = [-1 if part else int(random.choice(rows)) for part in side]
    keys |= {row: {min(keys[found])} for row, found in enumerate(right) if found >= 0}
    lists = [sorted(keys[row]) for row in range(count)]
    return {"side": side.tolist(), "right": right, "keys": lists}


class Case:
    """One model of transformers and the same one as our encoder, with the same head."""

    def __init__(self, tmp_path, family="span_qa", kind="bert", rows=None, **changes):
        torch.manual_seed(0)
        self.family = family
        if family in ("span_qa", "tagging", "classification"):
            changes |= {"num_labels": OUTPUTS[family]}
        shape = config(kind, **changes)
        make = DualEncoder if family == "ranking" else AUTO[family].from_config
        self.model = shake(make(shape), scale=0.05)
        self.base = self.model.base_model
        self.folder = artefact(self.base, tmp_path)
        self.features = rows_of(family, tmp_path / "features", **(rows or {}))
        self.active = self.features.active  # of the run, which may have other entries too
        self.items = FAMILIES[family].items(self.features.table)
        self.steps = plan(len(self.items))

    def new_head(self):
        return head_of(self.family, load_encoder(self.folder, None, self.features.active))

    def parts(self):
        """The head's layers as transformers names them."""
        model, base = self.model, self.base
        if self.family == "span_qa":
            return {"out": model.qa_outputs}
        if self.family == "tagging":
            return {"out": model.classifier}
        if self.family == "mlm":
            transform = model.cls.predictions.transform
            return {"dense": transform.dense, "norm": transform.LayerNorm}
        if self.family == "ranking":
            return {"dense": base.pooler.dense}
        if hasattr(model.classifier, "out_proj"):
            return {"dense": model.classifier.dense, "out": model.classifier.out_proj}
        return {"dense": base.pooler.dense, "out": model.classifier}

    def run(
        self, work, *, runtime=QUIET, recipe=RECIPE, check=lambda: None, steps=None, active=None
    ):
        active = self.features.active if active is None else active
        encoder = load_encoder(self.folder, None, active, dropout=recipe.dropout)
        head = head_of(self.family, encoder, recipe.dropout)
        entry = Entry(FAMILIES[self.family], self.features, head)
        hooks = Hooks(lambda _: None, check, work)
        trained = train(encoder, [entry], steps or self.steps, recipe, runtime, seed=1, hooks=hooks)
        return encoder, head, trained


def head_of(family, encoder, dropout=0.0, seed=1):
    table = encoder.model.get_input_embeddings().weight
    kind, outputs = FAMILIES[family].head, OUTPUTS[family]
    return make_head(kind, 32, outputs, dropout=dropout, seed=seed, table=table)


def plan(*sizes, recipe=RECIPE, seed=1):
    return plan_steps(
        sizes,
        [1.0] * len(sizes),
        Sampling("uniform"),
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        seed=seed,
    )
