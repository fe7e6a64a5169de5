"""Lenses, the metric and the elbow rule."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from cnn_topology.errors import InputError
from cnn_topology.mapper.lenses import norm_lens, pca_lens
from cnn_topology.mapper.metric import elbow_eps, knee, variance_normalized
from cnn_topology.mapper.neighbourhoods import nearest_distances


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


def released_knee(distances):
    """Find the knee as kneed does, each tie left to rounding."""
    scaled = (distances - distances[-1]) / (distances[0] - distances[-1])
    curve = np.linspace(1, 0, len(distances)) - scaled
    padded = np.pad(curve, 1, mode="edge")
    maximum = (curve >= padded[:-2]) & (curve >= padded[2:])
    step, candidate = abs(np.diff(scaled).mean()), None
    for i in range(len(curve) - 1):
        candidate = i if maximum[i] else candidate
        if candidate is not None and curve[i + 1] < curve[candidate] - step:
            return candidate
    return None


def test_without_ties_the_knee_is_that_of_the_released_code():
    rng = np.random.default_rng(0)
    knees = []
    for _ in range(1_000):
        falling = np.sort(rng.gamma(rng.uniform(0.3, 5), size=rng.integers(3, 80)))[::-1]
        knees.append(knee(falling))
        assert knees[-1] == released_knee(falling)
    assert len(set(knees)) > 20


def test_the_unit_of_a_cloud_does_not_move_its_knee():
    """Where two points are each other's nearest, the curve falls by just the step that must be passed."""
    rng = np.random.default_rng(0)
    moved = ties = 0
    for number in range(1_000):
        points = rng.normal(size=(rng.integers(10, 60), rng.integers(1, 6)))
        points = np.round(4 * points) if number % 4 == 0 else points
        curves = [np.sort(nearest_distances(points * factor, 1)[:, 0])[::-1] for factor in (1, 3, 1 / 3)]
        knees = {knee(falling) for falling in curves}
        moved += len(knees) > 1
        ties += (np.diff(curves[0]) == 0).any()
        # The fall to an equal distance is just the step and does not count.
        at = knees.pop()
        assert at is None or at + 2 < len(points)
    assert ties > 900
    assert moved == 0


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
