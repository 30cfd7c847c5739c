"""Permutation tests, many tests at once, power, regression: against scipy and brute force."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from midway.analysis.wording import ends, more_seeds, scores_after
from midway.stats import (
    Interval,
    SeedError,
    benjamini_hochberg,
    cohens_h,
    decompose,
    detectable,
    error_reduction,
    expected_maximum,
    holm,
    p_value,
    regress,
    seed_error,
    seeds_needed,
    swapped_gains,
)
from midway.stats.bootstrap import interaction
from midway.stats.regression import student

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from simulate_statistics import simulate

NOTHING = SeedError(0.0, 0)


def rng(seed=0):
    return np.random.default_rng(seed)


def two(first, second, top):
    """Numerators of two systems with one seed each, denominators 1."""
    values = np.column_stack([first, second])
    return values, np.full_like(values, top)


def test_p_of_a_mean_agrees_with_scipys_paired_permutation_test():
    first = rng(1).random(60)
    second = first - rng(2).normal(0.05, 0.2, 60)
    values, ones = two(first, second, 1.0)
    swapped = swapped_gains(values, ones, [([0], [1])], resamples=20_000, rng=rng())[0]
    gain = 100 * (first - second).mean()
    theirs = stats.permutation_test(
        (first, second),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=rng(3),
    ).pvalue
    assert p_value(gain, swapped, NOTHING, rng=rng()) == pytest.approx(theirs, abs=0.012)


def test_swapped_f1_is_the_exact_distribution_over_all_swaps():
    """Denominators differ between the systems, as those of entity F1 do."""
    source = rng(4)
    top = source.integers(0, 4, (6, 2)).astype(float)
    bottom = top + source.integers(0, 4, (6, 2)) + 1.0
    swapped = swapped_gains(top, bottom, [([0], [1])], resamples=40_000, rng=rng())[0]
    exact = []
    for swap in itertools.product([0, 1], repeat=6):
        order = np.array([[s, 1 - s] for s in swap])
        a, b = np.take_along_axis(top, order, 1), np.take_along_axis(bottom, order, 1)
        exact.append(100 * (a.sum(0) / b.sum(0)) @ [1, -1])
    assert set(np.round(swapped, 6)) <= set(np.round(exact, 6))
    for level in (0.05, 0.25, 0.5, 0.9):
        share = (swapped <= np.quantile(exact, level)).mean()
        assert share == pytest.approx(np.mean(exact <= np.quantile(exact, level)), abs=0.01)


def test_seeds_are_swapped_together_and_averaged():
    top = rng(5).random((40, 6))
    whole = np.ones_like(top)
    odd = whole.copy()
    odd[0, 5] += 1e-9  # the general way, for unequal denominators
    pairs = [([0, 1, 2], [3, 4, 5]), ([], []), ([3], [0])]
    plain = swapped_gains(top, whole, pairs, resamples=50, rng=rng())
    general = swapped_gains(top, odd, pairs, resamples=50, rng=rng())
    assert plain == pytest.approx(general, abs=1e-6)
    assert (plain[1] == 0).all()
    difference = top[:, :3].mean(axis=1) - top[:, 3:].mean(axis=1)
    assert plain[0].std() == pytest.approx(100 * np.sqrt((difference**2).sum()) / 40, rel=0.25)


def test_the_data_count_as_one_permutation():
    assert p_value(5.0, np.zeros(99), NOTHING, rng=rng()) == 0.01
    assert p_value(0.0, np.zeros(99), NOTHING, rng=rng()) == 1.0


def test_holm_is_the_sequential_procedure():
    values = rng(6).random(12) ** 3
    for level in (0.01, 0.05, 0.2):
        rejected = np.zeros(12, dtype=bool)
        for step, place in enumerate(np.argsort(values)):
            if values[place] > level / (12 - step):
                break
            rejected[place] = True
        assert (np.array(holm(values)) <= level).tolist() == rejected.tolist()
    assert holm([]) == []
    assert holm([0.02]) == [0.02]


def test_benjamini_and_hochberg_agree_with_scipy():
    values = rng(7).random(30) ** 2
    assert benjamini_hochberg(values) == pytest.approx(stats.false_discovery_control(values))
    assert benjamini_hochberg([]) == []


@pytest.mark.parametrize("degrees", [1, 2, 7, 30, 400])
def test_quantiles_of_students_t(degrees):
    assert student(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=2e-3)


def test_what_chance_in_single_answers_adds_is_taken_out_of_the_seeds():
    """Without any seed effect the seeds' part is nothing but such chance, on average."""
    measured, taken = [], []
    for draw in range(300):
        answers = rng(draw).random((200, 4))  # seeds are independent guesses
        swaps = rng(draw + 1000).integers(0, 200, (300, 200))
        replicates = 100 * answers[swaps].mean(axis=1).T
        values = 100 * answers.mean(axis=0)[None]
        error = seed_error(values, np.ones(1), fixed=np.array([False]))
        measured.append(error.standard_error**2)
        taken.append(interaction(replicates))
    assert np.mean(taken) == pytest.approx(np.mean(measured), rel=0.15)
    assert interaction(np.ones((1, 5))) == 0


