"""Fixed first layers hold the filters they are named for, and angular features are the sums the paper defines."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.integrate import dblquad

from cnn_topology.networks.first_layer import angular_features, fixed_filters, mean_filter_norm
from cnn_topology.networks.initialization import init_parameters
from cnn_topology.plan.populations import Architecture, FixedFirstLayer, layers_of

KINDS = ("fixed_circle", "fixed_klein", "fixed_random")


def layer(kind, **options):
    return FixedFirstLayer(kind=kind, **options)


def test_the_fixed_circle_holds_all_directions_of_an_edge_once():
    weight = fixed_filters(layer("fixed_circle"), 64, 1, seed=0)
    assert weight.shape == (64, 1, 3, 3)
    flat = weight.reshape(64, 9)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 1)
    # Entry (row, column) is x cos + y sin with x to the right and y upwards, over the norm sqrt(6) of x and of y.
    for number in (0, 5, 40):
        angle = 2 * np.pi * number / 64
        expected = [[x * np.cos(angle) + y * np.sin(angle) for x in (-1, 0, 1)] for y in (1, 0, -1)]
        np.testing.assert_allclose(weight[number, 0], np.array(expected) / 6**0.5, atol=1e-15)


def test_the_fixed_klein_layer_holds_the_integrals_over_pixels_at_all_pairs_of_angles():
    weight = fixed_filters(layer("fixed_klein"), 16, 1, seed=0).reshape(16, 9)

    def value(y, x, theta1, theta2):
        t = np.cos(theta1) * x + np.sin(theta1) * y
        return np.sin(theta2) * t + np.cos(theta2) * (2 * t**2 - 1)

    edges = np.linspace(-1, 1, 4)
    integrals = np.array(
        [
            [
                dblquad(value, edges[c], edges[c + 1], edges[2 - r], edges[3 - r], (np.pi * i / 4, np.pi * j / 2))[0]
                for r in range(3)
                for c in range(3)
            ]
            for i in range(4)
            for j in range(4)
        ]
    )
    np.testing.assert_allclose(weight, integrals / np.linalg.norm(integrals, axis=1).mean(), atol=1e-9)


def test_random_filters_are_mean_zero_of_one_norm_and_another_draw_for_each_network():
    first, again, other = (fixed_filters(layer("fixed_random", norm=0.3), 20, 1, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05
    np.testing.assert_allclose(np.linalg.norm(first, axis=(-2, -1)), 0.3)
    np.testing.assert_allclose(first.mean(axis=(-2, -1)), 0, atol=1e-15)


@given(st.sampled_from(KINDS), st.floats(0.01, 10), st.integers(1, 5), st.integers(0, 2**62))
def test_filters_have_the_mean_norm_asked_for_and_are_the_same_in_every_channel(kind, norm, channels, seed):
    weight = fixed_filters(layer(kind, norm=norm), 9, channels, seed)
    assert mean_filter_norm(weight[None]) == pytest.approx(norm)
    np.testing.assert_array_equal(weight, np.repeat(weight[:, :1], channels, axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_layers_behind_a_fixed_one_begin_as_they_do_behind_a_learned_one(kind):
    plain = Architecture(convolutions=(9, 4), dense=(8,))
    fixed = plain.model_copy(update={"first_layer": layer(kind, bias="zero", norm=0.5)})
    learned, held = (init_parameters(architecture, (12, 12, 3), 10, 7) for architecture in (plain, fixed))
    for name in learned.keys() - {"conv1.weight", "conv1.bias"}:
        assert torch.equal(learned[name], held[name])
    expected = fixed_filters(fixed.first_layer, 9, 3, 7).astype(np.float32)
    np.testing.assert_array_equal(held["conv1.weight"], expected)
    assert not held["conv1.bias"].any()
    assert learned["conv1.bias"].all()


def test_angular_features_are_the_sums_over_the_neighbourhood():
    rng = np.random.default_rng(0)
    image = rng.random((5, 6, 2))
    found = angular_features(torch.from_numpy(image)[None], 16)[0].numpy()
    assert found.shape == (5, 6, 2 * 17)
    np.testing.assert_array_equal(found[..., :2], image)
    for m, n, channel, k in [(2, 3, 0, 0), (2, 3, 1, 5), (0, 0, 1, 3), (4, 5, 0, 12)]:
        angle, total = 2 * np.pi * k / 16, 0.0
        for row in (-1, 0, 1):
            for column in (-1, 0, 1):
                if 0 <= m + row < 5 and 0 <= n + column < 6:
                    edge = (column * np.cos(angle) - row * np.sin(angle)) / 6**0.5
                    total += image[m + row, n + column, channel] * edge
        assert found[m, n, 2 + 16 * channel + k] == pytest.approx(total)


def test_the_control_of_angular_features_responds_to_random_mean_zero_filters():
    found = angular_features(torch.eye(9, dtype=torch.float64).reshape(9, 3, 3, 1), 16, "random")
    # At the centre of an image with a single bright pixel a response is one entry of its filter.
    filters = found[:, 1, 1, 1:].T.numpy()
    np.testing.assert_allclose(np.linalg.norm(filters, axis=1), 1)
    np.testing.assert_allclose(filters.sum(axis=1), 0, atol=1e-12)
    assert np.linalg.matrix_rank(filters) == 8


def test_angular_features_widen_the_first_layer_alone():
    architecture = Architecture(convolutions=(8, 4), angular_features=16)
    shapes = [each.weight for each in layers_of(architecture, (28, 28, 3))]
    assert shapes[:2] == [(8, 51, 3, 3), (4, 8, 3, 3)]
    assert angular_features(image := torch.rand(1, 4, 4, 1), 0) is image


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"convolutions": (8,), "first_layer": {"kind": "fixed_klein"}}, "square number of filters"),
        ({"angular_features": 4, "first_layer": {"kind": "fixed_circle"}}, "fixed_circle reads pixels alone"),
        ({"first_layer": {"kind": "fixed_circle", "norm": 2, "matched_to": "a"}}, "exclude each other"),
    ],
)
def test_first_layers_that_cannot_be_made_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        Architecture(**changes)
