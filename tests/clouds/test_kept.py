import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.clouds import kept
from cnn_topology.clouds.density import LEAST_COUNTED, densest_points, density_filter, kept_sets
from cnn_topology.clouds.kept import kept_by_counts
from cnn_topology.clouds.neighbours import neighbour_distances, searchable
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import MOST_COUNTED, kept_points
from cnn_topology.topology.patches import edge_patch, noisy, random_filters

SEEDS = st.integers(0, 2**32 - 1)


def by_distances(points, k, p):
    return densest_points(neighbour_distances(points, [k])[:, 0], p)


@st.composite
def clouds(draw):
    """Draw noise, clusters of unlike density, grids full of ties, and clouds of few places."""
    rng = np.random.default_rng(draw(SEEDS))
    count, dimension = draw(st.integers(300, 1_500)), draw(st.sampled_from([1, 2, 3, 8, 9, 17]))
    noise = rng.standard_normal((count, dimension)) * 2.0 ** draw(st.integers(-500, 400))
    kind = draw(st.sampled_from(["noise", "clusters", "grid", "few places"]))
    if kind == "clusters":
        places = 3 * noise[rng.integers(4, size=4)]
        return places[rng.integers(4, size=count)] + noise * rng.choice([1e-6, 0.01, 1], count)[:, None]
    if kind == "grid":
        return np.round(rng.standard_normal((count, dimension)) * 3)
    return noise[rng.integers(20, size=count)] if kind == "few places" else noise


@given(clouds(), st.integers(1, 80), st.floats(0.01, 1), st.integers(1, 3))
@settings(max_examples=80)
def test_counts_keep_the_points_that_all_distances_keep_or_nothing(points, k, p, threads):
    chosen = kept_by_counts(searchable(points), k, kept_points(p, len(points)), threads)
    if chosen is not None:
        np.testing.assert_array_equal(chosen, by_distances(points, k, p))


