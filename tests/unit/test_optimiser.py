import pytest
import torch
from transformers import get_linear_schedule_with_warmup

from midway.train.optimiser import learning_rate, make_adamw, untouched_factor


@pytest.mark.parametrize(
    ("steps", "warmup"), [(1, 0.1), (10, 0.0), (30, 0.1), (33, 0.06), (7, 1.0)]
)
def test_rate_equals_transformers(steps, warmup):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=3e-5)
    rise = -(-steps * round(warmup * 100) // 100)
    schedule = get_linear_schedule_with_warmup(optimiser, rise, steps)
    for step in range(steps):
        want = optimiser.param_groups[0]["lr"]
        assert learning_rate(step, steps, warmup, 3e-5) == pytest.approx(want, rel=1e-12)
        optimiser.step()
        schedule.step()


@pytest.mark.parametrize("decay", [0.0, 0.01, 0.3])
def test_factor_is_what_adamw_does_to_a_weight_without_gradient(decay):
    steps, warmup, peak = 50, 0.1, 0.02
    weight = torch.nn.Parameter(torch.full((2, 3), 7.0, dtype=torch.float64))
    optimiser = torch.optim.AdamW([weight], weight_decay=decay)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = learning_rate(step, steps, warmup, peak)
        weight.grad = torch.zeros_like(weight)
        optimiser.step()
    factor = untouched_factor(steps, warmup, peak, decay)
    assert weight.tolist() == [[pytest.approx(7 * factor, rel=1e-12)] * 3] * 2
    assert (factor < 1) == (decay > 0)


def test_biases_and_norms_are_not_decayed():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.LayerNorm(3))
    frozen = torch.nn.Parameter(torch.ones(2, 2), requires_grad=False)
    optimiser = make_adamw([*model.parameters(), frozen], 0.1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for group in optimiser.param_groups:
        group["lr"] = 0.5
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for name, parameter in model.named_parameters():
        factor = 0.95 if name == "0.weight" else 1.0
        torch.testing.assert_close(parameter.detach(), before[name] * factor)
    assert sum(len(group["params"]) for group in optimiser.param_groups) == 4


def test_steps_equal_plain_adamw():
    """The fused kernel against the textbook loop of torch."""
    torch.manual_seed(0)
    mine = torch.nn.Parameter(torch.randn(4, 5))
    theirs = torch.nn.Parameter(mine.detach().clone())
    fused = make_adamw([mine], 0.01)
    plain = torch.optim.AdamW([theirs], weight_decay=0.01, foreach=False, fused=False)
    for _ in range(20):
        gradient = torch.randn(4, 5)
        for parameter, optimiser in ((mine, fused), (theirs, plain)):
            for group in optimiser.param_groups:
                group["lr"] = 1e-2
            parameter.grad = gradient.clone()
            optimiser.step()
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-6)
