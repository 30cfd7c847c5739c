"""Exact nearest neighbours by inner product, in blocks: memory does not grow with the square.

`nearest` searches one direction; `nearest_both` searches both with each score computed once, as
bitext mining needs it.
"""

import torch

BLOCK = 2048
GROUP = 32


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
    return _top(scores, min(k, scores.shape[1]), 1)


def _top(scores: torch.Tensor, k: int, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best along `dim` and their places, each ``[n, k]`` for the n of the other dimension.

    On CPU `torch.topk` looks at one number after the other, and is slow down a column. So the
    greatest of each of many groups is found first; the k best are in the k best groups.
    """
    size = scores.shape[dim]
    groups = size // GROUP  # the place p belongs to the group p % groups
    if groups < 4 * k:
        values, places = scores.topk(k, dim)
        return (values, places) if dim else (values.T, places.T)
    grouped = torch.unflatten(scores.narrow(dim, 0, groups * GROUP), dim, (GROUP, groups))
    greatest = grouped.amax(dim)
    best = (greatest if dim else greatest.T).topk(k, 1).indices
    steps = torch.arange(0, groups * GROUP, groups, device=scores.device)
    rest = torch.arange(groups * GROUP, size, device=scores.device)
    places = torch.cat([(best[:, None] + steps[:, None]).flatten(1), rest.expand(len(best), -1)], 1)
    found = scores.gather(1, places) if dim else scores.gather(0, places.T).T
    values, columns = found.topk(k, 1)
    return values, places.gather(1, columns)


def nearest_both(
    left: torch.Tensor, right: torch.Tensor, *, k: int, block: int = BLOCK
) -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Exact top-k from each side to the other.

    Args:
        left: ``float[n, hidden]``, unit length for cosines.
        right: ``float[m, hidden]``.
        k: how many; at most as many as the other side has.
        block: rows per block of either side; memory is block² scores beside the results.

    Returns:
        Scores and indices ``[n, k]`` from left to right, and ``[m, k]`` from right to left.
    """
    ahead, ahead_places = _unknown(left, min(k, len(right)))
    back, back_places = _unknown(right, min(k, len(left)))
    for begin in range(0, len(left), block):
        mine = slice(begin, begin + block)
        for base in range(0, len(right), block):
            other = slice(base, base + block)
            found = left[mine] @ right[other].T
            ahead[mine], ahead_places[mine] = _merge(
                ahead[mine], ahead_places[mine], found, base, dim=1
            )
            back[other], back_places[other] = _merge(
                back[other], back_places[other], found, begin, dim=0
            )
    return (ahead, ahead_places), (back, back_places)


def _unknown(side: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores and indices before anything is known."""
    places = torch.zeros((len(side), k), dtype=torch.long, device=side.device)
    return side.new_full((len(side), k), float("-inf")), places


def _merge(
    best: torch.Tensor, places: torch.Tensor, found: torch.Tensor, base: int, *, dim: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best of what is known and, along `dim`, of one more block, which begins at `base`."""
    k = best.shape[1]
    values, columns = _top(found, min(k, found.shape[dim]), dim)
    values, columns = torch.cat([best, values], 1), torch.cat([places, columns + base], 1)
    order = values.argsort(dim=1, descending=True, stable=True)[:, :k]
    return values.gather(1, order), columns.gather(1, order)
