"""Mapper graphs are those of KeplerMapper, given its cover, metric and clustering."""

import warnings
from collections import Counter

import numpy as np
import pytest
from known_shapes import primary_circle
from sklearn.cluster import DBSCAN

from cnn_topology.mapper.clustering import Dbscan
from cnn_topology.mapper.cover import GainCover
from cnn_topology.mapper.graph import mapper_graph
from cnn_topology.mapper.lenses import norm_lens, pca_lens
from cnn_topology.mapper.metric import variance_normalized
from cnn_topology.topology.patches import noisy, random_filters

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it loads is not ours to mend
    import kmapper


def kepler(points, lens, cover, clustering):
    """Return nodes as sets of points, and edges as pairs of them, each with how often it occurs."""
    peer = DBSCAN(eps=clustering.eps, min_samples=clustering.min_samples)
    # Its overlap is a share of a cube; a gain of g is an overlap of 1 - 1 / g.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = kmapper.KeplerMapper().map(
            lens, points, cover=kmapper.Cover(n_cubes=cover.resolution, perc_overlap=1 - 1 / cover.gain), clusterer=peer
        )
    nodes = {name: frozenset(members) for name, members in graph["nodes"].items()}
    edges = {frozenset((a, b)) for a, others in graph["links"].items() for b in others}
    return Counter(nodes.values()), Counter(frozenset(nodes[name] for name in edge) for edge in edges)


def ours(points, lens, cover, clustering):
    graph = mapper_graph(points, lens, cover, clustering)
    nodes = [frozenset(members.tolist()) for members in np.split(graph.members, np.cumsum(graph.sizes)[:-1])]
    return Counter(nodes), Counter(frozenset((nodes[a], nodes[b])) for a, b in graph.edges.tolist())


@pytest.mark.parametrize("gain", [3.0, 1.5])
@pytest.mark.parametrize("noise", [0.2, 0.8])
def test_graphs_of_filters_are_those_of_kepler_mapper(gain, noise):
    rng = np.random.default_rng(int(10 * noise))
    filters = np.concatenate([noisy(primary_circle(400), noise, rng), random_filters(200, rng)])
    scaled, cover, clustering = variance_normalized(filters), GainCover(8, gain), Dbscan(1.5, 3)
    found = ours(scaled, pca_lens(filters), cover, clustering)
    assert found == kepler(scaled, pca_lens(filters), cover, clustering)
    assert len(found[0]) > 20
    assert len(found[1]) > 20


def test_graphs_of_activations_are_those_of_kepler_mapper():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(4, 16))
    cloud = np.maximum(
        centres[rng.integers(4, size=800)] * rng.gamma(4, 0.3, (800, 1)) + rng.normal(0, 0.2, (800, 16)), 0
    )
    cover, clustering = GainCover(15, 4 / 3), Dbscan(1.0, 5)
    found = ours(cloud, norm_lens(cloud), cover, clustering)
    assert found == kepler(cloud, norm_lens(cloud), cover, clustering)
    assert len(found[0]) > 10