def test_detectable_is_the_power_of_a_normal_test():
    """Of effects as large as that four in five are found."""
    error = 1.3
    interval = Interval(0.0, -1.959964 * error, 1.959964 * error, 3, error)
    effect = detectable(interval)
    found = stats.norm.sf(1.959964 - effect / error) + stats.norm.cdf(-1.959964 - effect / error)
    assert found == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("first", "second", "h"), [(50, 65, 0.304), (25, 50, 0.524), (0, 100, 3.142), (90, 80, -0.284)]
)
def test_difference_of_proportions_as_cohen_tabulates_it(first, second, h):
    """Differences of Cohen (1988), table 6.2.2: phi is 1.571 at .50, 1.875 at .65, 1.047 at .25."""
    assert cohens_h(first, second) == pytest.approx(h, abs=2e-3)


def test_share_of_the_errors_that_are_gone():
    assert error_reduction(85, 95) == pytest.approx(100 * 10 / 15)
    assert error_reduction(40, 50) == pytest.approx(100 * 10 / 60)
    assert error_reduction(90, 80) == pytest.approx(-100)
    assert error_reduction(100, 90) is None


def test_what_it_would_take_to_tell_is_said_in_words():
    few = Interval(0.0, -5, 5, 3, example_error=0.3, seed_error=1.0)
    needed = seeds_needed(few, 1.0)
    assert (
        1.96 * np.hypot(0.3, np.sqrt(3 / needed))
        < 1
        < 1.96 * np.hypot(0.3, np.sqrt(3 / (needed - 1)))
    )
    assert f"at least {needed} seeds" in more_seeds(few)
    examples = Interval(0.0, -5, 5, 3, example_error=1.0, seed_error=0.1)
    assert "more test examples" in more_seeds(examples)
    assert more_seeds(Interval(0.0, -0.1, 0.1, 3, 0.05, 0.05)) == ""  # precise as it is
    assert more_seeds(Interval(0.0, -5, 5, 1, 0.3)) == ""  # nothing is known of seeds


def test_seeds_needed():
    interval = Interval(0.0, -5, 5, 3, example_error=1.0, seed_error=2.0)
    needed = seeds_needed(interval, 2.5)
    half = [1.959964 * np.hypot(1.0, 2.0 * np.sqrt(3 / n)) for n in (needed - 1, needed)]
    assert half[0] > 2.5 >= half[1]
    assert seeds_needed(interval, 1.9) is None  # examples alone are more
    assert seeds_needed(Interval(0.0, -1, 1, 1, 0.5), 5.0) is None  # nothing is known of seeds


