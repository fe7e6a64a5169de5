from functools import partial
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_shapes import primary_circle

from cnn_topology.clouds.filters import LayerFilters, centre_and_normalize
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import Filtering, NullName
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.null_clouds import (
    NULLS,
    covariance_null,
    gaussian_variances,
    null_cloud,
    permuted_null,
    sphere_null_cloud,
)
from cnn_topology.statistics.nulls import filtered_clouds, loop_statistics, null_draws
from cnn_topology.topology.circles import near_circles
from cnn_topology.topology.patches import edge_patch, noisy, random_filters
from cnn_topology.topology.persistence import barcode

SEEDS = st.integers(0, 2**32 - 1)
FILTERINGS = [Filtering(k=5, p=0.3), Filtering(k=5, p=1.0, landmarks=20), Filtering(k=12, p=0.5)]


def sphere(draws, filterings=FILTERINGS, identity=(7, "sphere", 80)):
    return null_draws(partial(sphere_null_cloud, 80), filterings, draws, identity)


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def test_draws_do_not_depend_on_their_order_or_batch():
    whole, last, first = sphere(range(6)), sphere([5, 4, 3]), sphere([0, 1, 2])
    for filtering in FILTERINGS:
        np.testing.assert_array_equal(whole[filtering].longest[:3], first[filtering].longest)
        np.testing.assert_array_equal(whole[filtering].longest[3:], last[filtering].longest[::-1])
        np.testing.assert_array_equal(whole[filtering].largest_ratio[3:], last[filtering].largest_ratio[::-1])
    assert len(np.unique(whole[FILTERINGS[0]].longest)) == 6


def test_draws_of_one_filtering_do_not_depend_on_the_others():
    together = sphere(range(3))
    for filtering in FILTERINGS:
        assert same(together[filtering], sphere(range(3), [filtering])[filtering])


def test_draws_of_another_identity_differ():
    filtering = FILTERINGS[0]
    assert not same(sphere(range(3))[filtering], sphere(range(3), identity=(8, "sphere", 80))[filtering])


@pytest.mark.parametrize("filtering", FILTERINGS)
def test_a_draw_is_what_the_filter_keeps_of_the_cloud_with_its_seed(filtering):
    cloud = sphere_null_cloud(80, np.random.default_rng(derive_seed(7, "sphere", 80, 2)))
    (kept,) = filtered_clouds(cloud, [filtering])
    found = null_draws(partial(sphere_null_cloud, 80), FILTERINGS, [2], (7, "sphere", 80), FILTERINGS[1:])[filtering]
    expected = loop_statistics(barcode(kept, landmarks=filtering.landmarks))
    assert (found.longest[0], found.second[0], found.largest_ratio[0]) == expected
    if filtering == FILTERINGS[0]:
        assert found.near is found.coverage is None
    else:
        near = near_circles(kept)
        np.testing.assert_array_equal((found.near[0], found.coverage[0]), (near.counts(), near.coverage()))


def test_a_filtered_cloud_has_the_points_that_were_asked_for():
    points = random_filters(80, np.random.default_rng(0))
    assert [len(kept) for kept in filtered_clouds(points, FILTERINGS)] == [24, 80, 40]
    np.testing.assert_array_equal(filtered_clouds(points, [Filtering(k=5, p=1.0)])[0], points)


def test_k_of_the_size_of_the_cloud_is_refused():
    with pytest.raises(InputError, match="k = 80"):
        sphere([0], [Filtering(k=80, p=0.3)])


def test_statistics_of_a_circle_are_those_of_its_bars():
    # Eight edges: born at the side of an octagon, dead at the length across it that closes the first triangle.
    longest, second, ratio = loop_statistics(barcode(primary_circle(8)))
    side, across = 2 * np.sin(np.pi / 8), 2 * np.sin(3 * np.pi / 8)
    assert longest == pytest.approx(across - side, abs=1e-6)
    assert second == 0
    assert ratio == pytest.approx(across / side, abs=1e-6)


def test_a_cloud_without_loops_has_neutral_statistics():
    assert loop_statistics(barcode(np.eye(9)[:4])) == (0.0, 0.0, 1.0)


@given(SEEDS, st.sampled_from(["filter", "coordinate"]))
def test_both_nulls_give_as_many_unit_filters(seed, centre):
    rng = np.random.default_rng(seed)
    raw = rng.standard_normal((30, 9)) + np.arange(9)
    for cloud in (sphere_null_cloud(30, rng, centre), permuted_null(raw, centre)(rng)):
        assert cloud.shape == (30, 9)
        np.testing.assert_allclose(np.linalg.norm(cloud, axis=1), 1, atol=1e-12)


