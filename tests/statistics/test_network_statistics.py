"""One network's own loops and weight statistics: known shapes, independent oracles."""

import numpy as np
import pytest
from known_shapes import primary_circle
from scipy import stats

from cnn_topology.plan.clouds import Density
from cnn_topology.statistics.networks import loop_summary, weight_statistics
from cnn_topology.topology.patches import noisy, random_filters

DENSITY = Density(k=0.05, p=0.5)


def _layer(points):
    return points.reshape(-1, 1, 3, 3).astype(np.float32)


def test_a_network_whose_filters_lie_on_the_primary_circle_has_its_loop_and_covers_it():
    rng = np.random.default_rng(0)
    found = loop_summary(_layer(3 * noisy(primary_circle(128), 0.1, rng) + 0.7), DENSITY)
    assert found.points == 128
    assert found.kept == 64
    assert found.longest > 1.0
    assert found.longest == pytest.approx(found.total_persistence, abs=0.3)
    assert found.coverage == 1
    assert found.mean_residual < 0.2


def test_random_filters_have_no_such_loop():
    rng = np.random.default_rng(0)
    found = loop_summary(_layer(random_filters(128, rng)), DENSITY)
    assert found.longest < 0.5
    assert found.coverage < 0.3
    assert found.mean_residual > 0.3
    assert found.total_persistence >= found.longest >= found.second >= 0


def test_a_network_without_a_second_bar_has_no_ratio():
    found = loop_summary(_layer(primary_circle(16)), Density(k=0.1, p=1.0))
    assert found.bars == 1
    assert found.second == 0
    assert np.isnan(found.ratio)


def test_weight_statistics_are_those_of_scipy_and_numpy():
    rng = np.random.default_rng(1)
    before, now = rng.normal(size=(2, 12, 4, 3, 3)).astype(np.float32)
    found = weight_statistics(now, before)
    flat = now.astype(float).ravel()
    assert found.kurtosis == pytest.approx(stats.kurtosis(flat))
    assert found.spectral == pytest.approx(np.linalg.svd(now.reshape(12, 36).astype(float))[1][0])
    assert found.frobenius == pytest.approx(np.sqrt((flat**2).sum()))
    assert found.distance == pytest.approx(np.sqrt(((flat - before.ravel()) ** 2).sum()), rel=1e-6)
    assert (found.minimum, found.median, found.maximum) == pytest.approx((flat.min(), np.median(flat), flat.max()))
    assert weight_statistics(now, now).distance == 0
