"""Shrinkage: against Henderson's equations, a search for the likelihood, and known truth."""

import numpy as np
import pytest
from scipy import optimize

from midway.stats import shrink, student


def table(rows, columns, *, sizes, noise, rng):
    """True gains of a random table, what was measured of them, and the designs."""
    row, column, pair = sizes
    truth = 2.0 + rng.normal(0, row, (rows, 1)) + rng.normal(0, column, (1, columns))
    truth = truth + rng.normal(0, pair, (rows, columns))
    errors = rng.uniform(0.5, 1.5, (rows, columns)) * noise
    values = truth + rng.normal(size=truth.shape) * errors
    cells = np.arange(rows * columns)
    parts = [np.eye(rows)[cells // columns], np.eye(columns)[cells % columns], np.eye(len(cells))]
    return truth.ravel(), values.ravel(), errors.ravel(), parts


def restricted(variances, y, errors, parts):
    """Minus the restricted log likelihood, up to a constant."""
    total = np.diag(errors**2)
    for variance, part in zip(variances, parts, strict=True):
        total = total + variance * part @ part.T
    inverse = np.linalg.inv(total)
    information = inverse.sum()
    mean = inverse.sum(axis=0) @ y / information
    rest = y - mean
    return (np.linalg.slogdet(total)[1] + np.log(information) + rest @ inverse @ rest) / 2


def test_variances_maximise_the_restricted_likelihood():
    rng = np.random.default_rng(1)
    _, values, errors, parts = table(6, 7, sizes=(2, 3, 1), noise=0.7, rng=rng)
    found = shrink(values, errors, parts)
    mine = restricted(found.variances, values, errors, parts)
    best = min(
        optimize.minimize(
            lambda logs: restricted(np.exp(logs), values, errors, parts),
            start,
            method="Nelder-Mead",
        ).fun
        for start in ([0.0, 0.0, 0.0], [2.0, 2.0, 0.0], [0.0, 2.0, -4.0])
    )
    assert mine == pytest.approx(best, abs=0.01)


def test_predictions_solve_hendersons_equations():
    rng = np.random.default_rng(2)
    _, values, errors, parts = table(4, 5, sizes=(2, 3, 1), noise=0.7, rng=rng)
    values[[3, 11]] = np.nan
    found = shrink(values, errors, parts)
    seen = ~np.isnan(values)
    design = np.concatenate([np.ones((len(values), 1)), *parts], axis=1)
    prior = np.concatenate(
        [[0.0], *(np.full(p.shape[1], 1 / v) for p, v in zip(parts, found.variances, strict=True))]
    )
    weights = np.diag(1 / errors[seen] ** 2)
    left = design[seen].T @ weights @ design[seen] + np.diag(prior)
    solved = np.linalg.solve(left, design[seen].T @ weights @ values[seen])
    assert found.estimates == pytest.approx(design @ solved, abs=1e-6)
    assert found.mean == pytest.approx(solved[0], abs=1e-6)
    doubt = np.sqrt(np.einsum("ij,jk,ik->i", design, np.linalg.inv(left), design))
    assert found.errors == pytest.approx(doubt, abs=1e-6)
    assert found.errors[~seen].min() > found.errors[seen].max()


def test_intervals_of_cells_that_were_never_measured_hold():
    """200 studies of 6 intermediates on 6 targets; the last target was never measured."""
    rng, inside, width = np.random.default_rng(3), [], []
    for _ in range(200):
        truth, values, errors, parts = table(6, 6, sizes=(2, 3, 1), noise=1.0, rng=rng)
        hidden = np.arange(36) % 6 == 5
        found = shrink(np.where(hidden, np.nan, values), errors, parts)
        half = student(4) * found.errors
        inside.append(np.abs(found.estimates - truth)[hidden] <= half[hidden])
        width.append(half[hidden].mean())
    assert 0.92 <= np.mean(inside) <= 0.99
    assert np.mean(width) < 14  # of a spread between targets of 3


def test_noise_moves_towards_what_is_expected():
    rng = np.random.default_rng(4)
    closer = []
    for _ in range(50):
        truth, values, errors, parts = table(5, 6, sizes=(1, 1, 0.5), noise=3.0, rng=rng)
        found = shrink(values, errors, parts)
        closer.append(np.abs(found.estimates - truth).mean() < np.abs(values - truth).mean())
    assert np.mean(closer) > 0.9


def test_one_measured_cell_is_not_enough():
    values = np.array([1.0, np.nan])
    with pytest.raises(ValueError, match="at least two"):
        shrink(values, np.ones(2), [np.eye(2)])
