"""Two groups compared: planted differences are found, none is made up, censored runs are neither lost nor invented."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import mannwhitneyu, permutation_test, ttest_ind

from cnn_topology.statistics.comparisons import (
    area_under_curve,
    bootstrap_interval,
    falling_trend,
    holm,
    iterations_to,
    least_holm,
    mean_difference,
    mean_difference_interval,
    permutation_p,
    pooled_ranks,
    speed_ratio,
)


def holm_by_definition(p_values):
    """The largest, over all tests no less significant, of p times the number of tests from there on."""
    count = len(p_values)
    ranked = sorted(p_values)
    scaled = {p: max(min(1.0, (count - j) * ranked[j]) for j in range(count) if ranked[j] <= p) for p in p_values}
    return [scaled[p] for p in p_values]


STEPS = np.array([0.0, 10, 20, 40])


def test_the_target_is_reached_between_two_tests_where_the_straight_line_crosses_it():
    assert iterations_to(STEPS, np.array([0.1, 0.5, 0.9, 0.7]), 0.7) == (15.0, False)
    assert iterations_to(STEPS, np.array([0.1, 0.5, 0.5, 0.9]), 0.7) == (30.0, False)
    assert iterations_to(STEPS, np.array([0.8, 0.5, 0.9, 0.7]), 0.7) == (0.0, False)
    assert iterations_to(STEPS, np.array([0.1, 0.7, 0.9, 0.7]), 0.7) == (10.0, False)


def test_a_target_never_reached_is_censored_at_the_last_test():
    assert iterations_to(STEPS, np.array([0.1, 0.5, 0.6, 0.69]), 0.7) == (40.0, True)
    assert iterations_to(STEPS, np.array([0.1, 0.5, np.nan, np.nan]), 0.7) == (40.0, True)


def test_the_area_is_the_mean_of_the_piecewise_linear_curve():
    assert area_under_curve(STEPS, np.array([0.0, 1.0, 1.0, 0.0])) == pytest.approx((5 + 10 + 10) / 40)
    assert area_under_curve(STEPS, np.full(4, 0.3)) == pytest.approx(0.3)


def test_the_ratio_of_medians_counts_censored_runs_as_slowest():
    plain, fast = np.array([100.0, 200, 300, np.inf]), np.array([50.0, 100, 150, 160])
    assert speed_ratio(fast, plain) == 250 / 125
    mostly_censored = np.array([100.0, np.inf, np.inf])
    assert speed_ratio(fast, mostly_censored) == np.inf
    assert speed_ratio(mostly_censored, fast) == 0
    assert np.isnan(speed_ratio(mostly_censored, mostly_censored))


@pytest.mark.parametrize("networks", [4, 10])
def test_the_interval_of_a_difference_of_few_networks_holds_it_as_often_as_it_says(networks):
    rng = np.random.default_rng(networks)
    found = [mean_difference_interval(rng.normal(1, 1, networks), rng.normal(0, 2, networks)) for _ in range(1_000)]
    assert np.mean([low <= 1 <= high for low, high in found]) == pytest.approx(0.95, abs=0.025)


def test_the_interval_of_a_difference_is_that_of_scipy_and_has_no_width_where_nothing_varies():
    rng = np.random.default_rng(3)
    sample, other = rng.normal(0, 1, 5), rng.normal(2, 4, 9)
    expected = ttest_ind(sample, other, equal_var=False).confidence_interval()
    np.testing.assert_allclose(mean_difference_interval(sample, other), expected)
    assert mean_difference_interval(np.full(3, 0.5), np.full(4, 0.25)) == (0.25, 0.25)


def test_the_bootstrap_interval_covers_the_truth_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(300):
        low, high = bootstrap_interval(mean_difference, rng.normal(1, 1, 20), rng.normal(0, 2, 25), rng, draws=400)
        covered += low <= 1 <= high
    # 95% less what the percentile method loses at this size.
    assert 0.89 <= covered / 300 <= 0.98


def test_an_interval_is_wide_where_the_ratio_is_not_known():
    censored = np.array([100.0, 120, np.inf, np.inf, np.inf])
    low, high = bootstrap_interval(speed_ratio, censored, censored, np.random.default_rng(0))
    assert low in (0.0, -np.inf)
    assert high == np.inf
    low, high = bootstrap_interval(speed_ratio, np.full(5, 50.0), np.full(5, 100.0), np.random.default_rng(0))
    assert (low, high) == (2.0, 2.0)


def test_the_permutation_test_agrees_with_scipy():
    rng = np.random.default_rng(1)
    sample, other = rng.normal(0, 1, 10), rng.normal(0, 1, 9)
    expected = permutation_test(
        (sample, other), lambda a, b: a.mean() - b.mean(), n_resamples=20_000, rng=np.random.default_rng(0)
    ).pvalue
    assert permutation_p(sample, other, rng) == pytest.approx(expected, abs=0.012)


def test_the_rank_test_of_censored_runs_is_that_of_mann_and_whitney():
    sample = np.array([10.0, 12, 15, 20, 30, 31, 32, 40])
    other = np.array([25.0, 35, 41, 50, np.inf, np.inf, np.inf, np.inf])
    expected = mannwhitneyu(sample, np.where(np.isinf(other), 99, other), method="asymptotic").pvalue
    assert permutation_p(*pooled_ranks(sample, other), np.random.default_rng(0)) == pytest.approx(expected, abs=0.006)


def test_equal_samples_have_p_one_and_distant_ones_the_smallest():
    same = np.full(10, 0.8)
    assert permutation_p(same, same, np.random.default_rng(0)) == 1.0
    assert permutation_p(np.arange(10.0), np.arange(10.0) + 100, np.random.default_rng(0)) < 1e-3


def test_the_permutation_test_keeps_its_level():
    rng = np.random.default_rng(2)
    p_values = [permutation_p(rng.random(8), rng.random(8), rng, permutations=199) for _ in range(400)]
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.03)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_its_definition(p_values):
    np.testing.assert_allclose(holm(np.array(p_values)), holm_by_definition(p_values))


def test_holm_of_a_known_example_and_of_gaps():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.01, np.nan, 0.03])), [0.02, np.nan, 0.03])


def exact_p(sample, other):
    together = [*sample, *other]
    drawn = [abs(np.mean(order[: len(sample)]) - np.mean(order[len(sample) :])) for order in permutations(together)]
    return float(np.mean(np.array(drawn) >= abs(np.mean(sample) - np.mean(other)) - 1e-12))


@given(st.integers(0, 10**6), st.lists(st.sampled_from([(2, 2), (2, 3), (3, 2), (3, 3)]), min_size=1, max_size=4))
def test_no_family_has_a_p_value_of_holm_below_the_least(seed, sizes):
    rng = np.random.default_rng(seed)
    least = least_holm(*np.array(sizes, float).T)
    noise = [exact_p(rng.normal(size=n), rng.normal(size=m)) for n, m in sizes]
    apart = [exact_p(rng.normal(9, 1, size=n), rng.normal(size=m)) for n, m in sizes]
    for p_values in (noise, apart):
        assert (holm(np.array(p_values)) >= least - 1e-9).all()
    if len(set(sizes)) == 1:
        assert holm(np.array(apart)) == pytest.approx(least)


def test_a_falling_trend_has_the_rank_correlation_of_scipy_and_its_exact_p_value():
    x, y = np.arange(5.0), np.array([9.0, 7.0, 8.0, 3.0, 1.0])
    rho, p = falling_trend(x, y, np.random.default_rng(0))
    assert rho == pytest.approx(stats.spearmanr(x, y)[0])
    orders = [stats.spearmanr(x, order)[0] for order in permutations(y)]
    assert p == pytest.approx(np.mean(np.array(orders) <= rho + 1e-12), abs=0.004)
    assert falling_trend(x, -y, np.random.default_rng(0))[1] > 0.95
