"""The sensitivity test: its grids, the removal of components, thresholds from seeds and the point of detection."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_topology.comparison.clouds import SampledCloud
from cnn_topology.comparison.measures import compare
from cnn_topology.comparison.sensitivity import (
    detection_fraction,
    removal_grid,
    seed_threshold,
    without_smallest_components,
)
from cnn_topology.errors import InputError


def test_the_published_grid_is_that_of_the_released_code() -> None:
    for features, last in {64: 60, 128: 124, 256: 252, 512: 508}.items():
        grid = removal_grid(features, "published").tolist()
        assert grid == [int(4 + i * (features - 4) / (features // 4)) for i in range(features // 4)]
        assert grid[:4] == [4, 7, 11, 15]
        assert len(grid) == features // 4
        assert grid[-1] < last + 1


def test_the_corrected_grid_is_even_and_leaves_components() -> None:
    assert removal_grid(64, "corrected").tolist() == list(range(4, 64, 4))
    assert removal_grid(9, "corrected").tolist() == [4, 8]


@given(features=st.integers(5, 600), grid=st.sampled_from(["published", "corrected"]))
def test_both_grids_ascend_and_leave_at_least_one_component(features: int, grid: str) -> None:
    counts = removal_grid(features, grid)  # type: ignore[arg-type]
    assert len(counts) > 0
    assert counts[0] == 4
    assert counts[-1] < features
    assert (np.diff(counts) > 0).all()


def test_a_layer_too_narrow_is_refused() -> None:
    with pytest.raises(InputError, match="4 features is too narrow"):
        removal_grid(4, "published")


def skewed(samples: int, features: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((samples, features)) * np.geomspace(3, 0.1, features) + rng.uniform(1, 5, features)


@pytest.mark.parametrize("centre", [False, True])
def test_removing_components_is_the_best_approximation_of_that_rank(centre: bool) -> None:
    points = skewed(40, 8)
    whole = points - points.mean(axis=0) if centre else points
    # Eigenvectors of the second moments, by another route than the package's.
    _, axes = np.linalg.eigh(whole.T @ whole)
    removed = [0, 1, 5, 7]
    for count, reduced in zip(removed, without_smallest_components(points, removed, centre), strict=True):
        assert reduced.shape == (40, 8 - count)
        kept = axes[:, ::-1][:, : 8 - count]
        np.testing.assert_allclose(reduced @ reduced.T, whole @ kept @ kept.T @ whole.T, atol=1e-9)


def test_the_published_way_keeps_the_mean_and_the_corrected_way_removes_it() -> None:
    points = skewed(40, 8)
    published, corrected = (without_smallest_components(points, [7], centre)[0] for centre in (False, True))
    assert abs(published.mean()) > 1
    assert corrected.mean() == pytest.approx(0, abs=1e-12)


def test_removing_nothing_keeps_all_distances_even_with_fewer_samples_than_features() -> None:
    points = skewed(6, 20)
    (same,) = without_smallest_components(points, [0], centre=False)
    assert same.shape == (6, 20)
    np.testing.assert_allclose(same @ same.T, points @ points.T, atol=1e-10)


def test_the_curve_of_a_measure_grows_and_crosses_the_threshold_of_the_seeds() -> None:
    points = skewed(60, 16)
    ids = np.arange(60)
    grid = removal_grid(16, "corrected")
    reduced = without_smallest_components(points, grid, centre=True)
    whole = SampledCloud(points, ids)
    curve = np.array([compare("procrustes_distance", whole, SampledCloud(part, ids)) for part in reduced])
    assert (np.diff(curve) > 0).all()
    threshold = float(curve[:2].mean())
    assert detection_fraction(grid / 16, curve, threshold, "distance") == grid[1] / 16


def test_the_threshold_is_the_mean_over_pairs_of_seeds_with_its_band() -> None:
    values = np.arange(100.0).reshape(10, 10)
    np.fill_diagonal(values, np.nan)  # not read
    mean, low, high = seed_threshold(values)
    between = sorted(values[~np.isnan(values)])
    assert mean == pytest.approx(np.mean(between))
    assert (low, high) == (np.percentile(between, 5), np.percentile(between, 95))


def test_detection_is_the_first_step_that_passes_or_nan() -> None:
    fractions = np.array([0.25, 0.5, 0.75])
    assert detection_fraction(fractions, np.array([1.0, 2.0, 3.0]), 1.5, "distance") == 0.5
    assert detection_fraction(fractions, np.array([0.9, 0.8, 0.1]), 0.5, "similarity") == 0.75
    assert np.isnan(detection_fraction(fractions, np.array([1.0, 2.0, 3.0]), 3.0, "distance"))
