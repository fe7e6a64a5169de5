"""Barcodes that are known: circles, the Klein bottle, the torus, and what must not change a barcode."""

import numpy as np
import pytest

from cnn_topology.topology.persistence import barcode

GRID = np.array([(x, y) for y in (-1.0, 0.0, 1.0) for x in (-1.0, 0.0, 1.0)])
X, Y = GRID.T


def unit(filters):
    centred = filters - filters.mean(axis=-1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=-1, keepdims=True)


def angles(n):
    return 2 * np.pi * np.arange(n)[:, None] / n


def ideal_circle(n):
    return unit(np.cos(angles(n)) * X + np.sin(angles(n)) * Y)


def klein_bottle(m, n):
    """Patches c q + d l, each once: l = ax+by and q its square, both of unit norm; angle of (a, b) in [0, pi)."""
    theta = np.pi * np.arange(m)[:, None, None] / m
    phi = 2 * np.pi * np.arange(n)[None, :, None] / n
    line = np.cos(theta) * X + np.sin(theta) * Y
    return unit(np.cos(phi) * unit(line**2) + np.sin(phi) * unit(line)).reshape(-1, 9)


def torus(n):
    a, b = np.meshgrid(angles(n).ravel(), angles(n).ravel())
    return np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b)], axis=-1).reshape(-1, 4)


def noisy_circle(n=80, seed=3):
    rng = np.random.default_rng(seed)
    return ideal_circle(n) + 0.05 * rng.normal(size=(n, 9))


@pytest.mark.parametrize(("n", "length"), [(8, 1.082), (16, 1.458), (64, 1.666)])
@pytest.mark.parametrize("field", [2, 3])
def test_ideal_circle_has_one_bar_of_known_length(n, length, field):
    bars = barcode(ideal_circle(n), field=field).lengths(1)
    assert bars[0] == pytest.approx(length, abs=5e-4)
    assert len(bars) == 1


def test_three_circle_model_has_five_equal_bars():
    primary = ideal_circle(64)
    vertical = np.cos(angles(64)) * unit(X) + np.sin(angles(64)) * unit(X**2)
    horizontal = np.cos(angles(64)) * unit(Y) + np.sin(angles(64)) * unit(Y**2)
    bars = barcode(np.concatenate([primary, vertical, horizontal])).lengths(1)
    np.testing.assert_allclose(bars[:5], 1.316, atol=1e-3)
    assert len(bars) == 5 or bars[5] < 0.5


def test_klein_bottle_has_two_loops_over_z2_and_one_over_z3():
    cloud = klein_bottle(18, 24)
    np.testing.assert_allclose(barcode(cloud, field=2).lengths(1)[:3], [0.804, 0.804, 0.35], atol=5e-3)
    np.testing.assert_allclose(barcode(cloud, field=3).lengths(1)[:2], [0.891, 0.26], atol=5e-3)


@pytest.mark.parametrize("field", [2, 3])
def test_torus_has_two_loops_over_both_fields(field):
    bars = barcode(torus(16), field=field).lengths(1)
    assert bars[1] > 1
    assert len(bars) == 2 or bars[2] < 0.3


def test_figure_eight_has_two_loops():
    circle = np.concatenate([np.cos(angles(40)), np.sin(angles(40))], axis=1)
    aside = np.array([1.0, 0.0])
    bars = barcode(np.concatenate([circle - aside, circle + aside])).lengths(1)
    assert bars[1] > 1.3
    assert len(bars) == 2 or bars[2] < 0.3


def test_sphere_has_no_long_loop():
    points = np.random.default_rng(0).normal(size=(500, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert barcode(points).lengths(1)[0] < 0.4


def test_a_threshold_below_the_death_leaves_the_class_essential():
    bars = barcode(ideal_circle(16), threshold=1.0).in_dimension(1)
    assert bars.shape == (1, 2)
    assert np.isinf(bars[0, 1])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_clouds_of_no_edges_or_one(n):
    bars = barcode(np.arange(2.0 * n).reshape(n, 2))
    assert np.isinf(bars.death).sum() == min(n, 1)
    assert len(bars.birth) == n


def test_bars_are_ordered_and_essential_ones_come_first():
    bars = barcode(noisy_circle())
    keys = list(zip(bars.dimension, bars.birth, bars.death, strict=True))
    assert keys == sorted(keys)
    zero = bars.in_dimension(0)
    assert np.isinf(zero[0, 1])
    assert (np.diff(zero[1:, 1]) <= 0).all()
    assert len(bars.lengths(0)) == len(zero) - 1
    assert bars.birth.dtype == bars.death.dtype == np.float64
    assert bars.dimension.dtype == np.int8


def same(left, right, **tolerance):
    np.testing.assert_array_equal(left.dimension, right.dimension)
    np.testing.assert_allclose(left.birth, right.birth, **tolerance)
    np.testing.assert_allclose(left.death, right.death, **tolerance)


def test_the_order_of_the_points_changes_nothing():
    cloud = noisy_circle()
    same(barcode(cloud), barcode(cloud[np.random.default_rng(1).permutation(len(cloud))]), rtol=0)


def test_rotation_and_translation_change_nothing():
    cloud = noisy_circle()
    rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(9, 9)))
    for d in (0, 1):
        np.testing.assert_allclose(
            barcode(cloud @ rotation + 5).in_dimension(d), barcode(cloud).in_dimension(d), rtol=1e-5
        )


def test_scaling_scales_the_bars():
    cloud = noisy_circle()
    bars, doubled = barcode(cloud), barcode(2 * cloud)
    np.testing.assert_array_equal(2 * bars.birth, doubled.birth)
    np.testing.assert_array_equal(2 * bars.death, doubled.death)


def test_duplicates_change_nothing():
    cloud = noisy_circle()
    same(barcode(cloud), barcode(np.concatenate([cloud, cloud[::2], cloud[:5]])), rtol=0)


def test_threads_change_nothing():
    for cloud in (np.random.default_rng(0).normal(size=(300, 5)), noisy_circle(300)):
        same(barcode(cloud, threads=1), barcode(cloud, threads=3), rtol=0)


def test_float32_distances_keep_their_values():
    lengths = np.random.default_rng(0).random(190).astype(np.float32)
    bars = barcode(distances=lengths)
    ends = np.concatenate([bars.birth, bars.death])
    ends = ends[np.isfinite(ends) & (ends > 0)]
    assert np.isin(ends, lengths.astype(np.float64)).all()
