"""Exact nearest neighbours by inner product, in blocks: memory does not grow with the square.

`nearest` searches one direction; `nearest_both` searches both with each score computed once, as
bitext mining needs it.
"""

import torch

BLOCK = 4096


def nearest(
    queries: torch.Tensor, index: torch.Tensor, *, k: int = 1, block: int = BLOCK
) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact top-k by inner product, in blocks of queries and of the index.

    Args:
        queries: ``float[n, hidden]``, unit length for cosines.
        index: ``float[m, hidden]``.
        k: how many; at most m.
        block: rows per block; memory is block² scores.

    Returns:
        Scores and indices, ``[n, k]``, best first.
    """
    k = min(k, len(index))
    scores, indices = [], []
    for begin in range(0, len(queries), block):
        query = queries[begin : begin + block]
        best = query.new_full((len(query), 0), 0.0)
        where = torch.empty((len(query), 0), dtype=torch.long, device=query.device)
        for base in range(0, len(index), block):
            found, place = _best(query @ index[base : base + block].T, k)
            best = torch.cat([best, found], 1)
            where = torch.cat([where, place + base], 1)
            order = best.argsort(dim=1, descending=True, stable=True)[:, :k]
            best, where = best.gather(1, order), where.gather(1, order)
        scores.append(best)
        indices.append(where)
    return torch.cat(scores), torch.cat(indices)


def _best(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    if k == 1:  # of equal scores, max takes the first
        values, indices = scores.max(dim=1, keepdim=True)
        return values, indices
    values, indices = scores.topk(min(k, scores.shape[1]), dim=1)
    return values, indices


def nearest_both(
    left: torch.Tensor, right: torch.Tensor, *, k: int, block: int = BLOCK
) -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Exact top-k from each side to the other.

    Args:
        left: ``float[n, hidden]``, unit length for cosines.
        right: ``float[m, hidden]``.
        k: how many; at most the size of the smaller side.
        block: rows per block of either side; memory is block² scores beside the results.

    Returns:
        Scores and indices ``[n, k]`` from left to right, and ``[m, k]`` from right to left.
    """
    k = min(k, len(left), len(right))
    back = right.new_full((len(right), k), float("-inf"))
    back_places = torch.zeros((len(right), k), dtype=torch.long, device=right.device)
    scores, indices = [], []
    for begin in range(0, len(left), block):
        query = left[begin : begin + block]
        best = query.new_full((len(query), k), float("-inf"))
        places = torch.zeros((len(query), k), dtype=torch.long, device=query.device)
        for base in range(0, len(right), block):
            found = query @ right[base : base + block].T
            best, places = _merge(best, places, found, base)
            end = base + block
            back[base:end], back_places[base:end] = _merge(
                back[base:end], back_places[base:end], found.T, begin
            )
        scores.append(best)
        indices.append(places)
    return (torch.cat(scores), torch.cat(indices)), (back, back_places)


def _merge(
    best: torch.Tensor, places: torch.Tensor, found: torch.Tensor, base: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best of what is known and of one more block, whose first column is number `base`."""
    k = best.shape[1]
    values, columns = found.topk(min(k, found.shape[1]), dim=1)
    values, columns = torch.cat([best, values], 1), torch.cat([places, columns + base], 1)
    order = values.argsort(dim=1, descending=True, stable=True)[:, :k]
    return values.gather(1, order), columns.gather(1, order)