@pytest.mark.parametrize(
    ("points", "k", "p"), [(2_000, 60, 0.3), (6_400, 200, 0.14), (6_400, 10, 0.05), (9_000, 1, 0.6)]
)
def test_counts_serve_noise_and_edges_and_keep_the_same_points(points, k, p):
    rng = np.random.default_rng(points + k)
    edges = noisy(edge_patch(rng.uniform(0, 2 * np.pi, points // 4)), 0.3, rng)
    for cloud in (random_filters(points, rng), np.concatenate([edges, random_filters(points - len(edges), rng)])):
        chosen = kept_by_counts(searchable(cloud), k, kept_points(p, points))
        assert chosen is not None
        np.testing.assert_array_equal(chosen, by_distances(cloud, k, p))


def test_ties_at_the_threshold_fall_to_the_smaller_index():
    rng = np.random.default_rng(3)
    places = random_filters(1_000, rng)
    # Each place twice: two points share each distance, and an odd number is kept.
    order = rng.permutation(2_000)
    cloud = np.concatenate([places, places])[order]
    chosen = kept_by_counts(searchable(cloud), 7, 601)
    assert chosen is not None
    np.testing.assert_array_equal(chosen, by_distances(cloud, 7, 601 / 2_000))


@pytest.mark.parametrize("moved", [-0.4, 0.4])
def test_a_bracket_that_misses_the_threshold_keeps_nothing(moved):
    cloud = random_filters(3_000, np.random.default_rng(1))
    tree = searchable(cloud)
    squared = np.sort(np.ldexp(neighbour_distances(cloud, [20])[:, 0], -tree.exponent) ** 2)
    low, high = (squared[round((0.5 + moved + x) * 2_999)] for x in (-0.05, 0.05))
    assert kept._between(tree, 20, 1_500, (low, high), 8.0, 1) is None
    around = (squared[1_400], squared[1_600])
    np.testing.assert_array_equal(kept._between(tree, 20, 1_500, around, 8.0, 1), by_distances(cloud, 20, 0.5))


def test_a_bracket_whose_end_is_the_threshold_keeps_nothing():
    """Within the margin of float32 a count does not tell on which side of the end a point lies."""
    cloud = random_filters(3_000, np.random.default_rng(1))
    tree = searchable(cloud)
    squared = np.sort(np.ldexp(neighbour_distances(cloud, [20])[:, 0], -tree.exponent) ** 2)
    margin = (24 + 4 * 8) * 2.0**-24 * 8.0
    assert kept._between(tree, 20, 1_500, (squared[1_400], squared[1_499] - 0.9 * margin), 8.0, 1) is None
    assert kept._between(tree, 20, 1_500, (squared[1_499] + 0.9 * margin, squared[1_600]), 8.0, 1) is None


@given(SEEDS)
@settings(max_examples=10)
def test_counts_bound_the_exact_squared_distances_by_the_stated_margin(seed):
    rng = np.random.default_rng(seed)
    tree = searchable(noisy(edge_patch(rng.uniform(0, 6, 700)), 0.4, rng))
    inside = tree.blocks.transpose(0, 2, 1)[tree.leaf, tree.place]
    squared = np.zeros((700, 700))
    for coordinate in inside.T:
        squared += (coordinate[:, None] - coordinate) ** 2
    margin = (24 + 4 * inside.shape[1]) * 2.0**-24 * np.sum(np.abs(inside).max(axis=0) ** 2)
    near, far = (np.float32(np.quantile(squared, q)) for q in (0.1, 0.4))
    counts = kept._counts(tree, near, far, 2)
    for bound, count in zip((near, far), counts, strict=True):
        assert (np.sum(squared < bound - margin, axis=1) <= count).all()
        assert (count <= np.sum(squared < bound + margin, axis=1)).all()


def test_sets_of_several_filters_come_in_the_order_asked_for():
    cloud = random_filters(LEAST_COUNTED + 100, np.random.default_rng(2))
    densities = [(15, 0.1), (60, 0.3), (15, 0.1), (15, 0.5), (60, 1.0), (30, 0.2)]
    for asked in (densities[:4], densities):
        assert (len(set(asked)) > MOST_COUNTED) == (asked is densities)
        for (k, p), chosen in zip(asked, kept_sets(cloud, asked), strict=True):
            np.testing.assert_array_equal(chosen, by_distances(cloud, k, p))


def test_threads_change_nothing():
    cloud = random_filters(5_000, np.random.default_rng(4))
    np.testing.assert_array_equal(density_filter(cloud, 50, 0.2), density_filter(cloud, 50, 0.2, threads=3))


@pytest.mark.parametrize(("k", "p", "what"), [(0, 0.5, "k = 0"), (2_000, 0.5, "k = 2000"), (5, 0.0, "p = 0.0")])
def test_what_no_cloud_has_is_refused(k, p, what):
    with pytest.raises(InputError, match=what):
        kept_sets(np.zeros((2_000, 3)), [(k, p)])


def test_points_that_float32_does_not_tell_apart_are_measured_exactly():
    """Pairs, of which one in four has a distance at the threshold up to 1e-8 of it."""
    rng = np.random.default_rng(5)
    places = rng.uniform(-1, 1, (1_500, 8))
    lengths = np.concatenate(
        [rng.uniform(0.01, 0.05, 700), 0.1 + 1e-9 * rng.standard_normal(360), rng.uniform(0.2, 0.25, 440)]
    )
    other = rng.standard_normal((1_500, 8))
    other *= (lengths / np.linalg.norm(other, axis=1))[:, None]
    cloud = np.concatenate([places, places + other])[rng.permutation(3_000)]
    chosen = kept_by_counts(searchable(cloud), 1, 1_761)
    assert chosen is not None
    np.testing.assert_array_equal(chosen, by_distances(cloud, 1, 1_761 / 3_000))
