"""Clustering in cubes and the graph, against straightforward references."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import DBSCAN

from cnn_topology.errors import InputError
from cnn_topology.mapper.clustering import Dbscan, FirstGap, cluster, single_linkage
from cnn_topology.mapper.cover import GainCover, OverlapCover, memberships
from cnn_topology.mapper.graph import mapper_graph, nerve
from cnn_topology.mapper.lenses import pca_lens
from cnn_topology.mapper.recipes import mapper_of_activations, mapper_of_filters

COVER = GainCover(resolution=6, gain=2.5)

small_clouds = arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(0, 6))
clusterings = st.one_of(
    st.builds(FirstGap, st.floats(0.05, 1), st.booleans(), st.integers(1, 4)),
    st.builds(Dbscan, st.floats(0.3, 4), st.just(1)),
)


def reference_labels(points, clustering):
    """Cluster by scipy and scikit-learn; noise is -1."""
    if isinstance(clustering, Dbscan) and clustering.min_samples > 1:
        return DBSCAN(eps=clustering.eps, min_samples=clustering.min_samples, algorithm="brute").fit(points).labels_
    if len(points) == 1:
        return np.zeros(1, dtype=int)
    tree = linkage(pdist(points), "single")
    if isinstance(clustering, Dbscan):
        return fcluster(tree, clustering.eps, criterion="distance")
    heights = tree[:, 2]
    cut = heights[-1]
    below = 0.0 if clustering.from_zero else np.inf
    for height in sorted(heights[heights > 0]):
        if height - below >= clustering.fraction * heights[-1]:
            cut = below
            break
        below = height
    return fcluster(tree, cut, criterion="distance")


def reference_graph(points, lens, cover, clustering):
    """Return nodes cube by cube and compare all pairs of them."""
    held = memberships(lens, cover)
    nodes = []
    for cube, members in zip(held.cube, np.split(held.members, held.starts[1:-1]), strict=True):
        if len(members) < clustering.min_samples:
            continue
        labels = reference_labels(points[members], clustering)
        for label in set(labels.tolist()) - {-1}:
            nodes.append((int(cube), frozenset(members[labels == label].tolist())))
    edges = {(a, b): len(a[1] & b[1]) for a, b in combinations(nodes, 2) if a[1] & b[1]}
    return nodes, {frozenset(pair): shared for pair, shared in edges.items()}


def as_sets(graph):
    nodes = [
        (int(cube), frozenset(graph.members[a:b].tolist()))
        for cube, a, b in zip(graph.cube, graph.starts[:-1], graph.starts[1:], strict=True)
    ]
    pairs = zip(graph.edges.tolist(), graph.shared.tolist(), strict=True)
    return nodes, {frozenset((nodes[a], nodes[b])): shared for (a, b), shared in pairs}


def without_copies(graph, original):
    """Nodes as (cube, original points), edges between them."""
    nodes = [
        (int(cube), frozenset(original[graph.members[a:b]].tolist()))
        for cube, a, b in zip(graph.cube, graph.starts[:-1], graph.starts[1:], strict=True)
    ]
    return sorted((cube, sorted(node)) for cube, node in nodes), {
        frozenset((nodes[a], nodes[b])) for a, b in graph.edges.tolist()
    }


@pytest.mark.parametrize(
    "clustering", [FirstGap(), FirstGap(0.1, min_samples=3), FirstGap(from_zero=True), Dbscan(0.7, 1), Dbscan(0.8, 4)]
)
def test_graph_equals_the_reference_that_compares_all_pairs(clustering):
    points = np.random.default_rng(2).normal(size=(250, 3))
    graph = mapper_graph(points, points[:, :2], COVER, clustering)
    nodes, edges = as_sets(graph)
    expected_nodes, expected_edges = reference_graph(points, points[:, :2], COVER, clustering)
    assert len(nodes) == len(expected_nodes) >= 10
    assert set(nodes) == set(expected_nodes)
    assert len(edges) == len(graph.edges)
    assert edges == expected_edges


def test_the_nerve_is_the_same_in_blocks(monkeypatch):
    points = np.random.default_rng(3).normal(size=(120, 2))
    whole = mapper_graph(points, points, COVER, Dbscan(0.5, 1))
    monkeypatch.setattr("cnn_topology.mapper.graph._PRODUCT", 50)
    blocks = mapper_graph(points, points, COVER, Dbscan(0.5, 1))
    assert len(whole.edges) > 100
    assert np.array_equal(whole.edges, blocks.edges)
    assert np.array_equal(whole.shared, blocks.shared)


@given(points=small_clouds)
def test_single_linkage_heights_are_those_of_scipy(points):
    order, heights = single_linkage(points)
    assert sorted(order.tolist()) == list(range(len(points)))
    if len(points) > 1:
        assert np.allclose(np.sort(heights)[1:], linkage(pdist(points), "single")[:, 2])


def test_single_linkage_works_over_several_tiles_and_in_many_dimensions():
    points = np.random.default_rng(4).normal(size=(700, 40))
    assert np.allclose(np.sort(single_linkage(points)[1])[1:], linkage(pdist(points), "single")[:, 2])


@given(points=small_clouds, clustering=clusterings)
def test_clusters_equal_those_of_scipy(points, clustering):
    labels, expected = cluster(points, clustering), reference_labels(points, clustering)
    pairs = set(zip(labels.tolist(), expected.tolist(), strict=True))
    assert len(pairs) == len(set(labels.tolist())) == len(set(expected.tolist()))


@pytest.mark.parametrize(("points", "coordinates"), [(3, 2), (64, 2), (65, 9), (700, 9), (400, 60)])
@pytest.mark.parametrize("min_samples", [1, 5])
def test_dbscan_gives_the_labels_of_scikit_learn(points, coordinates, min_samples, monkeypatch):
    monkeypatch.setattr("cnn_topology.mapper.clustering.BLOCK", 50_000)
    cloud = np.random.default_rng(points).normal(size=(points, coordinates)) + 100
    spread = np.sqrt(2 * coordinates)
    for eps in np.array([0.02, 0.1, 0.3, 0.6, 0.8]) * spread:
        expected = DBSCAN(eps=eps, min_samples=min_samples).fit(cloud).labels_
        assert np.array_equal(cluster(cloud, Dbscan(float(eps), min_samples)), expected)


def test_the_cut_is_below_the_first_gap_of_the_fraction():
    line = np.cumsum([0, 1, 1.1, 1.2, 3.0, 1.05, 9.0])[:, None]
    assert cluster(line, FirstGap(0.19)).tolist() == [0, 0, 0, 0, 1, 1, 2]  # 3.0 - 1.2 is a fifth of 9
    assert cluster(line, FirstGap(0.21)).tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert cluster(line, FirstGap(0.1)).tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert cluster(line, FirstGap(0.1, from_zero=True)).tolist() == [0, 1, 2, 3, 4, 5, 6]  # 1 is a ninth of 9
    assert cluster(line[:2], FirstGap()).tolist() == [0, 0]
    assert cluster(line[:2], FirstGap(from_zero=True)).tolist() == [0, 1]


@given(points=small_clouds, clustering=clusterings, seed=st.integers(0, 99))
@settings(max_examples=60)
def test_order_of_points_changes_nothing(points, clustering, seed):
    lens = points[:, :1] + 0.01 * np.arange(len(points))[:, None]
    if np.ptp(lens) == 0:
        return
    order = np.random.default_rng(seed).permutation(len(points))
    same = mapper_graph(points, lens, COVER, clustering)
    moved = mapper_graph(points[order], lens[order], COVER, clustering)
    assert without_copies(moved, order) == without_copies(same, np.arange(len(points)))


@given(
    points=small_clouds,
    fraction=st.floats(0.05, 1),
    from_zero=st.booleans(),
    eps=st.floats(0.3, 4),
    copies=st.integers(1, 9),
)
@settings(max_examples=60)
def test_duplicates_change_nothing(points, fraction, from_zero, eps, copies):
    lens = points[:, :1]
    if np.ptp(lens) == 0:
        return
    name = np.unique(points, axis=0, return_inverse=True)[1].ravel()
    rows = np.concatenate([np.arange(len(points)), np.arange(min(copies, len(points)))])
    for clustering in (FirstGap(fraction, from_zero), Dbscan(eps, 1)):
        once = mapper_graph(points, lens, COVER, clustering)
        more = mapper_graph(points[rows], lens[rows], COVER, clustering)
        assert without_copies(more, name[rows]) == without_copies(once, name)


@pytest.mark.parametrize("equalized", [False, True])
def test_a_cloud_with_every_point_twice_has_the_same_graph_of_filters(equalized):
    points = np.random.default_rng(5).normal(size=(150, 9))
    cover = GainCover(8, 2, equalized)
    once = mapper_of_filters(points, cover)
    twice = mapper_of_filters(np.concatenate([points, points]), cover)
    assert without_copies(twice, np.tile(np.arange(150), 2)) == without_copies(once, np.arange(150))


def test_every_point_is_in_a_node_of_single_linkage_and_counts_add_up():
    points = np.random.default_rng(6).normal(size=(300, 9))
    graph = mapper_of_filters(points)
    assert set(graph.members.tolist()) == set(range(300))
    clustering = Dbscan(2.5, 3)
    thin = mapper_of_filters(points, clustering=clustering)
    cubes = np.diff(memberships_of(points).starts)
    assert thin.skipped_cubes == np.sum(cubes < 3) > 0
    assert thin.noise + len(thin.members) == cubes[cubes >= 3].sum()
    assert (graph.cubes, thin.noise > 0) == (len(cubes), True)


def memberships_of(points):
    return memberships(pca_lens(points), GainCover())


def test_a_graph_knows_how_it_was_made():
    points = np.abs(np.random.default_rng(7).normal(size=(300, 6)))
    graph = mapper_of_activations(points, OverlapCover(10, 0.3), 0.5, 4)
    assert (graph.cover, graph.clustering) == (OverlapCover(10, 0.3), Dbscan(0.5, 4))


def test_the_metric_and_the_lens_are_chosen_by_name():
    points = np.random.default_rng(8).normal(size=(200, 4)) * [9, 3, 1, 0.1]
    default = mapper_of_filters(points)
    assert len(mapper_of_filters(points, metric="euclidean").edges) != len(default.edges)
    assert not np.array_equal(mapper_of_filters(points, scaled_lens=True).cube, default.cube)
    with pytest.raises(InputError, match="did you mean 'euclidean'"):
        mapper_of_filters(points, metric="euclid")


def test_a_graph_that_would_not_fit_is_refused_with_a_way_out():
    points = np.random.default_rng(9).normal(size=(500, 2))
    with pytest.raises(InputError, match=r"memberships of points in cubes.*fewer points"):
        mapper_graph(points, points, COVER, FirstGap(), memory=50_000)
    with pytest.raises(InputError, match=r"largest cube holds 500 points"):
        mapper_graph(points, points, GainCover(1, 1), Dbscan(1.0), memory=100_000)
    graph = mapper_graph(points, points, COVER, FirstGap())
    with pytest.raises(InputError, match=r"edges.*another eps"):
        nerve(graph.starts, graph.members, 500, memory=1000)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FirstGap(0), "fraction = 0"),
        (lambda: Dbscan(-1), "eps = -1"),
        (lambda: Dbscan(1, 0), "min_samples = 0"),
        (lambda: mapper_graph(np.eye(3), np.eye(2), COVER, FirstGap()), "2 rows, the cloud 3 points"),
        (lambda: mapper_graph(np.eye(3), np.ones((3, 1)), COVER, FirstGap()), "zero variance"),
    ],
)
def test_impossible_parameters_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


@pytest.mark.parametrize("factor", [1, 3, 1 / 3, 0.1, 7.7])
def test_a_gap_of_just_the_fraction_counts_in_any_unit(factor):
    """Heights 7 and 10: their difference is three tenths of the last."""
    line = np.array([[0.0], [7.0], [17.0]])
    assert cluster(line * factor, FirstGap(0.3)).tolist() == [0, 0, 1]


def test_parameters_of_numpy_are_those_of_python():
    points = np.random.default_rng(0).normal(size=(60, 2)) * 5e-25
    for eps in (np.float32(1e-25), np.float64(1e-25)):  # the square of the first is zero in float32
        expected = cluster(points, Dbscan(float(eps), 3))
        assert expected.max() > 0
        assert np.array_equal(cluster(points, Dbscan(eps, np.int16(3))), expected)
        assert type(Dbscan(eps).eps) is float
    for wrong in (lambda: GainCover(2.5), lambda: OverlapCover(3.0), lambda: Dbscan("1"), lambda: Dbscan(1, 2.5)):
        with pytest.raises(InputError, match="must be a"):
            wrong()
