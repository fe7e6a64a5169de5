"""Hollowness of filters in their strongest plane: values that are known, its level, and which side shapes fall on."""

import numpy as np
import pytest

from cnn_topology.clouds.filters import centre_and_normalize
from cnn_topology.statistics.hollowness import block_error, hollowness, hollowness_test
from cnn_topology.statistics.null_clouds import sphere_null_cloud

X, Y = np.tile([-1.0, 0, 1], 3) / np.sqrt(6), np.repeat([-1.0, 0, 1], 3) / np.sqrt(6)


def edges(count, noise, rng):
    """Return edges at all angles with noise of this norm."""
    angle = rng.uniform(0, 2 * np.pi, (count, 1))
    plane = np.cos(angle) * X + np.sin(angle) * Y
    return centre_and_normalize(plane + noise / 3 * rng.standard_normal((count, 9)))[0]


def test_values_of_a_ring_and_of_the_sphere_are_known():
    rng = np.random.default_rng(0)
    assert hollowness(edges(500, 0.0, rng)) == pytest.approx(0, abs=1e-12)
    # r^2 of two of eight coordinates on the 7-sphere is Beta(1, 3): variance 3/80, mean 1/4.
    assert hollowness(sphere_null_cloud(200_000, rng)) == pytest.approx(0.6, abs=0.01)
    # Ten filters on a ring to three in one direction orthogonal to it: r^2 is 1 or 0.
    line = np.tile(np.array([1, -2, 1] * 3) / np.sqrt(18), (300, 1))
    assert hollowness(np.concatenate([edges(1_000, 0.0, rng), line])) == pytest.approx(0.3, abs=1e-9)


def test_it_does_not_change_under_order_and_rotation():
    rng = np.random.default_rng(1)
    points = edges(400, 1.0, rng)
    turned = points @ np.linalg.qr(rng.standard_normal((9, 9)))[0]
    assert hollowness(rng.permutation(points)) == pytest.approx(hollowness(points))
    assert hollowness(turned) == pytest.approx(hollowness(points))


@pytest.mark.parametrize("noise", [0.6, 1.0])
def test_noisy_circles_are_hollow(noise):
    for seed in range(3):
        rng = np.random.default_rng([seed, round(10 * noise)])
        test = hollowness_test(edges(600, noise, rng), np.arange(600) // 10, 199, seed, ("a", "b", 0))
        assert test.value < test.median
        assert test.p_value <= 0.01


def test_a_ring_among_noise_is_a_mixture():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        cloud = np.concatenate([edges(300, 0.3, rng), sphere_null_cloud(300, rng)])
        test = hollowness_test(cloud, np.arange(600) // 10, 199, seed, ("a", "b", 0))
        assert test.value > test.median
        assert test.p_value <= 0.01


def test_filters_with_a_covariance_alone_are_neither():
    """At level 0.05 one in twenty is expected of 40, with 7 or more in one of 100 such trials."""
    below = 0
    for seed in range(40):
        rng = np.random.default_rng([9, seed])
        cloud = centre_and_normalize(rng.standard_normal((300, 9)) * np.linspace(0.5, 2, 9))[0]
        below += hollowness_test(cloud, np.arange(300), 39, seed, ("a", "b", 0)).p_value <= 0.05
    assert below <= 6


@pytest.mark.parametrize("entries", ["standard_normal", "random"])
def test_filters_as_networks_begin_with_lie_on_both_sides(entries):
    """Compared with Gaussian filters of their own covariance nine in ten were above the median."""
    above = []
    for seed in range(40):
        cloud = centre_and_normalize(getattr(np.random.default_rng([7, seed]), entries)((64, 9)) - 0.5)[0]
        test = hollowness_test(cloud, np.arange(64) // 8, 29, seed, ("a", "b", 0))
        above.append(test.value > test.median)
    assert 0.25 <= np.mean(above) <= 0.7


def test_filters_on_one_line_and_in_one_channel_are_neither():
    line = np.outer(np.random.default_rng(0).choice([-1.0, 1], 60), X)
    assert hollowness_test(line, np.zeros(60, dtype=int), 19, 0, ("a", "b", 0)).p_value > 0.05


def test_the_error_over_blocks_is_that_of_clouds_drawn_anew():
    """Blocks of ten equal filters: the error is that of a cloud of a tenth of the filters."""
    values, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng([3, seed])
        cloud = np.repeat(edges(60, 1.0, rng), 10, axis=0)
        values.append(hollowness(cloud))
        errors.append(block_error(cloud, np.arange(600) // 10))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.35)
    assert np.isnan(block_error(edges(50, 1.0, np.random.default_rng(0)), np.zeros(50, dtype=int)))
