"""The training loop against dense AdamW on whole, padded models of transformers.

`test_against_trainer.py` has the families that `transformers.Trainer` can train.
"""

import dataclasses

import numpy as np
import pytest
import torch
from tiny import PIECES
from tiny_dense import copy_head, dense, dense_loss
from tiny_training import FAMILY_NAMES, FREE, QUIET, RECIPE, Case

from midway.encoders.load import load_encoder, save_delta
from midway.families import FAMILIES
from midway.graph.stage import Runtime
from midway.train import step as train_step
from midway.train.loop import Hooks, train
from midway.train.optimiser import untouched_factor
from midway.train.schedule import Step
from midway.train.step import Entry


def assert_equal_training(mine, theirs, family, *, tolerance=1e-4):
    compared = 0
    for name, tensor in mine.items():
        if not name.endswith(FREE[family]):
            torch.testing.assert_close(tensor, theirs[name], rtol=0, atol=tolerance, msg=name)
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("family", ["choice", "ranking"])
def test_losses_and_all_weights_equal_dense_training(family, tmp_path):
    """Among them the embedding rows that never occur, by the closed form of their decay."""
    case = Case(tmp_path, family)
    before = case.base.get_input_embeddings().weight.detach().clone()
    encoder, head, trained = case.run(tmp_path / "work")
    want = dense(case)
    assert len(want) == len(case.steps) >= 20
    np.testing.assert_allclose(trained.losses, want, atol=1e-4)
    assert np.mean(want[-5:]) < np.mean(want[:5])
    factor = untouched_factor(len(want), RECIPE.warmup, RECIPE.learning_rate, RECIPE.weight_decay)
    save_delta(encoder, None, factor, tmp_path)
    whole = load_encoder(case.folder, tmp_path, np.arange(PIECES)).model
    assert_equal_training(whole.state_dict(), case.base.state_dict(), family)
    for name, layer in case.parts().items():
        weight = getattr(head.module, name).weight
        torch.testing.assert_close(weight, layer.weight, rtol=0, atol=1e-4)
    outside = np.setdiff1d(np.arange(PIECES), encoder.active)
    assert len(outside) > 400
    after = whole.get_input_embeddings().weight.detach()
    torch.testing.assert_close(after[outside], before[outside] * factor, rtol=1e-6, atol=0)


@pytest.mark.parametrize("tokens", [1, 77])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_the_micro_batch_does_not_change_the_trajectory(family, tokens, tmp_path):
    case = Case(tmp_path, family)
    first, _, want = case.run(tmp_path / "a")
    second, _, got = case.run(tmp_path / "b", runtime=Runtime(micro_batch_tokens=tokens))
    np.testing.assert_allclose(got.losses, want.losses, atol=1e-4)
    assert_equal_training(second.model.state_dict(), first.model.state_dict(), family)


@pytest.mark.parametrize("tokens", [1, 100_000])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_an_item_that_a_step_has_twice(family, tokens, tmp_path):
    """Where one epoch ends and the next begins; it counts twice (in ranking once)."""
    case = Case(tmp_path, family)
    steps = [Step(0, np.array([3, 3, 5, 8, 8, 8]))]
    runtime = Runtime(micro_batch_tokens=tokens)
    _, _, trained = case.run(tmp_path / "work", steps=steps, runtime=runtime)
    copy_head(case)
    with torch.no_grad():
        want = float(dense_loss(case, steps[0].items))
    assert trained.losses == pytest.approx([want], abs=1e-4)


@pytest.mark.parametrize("tokens", [1, 50])
@pytest.mark.parametrize("family", ["span_qa", "classification", "choice"])
def test_a_step_sees_exactly_its_batch(family, tokens, tmp_path, monkeypatch):
    case = Case(tmp_path, family)
    item = np.searchsorted(case.items.offsets, np.arange(len(case.features.lengths)), "right")
    seen = []
    real = train_step.make_batch

    def spy(table, rows, encoder, device, **pieces):
        batch = real(table, rows, encoder, device, **pieces)
        seen.append((rows.tolist(), len(batch.ids)))
        assert list(batch.packing.lengths) == sorted(batch.packing.lengths)
        items, sizes = np.unique(item[rows], return_counts=True)
        assert len(items) == 1 or len(batch.ids) <= tokens
        assert sizes.tolist() == np.diff(case.items.offsets)[items - 1].tolist()
        return batch

    monkeypatch.setattr(train_step, "make_batch", spy)
    _, _, trained = case.run(tmp_path / "work", runtime=Runtime(micro_batch_tokens=tokens))
    rows = [row for part, _ in seen for row in part]
    for step in case.steps:
        want = case.items.of(step.items).tolist()
        assert len(step.items) == RECIPE.batch_size
        assert sorted(rows[: len(want)]) == sorted(want)
        del rows[: len(want)]
    assert not rows
    assert trained.tokens == sum(size for _, size in seen)
    assert trained.steps_here == len(case.steps)


def test_dropout_is_on_in_training(tmp_path):
    case = Case(tmp_path)
    losses = [
        case.run(tmp_path, recipe=dataclasses.replace(RECIPE, dropout=p), steps=case.steps[:2])[2]
        for p in (0.0, 0.2)
    ]
    assert losses[0].losses[0] != losses[1].losses[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ends_training_with_finite_weights(value, tmp_path):
    case = Case(tmp_path)
    recipe = dataclasses.replace(RECIPE, learning_rate=value)
    encoder, head, trained = case.run(tmp_path / "work", recipe=recipe)
    assert trained.diverged
    assert len(trained.losses) in (1, 2)
    assert trained.kept == [len(trained.losses)]
    for module in (encoder.model, head.module):
        assert all(bool(p.isfinite().all()) for p in module.parameters())


def test_progress_is_reported_after_every_step(tmp_path):
    case = Case(tmp_path)
    encoder = load_encoder(case.folder, None, case.features.active)
    entry = Entry(FAMILIES["span_qa"], case.features, case.new_head())
    seen = []
    hooks = Hooks(seen.append, lambda: None, tmp_path)
    trained = train(encoder, [entry], case.steps, RECIPE, QUIET, seed=1, hooks=hooks)
    assert [progress.done for progress in seen] == list(range(1, 31))
    assert {progress.total for progress in seen} == {30}
    assert float(seen[0].facts["loss"]) == pytest.approx(trained.losses[0], abs=1e-3)
    assert "tokens/s" in seen[0].facts


def test_bf16_follows_float32(tmp_path):
    case = Case(tmp_path)
    want = case.run(tmp_path / "a")[2].losses
    got = case.run(tmp_path / "b", recipe=dataclasses.replace(RECIPE, precision="bf16"))[2].losses
    assert got != want
    np.testing.assert_allclose(got, want, atol=0.1)
