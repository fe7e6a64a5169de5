"""The loops of one cloud: what is kept, the tests against each null, and the verdict."""

from functools import partial

import numpy as np
import pytest

from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import Filtering, Significance
from cnn_topology.statistics.loops import cloud_loops, loops
from cnn_topology.statistics.null_clouds import permuted_null, sphere_null_cloud
from cnn_topology.statistics.nulls import null_draws
from cnn_topology.topology.patches import edge_patch, noisy, random_filters

SIGNIFICANCE = Significance(draws=39, alpha=0.05)
FILTERING = Filtering(k=20, p=0.3, landmarks=6_000)


def _tested(points, filtering=FILTERING):
    nulls = {
        "sphere": partial(sphere_null_cloud, len(points)),
        "permuted": permuted_null(points),
    }
    draws = {name: null_draws(make, [filtering], range(39), ("test", name))[filtering] for name, make in nulls.items()}
    distances = neighbour_distances(points, [filtering.k])[:, 0]
    return cloud_loops(points, distances, filtering, draws, SIGNIFICANCE)


@pytest.fixture(scope="module")
def circle():
    """Return filters of which a third lie near the primary circle, as in a trained first layer."""
    rng = np.random.default_rng(0)
    return np.concatenate([noisy(edge_patch(rng.uniform(0, 2 * np.pi, 200)), 0.2, rng), random_filters(400, rng)])


def test_circle_among_noise_is_one_circle_under_both_nulls(circle):
    found = _tested(circle)
    assert found.verdict == "one loop"
    assert found.significant_bars == 1
    assert {test.p_longest for test in found.tests.values()} == {1 / 40}
    assert len(found.kept) == 180
    assert (found.kept < 200).mean() > 0.9
    assert np.isclose(found.longest_bar[1] - found.longest_bar[0], found.longest)
    assert all(test.critical < found.longest for test in found.tests.values())
    assert (found.p_values <= 0.05).sum() == 1


def test_random_filters_have_no_loop():
    found = _tested(random_filters(600, np.random.default_rng(3)))
    assert found.verdict == "no loop"
    assert found.significant_bars == 0
    assert (found.p_values > 0.05).all()


def test_landmarks_are_used_where_too_many_points_are_kept(circle):
    found = _tested(circle, Filtering(k=20, p=0.3, landmarks=60))
    assert found.barcode.points == 60
    assert found.barcode.covering_radius > 0
    assert found.verdict == "one loop"


def test_cloud_without_a_loop_bar_is_no_loop_and_no_exception():
    points = np.repeat(edge_patch(np.array([0.0, 0.1, 0.2])), 20, axis=0)
    found = _tested(points, Filtering(k=2, p=1.0))
    assert (found.longest, found.second) == (0, 0)
    assert np.isnan(found.longest_bar).all()
    assert (found.verdict, found.p_bobrowski_skraba) == ("no loop", 1.0)


@pytest.mark.parametrize(
    ("filtering", "verdict"),
    [
        (Filtering(k=8, p=0.3), "one loop"),
        (Filtering(k=100, p=0.1), "too few filters"),  # 26 are kept, and the 100th neighbour is far away
        (Filtering(k=8, p=0.19), "too few filters"),  # 49 are kept
        (Filtering(k=27, p=0.3), "too few filters"),  # more than a tenth of 256, 26
    ],
)
def test_a_layer_of_256_filters_is_tested_where_the_filtering_fits_its_size(filtering, verdict):
    rng = np.random.default_rng(0)
    circle = noisy(edge_patch(rng.uniform(0, 2 * np.pi, 100)), 0.2, rng)
    found = _tested(np.concatenate([circle, random_filters(156, rng)]), filtering)
    assert found.verdict == verdict
    untested = verdict == "too few filters"
    assert (found.significant_bars is None) is untested
    assert (found.tests == {}) is untested
    assert np.isnan(found.p_values).all() == untested
    assert np.isnan(found.p_bobrowski_skraba) == untested
    assert found.longest > 0, "the bars are there all the same"


@pytest.mark.parametrize("points", [2, 5])
def test_a_cloud_of_a_few_points_has_no_verdict_on_its_loops(points):
    cloud = random_filters(points, np.random.default_rng(points))
    found = cloud_loops(cloud, np.ones(points), Filtering(k=1, p=1.0), {}, SIGNIFICANCE)
    assert (found.verdict, found.significant_bars) == ("too few filters", None)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"draws": 50}, "ask for at least 99 draws"),
        ({"draws": 5}, "draws"),
        ({"alpha": 0.9}, "alpha"),
        ({"nulls": ["sphere", "spere"]}, "nulls"),
        ({"nulls": []}, "nulls"),
        ({"k": 600}, "k = 600"),
        ({"p": 0.0}, "p = 0"),
        ({"landmarks": 5}, "landmarks"),
        ({"filters": np.zeros((600, 8))}, "shape"),
        ({"filters": np.zeros((600, 9))}, "0 of the filters"),
    ],
)
def test_what_loops_cannot_use_is_refused_by_its_name(wrong, named):
    given = {"filters": random_filters(600, np.random.default_rng(3)), "k": 20, **wrong}
    with pytest.raises(InputError, match=named):
        loops(**given)


def test_a_layer_that_is_too_small_is_not_tested():
    result = loops(random_filters(100, np.random.default_rng(3)))
    assert (result.verdict, result.p_longest, result.p_ratio, result.tests) == ("too few filters", None, None, {})
