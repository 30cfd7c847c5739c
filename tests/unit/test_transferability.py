"""LogME, H-score and nearest neighbours: against their definitions, scipy and scikit-learn."""

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from midway.stats.transferability import h_score, ledoit_wolf, log_me, nearest


def data(n, d, *, apart, seed=0, kinds=3):
    """Features, some directions of which differ between labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(kinds, size=n)
    centres = apart * rng.normal(size=(kinds, d))
    return rng.normal(size=(n, d)) * np.geomspace(2, 0.3, d) + centres[labels], labels


def greatest_evidence(features, target):
    """By search, from the marginal distribution: y ~ N(0, F F' / alpha + I / beta)."""
    gram = features @ features.T

    def minus(logs):
        alpha, beta = np.exp(np.clip(logs, -12, 12))
        covariance = gram / alpha + np.eye(len(target)) / beta
        return -stats.multivariate_normal.logpdf(target, cov=covariance)

    starts = ([0.0, 0.0], [3.0, 1.0], [6.0, 2.0])
    found = [
        optimize.minimize(minus, s, method="Nelder-Mead", options={"xatol": 1e-5}) for s in starts
    ]
    return -min(f.fun for f in found)


@pytest.mark.parametrize(("n", "d"), [(40, 6), (25, 40)])
def test_log_me_is_the_greatest_evidence(n, d):
    features, labels = data(n, d, apart=1.0)
    want = [
        greatest_evidence(features, (labels == label).astype(float)) / n
        for label in np.unique(labels)
    ]
    assert log_me(features, labels) == pytest.approx(np.mean(want), abs=2e-4)


@pytest.mark.parametrize(("n", "d"), [(60, 5), (30, 50)])
def test_h_score_is_its_definition_with_the_shrunk_covariance(n, d):
    features, labels = data(n, d, apart=0.3)
    fitted = LedoitWolf().fit(features)
    centred = features - features.mean(axis=0)
    assert ledoit_wolf(centred) == pytest.approx(fitted.shrinkage_, rel=1e-9)
    between = np.zeros((d, d))
    for label in np.unique(labels):
        mean = centred[labels == label].mean(axis=0)
        between += (labels == label).mean() * np.outer(mean, mean)
    want = np.trace(np.linalg.inv(fitted.covariance_) @ ((1 - fitted.shrinkage_) * between))
    assert h_score(features, labels) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("k", [1, 5])
def test_nearest_is_leave_one_out_accuracy(k):
    features, labels = data(80, 6, apart=0.5)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    model = KNeighborsClassifier(n_neighbors=k)
    said = cross_val_predict(model, unit, labels, cv=LeaveOneOut())
    assert nearest(features, labels, k=k) == pytest.approx((said == labels).mean(), abs=0.03)


@pytest.mark.parametrize("score", [log_me, h_score, nearest])
def test_labels_that_lie_apart_score_higher(score):
    far, near = (data(120, 12, apart=apart, seed=3) for apart in (1.0, 0.05))
    assert score(*far) > score(*near)
