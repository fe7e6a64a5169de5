"""Lenses, the metric and the elbow rule."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from cnn_topology.errors import InputError
from cnn_topology.mapper.lenses import norm_lens, pca_lens
from cnn_topology.mapper.metric import elbow_eps, knee, variance_normalized


@pytest.fixture
def cloud():
    generator = np.random.default_rng(1)
    return generator.normal(size=(200, 5)) * [5.0, 3.0, 1.0, 0.5, 0.1] + 7.0


def test_pca_lens_is_that_of_the_singular_value_decomposition_up_to_sign(cloud):
    centred = cloud - cloud.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    lens = pca_lens(cloud)
    assert np.allclose(np.abs(lens), np.abs(left[:, :2] * sizes[:2]))


def test_pca_lens_has_its_sign_from_the_largest_entry_of_the_direction(cloud):
    lens = pca_lens(cloud, components=1)[:, 0]
    assert np.corrcoef(lens, cloud[:, 0])[0, 1] > 0.99
    assert np.allclose(pca_lens(cloud[::-1]), pca_lens(cloud)[::-1])


def test_norm_lens_runs_from_zero_to_one(cloud):
    lens = norm_lens(cloud.astype(np.float32))
    assert lens.shape == (200, 1)
    assert (lens.min(), lens.max()) == (0, 1)
    assert np.array_equal(np.argsort(lens[:, 0]), np.argsort(np.linalg.norm(cloud, axis=1)))


def test_lenses_without_variance_are_explained():
    circle = np.exp(1j * np.arange(8)).view(np.float64).reshape(8, 2)
    with pytest.raises(InputError, match="l2 lens has zero variance: all 8 points have norm 1"):
        norm_lens(circle)
    with pytest.raises(InputError, match="PCA-1 has zero variance: the 4 points coincide"):
        pca_lens(np.full((4, 3), 0.1))
    line = np.outer(np.arange(5.0), [1.0, 2.0, 0.3]) + 0.7
    with pytest.raises(InputError, match=r"PCA-2 has zero variance.*1 direction only, the lens takes 2"):
        pca_lens(line)
    assert np.ptp(pca_lens(line, components=1)) > 0


def test_variance_normalized_distance_is_its_formula(cloud):
    with_constant = np.column_stack([cloud, np.full(200, 0.1)])
    assert np.allclose(pdist(variance_normalized(with_constant)), pdist(cloud, "seuclidean", V=cloud.var(axis=0)))
    assert variance_normalized(with_constant).shape == (200, 5)


def test_the_rounding_of_float32_is_no_variance():
    """One filter at many sizes, as float32 weights hold it, is one point once normalized."""
    rng = np.random.default_rng(0)
    filters = (rng.normal(size=9) * rng.uniform(0.5, 1.5, size=(500, 1))).astype(np.float32).astype(np.float64)
    points = filters / np.linalg.norm(filters, axis=1, keepdims=True)
    assert points.std(axis=0).max() > 0
    for use, words in ((pca_lens, "500 points coincide"), (norm_lens, "norm 1;"), (variance_normalized, "coincide")):
        with pytest.raises(InputError, match=words):
            use(points)
    # A coordinate that holds nothing but rounding is left out of the metric instead of being blown up.
    varied = np.column_stack([rng.normal(size=(500, 3)), points[:, 0]])
    assert variance_normalized(varied).shape == (500, 3)


def test_a_cloud_without_any_variance_has_no_normalized_metric():
    with pytest.raises(InputError, match="all 3 points coincide"):
        variance_normalized(np.full((3, 4), 1 / 3))


@pytest.mark.parametrize(
    ("bad", "words"), [(np.full((3, 2), np.nan), "NaN"), (np.zeros(3), "shape"), (np.zeros((0, 2)), "shape")]
)
def test_unusable_clouds_are_refused(bad, words):
    for use in (pca_lens, norm_lens, variance_normalized):
        with pytest.raises(InputError, match=words):
            use(bad)


# Found by kneed 0.9.0, KneeLocator(distances, linspace(0, 1), curve="convex", direction="decreasing").
@pytest.mark.parametrize(("seed", "eps"), [(0, 2.304), (1, 2.133), (2, 2.175)])
def test_elbow_rule_finds_the_knee_that_kneed_finds(seed, eps):
    assert elbow_eps(np.random.default_rng(seed).normal(size=(2000, 9)), seed=0) == eps


def test_elbow_of_a_broken_line_is_its_corner():
    corner = np.concatenate([np.linspace(10, 1, 30), np.linspace(1, 0, 301)[1:]])
    assert knee(corner) == 29


def test_without_a_knee_eps_is_the_median_distance():
    square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    assert elbow_eps(square, seed=0) == 2.0


def test_elbow_of_duplicates_is_refused():
    with pytest.raises(InputError, match="eps = 0"):
        elbow_eps(np.zeros((6, 2)), seed=0)


def test_elbow_looks_at_a_seeded_part_of_a_large_cloud(monkeypatch, cloud):
    monkeypatch.setattr("cnn_topology.mapper.metric.ELBOW_ROWS", 50)
    assert elbow_eps(cloud, seed=3) == elbow_eps(cloud, seed=3)
    assert len({elbow_eps(cloud, seed=seed) for seed in range(5)}) > 1
