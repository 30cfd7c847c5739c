from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midway.train.schedule import Sampling, entry_probabilities, plan_steps


def plan(sizes, weights=None, sampling=None, *, batch_size=4, epochs=2.0, seed=1):
    return plan_steps(
        sizes,
        weights or [1.0] * len(sizes),
        sampling or Sampling(),
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
    )


def as_lists(steps):
    return [(step.entry, step.items.tolist()) for step in steps]


@given(st.integers(1, 60), st.integers(1, 9), st.sampled_from([0.5, 1.0, 2.0, 3.7]))
@settings(max_examples=100, deadline=None)
def test_one_entry_sees_every_row_once_an_epoch(size, batch_size, epochs):
    steps = plan([size], batch_size=batch_size, epochs=epochs)
    assert {len(step.items) for step in steps[:-1]} <= {batch_size}
    assert 1 <= len(steps[-1].items) <= batch_size
    stream = np.concatenate([step.items for step in steps])
    assert len(stream) == max(1, round(size * epochs))
    for begin in range(0, len(stream), size):
        epoch = stream[begin : begin + size]
        assert len(set(epoch.tolist())) == len(epoch)
        assert set(epoch.tolist()) <= set(range(size))


def test_the_order_is_a_function_of_the_seed():
    assert as_lists(plan([30, 20])) == as_lists(plan([30, 20]))
    assert as_lists(plan([30, 20])) != as_lists(plan([30, 20], seed=2))
    np.random.seed(7)  # the global generator has no say
    first = as_lists(plan([30]))
    np.random.seed(8)
    assert as_lists(plan([30])) == first


def test_epochs_come_in_different_orders():
    steps = plan([40], batch_size=40)
    assert steps[0].items.tolist() != steps[1].items.tolist()
    assert sorted(steps[0].items) == sorted(steps[1].items) == list(range(40))


def test_every_step_of_a_mixture_is_full_and_no_row_is_preferred():
    steps = plan([30, 50], batch_size=8, epochs=6)
    assert {len(step.items) for step in steps} == {8}
    assert len(steps) == -(-180 // 8) + -(-300 // 8)
    for entry, size in enumerate((30, 50)):
        counts = Counter(np.concatenate([s.items for s in steps if s.entry == entry]).tolist())
        assert max(counts.values()) - min(counts[row] for row in range(size)) <= 1


@pytest.mark.parametrize(
    ("sampling", "want"),
    [
        (Sampling(), [0.1, 0.9]),
        (Sampling(cap=300), [0.25, 0.75]),
        (Sampling("uniform"), [0.5, 0.5]),
        (Sampling("weights"), [0.8, 0.2]),
    ],
)
def test_entries_are_drawn_by_the_rule(sampling, want):
    sizes, weights = [100, 900], [4.0, 1.0]
    assert entry_probabilities(sizes, weights, sampling).tolist() == pytest.approx(want)
    steps = plan(sizes, weights, sampling, batch_size=1, epochs=2)
    share = np.mean([step.entry == 0 for step in steps])
    assert share == pytest.approx(want[0], abs=4 * np.sqrt(want[0] * want[1] / len(steps)))


def test_temperature_lies_between_proportional_and_uniform():
    sizes, weights = (100, 10_000, 1_000_000), (1.0, 1.0, 1.0)
    one = entry_probabilities(sizes, weights, Sampling("temperature", temperature=1.0))
    np.testing.assert_allclose(one, entry_probabilities(sizes, weights, Sampling()))
    five = entry_probabilities(sizes, weights, Sampling("temperature", temperature=5.0))
    capped = np.minimum(sizes, 131072) ** 0.2
    np.testing.assert_allclose(five, capped / capped.sum())
    many = entry_probabilities(sizes, weights, Sampling("temperature", temperature=1e6))
    np.testing.assert_allclose(many, 1 / 3, atol=1e-4)


def test_an_entry_may_have_its_own_batch_size():
    steps = plan_steps(
        (40, 40), (1.0, 1.0), Sampling("uniform"),
        batch_size=8, epochs=3.0, seed=1, batch_sizes=(0, 3),
    )  # fmt: skip
    assert {len(step.items) for step in steps if step.entry == 0} == {8}
    assert {len(step.items) for step in steps if step.entry == 1} == {3}
    assert len(steps) == 15 + 40
    alone = plan_steps(
        (10,), (1.0,), Sampling(), batch_size=8, epochs=1.0, seed=1, batch_sizes=(4,)
    )
    assert [len(step.items) for step in alone] == [4, 4, 2]
