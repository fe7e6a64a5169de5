"""Ranks and quantiles of our own against those of scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from cnn_topology.statistics.intervals import student_quantile
from cnn_topology.statistics.ranks import mean_ranks, rank_correlation

FEW = st.sampled_from([-np.inf, -1.5, 0.0, 0.1, 2.0, np.inf])


@given(arrays(np.float64, array_shapes(max_dims=3, min_side=0, max_side=6), elements=FEW), st.integers(0, 2))
def test_mean_ranks_are_those_of_scipy_along_every_axis(values, axis):
    np.testing.assert_array_equal(
        mean_ranks(values, axis % values.ndim), stats.rankdata(values, axis=axis % values.ndim)
    )


def test_a_line_with_a_gap_has_no_ranks():
    ranks = mean_ranks(np.array([[1.0, np.nan, 0.0], [3.0, 3.0, 1.0]]))
    np.testing.assert_array_equal(ranks, [[np.nan] * 3, [2.5, 2.5, 1.0]])


@pytest.mark.parametrize("ties", [False, True])
def test_the_rank_correlation_is_that_of_scipy(ties):
    rng = np.random.default_rng(0)
    for rows in range(3, 30):
        x, y = rng.normal(size=rows), rng.normal(size=rows)
        y = np.sign(y) if ties and np.ptp(np.sign(y)) else y
        assert rank_correlation(x, y) == pytest.approx(stats.spearmanr(x, y)[0], rel=1e-12)


@pytest.mark.parametrize("freedom", [1, 2.5, 7, 99])
def test_quantiles_of_student_are_those_of_scipy(freedom):
    for probability in (0.5, 0.9, 0.975):
        assert student_quantile(probability, freedom) == pytest.approx(
            stats.t.ppf(probability, freedom), rel=1e-12, abs=1e-12
        )
