import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from cnn_topology.clouds.neighbour_kernels import LEAF, select
from cnn_topology.clouds.neighbours import _leaves, _principal_coordinates, neighbour_distances
from cnn_topology.errors import InputError
from cnn_topology.topology.patches import edge_patch, noisy, random_filters

SEEDS = st.integers(0, 2**32 - 1)


def by_hand(points, ks):
    """Sort every row of the distance matrix without its diagonal."""
    distances = cdist(points, points)
    others = distances[~np.eye(len(points), dtype=bool)].reshape(len(points), -1)
    return np.sort(others, axis=1)[:, [k - 1 for k in ks]]


def pair_by_pair(points, ks):
    """Sum squared differences of the turned points coordinate by coordinate, and sort them."""
    turned = _principal_coordinates(points)
    squared = np.zeros((len(turned), len(turned)))
    for coordinate in turned.T:
        squared += (coordinate[:, None] - coordinate) ** 2
    return np.sqrt(np.sort(squared, axis=1)[:, ks])


@st.composite
def clouds(draw):
    """Draw clouds of one leaf and of several: noise, clusters of unlike density, grids full of ties, few places."""
    rng = np.random.default_rng(draw(SEEDS))
    count, dimension = draw(st.integers(2, 5 * LEAF)), draw(st.sampled_from([1, 2, 3, 7, 8, 9, 17, 64]))
    noise = rng.standard_normal((count, dimension))
    kind = draw(st.sampled_from(["noise", "clusters", "grid", "few places"]))
    if kind == "clusters":
        places = 3 * rng.standard_normal((4, dimension))
        return places[rng.integers(4, size=count)] + noise * rng.choice([0.01, 1], count)[:, None]
    if kind == "grid":
        return np.round(noise)
    return noise[rng.integers(2, size=count)] if kind == "few places" else noise


@given(clouds(), st.data())
@settings(max_examples=60)
def test_distances_are_those_of_all_pairs_to_the_last_bit(points, data):
    ks = data.draw(st.lists(st.integers(1, len(points) - 1), min_size=1, max_size=4))
    threads = data.draw(st.integers(1, 3))
    np.testing.assert_array_equal(neighbour_distances(points, ks, threads), pair_by_pair(points, ks))


@pytest.mark.parametrize("k", [1, 100, 4_999])
def test_distances_are_those_of_another_search_where_most_leaves_are_passed_over(k):
    rng = np.random.default_rng(6)
    points = np.concatenate([random_filters(2_000, rng), noisy(edge_patch(np.linspace(0, 6, 3_000)), 0.02, rng)])
    expected = cKDTree(points).query(points, k=[k + 1])[0]
    np.testing.assert_allclose(neighbour_distances(points, [k]), expected, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e150])
def test_squares_neither_vanish_nor_overflow(scale):
    points = random_filters(300, np.random.default_rng(7))
    np.testing.assert_allclose(
        neighbour_distances(scale * points, [9]) / scale, neighbour_distances(points, [9]), rtol=1e-9
    )


@given(st.lists(st.integers(0, 20), min_size=1, max_size=80), st.data())
def test_a_selected_value_parts_the_smaller_from_the_larger(values, data):
    rank = data.draw(st.integers(0, len(values) - 1))
    parted = np.array(values, dtype=float)
    assert select(parted, len(parted), rank) == sorted(values)[rank] == parted[rank]
    assert (parted[:rank] <= parted[rank]).all()
    assert (parted[rank:] >= parted[rank]).all()
    assert sorted(parted) == sorted(values)


@given(clouds())
@settings(max_examples=20)
def test_each_point_lies_in_one_leaf_and_leaves_are_filled(points):
    order, starts = _leaves(points, LEAF)
    assert sorted(order) == list(range(len(points)))
    assert np.diff(starts).max() <= LEAF
    assert np.diff(starts).min() >= len(points) // (len(points) // LEAF + 1) // 2


@given(SEEDS, st.integers(2, 60), st.data())
@settings(max_examples=50)
def test_distances_are_those_of_the_sorted_distance_matrix(seed, count, data):
    points = random_filters(count, np.random.default_rng(seed))
    ks = data.draw(st.lists(st.integers(1, count - 1), min_size=1, max_size=4))
    np.testing.assert_allclose(neighbour_distances(points, ks), by_hand(points, ks), atol=1e-12)


def test_distances_are_exact_on_a_larger_cloud_whatever_the_threads():
    points = noisy(edge_patch(np.linspace(0, 6, 3_000)), 0.5, np.random.default_rng(3))
    distances = neighbour_distances(points, [200, 1, 15])
    np.testing.assert_allclose(distances, by_hand(points, [200, 1, 15]), atol=1e-12)
    np.testing.assert_array_equal(distances, neighbour_distances(points, [200, 1, 15], threads=2))


def test_a_point_is_not_its_own_neighbour():
    line = np.zeros((4, 9))
    line[:, 0] = [0, 1, 3, 7]
    np.testing.assert_allclose(neighbour_distances(line, [1, 3]), [[1, 7], [1, 6], [2, 4], [4, 7]], atol=1e-12)


def test_duplicates_are_neighbours_at_distance_zero():
    points = np.repeat(random_filters(20, np.random.default_rng(4)), 3, axis=0)
    distances = neighbour_distances(points, [1, 2, 3])
    assert (distances[:, :2] == 0).all()
    assert (distances[:, 2] > 0.01).all()


def test_a_cloud_of_equal_points_has_distance_zero_throughout():
    assert (neighbour_distances(np.full((5, 9), 0.3), [4]) == 0).all()


def test_no_k_gives_no_column():
    assert neighbour_distances(np.zeros((5, 9)), []).shape == (5, 0)


@given(SEEDS, st.floats(0.01, 100))
@settings(max_examples=25)
def test_distances_scale_with_the_cloud(seed, scale):
    points = random_filters(40, np.random.default_rng(seed))
    np.testing.assert_allclose(
        neighbour_distances(scale * points, [1, 7]), scale * neighbour_distances(points, [1, 7]), rtol=1e-9
    )


@given(SEEDS)
@settings(max_examples=25)
def test_isometries_change_no_distance(seed):
    rng = np.random.default_rng(seed)
    points = random_filters(60, rng)
    rotation, _ = np.linalg.qr(rng.standard_normal((9, 9)))
    moved = points @ rotation + rng.standard_normal(9)
    np.testing.assert_allclose(neighbour_distances(moved, [1, 9]), neighbour_distances(points, [1, 9]), atol=1e-12)


@pytest.mark.parametrize("k", [0, 5, 200])
def test_k_outside_the_cloud_is_refused(k):
    with pytest.raises(InputError, match=rf"k = {k} must lie from 1 to 4"):
        neighbour_distances(np.zeros((5, 9)), [1, k])


def test_points_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match="NaN"):
        neighbour_distances(np.full((5, 9), np.nan), [1])
