"""Our engine, Ripser and GUDHI give the same bars, bit by bit, on anything that has distances."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import squareform

from cnn_topology.topology.persistence import barcode

DETERMINISTIC = {
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
SIZES = st.integers(0, 60)
SEEDS = st.integers(0, 2**32 - 1)
FIELDS = st.sampled_from([2, 3])
THRESHOLDS = st.sampled_from([np.inf, 0.0, 0.2, 0.5, 1.0, 1.7])


def assert_same_bars(*, references=("ripser", "gudhi"), **given_to_all):
    ours = barcode(**given_to_all, engine="annotations")
    for reference in references:
        theirs = barcode(**given_to_all, engine=reference)
        for name in ("dimension", "birth", "death"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=f"{name}, {reference}")


def random_lengths(seed, n):
    return np.random.default_rng(seed).random(n * (n - 1) // 2)


@settings(max_examples=150, **DETERMINISTIC)
@given(n=SIZES, d=st.integers(1, 9), seed=SEEDS, field=FIELDS, threshold=THRESHOLDS, single=st.booleans())
def test_points(n, d, seed, field, threshold, single):
    points = np.random.default_rng(seed).normal(size=(n, d))
    assert_same_bars(points=points.astype(np.float32 if single else np.float64), field=field, threshold=threshold)


@settings(max_examples=150, **DETERMINISTIC)
@given(n=SIZES, d=st.integers(1, 3), side=st.integers(1, 6), seed=SEEDS, field=FIELDS)
def test_ties_and_duplicates_on_a_lattice(n, d, side, seed, field):
    assert_same_bars(points=np.random.default_rng(seed).integers(0, side, (n, d)), field=field)


@settings(max_examples=200, **DETERMINISTIC)
@given(n=SIZES, seed=SEEDS, field=FIELDS, threshold=THRESHOLDS, levels=st.sampled_from([0, 2, 5, 20]))
def test_symmetric_matrices_that_are_no_metric(n, seed, field, threshold, levels):
    lengths = random_lengths(seed, n)
    if levels:
        lengths = np.ceil(lengths * levels)
    square = squareform(lengths) if n > 1 else np.zeros((n, n))
    assert_same_bars(distances=square, field=field, threshold=threshold * (levels or 1))


@settings(max_examples=150, **DETERMINISTIC)
@given(n=SIZES, seed=SEEDS, field=FIELDS, missing=st.floats(0, 1), levels=st.sampled_from([0, 4]))
def test_infinite_distances_are_missing_edges(n, seed, field, missing, levels):
    lengths = random_lengths(seed, n)
    if levels:
        lengths = np.ceil(lengths * levels)
    lengths[random_lengths(seed + 1, n) < missing] = np.inf
    assert_same_bars(distances=squareform(lengths) if n > 1 else np.zeros((n, n)), field=field)


@settings(max_examples=80, **DETERMINISTIC)
@given(n=st.integers(2, 60), seed=SEEDS, density=st.floats(0, 1), threshold=THRESHOLDS)
def test_sparse_distances_are_those_of_the_dense_matrix(n, seed, density, threshold):
    lengths = random_lengths(seed, n)
    lengths[random_lengths(seed + 1, n) >= density] = np.inf
    square = squareform(lengths)
    row, column = np.nonzero(np.isfinite(np.triu(square, 1)) & (np.triu(square, 1) > 0))
    stored = sparse.coo_matrix((square[row, column], (row, column)), shape=(n, n))
    assert_same_bars(distances=stored, threshold=threshold)
    for form in (stored.tocsr().T, (stored + stored.T).tocsc()):
        for ours, dense in zip(_arrays(distances=form), _arrays(distances=square), strict=True):
            np.testing.assert_array_equal(ours, dense)


def _arrays(**arguments):
    bars = barcode(**arguments)
    return bars.dimension, bars.birth, bars.death


# Past 64 points a row of bits has several words, and past some hundred the vectors outgrow their first arrays.
@pytest.mark.parametrize("field", [2, 3])
@pytest.mark.parametrize("kind", ["normal", "wide", "lattice", "no metric", "missing", "circle"])
@pytest.mark.parametrize("n", [65, 130])
def test_clouds_of_several_words(kind, n, field):
    rng = np.random.default_rng(n)
    if kind in ("normal", "wide", "circle"):
        points = rng.normal(size=(n, {"normal": 4, "wide": 40, "circle": 2}[kind]))
        if kind == "circle":
            points = points / np.linalg.norm(points, axis=1, keepdims=True) + 0.1 * rng.normal(size=points.shape)
        return assert_same_bars(points=points, field=field)
    if kind == "lattice":
        return assert_same_bars(points=rng.integers(0, 5, (n, 3)), field=field)
    lengths = random_lengths(n, n)
    if kind == "missing":
        lengths[random_lengths(n + 1, n) < 0.6] = np.inf
    return assert_same_bars(distances=squareform(lengths), field=field, references=("gudhi",))


@pytest.mark.parametrize("field", [2, 3])
def test_many_classes_outgrow_the_first_arrays(field):
    points = np.random.default_rng(0).normal(size=(600, 7))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert_same_bars(points=points, field=field, references=("gudhi",))


def test_blocks_of_edges_do_not_change_the_bars(monkeypatch):
    from cnn_topology.topology import annotations

    rng = np.random.default_rng(5)
    clouds = [rng.normal(size=(90, 3)), rng.integers(0, 4, (90, 3)).astype(float)]
    whole = [_arrays(points=cloud) for cloud in clouds]
    monkeypatch.setattr(annotations, "LEAST_BLOCK", 100)
    monkeypatch.setattr(annotations, "BLOCKS", 10**6)
    for cloud, expected in zip(clouds, whole, strict=True):
        for ours, before in zip(_arrays(points=cloud), expected, strict=True):
            np.testing.assert_array_equal(ours, before)
