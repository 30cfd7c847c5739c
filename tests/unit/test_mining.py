"""Mining: neighbours, margins, ways and threshold against definitions written out."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_mining import margins, naive

from midway.families.mining import candidate_pairs
from midway.families.search import nearest_both
from midway.metrics.mining import WAYS, above, best_threshold, tuned

SIDES = [(50, 50), (13, 90), (64, 5), (3, 50), (50, 3), (1, 1), (40, 41)]


def unit(rows, seed, hidden=8):
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.rand(rows, hidden, generator=generator) + 0.1  # cosines above 0
    return torch.nn.functional.normalize(vectors, dim=-1)


@pytest.mark.parametrize("k", [1, 4, 9])
@pytest.mark.parametrize("block", [1, 3, 7, 64, 1000])
@pytest.mark.parametrize("sides", SIDES)
def test_neighbours_of_both_sides_equal_brute_force(k, block, sides):
    left, right = unit(sides[0], 1), unit(sides[1], 2)
    found = nearest_both(left, right, k=k, block=block)
    cosines = left.double().numpy() @ right.double().numpy().T
    for (scores, places), table in zip(found, (cosines, cosines.T), strict=True):
        want = np.argsort(-table, axis=1)[:, :k]
        assert places.tolist() == want.tolist()
        np.testing.assert_allclose(scores, np.take_along_axis(table, want, 1), atol=1e-6)


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("block", [700, 5000])
def test_neighbours_among_many_equal_brute_force(k, block):
    """So many that the k best are looked for in groups; 1,217 leaves some in no group."""
    test_neighbours_of_both_sides_equal_brute_force(k, block, (641, 1217))


def test_equal_neighbours_are_different_ones():
    left, right = unit(2, 1), unit(3, 2).repeat(400, 1)
    for scores, places in nearest_both(left, right, k=4):
        assert all(len(set(row)) == min(4, len(row)) for row in places.tolist())
        want = (left @ right.T if len(places) == 2 else right @ left.T).topk(len(places[0]))
        torch.testing.assert_close(scores, want.values)


@pytest.mark.parametrize("sides", [(0, 5), (5, 0), (0, 0)])
def test_nothing_to_mine(sides):
    (ahead, _), (back, _) = nearest_both(torch.ones(sides[0], 4), torch.ones(sides[1], 4), k=4)
    assert (len(ahead), len(back)) == sides
    for way in WAYS:
        found = candidate_pairs(torch.ones(sides[0], 4), torch.ones(sides[1], 4), way=way)
        assert len(found.scores) == len(found.left) == len(found.right) == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("seed", [1, 5])
def test_every_way_equals_its_definition(way, sides, seed):
    left, right = unit(sides[0], seed), unit(sides[1], seed + 1)
    found = candidate_pairs(left, right, way=way)
    want = naive(left, right, way)
    pairs = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == set(want)
    np.testing.assert_allclose(found.scores, [want[pair] for pair in pairs], rtol=1e-5)
    assert (np.diff(found.scores) <= 0).all()
    if way == "max":
        assert len(set(found.left.tolist())) == len(set(found.right.tolist())) == len(pairs)
    if way in ("forward", "backward"):
        assert len(pairs) == sides[way == "backward"]


def test_the_best_pair_by_margin_need_not_be_the_nearest():
    """A hub is near to everything; the ratio takes that away."""
    left, right = unit(40, 3), unit(41, 4)
    table, forward, _ = margins(left, right)
    nearest = (left @ right.T).argmax(1).tolist()
    changed = [x for x, y in forward.items() if nearest[x] != y]
    assert len(changed) > 3
    found = candidate_pairs(left, right, way="forward")
    assert dict(zip(found.left.tolist(), found.right.tolist(), strict=True)) == forward
    assert table.max() == pytest.approx(float(found.scores[0]), rel=1e-5)


def f1(taken, gold):
    return 2 * len(set(taken) & gold) / (len(taken) + len(gold)) if taken or gold else 0.0


SCORES = st.one_of(st.sampled_from([0.5, 1.0, 1.25, float(np.nextafter(1, 2))]), st.floats(-2, 2))


@given(st.lists(st.tuples(SCORES, st.booleans()), max_size=12), st.integers(0, 3))
@example([(1.0, True)], 0)  # the last pair is the best cut
@example([(1.0, True), (1.0, False), (1.0, False), (0.5, True)], 0)  # equal scores
@example([(1.0, False), (1.0, True), (0.5, False)], 0)
@example([(float(np.nextafter(1, 2)), True), (1.0, False)], 0)  # nothing lies between
@example([(-0.0, True), (0.0, True)], 1)
@settings(deadline=None)
def test_the_threshold_has_the_best_f1_of_all(pairs, missed):
    ranked = sorted(pairs, key=lambda pair: -pair[0])
    found = [(score, (str(n), str(n))) for n, (score, _) in enumerate(ranked)]
    gold = {pair for (_, pair), (_, right) in zip(found, ranked, strict=True) if right}
    gold |= {(f"missed{n}", "x") for n in range(missed)}
    threshold = tuned(found, gold)
    cuts = [float("inf"), *(score for score, _ in found)]
    best = max(f1([pair for score, pair in found if score >= cut], gold) for cut in cuts)
    taken = above(found, threshold)
    assert f1(taken, gold) == pytest.approx(best)
    if best == 0:
        assert taken == []


def test_the_threshold_lies_half_way_to_the_next_pair():
    assert best_threshold([3.0, 2.0, 1.0], [True, True, False], 2) == 1.5
    assert best_threshold([3.0, 2.0], [True, True], 2) == 2.0
    assert best_threshold([3.0, 2.0], [False, False], 2) == float("inf")
    assert best_threshold([], [], 0) == float("inf")
    assert best_threshold([3.0, 2.0, 1.0, 0.0], [True, False, False, True], 2) == 2.5


MEMORY = """
import resource, torch
from midway.families.search import nearest_both

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

torch.set_num_threads(2)
left, right = torch.randn(2, {rows}, 64, generator=torch.Generator().manual_seed(0))
nearest_both(left[:10], right[:10], k=4)
before = peak()
nearest_both(left, right, k=4)
print(peak() - before)
"""


def test_memory_does_not_grow_with_the_square():
    rows = 16_000
    command = [sys.executable, "-c", MEMORY.format(rows=rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    whole = 4 * rows * rows  # 0.95 GiB
    assert int(done.stdout) < whole / 4  # measured: 0.03 to 0.13 GiB, whatever the rows
