import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.clouds.density import densest_points, density_filter
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.errors import InputError
from cnn_topology.topology.patches import edge_patch, noisy, random_filters

SEEDS = st.integers(0, 2**32 - 1)
FRACTIONS = st.floats(1e-3, 1)


@given(SEEDS, FRACTIONS)
@settings(max_examples=25)
def test_permuting_the_points_permutes_what_is_kept(seed, p):
    rng = np.random.default_rng(seed)
    points = random_filters(60, rng)
    order = rng.permutation(60)
    # For k below N - 1 two points can be each other's k-th neighbour and tie; the tie is broken by index.
    distances = neighbour_distances(points, [9])[:, 0] + 1e-9 * np.arange(60)
    permuted = neighbour_distances(points[order], [9])[:, 0] + 1e-9 * order
    assert set(order[densest_points(permuted, p)]) == set(densest_points(distances, p))


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5]), min_size=1, max_size=40), FRACTIONS, FRACTIONS)
def test_a_smaller_p_keeps_a_subset_even_among_ties(distances, p, q):
    smaller, larger = densest_points(np.array(distances), min(p, q)), densest_points(np.array(distances), max(p, q))
    assert set(smaller) <= set(larger)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=40), FRACTIONS)
def test_what_is_kept_is_as_dense_as_anything_left_out(distances, p):
    distances = np.array(distances)
    kept = densest_points(distances, p)
    assert (np.diff(kept) > 0).all()
    left = np.delete(distances, kept)
    assert not len(left) or distances[kept].max() <= left.min()


@pytest.mark.parametrize(("points", "p", "kept"), [(6_400, 0.3, 1_920), (5, 0.5, 3), (10, 0.14, 1), (10, 0.01, 1)])
def test_the_number_kept_is_rounded_half_up_and_at_least_one(points, p, kept):
    assert len(densest_points(np.arange(points, dtype=float), p)) == kept


def test_everything_is_kept_at_p_one():
    assert densest_points(np.array([3.0, 1.0, 2.0]), 1.0).tolist() == [0, 1, 2]


def test_the_densest_points_of_a_circle_in_noise_are_the_circle():
    rng = np.random.default_rng(5)
    circle = noisy(edge_patch(rng.uniform(0, 2 * np.pi, 300)), 0.1, rng)
    points = np.concatenate([random_filters(700, rng), circle])
    kept = densest_points(neighbour_distances(points, [15])[:, 0], 0.3)
    assert np.mean(kept >= 700) > 0.95


@pytest.mark.parametrize("p", [0.0, -0.1, 1.01, np.nan])
def test_p_outside_its_range_is_refused(p):
    with pytest.raises(InputError, match="must lie in \\(0, 1\\]"):
        densest_points(np.arange(5.0), p)


def test_points_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match="NaN"):
        densest_points(np.array([0.1, np.nan]), 0.5)


@pytest.mark.parametrize(("k", "count"), [(6, 6), (0.03, 6), (0.001, 1)])
def test_k_is_a_count_of_neighbours_or_a_share_of_the_points(k, count):
    points = random_filters(200, np.random.default_rng(1))
    expected = densest_points(neighbour_distances(points, [count])[:, 0], 0.3)
    assert density_filter(points, k, 0.3).tolist() == expected.tolist()


@pytest.mark.parametrize("k", [0, -3, 200, 6.0, 1.0, 0.0, np.nan])
def test_k_that_is_neither_is_refused(k):
    with pytest.raises(InputError, match="k = "):
        density_filter(random_filters(200, np.random.default_rng(1)), k, 0.3)
