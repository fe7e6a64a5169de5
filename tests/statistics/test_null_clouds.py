"""The low-pass and the block null: what they keep, what they destroy, and the level that they keep."""

import numpy as np
import pytest

from cnn_topology.clouds.filters import centre_and_normalize, layer_filters
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import Filtering
from cnn_topology.statistics.null_clouds import (
    block_null,
    block_ratio,
    lowpass_null,
    needs,
    null_cloud,
    permuted_null,
    stationary,
    whitened_null,
)
from cnn_topology.statistics.nulls import null_draws
from cnn_topology.topology.patches import edge_patch, noisy

PLACES = np.stack(np.divmod(np.arange(9), 3), axis=1)


def smooth_fields(points, length, rng):
    """Draw patches of a Gaussian field whose correlation falls off with the squared distance."""
    squares = np.sum((PLACES[:, None] - PLACES) ** 2, axis=-1)
    return rng.multivariate_normal(np.zeros(9), np.exp(-squares / (2 * length**2)), size=points, method="cholesky")


def longest(make, draws, k=8):
    filtering = Filtering(k=k, p=0.3)
    return null_draws(make, [filtering], range(draws), ("test",))[filtering].longest


@pytest.mark.parametrize("side", [3, 5])
def test_moments_are_averaged_over_pairs_of_entries_with_the_same_lag(side):
    moments = np.random.default_rng(0).standard_normal((side**2, side**2))
    averaged = stationary(moments)
    places = np.stack(np.divmod(np.arange(side**2), side), axis=1)
    lags = places[:, None] - places
    for lag in np.unique(lags.reshape(-1, 2), axis=0):
        pairs = (lags == lag).all(axis=-1)
        np.testing.assert_allclose(averaged[pairs], moments[pairs].mean())


def test_the_lowpass_null_has_the_autocorrelation_of_a_smooth_field():
    rng = np.random.default_rng(1)
    raw = smooth_fields(20_000, 1.2, rng)
    own, drawn = (points.T @ points / len(points) for points in (centre_and_normalize(raw)[0], lowpass_null(raw)(rng)))
    np.testing.assert_allclose(drawn, own, atol=0.012)


def test_loops_of_smooth_fields_are_as_long_as_those_of_their_lowpass_null():
    rng = np.random.default_rng(2)
    observed = longest(lambda rng: centre_and_normalize(smooth_fields(256, 1.0, rng))[0], 40)
    drawn = longest(lowpass_null(smooth_fields(256, 1.0, rng)), 40)
    assert np.mean(observed > np.quantile(drawn, 0.9)) <= 0.25
    assert np.median(observed) == pytest.approx(np.median(drawn), rel=0.15)


def test_a_circle_has_longer_loops_than_its_lowpass_null():
    rng = np.random.default_rng(3)
    raw = edge_patch(rng.uniform(0, 2 * np.pi, 512)) + 0.2 * rng.standard_normal((512, 9))
    circle = longest(lambda rng: centre_and_normalize(raw)[0], 1, k=16)[0]
    assert circle > longest(lowpass_null(raw), 19, k=16).max()


