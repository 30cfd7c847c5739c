"""Bitext mining as Artetxe and Schwenk (2019, arXiv 1811.01136) define it, written out."""

import numpy as np


def margins(left, right, k=4):
    """cos(x, y) over half the sum of the mean cosines of x's and of y's k nearest neighbours.

    Returns the margins of all pairs, and for each side the best of each one's neighbours.
    """
    cosines = np.asarray(left, np.float64) @ np.asarray(right, np.float64).T
    count = (min(k, len(right)), min(k, len(left)))
    ahead = [set(np.argsort(-row)[: count[0]].tolist()) for row in cosines]
    back = [set(np.argsort(-row)[: count[1]].tolist()) for row in cosines.T]
    means = [np.mean([cosines[x, y] for y in ys]) for x, ys in enumerate(ahead)]
    others = [np.mean([cosines[x, y] for x in xs]) for y, xs in enumerate(back)]
    table = cosines / ((np.array(means)[:, None] + np.array(others)[None]) / 2)
    forward = {x: max(ys, key=lambda y, x=x: table[x, y]) for x, ys in enumerate(ahead)}
    backward = {y: max(xs, key=lambda x, y=y: table[x, y]) for y, xs in enumerate(back)}
    return table, forward, backward


def naive(left, right, way):
    """Candidate pairs → margin; the ways are those of LASER's script."""
    table, forward, backward = margins(left, right)
    ahead = {(x, y) for x, y in forward.items()}
    back = {(x, y) for y, x in backward.items()}
    if way == "max":
        pairs = set()
        for x, y in sorted(ahead | back, key=lambda pair: -table[pair]):
            if all(x != a and y != b for a, b in pairs):
                pairs.add((x, y))
    else:
        pairs = {"forward": ahead, "backward": back, "intersection": ahead & back}[way]
    return {pair: table[pair] for pair in pairs}
