"""The training loop against dense AdamW on whole, padded models of transformers."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny import PIECES, padded
from tiny_training import FAMILY_NAMES, FREE, OUTPUTS, QUIET, RECIPE, Case
from transformers import (
    get_linear_schedule_with_warmup,
)

from midway.encoders.heads import make_head
from midway.encoders.load import load_encoder, save_delta
from midway.errors import StageError
from midway.families import FAMILIES
from midway.graph.stage import Runtime
from midway.train import loop
from midway.train.loop import Entry, Hooks, train
from midway.train.optimiser import untouched_factor


def dense(case):
    """Train the whole model the usual way; returns its losses."""
    model = case.model.train()
    last = model.qa_outputs if case.family == "span_qa" else model.classifier
    last.load_state_dict(
        make_head("token", 32, OUTPUTS[case.family], dropout=0, seed=1).module.out.state_dict()
    )
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=RECIPE.learning_rate, eps=1e-8)
    warm = -(-len(case.steps) // 10)
    schedule = get_linear_schedule_with_warmup(optimiser, warm, len(case.steps))
    losses = []
    for step in case.steps:
        loss = dense_loss(case, model, step.items)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), RECIPE.clip)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return losses


def dense_loss(case, model, rows):
    table = case.features.table.take(rows).to_pylist()
    ids, mask = padded([row["ids"] for row in table], model.config.pad_token_id)
    extra = {}
    if model.config.type_vocab_size > 1:
        kinds = [np.arange(len(row["ids"])) >= row["boundary"] for row in table]
        extra["token_type_ids"] = padded(kinds)[0]
    if case.family == "span_qa":
        out = model(input_ids=ids, attention_mask=mask, **extra)
        sides = ((out.start_logits, "start"), (out.end_logits, "end"))
        return (
            sum(
                torch.nn.functional.cross_entropy(
                    logits.masked_fill(mask == 0, float("-inf")),
                    torch.tensor([row[name] for row in table]),
                )
                for logits, name in sides
            )
            / 2
        )
    labels = torch.full(ids.shape, -100)
    for i, row in enumerate(table):
        labels[i, row["heads"]] = torch.tensor(row["tags"])
    return model(input_ids=ids, attention_mask=mask, labels=labels, **extra).loss


def assert_equal_training(mine, theirs, family, *, tolerance=1e-4):
    compared = 0
    for name, tensor in mine.items():
        if not name.endswith(FREE[family]):
            torch.testing.assert_close(tensor, theirs[name], rtol=0, atol=tolerance, msg=name)
            compared += 1
    assert compared > 20


@pytest.mark.parametrize(
    ("family", "kind"),
    [("span_qa", "bert"), ("tagging", "bert"), ("tagging", "xlm-r"), ("span_qa", "electra")],
)
def test_losses_and_all_weights_equal_dense_training(family, kind, tmp_path):
    """Among them the embedding rows that never occur, by the closed form of their decay."""
    case = Case(tmp_path, family, kind)
    before = case.base.get_input_embeddings().weight.detach().clone()
    encoder, head, trained = case.run(tmp_path / "work")
    want = dense(case)
    assert len(want) == 30
    np.testing.assert_allclose(trained.losses, want, atol=1e-4)
    assert np.mean(want[-5:]) < np.mean(want[:5])
    factor = untouched_factor(30, RECIPE.warmup, RECIPE.learning_rate, RECIPE.weight_decay)
    save_delta(encoder, None, factor, tmp_path)
    whole = load_encoder(case.folder, tmp_path, np.arange(PIECES)).model
    assert_equal_training(whole.state_dict(), case.base.state_dict(), family)
    last = case.model.qa_outputs if family == "span_qa" else case.model.classifier
    torch.testing.assert_close(head.module.out.weight, last.weight, rtol=0, atol=1e-4)
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


@pytest.mark.parametrize("tokens", [1, 50])
def test_a_step_sees_exactly_its_batch(tokens, tmp_path, monkeypatch):
    case = Case(tmp_path)
    seen = []
    real = loop.make_batch

    def spy(table, rows, encoder, device, **pieces):
        batch = real(table, rows, encoder, device, **pieces)
        seen.append((rows.tolist(), len(batch.ids)))
        assert list(batch.packing.lengths) == sorted(batch.packing.lengths)
        assert len(rows) == 1 or len(batch.ids) <= tokens
        return batch

    monkeypatch.setattr(loop, "make_batch", spy)
    _, _, trained = case.run(tmp_path / "work", runtime=Runtime(micro_batch_tokens=tokens))
    rows = [row for part, _ in seen for row in part]
    assert len(rows) == len(case.steps) * RECIPE.batch_size
    for number, step in enumerate(case.steps):
        begin = number * RECIPE.batch_size
        assert sorted(rows[begin : begin + RECIPE.batch_size]) == sorted(step.items.tolist())
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
def test_a_loss_that_is_not_finite_stops_the_stage(value, tmp_path):
    case = Case(tmp_path)
    recipe = dataclasses.replace(RECIPE, learning_rate=value)
    with pytest.raises(
        StageError, match=r"loss is nan at step [23] of 30.*lower the learning rate"
    ):
        case.run(tmp_path / "work", recipe=recipe)


def test_progress_is_reported_after_every_step(tmp_path):
    case = Case(tmp_path)
    encoder = load_encoder(case.folder, None, case.features.active)
    head = make_head("token", 32, 2, dropout=0, seed=1)
    entry = Entry(FAMILIES["span_qa"], case.features, head)
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