def test_whitened_and_shuffled_filters_have_the_second_moments_of_the_layer_but_not_its_circle():
    rng = np.random.default_rng(8)
    points = noisy(edge_patch(rng.uniform(0, 2 * np.pi, 400)), 0.8, rng)
    drawn = whitened_null(points, np.arange(400) // 4)(rng)
    np.testing.assert_allclose(drawn.T @ drawn, points.T @ points, atol=0.4)
    axes = np.linalg.eigh(points.T @ points)[1][:, -2:]
    lengths, own = ((cloud @ axes) ** 2 @ np.ones(2) for cloud in (drawn, points))
    assert lengths.var() > 1.5 * own.var()


def test_whitened_filters_of_a_channel_are_as_alike_as_the_layers():
    rng = np.random.default_rng(9)
    points, channels = alike(60, 8, 1.5, rng)
    drawn = [block_ratio(whitened_null(points, channels)(rng), channels) for _ in range(5)]
    assert np.mean(drawn) == pytest.approx(block_ratio(points, channels), rel=0.1)
    assert block_ratio(whitened_null(points, np.arange(480))(rng), channels) < 1.1


def alike(channels, members, strength, rng):
    """Draw filters of which those of a channel lie near a plane of its own, with the channel of each."""
    planes, places = rng.standard_normal((channels, 2, 9)), rng.standard_normal((channels, members, 2))
    filters = strength * places @ planes + rng.standard_normal((channels, members, 9))
    return centre_and_normalize(filters.reshape(-1, 9))[0], np.repeat(np.arange(channels), members)


def test_the_ratio_is_that_of_mean_squared_cosines():
    points, channels = alike(6, 5, 1.5, np.random.default_rng(4))
    squares, same = (points @ points.T) ** 2, channels[:, None] == channels
    within = squares[same & ~np.eye(len(points), dtype=bool)].mean()
    assert block_ratio(points, channels) == pytest.approx(within / squares[~same].mean())
    assert np.isnan(block_ratio(points, np.arange(30)))
    assert np.isnan(block_ratio(points, np.zeros(30, dtype=int)))


def test_the_block_null_keeps_the_inner_products_of_a_channel_alone():
    points, channels = alike(6, 5, 1.5, np.random.default_rng(5))
    drawn = block_null(points, channels)(np.random.default_rng(0))
    same = channels[:, None] == channels
    np.testing.assert_allclose((drawn @ drawn.T)[same], (points @ points.T)[same], atol=1e-12)
    assert np.abs((drawn @ drawn.T)[~same] - (points @ points.T)[~same]).mean() > 0.1
    np.testing.assert_allclose(np.sort(drawn, axis=1), np.sort(points, axis=1), atol=1e-12)


def test_the_block_null_keeps_its_level_where_filters_of_a_channel_are_alike_and_the_permuted_one_does_not():
    rng = np.random.default_rng(6)
    layers = [alike(16, 16, 1.6, rng) for _ in range(80)]
    assert np.mean([block_ratio(*layer) for layer in layers]) == pytest.approx(2.7, abs=0.3)
    layer = iter(layers)
    observed = longest(lambda rng: next(layer)[0], 80)
    rates = [
        np.mean(observed > np.quantile(longest(make, 80), 0.95))
        for make in (permuted_null(layers[0][0]), block_null(*layers[0]))
    ]
    assert rates[0] >= 0.15
    assert rates[1] <= 0.12


def test_a_null_that_lacks_what_it_needs_is_refused():
    rng = np.random.default_rng(7)
    weight = rng.standard_normal((20, 3, 3, 3))
    assert [needs(name, layer_filters(weight)) for name in ("lowpass", "block")] == ["", ""]
    centred = weight - weight.mean(axis=(2, 3), keepdims=True)
    with pytest.raises(InputError, match=r"lowpass.*means"):
        null_cloud("lowpass", layer_filters(centred))
    with pytest.raises(InputError, match=r"block.*channel"):
        null_cloud("block", layer_filters(weight[:, :1]))
    # Of one channel, as of the last layer of a segmentation, each draw is the layer itself, turned: p would be 1.
    with pytest.raises(InputError, match=r"block.*channel"):
        null_cloud("block", layer_filters(weight.reshape(1, 60, 3, 3)))
    with pytest.raises(InputError, match="blok"):
        null_cloud("blok", layer_filters(weight))


@pytest.mark.parametrize("centre", ["filter", "coordinate"])
def test_filters_are_known_with_their_norms_and_means(centre):
    weight = 2 + np.random.default_rng(8).standard_normal((20, 3, 3, 3))
    layer = layer_filters(weight, centre)
    raw = weight.reshape(-1, 9)
    # Centred by coordinate, the mean filter is gone.
    np.testing.assert_allclose(layer.raw, raw if centre == "filter" else raw - raw.mean(axis=0))
    np.testing.assert_array_equal(layer.channels, np.repeat(np.arange(20), 3))


def test_noise_on_a_circle_leaves_its_means_out_of_sight():
    cloud = noisy(edge_patch(np.linspace(0, 6, 60)), 0.5, np.random.default_rng(9))
    assert needs("lowpass", layer_filters(cloud)) != ""
