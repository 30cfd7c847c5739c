"""Training against `transformers.Trainer`: the same rows, order, seed and hyper-parameters.

1. What runs is Trainer, with transformers' model, loss, AdamW, schedule and clipping. Of ours it
   has the first weights, the order of the steps and, in MLM, what is hidden.
2. Trainer's batches are padded and its embedding table is whole; ours are packed, over the pieces
   that occur. Losses are compared at every step, and after 50 steps every weight.
3. Classification (a mean over rows), tagging (over words) and choice (over examples) have the loss
   that transformers' models return. Where examples have unequal numbers of choices, transformers
   has no batch; `test_training.py` compares those with one example at a time.
4. Span QA differs on purpose: transformers' softmax runs over the padding too, so its loss depends
   on what else is in the batch; ours runs over the window alone. Equal where nothing is padded, or
   where Trainer is told to leave the padding out; the difference itself is tested.
5. So does masked language modelling: our softmax runs over the pieces that occur (decision 0006).
   Equal where all occur, or where Trainer is told to leave out the others.
"""

import dataclasses
import math

import numpy as np
import pytest
import torch
from tiny import PIECES
from tiny_dense import copy_head, inputs_of
from tiny_training import FREE, RECIPE, Case, plan
from transformers import Trainer, TrainingArguments

from midway.encoders.load import load_encoder, save_delta
from midway.families import mlm
from midway.train.optimiser import untouched_factor

FIFTY = dataclasses.replace(RECIPE, epochs=5.0)
EVERY_PIECE = np.arange(PIECES)
SHIFTED = {("span_qa", 2), ("choice", 1)}  # a bias that all scores of a softmax share: no gradient
NOT_HERE = -100  # transformers: no loss at this token


class Ordered(Trainer):
    """Trainer that takes the steps in a given order and keeps its losses."""

    def __init__(self, *args, order, **kwargs):
        super().__init__(*args, **kwargs)
        self.order, self.losses = order, []

    def _get_train_sampler(self, train_dataset=None):
        return self.order

    def training_step(self, *args, **kwargs):
        loss = super().training_step(*args, **kwargs)
        self.losses.append(float(loss))
        return loss


class Drawn:
    """A data set that is asked for (step, item) and leaves the rest to the collator."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, drawn):
        return drawn


def collator(case, *, own_loss):
    """Padded batches as transformers' models want them."""

    def collate(drawn):
        ((number,), items) = {n for n, _ in drawn}, np.array([item for _, item in drawn])
        rows = case.items.of(items)
        table = case.features.table.take(rows).to_pylist()
        if case.family == "mlm":
            return hidden(case, rows, table, number)
        inputs = inputs_of(case.model.config, table)
        if case.family == "choice":
            right = torch.tensor([row["right"] for row in table]).view(len(items), -1)
            shaped = {name: value.view(*right.shape, -1) for name, value in inputs.items()}
            return shaped | {"labels": right.argmax(-1)}
        if case.family == "classification":
            return inputs | {"labels": torch.tensor([row["label"] for row in table])}
        if case.family == "tagging":
            labels = torch.full(inputs["input_ids"].shape, NOT_HERE)
            for i, row in enumerate(table):
                labels[i, row["heads"]] = torch.tensor(row["tags"])
            return inputs | {"labels": labels}
        start, end = (torch.tensor([row[name] for row in table]) for name in ("start", "end"))
        if own_loss:
            return inputs | {"start_positions": start, "end_positions": end}
        return inputs | {"labels": torch.stack([start, end, inputs["attention_mask"].sum(1)])}

    return collate


def hidden(case, rows, table, number):
    """What our steps hide, padded."""
    pieces, drawn = mlm.draw(case.features, rows, [1, number])
    ends = np.cumsum([len(row["ids"]) for row in table])[:-1]
    labels = np.full(len(pieces), NOT_HERE)
    labels[drawn["places"]] = drawn["gold"]
    parts = zip(table, np.split(pieces, ends), strict=True)
    inputs = inputs_of(case.model.config, [row | {"ids": ids} for row, ids in parts])
    wanted = torch.full(inputs["input_ids"].shape, NOT_HERE)
    wanted[inputs["attention_mask"].bool()] = torch.from_numpy(labels)
    return inputs | {"labels": wanted}


def without_padding(outputs, labels, num_items_in_batch=None):
    """Span QA's loss over the windows alone; its labels are starts, ends and lengths."""
    start, end, lengths = labels
    padding = torch.arange(outputs.start_logits.shape[1]) >= lengths[:, None]
    sides = ((outputs.start_logits, start), (outputs.end_logits, end))
    losses = [
        torch.nn.functional.cross_entropy(logits.masked_fill(padding, -math.inf), gold)
        for logits, gold in sides
    ]
    return sum(losses) / 2


def among(pieces):
    """Masked language modelling's loss over some pieces."""
    place = torch.full((PIECES,), NOT_HERE)
    place[torch.from_numpy(pieces)] = torch.arange(len(pieces))

    def loss(outputs, labels, num_items_in_batch=None):
        here = labels != NOT_HERE
        logits = outputs.logits[here][:, torch.from_numpy(pieces)]
        return torch.nn.functional.cross_entropy(logits, place[labels[here]])

    return loss


