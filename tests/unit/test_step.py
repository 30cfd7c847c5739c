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


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_dropout_does_not_depend_on_how_a_step_is_cut(family, tmp_path):
    case = Case(tmp_path, family)
    steps = []
    for limit in (1, 60, 10_000):
        encoder = load_encoder(case.folder, None, case.features.active, dropout=0.3)
        head = head_of(family, encoder, 0.3)
        encoder.model.train()
        head.module.train()
        entry = Entry(FAMILIES[family], case.features, head)
        stepper = Stepper(encoder, [entry], "float32", torch.device("cpu"), seed=1, limit=limit)
        prepared = stepper.prepare(case.steps, 3)
        loss = stepper.gradients(prepared)
        modules = (encoder.model, head.module)
        gradients = [p.grad for module in modules for p in module.parameters()]
        steps.append((len(prepared.parts), float(loss), gradients))
        stepper.clear()
        assert float(stepper.gradients(stepper.prepare(case.steps, 4))) != float(loss)
    assert FAMILIES[family].whole or len({count for count, _, _ in steps}) > 1
    _, loss, gradients = steps[0]
    for _, other, theirs in steps[1:]:
        assert other == pytest.approx(loss, rel=1e-5)
        for mine, one in zip(gradients, theirs, strict=True):
            assert (mine is None) == (one is None)
            if mine is not None:
                torch.testing.assert_close(one, mine, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("dropout", "count"), [(0.0, 1), (0.1, 6)])
def test_torch_draws_masks_of_attention_anew_for_each_micro_batch(dropout, count, tmp_path):
    case = Case(tmp_path)
    encoder = load_encoder(case.folder, None, case.features.active, attention_dropout=dropout)
    entry = Entry(FAMILIES["span_qa"], case.features, case.new_head())
    stepper = Stepper(encoder, [entry], "float32", torch.device("cpu"), seed=1, limit=1)
    assert len({part.seed for part in stepper.prepare(case.steps, 3).parts}) == count
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
