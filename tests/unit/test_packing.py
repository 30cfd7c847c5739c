import numpy as np
import pytest
import torch
from tiny import MODELS, config, padded, sequences, tiny_model
from torch.nn.functional import scaled_dot_product_attention

from midway.encoders.packing import (
    ATTENTION,
    _TrainableAttention,
    pack,
    packed_attention,
    positions,
)

LENGTHS = (1, 2, 5, 5, 5, 9, 10, 11, 17, 40, 40)


def pair(kind):
    """The same weights twice: transformers' own attention, and ours."""
    theirs = tiny_model(kind)
    ours = MODELS[kind][0](config(kind, attn_implementation=ATTENTION))
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours.eval()


def run_both(kind, lengths=LENGTHS, *, types=True):
    """Hidden states of every layer, ``[T, hidden]``, padded and packed."""
    theirs, ours = pair(kind)
    pad = theirs.config.pad_token_id
    rows = sequences(lengths)
    ids, mask = padded(rows, pad)
    extra = {"theirs": {}, "ours": {}}
    if types and getattr(theirs.config, "type_vocab_size", 1) > 1:
        kinds = [(np.arange(n) >= n // 2).astype(np.int64) for n in lengths]
        extra["theirs"] = {"token_type_ids": padded(kinds)[0]}
        extra["ours"] = {"token_type_ids": torch.from_numpy(np.concatenate(kinds))[None]}
    want = theirs(
        input_ids=ids, attention_mask=mask, output_hidden_states=True, **extra["theirs"]
    ).hidden_states
    packing = pack(lengths)
    got = ours(
        input_ids=torch.from_numpy(np.concatenate(rows).astype(np.int64))[None],
        position_ids=positions(packing, pad + 1 if kind == "xlm-r" else 0),
        packing=packing,
        output_hidden_states=True,
        **extra["ours"],
    ).hidden_states
    return theirs, ours, [x[mask.bool()] for x in want], [x[0] for x in got]


@pytest.mark.parametrize("kind", MODELS)
def test_hidden_states_of_all_layers_equal_the_padded_model(kind):
    _, _, want, got = run_both(kind)
    assert len(want) == len(got) == config(kind).num_hidden_layers + 1
    for theirs, ours in zip(want, got, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_gradients_equal_the_padded_model(kind):
    theirs, ours, want, got = run_both(kind)
    direction = torch.randn(want[-1].shape, generator=torch.Generator().manual_seed(1))
    (want[-1] * direction).sum().backward()
    (got[-1] * direction).sum().backward()
    mine = dict(ours.named_parameters())
    seen = 0
    for name, parameter in theirs.named_parameters():
        if parameter.grad is not None:
            scale = max(1.0, float(parameter.grad.abs().max()))
            torch.testing.assert_close(mine[name].grad, parameter.grad, rtol=0, atol=1e-5 * scale)
            seen += 1
    assert seen > 10


def test_token_types_matter():
    with_types = run_both("bert")[3][-1]
    without = run_both("bert", types=False)[3][-1]
    assert (with_types - without).abs().max() > 0.01


def test_sequences_do_not_see_each_other():
    alone = run_both("bert", (7,))[3][-1]
    model = pair("bert")[1]
    rows = sequences((7,))[0]
    other = sequences((30,), seed=9)[0]
    packing = pack((30, 7))
    ids = torch.from_numpy(np.concatenate([other, rows]).astype(np.int64))[None]
    types = torch.cat([torch.zeros(30), torch.arange(7) >= 3]).long()[None]
    out = model(
        input_ids=ids, position_ids=positions(packing), token_type_ids=types, packing=packing
    )
    torch.testing.assert_close(out.last_hidden_state[0, 30:], alone, rtol=0, atol=1e-5)


def test_sliding_window_is_narrower_than_the_sequence():
    """The comparison above would prove nothing if the window never cut anything."""
    _, _, want, got = run_both("modernbert", (40,))
    wide = tiny_model("modernbert", local_attention=128)
    ids, mask = padded(sequences((40,)))
    full = wide(input_ids=ids, attention_mask=mask).last_hidden_state[0]
    assert (full - want[-1]).abs().max() > 0.01
    torch.testing.assert_close(got[-1], want[-1], rtol=0, atol=1e-5)


def test_pack_describes_groups_offsets_and_positions():
    packing = pack((3, 3, 5, 3))
    assert packing.lengths == (3, 3, 5, 3)
    (group,) = packing.groups  # all are short: padded to 32
    assert (group.begin, group.end, group.count, group.length) == (0, 14, 4, 32)
    assert group.places.view(4, 32)[2, :5].tolist() == [6, 7, 8, 9, 10]
    assert group.real.tolist() == [0, 1, 2, 32, 33, 34, 64, 65, 66, 67, 68, 96, 97, 98]
    assert (group.mask.squeeze(1) == 0).sum(1).tolist() == [3, 3, 5, 3]
    assert packing.offsets.tolist() == [0, 3, 6, 11, 14]
    assert packing.offsets.dtype == torch.int32
    assert packing.longest == 5
    assert positions(packing, 2).tolist() == [[2, 3, 4, 2, 3, 4, 2, 3, 4, 5, 6, 2, 3, 4]]


def test_long_sequences_are_not_padded_and_whole_ones_not_gathered():
    packing = pack((32, 32, 97, 97, 98))
    assert [(g.begin, g.end, g.count, g.length) for g in packing.groups] == [
        (0, 64, 2, 32), (64, 258, 2, 97), (258, 356, 1, 98),
    ]  # fmt: skip
    assert all(group.places is None for group in packing.groups)


def test_nothing_is_padded_without_gradients():
    with torch.inference_mode():
        groups = pack((3, 3, 5, 3)).groups
    assert [(g.count, g.length, g.places) for g in groups] == [
        (2, 3, None), (1, 5, None), (1, 3, None),
    ]  # fmt: skip


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_sequence_does_not_see_its_neighbours(dtype, gradients):
    """Not even in its rounding: predictions may not depend on what they are batched with."""
    (q, k, v), _, _ = qkv(dtype, lengths=(7, 20, 40, 100))
    attend = lambda a, b, c, n: packed_attention(  # noqa: E731
        torch.nn.Identity(), a[None], b[None], c[None], None, packing=pack(n)
    )[0][0]
    with torch.set_grad_enabled(gradients):  # pack() asks too
        together = attend(q, k, v, (7, 20, 40, 100))
        alone = attend(*(x[:, 7:27] for x in (q, k, v)), (20,))
    assert torch.equal(together[7:27], alone)


def qkv(dtype, seed=0, lengths=LENGTHS):
    generator = torch.Generator().manual_seed(seed)
    total = sum(lengths)
    tensors = [torch.randn(4, total, 8, generator=generator).to(dtype) for _ in range(4)]
    return [t.requires_grad_() for t in tensors[:3]], tensors[3], pack(lengths)


def by_sequence(q, k, v, lengths, scale):
    """Attention one sequence at a time."""
    parts = zip(*(x.split(list(lengths), 1) for x in (q, k, v)), strict=True)
    return torch.cat([scaled_dot_product_attention(*part, scale=scale) for part in parts], 1)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03)])
