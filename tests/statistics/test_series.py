"""Two rising curves: what of their correlation is left without the common rise."""

import numpy as np
import pytest

from cnn_topology.statistics.series import correlated_series, z_scores

STEPS = np.array([0, 10, 30, 100, 300, 1_000, 3_000, 10_000])


def _correlated(bars, accuracy, rng, networks=12, noise=0.0):
    outcome = accuracy + noise * rng.normal(size=(networks, len(STEPS)))
    drawn = rng.integers(networks, size=(50, networks))
    drawn_bars = bars[:, None] + noise * rng.normal(size=(len(STEPS), 50))
    found = correlated_series(bars, drawn_bars, outcome, STEPS, drawn)
    return {row.method: row for row in found}


def test_two_curves_that_share_nothing_but_their_rise_correlate_until_the_step_is_held_fixed():
    rng = np.random.default_rng(0)
    rise = np.log1p(STEPS)
    wiggle = np.array([1, -1, 1, -1, 1, -1, 1, -1]) * 0.2
    other = np.array([1, 1, -1, -1, 1, 1, -1, -1]) * 0.2
    found = _correlated(rise + wiggle, rise + other, rng)
    assert found["pearson"].statistic > 0.98
    assert abs(found["partial_pearson"].statistic) < 0.4
    changes = np.corrcoef(np.diff(rise + wiggle), np.diff(rise + other))[0, 1]
    assert found["pearson_of_changes"].statistic == pytest.approx(changes)
    shared = _correlated(rise + wiggle, rise + wiggle, rng)
    assert shared["partial_pearson"].statistic == pytest.approx(1)
    assert shared["pearson_of_changes"].statistic == pytest.approx(1)


def test_intervals_are_over_networks_and_a_failed_network_is_in_no_mean():
    rng = np.random.default_rng(1)
    rise = np.log1p(STEPS)
    found = _correlated(rise, rise, rng, noise=0.8)
    assert found["pearson"].low < found["pearson"].high <= 1
    outcome = np.tile(rise, (5, 1))
    outcome[3, 4:] = np.nan
    drawn = rng.integers(5, size=(20, 5))
    drawn[:, 0] = 3
    whole = {row.method: row for row in correlated_series(rise, np.tile(rise, (20, 1)).T, outcome, STEPS, drawn)}
    assert whole["pearson"].low == pytest.approx(1)


def test_z_scores_have_mean_zero_and_unit_spread_and_a_flat_series_is_zero():
    z = z_scores(np.array([1.0, 2, 4]))
    assert (z.mean(), z.std()) == pytest.approx((0, 1))
    assert (z_scores(np.ones(3)) == 0).all()
