"""Intervals hold what they are said to hold, as often as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cnn_topology.statistics.intervals import (
    correlation_interval,
    mean_interval,
    percentile_interval,
    student_quantile,
    wilson_interval,
)


def test_one_network_has_no_interval():
    assert np.isnan(mean_interval(np.array([0.5]))).all()


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=12))
def test_the_interval_of_a_mean_of_correlations_holds_it_and_stays_within_them(values):
    low, high = correlation_interval(np.array(values))
    assert -1 <= low <= np.mean(values) + 1e-12
    assert np.mean(values) - 1e-12 <= high <= 1


def test_the_interval_of_a_mean_of_correlations_is_as_wide_as_it_says():
    rng = np.random.default_rng(4)
    held = [
        low <= 0.4 <= high
        for low, high in (correlation_interval(0.4 + rng.uniform(-0.6, 0.6, 5)) for _ in range(2_000))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("networks", [2, 3, 10])
def test_the_interval_of_a_mean_over_few_networks_holds_it_as_often_as_it_says(networks):
    intervals = [mean_interval(row) for row in np.random.default_rng(networks).normal(1, 2, (1_000, networks))]
    assert np.mean([low <= 1 <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize("networks", [1, 2, 3])
def test_few_correlations_have_no_interval(networks):
    assert np.isnan(correlation_interval(np.linspace(0.1, 0.9, networks))).all()


def test_a_percentile_interval_needs_half_of_the_draws_unless_told_otherwise():
    drawn = np.concatenate([np.linspace(0, 1, 41), np.full(42, np.nan)])
    assert np.isnan(percentile_interval(drawn)).all()
    assert percentile_interval(drawn, share=0.0) == pytest.approx((0.025, 0.975))
    assert percentile_interval(drawn[:-1]) == pytest.approx((0.025, 0.975))
    assert np.isnan(percentile_interval(np.full(3, np.nan), share=0.0)).all()


def test_the_wilson_interval_is_the_published_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263 and 0 of 20.
    assert np.round(np.array(wilson_interval(np.array(81 / 263), 263)), 4).tolist() == [0.2553, 0.3662]
    assert np.round(np.array(wilson_interval(np.array(0.0), 20)), 4).tolist() == [0.0, 0.1611]


@pytest.mark.parametrize("freedom", [1, 2.5, 7, 99])
def test_quantiles_of_student_are_those_of_scipy(freedom):
    for probability in (0.5, 0.9, 0.975):
        assert student_quantile(probability, freedom) == pytest.approx(
            stats.t.ppf(probability, freedom), rel=1e-12, abs=1e-12
        )