def test_written_out_gradient_equals_autograd(dtype, tolerance):
    (q, k, v), direction, packing = qkv(dtype)
    out = _TrainableAttention.apply(q, k, v, packing.groups, 0.3)
    got = torch.autograd.grad(out, (q, k, v), direction)
    exact = [x.detach().float().requires_grad_() for x in (q, k, v)]
    want_out = by_sequence(*exact, packing.lengths, 0.3)
    want = torch.autograd.grad(want_out, exact, direction.float())
    assert out.dtype == dtype
    torch.testing.assert_close(out.float(), want_out, rtol=0, atol=tolerance)
    for mine, theirs in zip(got, want, strict=True):
        assert mine.dtype == dtype
        largest = float(theirs.abs().max())
        torch.testing.assert_close(mine.float(), theirs, rtol=0, atol=tolerance * largest)


def test_written_out_gradient_passes_gradcheck():
    lengths = (2, 3, 3)
    (q, k, v), _, packing = qkv(torch.float64, lengths=lengths)
    run = lambda *x: _TrainableAttention.apply(*x, packing.groups, 0.5)  # noqa: E731
    assert torch.autograd.gradcheck(run, (q[:1, :, :3], k[:1, :, :3], v[:1, :, :3]))


def test_bf16_training_takes_the_written_out_path_and_evaluation_does_not():
    (q, k, v), _, packing = qkv(torch.bfloat16)
    module = torch.nn.Identity()
    arguments = (module, q[None], k[None], v[None], None)
    out, _ = packed_attention(*arguments, packing=packing)
    assert "_TrainableAttention" in str(out.grad_fn.next_functions[0][0].next_functions[0][0])
    with torch.no_grad():
        silent, _ = packed_attention(*arguments, packing=packing)
    torch.testing.assert_close(out.detach(), silent, rtol=0, atol=0.03)


def test_attention_dropout_drops_about_its_share():
    """With v = 1, an output is the kept weights' sum over 1 - p: mean 1, and it varies."""
    (q, k, _), _, packing = qkv(torch.float32, lengths=(40, 40, 40))
    ones = torch.ones_like(q)
    torch.manual_seed(0)
    arguments = (torch.nn.Identity(), q[None], k[None], ones[None], None)
    out = packed_attention(*arguments, packing=packing, dropout=0.25)[0].detach()
    assert abs(float(out.mean()) - 1) < 0.02
    assert float(out.std()) > 0.02
    whole = packed_attention(*arguments, packing=packing)[0].detach()
    torch.testing.assert_close(whole, torch.ones_like(whole))
