"""Which weights are kept: the last, the best by validation, a mean; and going on after a kill."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_training import QUIET, RECIPE, Case, head_of

from midway.encoders.load import load_encoder
from midway.families import FAMILIES
from midway.graph.stage import Runtime
from midway.train.loop import Hooks, train
from midway.train.optimiser import learning_rate, untouched_factor
from midway.train.recipe import Selection
from midway.train.selection import Keeper
from midway.train.step import Entry

SCORES = [10.0, 40.0, 30.0, 40.0, 20.0, 35.0, 5.0]


class Killed(Exception):  # noqa: N818
    pass


class Watched:
    """A run whose validation scores are given; notes the weights at every validation."""

    def __init__(self, case, selection, work, *, scores=SCORES, runtime=QUIET, after=None):
        self.encoder = load_encoder(case.folder, None, case.features.active, dropout=0.2)
        self.head = head_of("classification", self.encoder, 0.2)
        self.seen, self.scores, left = {}, list(scores), [after]
        self.keeper = Keeper(selection, len(case.steps))

        def validate():
            number = len(self.keeper.history)
            self.seen[number] = self.weights()
            self.encoder.model.eval()  # as the real one does
            return self.scores[number]

        def check():
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise Killed

        entry = Entry(FAMILIES["classification"], case.features, self.head)
        hooks = Hooks(lambda _: None, check, work, validate)
        self.trained = train(
            self.encoder, [entry], case.steps, RECIPE, runtime, seed=1, hooks=hooks,
            keeper=self.keeper,
        )  # fmt: skip

    def weights(self):
        modules = (self.encoder.model, self.head.module)
        return [p.detach().clone() for module in modules for p in module.parameters()]


@pytest.fixture
def case(tmp_path):
    made = Case(tmp_path, "classification")
    assert len(made.steps) == 30
    return made


def equal(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_last_weights_are_kept_and_validation_changes_nothing(case, tmp_path):
    *_, want = case.run(tmp_path / "a", recipe=dataclasses.replace(RECIPE, dropout=0.2))
    run = Watched(case, Selection("last", every=5), tmp_path / "b")
    assert run.keeper.history == [(5 * (i + 1), score) for i, score in enumerate(SCORES[:6])]
    assert run.trained.kept == [30]
    assert equal(run.weights(), run.seen[5])
    again = Watched(case, Selection("last"), tmp_path / "c")
    assert again.keeper.history == [(30, 10.0)]
    assert again.trained.losses == run.trained.losses == want.losses


def test_the_best_weights_are_kept_and_of_equal_ones_the_earliest(case, tmp_path):
    run = Watched(case, Selection("best", every=5), tmp_path / "b")
    assert run.trained.kept == [10]
    assert equal(run.weights(), run.seen[1])
    assert not equal(run.weights(), run.seen[3])


def test_training_ends_when_patience_does(case, tmp_path):
    run = Watched(case, Selection("best", every=5, patience=2), tmp_path / "b")
    assert [done for done, _ in run.keeper.history] == [5, 10, 15, 20]
    assert len(run.trained.losses) == 20
    assert run.trained.kept == [10]
    assert equal(run.weights(), run.seen[1])


def test_the_mean_of_the_last_checkpoints_is_kept(case, tmp_path):
    run = Watched(case, Selection("average", every=7, keep=3), tmp_path / "b")
    assert [done for done, _ in run.keeper.history] == [7, 14, 21, 28, 30]
    assert run.trained.kept == [21, 28, 30]
    means = [sum(parts) / 3 for parts in zip(*(run.seen[i] for i in (2, 3, 4)), strict=True)]
    for mine, mean in zip(run.weights(), means, strict=True):
        torch.testing.assert_close(mine, mean, rtol=0, atol=1e-7)


@pytest.mark.parametrize("after", [3, 12, 26])
@pytest.mark.parametrize(
    "selection", [Selection("best", every=5), Selection("average", every=7), Selection("last", 5)]
)
def test_a_killed_run_keeps_the_same_weights(selection, after, case, tmp_path):
    want = Watched(case, selection, tmp_path / "a")
    often = Runtime(checkpoint_seconds=0)
    with pytest.raises(Killed):
        Watched(case, selection, tmp_path / "b", runtime=often, after=after)
    got = Watched(case, selection, tmp_path / "b", runtime=often)
    assert got.trained.steps_here == 30 - after
    assert got.trained.kept == want.trained.kept
    assert got.keeper.history == want.keeper.history
    assert equal(got.weights(), want.weights())


def test_rows_that_are_never_trained_decay_until_the_kept_step():
    whole = untouched_factor(30, 0.1, 1e-3, 0.1)
    assert untouched_factor(30, 0.1, 1e-3, 0.1, done=30) == whole
    want = np.prod([1 - learning_rate(step, 30, 0.1, 1e-3) * 0.1 for step in range(10)])
    assert untouched_factor(30, 0.1, 1e-3, 0.1, done=10) == pytest.approx(float(want), rel=1e-12)
    assert whole < untouched_factor(30, 0.1, 1e-3, 0.1, done=10) < 1
