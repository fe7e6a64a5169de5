"""How often resampled networks have the same verdict."""

import numpy as np
import pytest

from cnn_topology.clouds.filters import LayerFilters
from cnn_topology.plan.clouds import Filtering, Significance
from cnn_topology.statistics.significance import NO_LOOP, ONE_LOOP
from cnn_topology.statistics.stability import stability
from cnn_topology.topology.patches import edge_patch, noisy, random_filters

SIGNIFICANCE = Significance(draws=19, alpha=0.05)
FILTERING = Filtering(k=16, p=0.7, landmarks=6_000)


def layer_of(points):
    return LayerFilters(points, np.ones(len(points)), np.zeros(len(points)), np.arange(len(points)))


def stable(points, network, reached, seed=1):
    return stability(layer_of(points), network, FILTERING, reached, SIGNIFICANCE, seed, ("a", "conv1", 0))


@pytest.fixture(scope="module")
def network():
    return np.repeat(np.arange(8), 40)


def test_a_clear_circle_and_noise_keep_their_verdicts(network):
    rng = np.random.default_rng(0)
    circle = noisy(edge_patch(rng.uniform(0, 2 * np.pi, len(network))), 0.3, rng)
    assert stable(circle, network, ONE_LOOP) >= 0.9
    assert stable(circle, network, NO_LOOP) == 0
    noise = stable(random_filters(len(network), rng), network, NO_LOOP)
    assert noise >= 0.8


def test_a_circle_of_which_each_of_three_networks_has_a_third_is_not_stable():
    """All three are drawn with probability 6 / 27; without one of them nothing is closed."""
    rng = np.random.default_rng(1)
    network = np.repeat(np.arange(3), 80)
    arcs = noisy(edge_patch(2 * np.pi * (network + rng.uniform(0, 1, len(network))) / 3), 0.2, rng)
    assert stable(arcs, network, ONE_LOOP) <= 0.5
    assert stable(arcs, network, ONE_LOOP) + stable(arcs, network, NO_LOOP) > 0.8


def test_stability_depends_on_the_seed_alone_and_one_network_has_none(network):
    points = random_filters(len(network), np.random.default_rng(2))
    one, again = (stable(points, network, NO_LOOP) for _ in range(2))
    assert one == again
    # Networks that failed leave gaps among the numbers.
    assert stable(points, network * 3 + 1, NO_LOOP) == one
    assert stable(points, np.zeros_like(network), NO_LOOP) is None
