"""DBSCAN and nearest distances by single-precision products: the same as by float64 differences, in any scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import DBSCAN

from cnn_topology.mapper import neighbourhoods
from cnn_topology.mapper.neighbourhoods import density_clusters, nearest_distances


def reference(points, eps, min_samples):
    distances = squareform(pdist(points.astype(np.float64)))
    return DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit(distances).labels_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e-6, 0.0), (1e15, 0.0), (1.0, 300.0)])
def test_clusters_are_those_of_scikit_learn_in_any_scale(dtype, scale, offset):
    generator = np.random.default_rng(3)
    centres = 3 * generator.normal(size=(6, 40))
    points = ((centres[generator.integers(0, 6, 400)] + generator.normal(size=(400, 40)) + offset) * scale).astype(
        dtype
    )
    for eps in (6.0, 7.5, 9.0):
        labels = density_clusters(points, eps * scale, 5)
        assert np.array_equal(labels, reference(points, eps * scale, 5))
        assert -1 in labels or eps == 9.0


@given(
    arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=st.integers(0, 5)),
    st.sampled_from([1.0, 2.0, 3.0, 5.0]),
    st.integers(1, 6),
)
def test_pairs_exactly_at_the_radius_count_as_near(points, eps, min_samples):
    assert np.array_equal(density_clusters(points, eps, min_samples), reference(points, eps, min_samples))


def test_pairs_that_single_precision_cannot_tell_are_told():
    # Far from the mean, so that products of float32 lose the difference of the two distances.
    base = np.zeros((7, 2))
    base[:, 0] = [0, 1, 2, 1e5, 1e5 + 1.0001, 1e5 + 2.0002, -2e5]
    assert density_clusters(base, 1.00005, 2).tolist() == [0, 0, 0, -1, -1, -1, -1]
    assert density_clusters(base, 1.0002, 2).tolist() == [0, 0, 0, 1, 1, 1, -1]


def test_results_do_not_hang_on_the_size_of_blocks(monkeypatch):
    points = np.random.default_rng(5).normal(size=(300, 8)).astype(np.float32)
    whole = density_clusters(points, 1.7, 5), nearest_distances(points, 3)
    assert len(np.unique(whole[0])) > 2
    monkeypatch.setattr(neighbourhoods, "BLOCK", 700)
    monkeypatch.setattr(neighbourhoods, "ROWS", 17)
    assert np.array_equal(whole[0], density_clusters(points, 1.7, 5))
    assert np.array_equal(whole[1], nearest_distances(points, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearest_distances_are_those_of_all_pairs(dtype):
    points = np.random.default_rng(6).normal(size=(250, 30)).astype(dtype) + 100
    distances = squareform(pdist(points.astype(np.float64)))
    np.fill_diagonal(distances, np.inf)
    found = nearest_distances(points, 5)
    assert np.allclose(found, np.sort(distances, axis=1)[:, :5], rtol=1e-12, atol=0)


def test_duplicates_are_at_distance_zero():
    points = np.repeat(np.random.default_rng(7).normal(size=(20, 6)).astype(np.float32), 2, axis=0)
    assert (nearest_distances(points, 2)[:, 0] == 0).all()
    assert (nearest_distances(points, 2)[:, 1] > 0).all()