@given(SEEDS)
def test_shuffling_keeps_the_entries_of_every_filter(seed):
    rng = np.random.default_rng(seed)
    filters = random_filters(30, rng)
    shuffled = permuted_null(filters)(rng)
    np.testing.assert_allclose(np.sort(shuffled, axis=1), np.sort(filters, axis=1), atol=1e-12)


def test_filters_are_shuffled_independently_of_each_other():
    filters = np.tile(np.arange(9.0), (200, 1))
    assert len(np.unique(permuted_null(filters)(np.random.default_rng(1)), axis=0)) == 200


def test_shuffling_destroys_a_circle():
    rng = np.random.default_rng(2)
    circle = noisy(edge_patch(rng.uniform(0, 2 * np.pi, 300)), 0.2, rng)
    filtering = Filtering(k=10, p=0.5)
    null = null_draws(permuted_null(circle), [filtering], range(5), ("circle",))[filtering]
    assert loop_statistics(barcode(filtered_clouds(circle, [filtering])[0]))[0] > 2 * null.longest.max()


def test_random_filters_after_the_density_filter_of_the_paper_have_short_bars():
    filtering = Filtering(k=200, p=0.3, landmarks=400)
    null = null_draws(partial(sphere_null_cloud, 6_400), [filtering], range(3), ("paper",))[filtering]
    assert ((null.longest > 0.15) & (null.longest < 0.32)).all()
    assert (null.second > 0.6 * null.longest).all()


def test_the_density_filter_alone_lengthens_the_bars_of_noise():
    sizes = {Filtering(k=10, p=0.1): 2_000, Filtering(k=10, p=1.0): 200}
    medians = [
        np.median(null_draws(partial(sphere_null_cloud, n), [filtering], range(7), (n,))[filtering].longest)
        for filtering, n in sizes.items()
    ]
    assert medians[0] > 1.1 * medians[1]


def test_every_null_of_a_config_has_draws_of_its_own():
    assert set(NULLS) == set(get_args(NullName))
    points = noisy(primary_circle(80), 0.5, np.random.default_rng(1))
    layer = LayerFilters(points, np.ones(80), np.linspace(-1, 1, 80), np.arange(80) // 4)
    clouds = [null_cloud(name, layer)(np.random.default_rng(2)) for name in NULLS]
    assert len({cloud.tobytes() for cloud in clouds}) == len(clouds)


def test_the_covariance_null_keeps_the_second_moments_and_the_sphere():
    rng = np.random.default_rng(4)
    points = noisy(primary_circle(4_000), 0.8, rng)
    drawn = covariance_null(points)(rng)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1)
    np.testing.assert_allclose(drawn.sum(axis=1), 0, atol=1e-12)
    own, other = (np.linalg.eigvalsh(cloud.T @ cloud / len(cloud))[::-1] for cloud in (points, drawn))
    assert own[:2].sum() > 0.5
    np.testing.assert_allclose(other, own, atol=0.015)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9).filter(lambda m: sum(m) > 0.1))
def test_variances_give_the_second_moments_asked_for(parts):
    moments = np.array(parts) / sum(parts)
    variances = gaussian_variances(moments)
    drawn = np.random.default_rng(0).standard_normal((20_000, len(parts))) * np.sqrt(variances)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    np.testing.assert_allclose((drawn**2).mean(axis=0), moments, atol=0.02)


def test_a_circle_that_two_components_make_is_not_told_from_its_covariance():
    """An annulus of Gaussian filters is a loop beyond noise, and no more than its covariance says."""
    rng = np.random.default_rng(6)
    plane = edge_patch(np.array([0.0, np.pi / 2]))
    gaussian = centre_and_normalize(rng.standard_normal((600, 2)) @ (2 * plane) + 0.5 * rng.standard_normal((600, 9)))[
        0
    ]
    filtering = Filtering(k=20, p=0.3)
    longest = barcode(filtered_clouds(gaussian, [filtering])[0]).lengths(1)[0]
    noise, own = (
        null_draws(make, [filtering], range(29), (name,))[filtering].longest
        for name, make in (
            ("sphere", partial(sphere_null_cloud, 600)),
            ("covariance", covariance_null(gaussian)),
        )
    )
    assert longest > noise.max()
    assert own.min() < longest < own.max()
