"""Measures between layers: against direct formulas written another way, on closed cases, and what they refuse."""

import subprocess
import sys

import numpy as np
import persim
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.comparison.clouds import SampledCloud, constant_features
from cnn_topology.comparison.measures import MEASURES, compare, compare_all, measure_named
from cnn_topology.errors import InputError

ON_CLOUDS = sorted(name for name, measure in MEASURES.items() if measure.takes == "clouds")
SAMPLES = 60
IDS = np.arange(SAMPLES)


def cloud(points: np.ndarray) -> SampledCloud:
    return SampledCloud(points, np.arange(len(points)))


def two_layers(seed: int, features: int = 7, others: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Two layers that share a part, away from the origin and unevenly scaled."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((SAMPLES, 3))
    first = shared @ rng.standard_normal((3, features)) + rng.standard_normal((SAMPLES, features)) + 4.0
    second = shared @ rng.standard_normal((3, others)) + 0.3 * rng.standard_normal((SAMPLES, others)) - 1.0
    return first * rng.uniform(0.2, 3, features), second


# --- direct formulas, each by another route than the package -------------------------------------------------------


def cka_by_grams(a: np.ndarray, b: np.ndarray) -> float:
    h = np.eye(len(a)) - 1 / len(a)
    k, m = h @ a @ a.T @ h, h @ b @ b.T @ h
    return np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))


def unbiased_hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Song et al. (2012), equation 5."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    one = np.ones(n)
    whole = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ m) + whole - 2 / (n - 2) * one @ k @ m @ one) / (n * (n - 3))


def debiased_by_traces(a: np.ndarray, b: np.ndarray) -> float:
    k, m = a @ a.T, b @ b.T
    return unbiased_hsic(k, m) / np.sqrt(unbiased_hsic(k, k) * unbiased_hsic(m, m))


