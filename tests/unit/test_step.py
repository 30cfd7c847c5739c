"""Inside one step: layers computed a second time, and a host that does not wait for the GPU."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from tiny_training import FAMILY_NAMES, QUIET, RECIPE, Case, head_of

from midway.encoders.load import load_encoder
from midway.errors import UsageError
from midway.families import FAMILIES
from midway.train.step import Entry, Stepper, forward_seed

DROPOUT = dataclasses.replace(RECIPE, dropout=0.2)
AGAIN = dataclasses.replace(QUIET, gradient_checkpointing=True)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("kind", ["bert", "xlm-r", "electra"])
def test_layers_computed_again_have_the_same_dropout_and_give_the_same_bits(
    kind, precision, tmp_path, monkeypatch
):
    case = Case(tmp_path, "classification", kind)
    recipe = dataclasses.replace(DROPOUT, precision=precision)
    calls, layers = [], []
    want_encoder, want_head, want = case.run(tmp_path / "a", recipe=recipe, steps=case.steps[:6])

    def hooked(*arguments, **options):
        encoder = load_encoder(*arguments, **options)
        layers.extend(encoder.model.encoder.layer)
        for layer in layers:
            layer.attention.register_forward_hook(lambda *seen: calls.append(seen[0]))
        return encoder

    monkeypatch.setattr("tiny_training.load_encoder", hooked)
    encoder, head, got = case.run(
        tmp_path / "b", recipe=recipe, runtime=AGAIN, steps=case.steps[:6]
    )
    assert len(calls) == 2 * len(layers) * 6  # forward, and again before backward
    assert got.losses == want.losses
    for mine, other in ((encoder.model, want_encoder.model), (head.module, want_head.module)):
        for (name, a), b in zip(mine.named_parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b), name


def test_an_encoder_that_cannot_compute_its_layers_again_is_named(tmp_path, monkeypatch):
    case = Case(tmp_path)
    kind = type(case.base)
    monkeypatch.setattr(kind, "supports_gradient_checkpointing", False)
    with pytest.raises(UsageError, match=r"BertModel .* run without --gradient-checkpointing"):
        case.run(tmp_path / "work", runtime=AGAIN)


def test_seeds_of_forward_passes_say_which_items_come_before(tmp_path):
    """So that micro-batches that begin at the same item have the same masks."""
    case = Case(tmp_path)
    encoder = load_encoder(case.folder, None, case.features.active)
    entry = Entry(FAMILIES["span_qa"], case.features, case.new_head())
    seeds = []
    for limit in (1, 40, 10_000):
        stepper = Stepper(encoder, [entry], "float32", torch.device("cpu"), seed=1, limit=limit)
        parts = stepper.prepare(case.steps, 3).parts
        firsts = np.cumsum([0, *(len(part.batch.rows) for part in parts)])[:-1]
        seeds.append({int(first): part.seed for first, part in zip(firsts, parts, strict=True)})
    alone, some, whole = seeds
    assert whole == {0: forward_seed([1, 3], 0)}
    assert len(set(alone.values())) == len(alone) == 6
    assert 1 < len(some) < 6
    assert some.items() <= alone.items()
    places = itertools.product((1, 2), (0, 1), (0, 3))
    assert len({forward_seed([run, step], first) for run, step, first in places}) == 8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_the_host_never_waits_for_the_gpu_inside_a_step(family, tmp_path):
    """Neither when inputs are made and moved, nor forward, nor backward."""
    case = Case(tmp_path, family)
    device = torch.device("cuda")
    encoder = load_encoder(case.folder, None, case.features.active, dropout=0.1)
    head = head_of(family, encoder, 0.1)
    encoder.model.to(device).train()
    head.module.to(device).train()
    entry = Entry(FAMILIES[family], case.features, head)
    stepper = Stepper(encoder, [entry], "bf16", device, seed=1, limit=60)
    stepper.gradients(stepper.prepare(case.steps, 0))  # libraries are initialised
    stepper.clear()
    torch.cuda.set_sync_debug_mode("error")
    try:
        loss = stepper.gradients(stepper.prepare(case.steps, 1))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert np.isfinite(float(loss))
    assert all(p.grad is None or p.grad.isfinite().all() for p in encoder.model.parameters())
