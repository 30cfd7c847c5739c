"""Dropout with cheap masks: its share, its scale, its seed, its gradient."""

import pytest
import torch

from midway.encoders.dropout import Dropout, Rows, rows_of, use_cheap_dropout

TYPES = (torch.bfloat16, torch.float16, torch.float32, torch.float64)


def dropped(module, x, seed):
    torch.manual_seed(seed)
    return module(x)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_share_and_scale(p, dtype):
    x = torch.ones(500, 403, dtype=dtype)
    out = dropped(Dropout(p), x, 1)
    kept = out != 0
    assert out.dtype == dtype
    share = kept.double().mean().item()
    assert share == pytest.approx(1 - p, abs=5 * (p * (1 - p) / x.numel()) ** 0.5)
    tolerance = {"rtol": 0.003, "atol": 0.0}
    torch.testing.assert_close(out[kept].double(), torch.full((), 1 / (1 - p)).double().expand(
        int(kept.sum())), **tolerance)  # fmt: skip
    # No row or column is dropped more than the others: 5 standard errors.
    for axis in (0, 1):
        means = kept.double().mean(axis)
        spread = (p * (1 - p) / x.shape[axis]) ** 0.5
        assert (means - (1 - p)).abs().max().item() < 5 * spread


def test_torch_seed_decides_the_mask_and_the_next_one_is_another():
    x, module = torch.ones(100, 100), Dropout(0.3)
    first = dropped(module, x, 7)
    second = module(x)
    assert torch.equal(first, dropped(module, x, 7))
    assert torch.equal(second, module(x))
    assert not torch.equal(first, second)
    both = ((first == 0) & (second == 0)).double().mean().item()
    assert both == pytest.approx(0.09, abs=0.015)  # independent of each other
    assert not torch.equal(first, dropped(module, x, 8))


def test_types_of_other_size_have_the_same_mask():
    x = torch.ones(64, 33)
    masks = [dropped(Dropout(0.2), x.to(dtype), 3) == 0 for dtype in TYPES]
    assert all(torch.equal(mask, masks[0]) for mask in masks)


@pytest.mark.parametrize("width", [8, 6])
def test_a_row_has_its_own_mask_whatever_is_computed_with_it(width):
    """Rows of 2, 5 and 3 tokens that begin at 40, 10 and 900 of the table."""
    module, places, lengths = Dropout(0.5), (40, 10, 900), (2, 5, 3)

    def masks(chosen, asked=None):
        counts = [lengths[i] for i in chosen]
        rows = Rows([places[i] for i in chosen], counts, asked or [1] * len(counts))
        with rows_of(rows):
            return dropped(module, torch.ones(1, sum(asked or counts), width), 1)[0]

    alone = {i: masks([i]) for i in range(3)}
    assert torch.equal(masks([0, 1, 2]), torch.cat([alone[0], alone[1], alone[2]]))
    assert torch.equal(masks([2, 0]), torch.cat([alone[2], alone[0]]))
    assert not torch.equal(alone[0], alone[1][:2])
    few = torch.cat([alone[0][:1], alone[1][:2]])  # what the head sees: the first so many
    assert torch.equal(masks([0, 1, 2], [1, 2, 0]), few)
    with pytest.raises(ValueError, match="4 vectors, for rows of 2 tokens"), rows_of(
        Rows([0], [2], [1])
    ):  # fmt: skip
        module(torch.ones(4, width))


def test_gradient_is_the_mask_times_the_scale():
    x = torch.randn(50, 50, requires_grad=True)
    out = dropped(Dropout(0.25), x, 2)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    torch.testing.assert_close(gradient, (out != 0) * (1 / 0.75))


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_none_and_all(p):
    x = torch.ones(10, 10)
    assert torch.equal(Dropout(p)(x), x * (1 - p))


def test_evaluation_drops_nothing():
    x = torch.ones(10, 10)
    assert Dropout(0.5).eval()(x) is x


def test_modules_are_replaced_wherever_they_are():
    inner = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.3))
    outer = torch.nn.ModuleDict({"a": inner, "b": torch.nn.Dropout(0.1)})
    use_cheap_dropout(outer)
    assert sorted(m.p for m in outer.modules() if isinstance(m, Dropout)) == [0.1, 0.3]
    assert not [m for m in outer.modules() if isinstance(m, torch.nn.Dropout)]
