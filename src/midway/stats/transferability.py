"""How well features that are not trained any further tell labels apart.

- `log_me`: You, Liu, Wang and Long (2021), LogME: Practical assessment of pre-trained models for
  transfer learning, algorithm 1: the log evidence of a Bayesian linear regression of each label's
  indicator on the features, per example, with both precisions at their maximum.
- `h_score`: Bao et al. (2019), An information-theoretic approach to transferability, definition 2,
  with the shrunk covariance of Ibrahim, Ponomareva and Mazumder (2021), Newer is not always better,
  equation 6; the shrinkage is that of Ledoit and Wolf (2004), A well-conditioned estimator for
  large-dimensional covariance matrices.
- `nearest`: leave-one-out accuracy of the k nearest neighbours by cosine.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS, CONVERGED = 1000, 1e-6
NEIGHBOURS = 5


def log_me(features: Floats, labels: NDArray[np.int64]) -> float:
    """Mean log evidence of the labels' indicators, in nats per example.

    Args:
        features: ``[n, d]``.
        labels: ``[n]`` numbers of the labels.
    """
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    squares, size = singular**2, features.shape[1]
    found = [
        _evidence(left.T @ target, float(target @ target), squares, len(target), size)
        for target in _indicators(labels)
    ]
    return float(np.mean(found))


def _evidence(along: Floats, length: float, squares: Floats, n: int, size: int) -> float:
    """Log evidence per example at its maximum over both precisions.

    Args:
        along: the target in the basis of the left singular vectors, ``[min(n, d)]``.
        length: squared length of the target.
        squares: squared singular values.
        n: examples.
        size: d.
    """
    alpha, beta = 1.0, 1.0
    outside = max(length - float(along @ along), 0.0)
    for _ in range(ROUNDS):
        ratio = alpha / beta
        free = float((squares / (squares + ratio)).sum())
        weights = float((squares * along**2 / (squares + ratio) ** 2).sum())
        error = float((along**2 * (ratio / (squares + ratio)) ** 2).sum()) + outside
        alpha, beta = free / max(weights, 1e-12), (n - free) / max(error, 1e-12)
        if abs(alpha / beta - ratio) <= CONVERGED * ratio:
            break
    ratio = alpha / beta
    weights = float((squares * along**2 / (squares + ratio) ** 2).sum())
    error = float((along**2 * (ratio / (squares + ratio)) ** 2).sum()) + outside
    determinant = float(np.log(alpha + beta * squares).sum())
    determinant += (size - len(squares)) * np.log(alpha)
    evidence = size * np.log(alpha) + n * np.log(beta) - beta * error - alpha * weights
    return float(evidence - determinant - n * np.log(2 * np.pi)) / (2 * n)


def h_score(features: Floats, labels: NDArray[np.int64]) -> float:
    """Variance between labels in the metric of the shrunk covariance; more is better apart."""
    centred = features - features.mean(axis=0)
    shrinkage = ledoit_wolf(centred)
    n, size = centred.shape
    covariance = centred.T @ centred / n
    level = float(np.trace(covariance)) / size
    shrunk = (1 - shrinkage) * covariance
    shrunk[np.diag_indices(size)] += shrinkage * level + 1e-12
    indicators = _indicators(labels)
    means = np.stack([target @ centred / target.sum() for target in indicators])
    shares = np.array([target.sum() / n for target in indicators])
    inner = np.einsum("kd,kd->k", means, np.linalg.solve(shrunk, means.T).T)
    return float((1 - shrinkage) * (shares @ inner))


def ledoit_wolf(centred: Floats) -> float:
    """The share of the identity in the covariance of ``[n, d]`` centred features, 0 to 1."""
    n, size = centred.shape
    covariance = centred.T @ centred / n
    level = float(np.trace(covariance)) / size
    apart = float((covariance**2).sum()) - size * level**2
    lengths = (centred**2).sum(axis=1)
    noise = (float((lengths**2).sum()) / n - float((covariance**2).sum())) / n
    return min(1.0, max(0.0, noise / apart)) if apart > 0 else 1.0


def nearest(features: Floats, labels: NDArray[np.int64], *, k: int = NEIGHBOURS) -> float:
    """Share of examples whose label most of their k nearest others have, 0 to 1."""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    near = np.argsort(-alike, axis=1, kind="stable")[:, : min(k, len(labels) - 1)]
    votes = np.stack([(labels[near] == label).sum(axis=1) for label in np.unique(labels)])
    chosen = np.unique(labels)[votes.argmax(axis=0)]
    return float((chosen == labels).mean())


def _indicators(labels: NDArray[np.int64]) -> list[Floats]:
    """1 where an example has the label, of each label that occurs."""
    return [(labels == label).astype(np.float64) for label in np.unique(labels)]