def trainer_losses(case, folder, steps, loss=None):
    """Train transformers' model of the case with Trainer."""
    copy_head(case)
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=FIFTY.batch_size,
        num_train_epochs=1,  # the order holds all epochs
        learning_rate=FIFTY.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=FIFTY.warmup,
        weight_decay=FIFTY.weight_decay,
        max_grad_norm=FIFTY.clip,
        seed=1,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        use_cpu=True,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        disable_tqdm=True,
    )
    order = [(number, int(item)) for number, step in enumerate(steps) for item in step.items]
    trainer = Ordered(
        case.model,
        arguments,
        train_dataset=Drawn(len(order)),
        data_collator=collator(case, own_loss=loss is None),
        compute_loss_func=loss,
        order=order,
    )
    trainer.train()
    return trainer.losses


def assert_equal_runs(case, tmp_path, *, loss=None, active=None):
    """Fifty steps of both; weights include the rows of pieces that never occur."""
    steps = plan(len(case.items), recipe=FIFTY)
    encoder, head, trained = case.run(tmp_path / "work", recipe=FIFTY, steps=steps, active=active)
    theirs = trainer_losses(case, tmp_path / "trainer", steps, loss)
    assert len(theirs) == len(trained.losses) == 50
    assert np.mean(theirs[-10:]) < np.mean(theirs[:10])
    np.testing.assert_allclose(trained.losses, theirs, rtol=0, atol=1e-5)
    factor = untouched_factor(50, FIFTY.warmup, FIFTY.learning_rate, FIFTY.weight_decay)
    save_delta(encoder, None, factor, tmp_path)
    whole = load_encoder(case.folder, tmp_path, EVERY_PIECE).model
    want = case.base.state_dict()
    for name, weight in whole.state_dict().items():
        if not name.endswith(FREE[case.family]):
            torch.testing.assert_close(weight, want[name], rtol=0, atol=1e-4, msg=name)
    assert_equal_heads(case, head, encoder)
    outside = np.setdiff1d(EVERY_PIECE, encoder.active)
    assert len(outside) > 400 or active is EVERY_PIECE
    assert factor < 0.999
    mine, wanted = (model.get_input_embeddings().weight[outside] for model in (whole, case.base))
    torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=0)


def assert_equal_heads(case, head, encoder):
    pairs = [(getattr(head.module, name), layer) for name, layer in case.parts().items()]
    for mine, theirs in pairs:
        torch.testing.assert_close(mine.weight, theirs.weight, rtol=0, atol=1e-4)
        if (case.family, len(theirs.bias)) not in SHIFTED:
            torch.testing.assert_close(mine.bias, theirs.bias, rtol=0, atol=1e-4)
    if case.family == "mlm":
        bias = case.model.cls.predictions.bias[torch.from_numpy(encoder.active)]
        torch.testing.assert_close(head.module.decoder.bias, bias, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "xlm-r"])
@pytest.mark.parametrize("family", ["classification", "tagging", "choice"])
def test_equal_to_trainer_with_the_models_own_loss(family, kind, tmp_path):
    case = Case(tmp_path, family, kind, rows={"choices": (3, 4)})
    assert_equal_runs(case, tmp_path)


def test_span_qa_equals_the_models_own_loss_where_nothing_is_padded(tmp_path):
    case = Case(tmp_path, "span_qa", rows={"lengths": (24, 25)})
    assert_equal_runs(case, tmp_path)


@pytest.mark.parametrize("kind", ["bert", "xlm-r", "electra"])
def test_span_qa_equals_trainer_that_leaves_padding_out_of_the_softmax(kind, tmp_path):
    assert_equal_runs(Case(tmp_path, "span_qa", kind), tmp_path, loss=without_padding)


def test_span_qa_loss_of_transformers_counts_padding_as_a_place_of_the_answer(tmp_path):
    """Ours is smaller, by what its softmax gives to padding, and the same in any batch."""
    case = Case(tmp_path, "span_qa")
    lengths = case.features.lengths
    copy_head(case)
    short, long = int(lengths.argmin()), int(lengths.argmax())
    alone, together = (
        collator(case, own_loss=True)([(0, item) for item in items])
        for items in ([short], [short, long])
    )
    with torch.no_grad():
        own = case.model(**alone)
        beside = case.model(**together)
    start = case.features.column("start", np.array([short]))[0]
    shares = beside.start_logits[0].softmax(-1)
    assert shares[lengths[short] :].sum() > 0.3
    own_loss, loss = (-out.start_logits[0].log_softmax(-1)[start] for out in (own, beside))
    kept = shares[: lengths[short]].sum()
    assert float(own_loss) == pytest.approx(float(loss + kept.log()), abs=1e-5)


def test_mlm_equals_the_models_own_loss_where_every_piece_occurs(tmp_path):
    assert_equal_runs(Case(tmp_path, "mlm"), tmp_path, active=EVERY_PIECE)


def test_mlm_equals_trainer_whose_softmax_runs_over_the_pieces_that_occur(tmp_path):
    """Also its other rows, which have a gradient in a softmax over all (decision 0006)."""
    case = Case(tmp_path, "mlm")
    assert_equal_runs(case, tmp_path, loss=among(case.features.active))


def test_mlm_over_all_pieces_pushes_down_those_that_do_not_occur(tmp_path):
    """What the active vocabulary gives up, and says so in decision 0006."""
    case = Case(tmp_path, "mlm")
    table = case.base.get_input_embeddings().weight
    before = table.detach().clone()
    steps = plan(len(case.items), recipe=FIFTY)
    trainer_losses(case, tmp_path / "trainer", steps)
    factor = untouched_factor(50, FIFTY.warmup, FIFTY.learning_rate, FIFTY.weight_decay)
    outside = np.setdiff1d(EVERY_PIECE, case.features.active)
    moved = table.detach()[outside] - before[outside] * factor
    assert (moved.abs().amax(1) > 1e-3).all()
    bias = case.model.cls.predictions.bias.detach()
    assert (bias[outside] < 0).all()
