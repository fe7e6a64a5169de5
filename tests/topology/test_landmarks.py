import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.topology.landmarks import landmarks_maxmin


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
@settings(max_examples=40, deadline=None)
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
