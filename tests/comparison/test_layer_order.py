"""Order of layers and agreement of measures: known truths, and scipy as the independent oracle."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from cnn_topology.comparison.layer_order import (
    agreement,
    agreement_p_value,
    depth_order,
)
from cnn_topology.errors import InputError

APART = np.abs(np.subtract.outer(np.arange(8.0), np.arange(8.0)))


def noisy(networks, noise, seed=0):
    values = APART + noise * np.random.default_rng(seed).normal(size=(networks, 8, 8))
    return (values + values.transpose(0, 2, 1)) / 2


def test_a_measure_that_counts_layers_follows_their_order_and_a_similarity_counts_round():
    found = depth_order(np.stack([APART, APART**2]), "distance", draws=199)
    assert found.mean == pytest.approx(1.0)
    # The layers in reverse are in the same order: two of 8! arrangements.
    assert found.p_value <= 2 / 200
    assert depth_order(1 - APART[None] / 9, "similarity").mean == pytest.approx(1.0)
    assert depth_order(APART[None], "similarity").mean == pytest.approx(-1.0)


@pytest.mark.parametrize(("layers", "decides"), [(5, False), (6, True)])
def test_an_order_of_few_layers_is_never_rare(layers, decides):
    places = np.arange(layers)
    found = depth_order(np.abs(np.subtract.outer(places, places))[None].astype(float), "distance")
    assert found.mean == pytest.approx(1)
    assert (found.p_value < 0.01) == decides
    assert decides or np.isnan(found.p_value)


def test_measures_that_agree_are_told_from_those_that_do_not_by_exchanging_layers():
    values = noisy(3, 2.0)
    assert agreement_p_value(values, "distance", np.exp(values), "distance", draws=199) == 1 / 200
    assert agreement_p_value(values, "distance", values, "similarity", draws=199) == 1.0
    assert np.isnan(agreement_p_value(values, "distance", np.ones((3, 8, 8)), "distance", draws=19))
    # Of four layers full agreement is one of 24 arrangements: with chance's draws p is not sure to be below 0.05.
    few = values[:, :4, :4]
    assert np.isnan(agreement_p_value(few, "distance", np.exp(few), "distance", draws=199))
    assert agreement_p_value(values[:, :5, :5], "distance", values[:, :5, :5], "distance", draws=999) < 0.03
    # One-sided, and valid: of 200 pairs of unrelated measures about one in ten has p of 0.1 or less.
    found = [
        agreement_p_value(noisy(2, 1e3, seed), "distance", noisy(2, 1e3, 1_000 + seed), "distance", 99, seed)
        for seed in range(200)
    ]
    assert 0.04 <= np.mean(np.array(found) <= 0.1) <= 0.17


def test_the_correlation_is_that_of_scipy_off_the_diagonal():
    values = noisy(3, 4.0)
    off = ~np.eye(8, dtype=bool)
    expected = [spearmanr(APART[off], block[off]).statistic for block in values]
    found = depth_order(values, "distance")
    assert found.mean == pytest.approx(np.mean(expected))
    many = depth_order(noisy(6, 4.0), "distance")
    assert many.low <= many.mean <= many.high


def test_values_without_order_give_uniform_p_values():
    found = [
        depth_order(np.random.default_rng(seed).normal(size=(2, 6, 6)), "distance", 99, seed) for seed in range(200)
    ]
    assert np.mean([order.p_value <= 0.1 for order in found]) == pytest.approx(0.1, abs=0.065)


def test_the_diagonal_is_not_read_and_equal_values_give_nan():
    values = noisy(2, 1.0)
    changed = values.copy()
    changed[:, range(8), range(8)] = np.nan
    assert depth_order(values, "distance").mean == depth_order(changed, "distance").mean
    flat = depth_order(np.ones((1, 5, 5)), "distance")
    assert np.isnan([flat.mean, flat.p_value, flat.low]).all()


def test_measures_that_order_pairs_alike_agree():
    values = noisy(4, 3.0)
    np.testing.assert_allclose(agreement(values, "distance", np.exp(values), "distance"), 1.0)
    np.testing.assert_allclose(agreement(values, "distance", -values, "similarity"), 1.0)
    np.testing.assert_allclose(agreement(values, "distance", values, "similarity"), -1.0)


@pytest.mark.parametrize("networks", [1, 2, 3])
def test_few_correlations_have_no_interval(networks):
    found = depth_order(noisy(networks, 3.0), "distance")
    assert np.isfinite(found.mean)
    assert np.isnan([found.low, found.high]).all()


def test_too_few_layers_are_refused():
    with pytest.raises(InputError, match="3 layers or more"):
        depth_order(np.zeros((2, 2, 2)), "distance")
