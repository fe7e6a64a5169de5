"""Max-min landmarks against a choice one by one, and how far bars move, by an independent matching."""

import gudhi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.plan.clouds import Cloud
from cnn_topology.topology.landmarks import landmarks_maxmin
from cnn_topology.topology.persistence import barcode


def one_by_one(points, count):
    """Choose each next point by the whole distance matrix; among equals the first in lexicographic order."""
    order = np.lexsort(points.T[::-1])
    cloud = points[order]
    squared = sum((column[:, None] - column) ** 2 for column in cloud.T)
    chosen = [np.argmin(sum((column - column.mean()) ** 2 for column in cloud.T))]
    for _ in range(count - 1):
        chosen.append(np.argmax(squared[chosen].min(axis=0)))
    return order[chosen], np.sqrt(squared[chosen].min(axis=0).max())


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 9), st.booleans(), st.data())
@settings(max_examples=40)
def test_each_landmark_is_the_point_farthest_from_those_before(seed, size, dimension, ties, data):
    points = np.random.default_rng(seed).standard_normal((size, dimension))
    points = np.round(points) if ties else points
    count = data.draw(st.integers(1, size))
    indices, radius = landmarks_maxmin(points, count)
    expected, covering = one_by_one(points, count)
    np.testing.assert_array_equal(indices, expected)
    assert radius == covering


@pytest.mark.parametrize("size", [63, 64, 65, 500])
def test_all_points_as_landmarks_leave_nothing_uncovered(size):
    indices, radius = landmarks_maxmin(np.random.default_rng(1).standard_normal((size, 3)), size)
    assert sorted(indices) == list(range(size))
    assert radius == 0


@settings(max_examples=25)  # the first example compiles
@given(st.integers(0, 2**32 - 1), st.integers(12, 60), st.data())
def test_no_bar_end_moves_by_more_than_twice_the_covering_radius(seed, size, data):
    points = np.random.default_rng(seed).standard_normal((size, 2))
    points /= np.linalg.norm(points, axis=1, keepdims=True) if seed % 2 else 1
    indices, radius = landmarks_maxmin(points, data.draw(st.integers(4, size)))
    whole, cut = barcode(points), barcode(points[indices])
    moved = [gudhi.bottleneck_distance(whole.in_dimension(d), cut.in_dimension(d)) for d in (0, 1)]
    assert max(moved) <= 2 * radius + 1e-6
    assert "farther than 2 r" in str(Cloud.model_fields["landmarks"].description)
