"""The principal plane of a cloud."""

import numpy as np
from known_shapes import primary_circle

from cnn_topology.clouds.plane import principal_coordinates
from cnn_topology.topology.patches import noisy


def test_primary_circle_lies_in_its_plane():
    plane = principal_coordinates(primary_circle(64))
    assert np.allclose(np.linalg.norm(plane, axis=1), 1)


def test_axes_are_those_of_largest_spread_and_uncorrelated():
    rng = np.random.default_rng(0)
    points = noisy(primary_circle(400), 0.5, rng) * [3, 2, 1, 1, 1, 1, 1, 1, 1]
    plane = principal_coordinates(points)
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    assert np.allclose(np.linalg.norm(plane, axis=0), spread[:2])
    assert abs(plane[:, 0] @ plane[:, 1]) < 1e-9


def test_order_of_points_and_their_mirror_change_no_picture():
    rng = np.random.default_rng(1)
    points = rng.standard_normal((50, 9)) * np.arange(1, 10)
    order = rng.permutation(50)
    assert np.allclose(principal_coordinates(points)[order], principal_coordinates(points[order]))
    assert np.allclose(principal_coordinates(-points), -principal_coordinates(points))
