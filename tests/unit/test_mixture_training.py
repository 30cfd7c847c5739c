"""A run over several families: micro-batches of any size, and dense training of whole models."""

import dataclasses
from functools import reduce

import numpy as np
import pytest
import torch
from tiny import PIECES
from tiny_dense import dense
from tiny_training import FAMILY_NAMES, QUIET, RECIPE, Case, head_of

from midway.encoders.load import load_encoder, save_delta
from midway.families import FAMILIES
from midway.graph.stage import Runtime
from midway.train.loop import Hooks, train
from midway.train.optimiser import untouched_factor
from midway.train.schedule import Sampling, plan_steps
from midway.train.step import Entry

BATCHES = {"classification": 8, "span_qa": 4, "tagging": 6, "mlm": 5, "choice": 3, "ranking": 6}
FREE = ("key.bias", "span_qa.out.bias", "choice.out.bias")  # no gradient, see `tiny_training`
IN_ONE_PIECE = Runtime(checkpoint_seconds=1e9, micro_batch_tokens=100_000)


class Mixture:
    """Models of transformers that share one encoder, and the same as entries of ours.

    Each entry has pieces that none before it has, so the table has rows that one entry alone reads.
    """

    def __init__(self, folder, *families):
        self.cases = {}
        for place, family in enumerate(families):
            rows = {"seed": place, "vocabulary": 60 + 40 * place}
            self.cases[family] = Case(folder / family, family, rows=rows)
        self.first, *others = self.cases.values()
        self.active = reduce(np.union1d, [case.features.active for case in self.cases.values()])
        for case in others:
            if case.family != "ranking":
                setattr(case.model, case.model.base_model_prefix, self.first.base)
            case.base, case.folder = self.first.base, self.first.folder
            case.active = self.active
        if "mlm" in self.cases:
            table = self.first.base.get_input_embeddings().weight
            self.cases["mlm"].model.cls.predictions.decoder.weight = table

    def steps(self, count):
        drawn = plan_steps(
            [len(case.items) for case in self.cases.values()],
            [1.0] * len(self.cases),
            Sampling("uniform"),
            batch_size=6,
            epochs=2.0,
            seed=1,
            batch_sizes=[BATCHES[family] for family in self.cases],
        )[:count]
        assert len(drawn) == count
        assert {step.entry for step in drawn} == set(range(len(self.cases)))
        return drawn

    def run(self, work, steps, runtime=IN_ONE_PIECE):
        encoder = load_encoder(self.first.folder, None, self.active, dropout=0.0)
        entries = [
            Entry(FAMILIES[family], case.features, head_of(family, encoder))
            for family, case in self.cases.items()
        ]
        hooks = Hooks(lambda _: None, lambda: None, work)
        trained = train(encoder, entries, steps, RECIPE, runtime, seed=1, hooks=hooks)
        weights = {f"encoder.{name}": w for name, w in encoder.model.state_dict().items()}
        for family, entry in zip(self.cases, entries, strict=True):
            state = entry.head.module.state_dict()
            weights |= {f"{family}.{name}": weight for name, weight in state.items()}
        return encoder, {n: w for n, w in weights.items() if not n.endswith(FREE)}, trained.losses


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A mixture of all families, trained with every step in one piece."""
    folder = tmp_path_factory.mktemp("whole")
    mixture = Mixture(folder, *sorted(FAMILY_NAMES))
    steps = mixture.steps(24)
    return mixture, steps, *mixture.run(folder / "work", steps)[1:]


@pytest.mark.parametrize("tokens", [1, 17, 40, 101, 333])
def test_micro_batches_of_any_size_give_the_same_weights(whole, tokens, tmp_path):
    """From one row at a time on; a step of `ranking` is never cut."""
    mixture, steps, want, losses = whole
    runtime = dataclasses.replace(QUIET, micro_batch_tokens=tokens)
    _, got, again = mixture.run(tmp_path, steps, runtime)
    np.testing.assert_allclose(again, losses, rtol=0, atol=1e-5)
    assert got.keys() == want.keys()
    for name, weight in got.items():
        torch.testing.assert_close(weight, want[name], rtol=0, atol=1e-4, msg=name)


def test_fifty_steps_of_a_mixture_equal_dense_training(tmp_path):
    """Every weight: rows that one entry alone reads, that only the decoder sees, that none has.

    The dense run has the whole table and one padded batch a step; of its decoder only the pieces
    that occur in the mixture are used (decision 0006).
    """
    mixture = Mixture(tmp_path, "classification", "mlm", "span_qa", "tagging")
    table = mixture.first.base.get_input_embeddings().weight
    before = table.detach().clone()
    steps = mixture.steps(50)
    encoder, weights, losses = mixture.run(tmp_path / "work", steps, Runtime(micro_batch_tokens=90))
    np.testing.assert_allclose(losses, dense(*mixture.cases.values(), steps=steps), atol=1e-5)
    factor = untouched_factor(50, RECIPE.warmup, RECIPE.learning_rate, RECIPE.weight_decay)
    save_delta(encoder, None, factor, tmp_path)
    mine = load_encoder(mixture.first.folder, tmp_path, np.arange(PIECES)).model.state_dict()
    theirs = mixture.first.base.state_dict()
    for name, weight in mine.items():
        if not name.endswith(FREE):
            torch.testing.assert_close(weight, theirs[name], rtol=0, atol=1e-4, msg=name)
    for family, case in mixture.cases.items():
        for name, layer in case.parts().items():
            got = weights[f"{family}.{name}.weight"]
            torch.testing.assert_close(got, layer.weight, rtol=0, atol=1e-4)
    outside = np.setdiff1d(np.arange(PIECES), mixture.active)
    assert len(outside) > 400
    rows = mine[encoder.embedding][outside]
    torch.testing.assert_close(rows, table.detach()[outside], rtol=1e-5, atol=0)
    assert (rows != before[outside]).any()