def correlations_by_covariances(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Canonical correlations and unit canonical variables of a, from the generalized eigenproblem."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    between = a.T @ b @ np.linalg.solve(b.T @ b, b.T @ a)
    squares, weights = scipy.linalg.eigh(between, a.T @ a)
    count = min(a.shape[1], b.shape[1])
    variables = (a @ weights)[:, ::-1][:, :count]
    return np.sqrt(np.clip(squares[::-1][:count], 0, 1)), variables / np.linalg.norm(variables, axis=0)


def cca_by_covariances(a: np.ndarray, b: np.ndarray) -> float:
    return 1 - correlations_by_covariances(a, b)[0].mean()


def pwcca_by_covariances(a: np.ndarray, b: np.ndarray) -> float:
    correlations, variables = correlations_by_covariances(a, b)
    weights = np.abs(variables.T @ (a - a.mean(axis=0))).sum(axis=1)
    return 1 - (weights * correlations).sum() / weights.sum()


def svcca_by_covariances(a: np.ndarray, b: np.ndarray) -> float:
    def reduced(x: np.ndarray) -> np.ndarray:
        x = x - x.mean(axis=0)
        variances, axes = np.linalg.eigh(x.T @ x)
        spreads = np.sqrt(variances[::-1])
        kept = next(k for k in range(1, len(spreads) + 1) if spreads[:k].sum() >= 0.99 * spreads.sum())
        return x @ axes[:, ::-1][:, :kept]

    return cca_by_covariances(reduced(a), reduced(b))


def procrustes_by_rotation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = (np.pad(x - x.mean(axis=0), ((0, 0), (0, 8 - x.shape[1]))) for x in (a, b))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    rotation, _ = scipy.linalg.orthogonal_procrustes(a, b)
    return np.linalg.norm(a @ rotation - b) ** 2


DIRECT = {
    "linear_cka": cka_by_grams,
    "linear_cka_distance": lambda a, b: 1 - cka_by_grams(a, b),
    "debiased_cka": debiased_by_traces,
    "cca_distance": cca_by_covariances,
    "svcca_distance": svcca_by_covariances,
    "pwcca_distance": pwcca_by_covariances,
    "procrustes_distance": procrustes_by_rotation,
}


def test_every_measure_on_clouds_has_a_direct_formula_here() -> None:
    assert sorted(DIRECT) == ON_CLOUDS


@pytest.mark.parametrize("name", ON_CLOUDS)
@pytest.mark.parametrize("widths", [(7, 5), (4, 8), (6, 6)])
def test_a_measure_equals_its_direct_formula(name: str, widths: tuple[int, int]) -> None:
    for seed in range(5):
        first, second = two_layers(seed, *widths)
        if name == "svcca_distance":
            # Small directions, so that some of them are dropped.
            first[:, -1] = 1e-3 * first[:, -1] + first[:, 0]
        assert compare(name, cloud(first), cloud(second)) == pytest.approx(DIRECT[name](first, second), abs=1e-9)


def test_sliced_wasserstein_of_bars_is_that_of_persim() -> None:
    rng = np.random.default_rng(0)
    first, second = (np.cumsum(rng.random((bars, 2)), axis=1) for bars in (30, 40))
    value = compare("sliced_wasserstein", first, second)
    assert value == pytest.approx(persim.sliced_wasserstein(first, second), rel=1e-6)
    block = compare_all("sliced_wasserstein", [first, second], [second])
    np.testing.assert_allclose(block, [[value], [0.0]])


# --- what every measure claims of itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ON_CLOUDS)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), power=st.integers(-100, 100))
def test_a_layer_against_itself_gives_exactly_the_value_of_equals(name: str, seed: int, power: int) -> None:
    layer = cloud(two_layers(seed)[0] * 10.0**power)
    assert compare(name, layer, layer) == measure_named(name).of_equals


@pytest.mark.parametrize("name", ON_CLOUDS)
def test_a_measure_is_symmetric_exactly_where_it_claims_to_be(name: str) -> None:
    first, second = (cloud(points) for points in two_layers(1))
    there, back = compare(name, first, second), compare(name, second, first)
    assert (abs(there - back) < 1e-12) == measure_named(name).symmetric


@pytest.mark.parametrize("name", ON_CLOUDS)
@pytest.mark.parametrize("invariance", ["orthogonal", "scaling", "linear"])
def test_a_measure_is_invariant_exactly_where_it_claims_to_be(name: str, invariance: str) -> None:
    rng = np.random.default_rng(2)
    # Three layers that nearly share a plane; SVCCA keeps other directions after a linear map.
    first, second = two_layers(3)
    width = first.shape[1]
    maps = {
        "orthogonal": scipy.linalg.qr(rng.standard_normal((width, width)))[0],
        "scaling": 0.01 * np.eye(width),
        "linear": rng.standard_normal((width, width)) * np.geomspace(1, 1e4, width),
    }
    before = compare(name, cloud(first), cloud(second))
    after = compare(name, cloud(first @ maps[invariance]), cloud(second))
    assert (abs(before - after) < 1e-9) == (invariance in measure_named(name).invariant)


@pytest.mark.parametrize("name", ON_CLOUDS)
def test_a_measure_ignores_where_the_cloud_lies_and_the_order_of_samples(name: str) -> None:
    first, second = two_layers(4)
    before = compare(name, cloud(first), cloud(second))
    order = np.random.default_rng(0).permutation(SAMPLES)
    after = compare(name, SampledCloud(first[order] + 10, order), SampledCloud(second[order], order))
    assert after == pytest.approx(before, abs=1e-10)


@pytest.mark.parametrize("name", ON_CLOUDS)
def test_a_nearer_layer_has_a_smaller_distance_or_a_larger_similarity(name: str) -> None:
    rng = np.random.default_rng(5)
    layer = rng.standard_normal((SAMPLES, 6))
    noise = rng.standard_normal((SAMPLES, 6))
    near, far = (compare(name, cloud(layer), cloud(layer + share * noise)) for share in (0.1, 2.0))
    assert near < far if measure_named(name).kind == "distance" else near > far


def test_debiased_cka_of_unrelated_layers_is_zero_in_the_mean_where_the_biased_one_is_not() -> None:
    rng = np.random.default_rng(6)
    pairs = [[cloud(rng.standard_normal((20, 50))) for _ in range(2)] for _ in range(100)]
    assert abs(np.mean([compare("debiased_cka", *pair) for pair in pairs])) < 0.02
    assert np.mean([compare("linear_cka", *pair) for pair in pairs]) > 0.6


def test_all_pairs_are_the_single_pairs_with_the_row_as_the_first_argument() -> None:
    layers = [cloud(two_layers(seed)[0]) for seed in range(3)]
    for name in ON_CLOUDS:
        single = np.array([[compare(name, a, b) for b in layers] for a in layers])
        np.testing.assert_allclose(compare_all(name, layers), single, atol=1e-12)
        np.testing.assert_allclose(compare_all(name, layers[:1], layers[1:]), single[:1, 1:], atol=1e-12)


# --- bad input -----------------------------------------------------------------------------------------------------


def test_an_unknown_measure_is_refused_with_the_nearest_name() -> None:
    layer = cloud(np.eye(5))
    with pytest.raises(InputError, match="did you mean 'pwcca_distance'"):
        compare("pwcca", layer, layer)


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_what_a_measure_does_not_take_is_refused_with_what_it_takes(name: str) -> None:
    takes = MEASURES[name].takes
    bars, points = np.array([[0.0, 1.0]]), cloud(two_layers(0)[0])
    wrong, wanted = (bars, r"SampledCloud\(points, ids\)") if takes == "clouds" else (points, r"in_dimension\(1\)")
    right = points if takes == "clouds" else bars
    for pair in ((wrong, wrong), (wrong, right), (right, wrong)):
        with pytest.raises(InputError, match=f"{name} compares {takes}: give .*{wanted}.*, got {type(wrong).__name__}"):
            compare(name, *pair)


def test_clouds_on_other_samples_or_in_another_order_are_refused() -> None:
    points = two_layers(0)[0]
    first = SampledCloud(points, IDS)
    swapped = IDS.copy()
    swapped[[3, 4]] = [4, 3]
    with pytest.raises(InputError, match=f"the same {len(IDS)} samples in another order: sort"):
        compare("linear_cka", first, SampledCloud(points, swapped))
    with pytest.raises(InputError, match="60 and 60 samples, which are not the same: extract"):
        compare("linear_cka", first, SampledCloud(points, IDS + 1))
    with pytest.raises(InputError, match="60 and 59 samples"):
        compare("linear_cka", first, SampledCloud(points[:-1], IDS[:-1]))
    with pytest.raises(InputError, match="not the same: extract"):
        compare("linear_cka", first, SampledCloud(points, IDS.astype(str)))


def test_a_cloud_that_does_not_fit_its_ids_is_refused() -> None:
    points = two_layers(0)[0]
    with pytest.raises(InputError, match="one id per row"):
        SampledCloud(points, IDS[:-1])
    with pytest.raises(InputError, match="sample id 7 comes 2 times"):
        SampledCloud(points, np.where(IDS == 8, 7, IDS))
    with pytest.raises(InputError, match="expected \\(samples, features\\)"):
        SampledCloud(points[0], IDS)
    points[9, 0] = np.nan
    with pytest.raises(InputError, match=r"1 of 60 samples have NaN.* id 9"):
        SampledCloud(points, IDS)


@pytest.mark.parametrize("name", ["cca_distance", "svcca_distance", "pwcca_distance"])
def test_too_few_samples_for_cca_are_refused_with_the_number_that_is_enough(name: str) -> None:
    rng = np.random.default_rng(7)
    enough = 12  # ten features, and two more

    def layers(samples: int) -> list[SampledCloud]:
        # Centred, with equal spreads: SVCCA keeps all directions.
        clouds = [rng.standard_normal((samples, 10)) for _ in range(2)]
        return [cloud(scipy.linalg.qr(points - points.mean(axis=0), mode="economic")[0]) for points in clouds]

    with pytest.raises(InputError, match=f"{name} needs at least {enough} samples for these two layers; got 11"):
        compare(name, *layers(11))
    assert 0 < compare(name, *layers(enough)) < 1


def test_too_few_samples_for_debiased_cka_are_refused() -> None:
    rng = np.random.default_rng(8)
    with pytest.raises(InputError, match="debiased_cka needs at least 4 samples"):
        compare("debiased_cka", *[cloud(rng.random((3, 2))) for _ in range(2)])
    with pytest.raises(InputError, match="equally similar"):
        compare("debiased_cka", *[cloud(np.eye(6)) for _ in range(2)])


@pytest.mark.parametrize("name", ON_CLOUDS)
def test_a_layer_of_constant_features_is_refused_and_a_single_one_changes_nothing(name: str) -> None:
    first, second = two_layers(9)
    with pytest.raises(InputError, match="all 4 features of a cloud are constant"):
        compare(name, cloud(np.full((SAMPLES, 4), 0.1)), cloud(second))
    with_constant = np.insert(first, 2, 0.1, axis=1)
    assert constant_features(with_constant).tolist() == [2]
    value = compare(name, cloud(with_constant), cloud(second))
    assert value == pytest.approx(compare(name, cloud(first), cloud(second)), abs=1e-12)


def test_dependent_features_do_not_break_cca() -> None:
    first, second = two_layers(10)
    doubled = np.concatenate([first, first @ np.ones((7, 2))], axis=1)
    value = compare("cca_distance", cloud(doubled), cloud(second))
    assert value == pytest.approx(compare("cca_distance", cloud(first), cloud(second)), abs=1e-10)


def test_the_import_loads_neither_torch_nor_a_compiler() -> None:
    code = "import sys, cnn_topology.comparison.measures; sys.exit('numba' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


DIAGRAM_MEASURES = [name for name, measure in MEASURES.items() if measure.takes != "clouds"]


@pytest.mark.parametrize("name", DIAGRAM_MEASURES)
def test_a_distance_of_diagrams_grows_with_them_however_small_they_are(name: str) -> None:
    """Below 1e-12 the distance of any two diagrams was 0."""
    one, two = (np.sort(np.random.default_rng(seed).random((9, 2)), axis=1) for seed in (0, 1))
    for power in (-100, 100):
        assert compare(name, np.ldexp(one, power), np.ldexp(two, power)) == np.ldexp(compare(name, one, two), power)
    assert compare(name, one, one[::-1]) == 0


@pytest.mark.parametrize("name", DIAGRAM_MEASURES)
@pytest.mark.parametrize("bar", [(1.0, 0.5), (0.0, 1e300), (0.0, 1e-300)])
def test_bars_that_are_none_or_have_no_square_are_refused(name: str, bar: tuple[float, float]) -> None:
    with pytest.raises(InputError, match=r"\(1\.0, 0\.5\)" if bar[0] else "ldexp"):
        compare(name, np.array([[0.0, 1.0]])[:0], np.array([bar]))


@pytest.mark.parametrize("name", ON_CLOUDS)
def test_two_samples_are_too_few_for_any_measure(name: str) -> None:
    """The centred points of two samples are alike in all layers: CKA was 1, the Procrustes distance 0."""
    one, two = two_layers(0, 1, 1)
    with pytest.raises(InputError, match="samples"):
        compare(name, SampledCloud(one[:2], np.arange(2)), SampledCloud(two[:2], np.arange(2)))


def test_ids_of_several_types_are_refused() -> None:
    with pytest.raises(InputError, match="ids"):
        SampledCloud(np.ones((2, 2)), np.array(["a", 1], dtype=object))