@pytest.mark.parametrize(("count", "mean"), [(1, 0.0), (2, 0.5642), (5, 1.1630), (10, 1.5388)])
def test_mean_of_the_greatest_of_normal_numbers(count, mean):
    """Tippett (1925), On the extreme individuals, table of the mean range: half of it for two."""
    assert expected_maximum(count) == pytest.approx(mean, abs=0.01)


def test_slopes_agree_with_least_squares_and_errors_with_brute_force():
    source = rng(8)
    clusters = np.repeat(np.arange(12), 3)
    blocks = np.tile(np.arange(3), 12)
    wealth = source.normal(size=12)[clusters]
    values = 2.0 * wealth + np.array([0.0, 5.0, -3.0])[blocks] + source.normal(size=12)[clusters]
    (slope,) = regress(values, wealth[:, None], blocks, clusters, seeds=2)
    design = np.column_stack([wealth, *(blocks == b for b in range(3))]).astype(float)
    beta, *_ = np.linalg.lstsq(design, values, rcond=None)
    residual = values - design @ beta
    bread = np.linalg.inv(design.T @ design)
    meat = sum(
        np.outer(design[clusters == c].T @ residual[clusters == c],
                 design[clusters == c].T @ residual[clusters == c])
        for c in range(12)
    )  # fmt: skip
    error = np.sqrt((bread @ meat @ bread)[0, 0] * 12 / 11 * 35 / 32)
    assert slope.estimate == pytest.approx(beta[0])
    assert slope.seed_error == pytest.approx(error)
    half = stats.t.ppf(0.975, 11) * error
    assert slope.high - slope.estimate == pytest.approx(half, rel=1e-3)


def test_slopes_that_cannot_be_told_apart_are_none():
    values, one = np.arange(8.0), np.ones((8, 1))
    blocks, clusters = [0] * 8, list(range(8))
    assert regress(values, one, blocks, clusters, seeds=1) is None  # the intercept
    few = np.array([[0.0], [1.0]])
    assert regress(values[:2], few, [0, 0], [0, 1], seeds=1) is None


def test_a_table_divides_into_rows_columns_and_interaction():
    rows, columns = np.array([[0.0], [4.0], [8.0]]), np.array([[0.0, 2.0]])
    shares = decompose(rows + columns, np.zeros((3, 2)))
    assert shares.interaction == pytest.approx(0, abs=1e-12)
    assert shares.rows + shares.columns == pytest.approx(1)
    assert shares.rows == pytest.approx(64 / 3 / (64 / 3 + 2))
    apart = decompose(np.array([[1.0, -1.0], [-1.0, 1.0]]), np.zeros((2, 2)))
    assert apart.interaction == pytest.approx(1)
    assert decompose(np.ones((3, 2)), np.zeros((3, 2))) is None


def test_noise_alone_is_called_noise():
    tables = [decompose(rng(d).normal(0, 2.0, (6, 5)), np.full((6, 5), 2.0)) for d in range(200)]
    rest = np.mean([shares.interaction for shares in tables])
    assert np.mean([shares.noise for shares in tables]) == pytest.approx(rest, rel=0.1)


@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (2, 2.0), (3, 0.0), (3, 2.0), (5, 2.0)])
def test_intervals_and_tests_are_right_as_often_as_they_claim(seeds, spread):
    """The long form is `scripts/simulate_statistics.py`; its table is in docs/decisions/0013."""
    found = simulate(250, seeds=seeds, languages=3, examples=60, spread=spread)
    assert 91 <= found.coverage <= 99  # 95 %, and three standard errors
    assert found.alarms <= 8.5  # 5 %, and three standard errors


def test_long_lists_are_cut_in_sentences():
    assert ends(list("abcde")) == list("abcde")
    assert ends(list("abcdefghij")) == ["a", "b", "c", "6 in between", "j"]
    few = [("one", 71.23), ("two", 57.9)]
    assert scores_after(few) == "71.2 after one and 57.9 after two"
    many = [(f"n{n}", 60.0 + (n * 7) % 10) for n in range(10)]
    assert scores_after(many) == "from 60.0 after n0 to 69.0 after n7"
