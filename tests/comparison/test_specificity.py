"""The specificity test on measures that know the layer, that know nothing, and that are counted by hand."""

import numpy as np
import pytest

from cnn_topology.comparison.specificity import nearest_shares, specificity


def layer_distances(models: int, layers: int, noise: float, seed: int = 0) -> np.ndarray:
    """Distances |l - m| between layers, with noise."""
    rng = np.random.default_rng(seed)
    ideal = np.abs(np.subtract.outer(np.arange(layers), np.arange(layers))).astype(float)
    return ideal[None, :, None, :] + noise * rng.random((models, layers, models, layers))


def test_a_measure_that_knows_the_layer_scores_one() -> None:
    found = specificity(layer_distances(4, 17, 0.5), "distance")
    assert found.rate == 1.0
    assert found.p_value == 1 / 1000
    assert found.chance == pytest.approx(1 / 17)
    assert found.high == pytest.approx(1.0)
    assert found.chance < found.low < 0.95
    np.testing.assert_array_equal(found.confusion, np.eye(17))
    similarity = specificity(-layer_distances(4, 17, 0.5), "similarity")
    assert similarity.rate == 1.0


def test_a_measure_without_information_scores_chance() -> None:
    constant = specificity(np.zeros((3, 5, 3, 5)), "distance", draws=99)
    assert constant.rate == pytest.approx(1 / 5)
    assert constant.p_value == 1.0
    random = specificity(np.random.default_rng(0).random((12, 10, 12, 10)), "distance", draws=199)
    assert random.rate == pytest.approx(0.1, abs=0.03)
    assert random.low < random.chance < random.high
    assert random.p_value > 0.05


def test_p_values_of_measures_without_information_are_uniform() -> None:
    values = [
        specificity(np.random.default_rng(seed).random((3, 6, 3, 6)), "distance", draws=39, seed=seed).p_value
        for seed in range(200)
    ]
    # A share of 0.1 of 200 has a standard deviation of 0.021; discrete rates make p-values larger, never smaller.
    assert np.mean(np.array(values) <= 0.1) < 0.1 + 3 * 0.021


def test_the_rate_is_the_count_by_hand() -> None:
    values = layer_distances(4, 5, 3.0)
    hits = [
        int(np.argmin(values[i, layer, j])) == layer for i in range(4) for j in range(4) if i != j for layer in range(5)
    ]
    found = specificity(values, "distance", draws=9)
    assert found.rate == pytest.approx(np.mean(hits))
    assert 0 < found.rate < 1
    assert found.layer_rate.mean() == pytest.approx(found.rate)
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1.0)


def test_values_of_a_network_against_itself_are_not_read() -> None:
    values = layer_distances(3, 4, 0.9)
    changed = values.copy()
    for i in range(3):
        changed[i, :, i] = np.nan
    assert specificity(changed, "distance", draws=9).rate == specificity(values, "distance", draws=9).rate
    assert (nearest_shares(changed, "distance")[0, :, 0] == 0).all()


def test_the_same_seed_gives_the_same_p_value() -> None:
    values = np.random.default_rng(3).random((3, 4, 3, 4))
    first, again = (specificity(values, "distance", draws=50, seed=7).p_value for _ in range(2))
    assert first == again
