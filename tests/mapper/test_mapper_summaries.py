"""What is read off mapper graphs: loops, purity, branches, explanations."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_topology.mapper.clustering import Dbscan, FirstGap
from cnn_topology.mapper.cover import GainCover, OverlapCover
from cnn_topology.mapper.graph import MapperGraph, mapper_graph
from cnn_topology.mapper.homology import components, filled_loops, loops
from cnn_topology.mapper.lenses import pca_lens
from cnn_topology.mapper.purity import class_purity, label_counts, node_purity, point_purity
from cnn_topology.mapper.recipes import mapper_of_activations, mapper_of_filters
from cnn_topology.mapper.summaries import branches, coverage, explain, mean_points

COVER = OverlapCover()


def graph_of(nodes, edges, sizes=None):
    """Return a graph with the given edges; node v holds sizes[v] points of its own."""
    sizes = np.ones(nodes, dtype=np.int64) if sizes is None else np.asarray(sizes)
    return MapperGraph(
        starts=np.append(0, np.cumsum(sizes)),
        members=np.arange(sizes.sum()),
        cube=np.arange(nodes),
        lens=np.zeros((nodes, 1)),
        edges=np.asarray(edges, dtype=np.int64).reshape(-1, 2),
        shared=np.ones(len(edges), dtype=np.int64),
        points=int(sizes.sum()),
        cubes=nodes,
        skipped_cubes=0,
        noise=0,
        cover=COVER,
        clustering=Dbscan(1.0),
    )


def noisy_circle(points=600, noise=0.08):
    generator = np.random.default_rng(0)
    angle = generator.uniform(0, 2 * np.pi, points)
    plane = np.column_stack([np.cos(angle), np.sin(angle)])
    axes = np.linalg.qr(generator.normal(size=(9, 9)))[0][:, :2]
    return plane * [1.2, 1.0] @ axes.T + noise * generator.normal(size=(points, 9)), angle


def test_noisy_circle_has_one_loop():
    points, _ = noisy_circle()
    for clustering in (Dbscan(0.6, 1), FirstGap()):
        graph = mapper_of_filters(points, GainCover(10, 2), clustering, metric="euclidean")
        assert filled_loops(graph) == 1
        assert len(set(components(graph).tolist())) == 1


def test_circle_over_one_lens_is_a_cycle_graph():
    points, _ = noisy_circle(noise=0.0)
    graph = mapper_graph(points, pca_lens(points, components=1), OverlapCover(8, 0.3), Dbscan(0.3, 1))
    assert loops(graph) == filled_loops(graph) == 1
    assert branches(graph, least=1) == (0, 0)


@pytest.mark.parametrize(
    ("nodes", "edges", "graph_loops", "filled"),
    [
        (0, [], 0, 0),
        (1, [], 0, 0),
        (3, [(0, 1), (0, 2), (1, 2)], 1, 0),
        (4, [(0, 1), (1, 2), (2, 3), (0, 3)], 1, 1),
        (6, [(a, b) for a in range(6) for b in range(a + 1, 6) if (a, b) not in {(0, 5), (1, 4), (2, 3)}], 7, 0),
        (7, [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4), (4, 5), (5, 6), (3, 6)], 2, 2),
    ],
    ids=["empty", "point", "triangle", "square", "octahedron", "figure eight"],
)
def test_loops_of_known_graphs(nodes, edges, graph_loops, filled):
    graph = graph_of(nodes, edges)
    assert (loops(graph), filled_loops(graph)) == (graph_loops, filled)


@given(st.integers(1, 9), st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=30))
def test_filled_loops_are_cycles_modulo_boundaries(nodes, pairs):
    edges = sorted((a, b) for a, b in pairs if a < b < nodes)
    graph = graph_of(nodes, edges)
    number = {edge: i for i, edge in enumerate(edges)}
    basis: dict[int, int] = {}
    for a, b in edges:
        for c in range(b + 1, nodes):
            if (a, c) in number and (b, c) in number:
                column = 1 << number[a, b] | 1 << number[a, c] | 1 << number[b, c]
                while column and column.bit_length() in basis:
                    column ^= basis[column.bit_length()]
                if column:
                    basis[column.bit_length()] = column
    assert filled_loops(graph) == loops(graph) - len(basis)


def test_flat_torus_keeps_both_loops_after_the_collapse():
    side = 6
    edges = set()
    for x in range(side):
        for y in range(side):
            here = x * side + y
            for dx, dy in ((1, 0), (0, 1), (1, 1)):
                there = (x + dx) % side * side + (y + dy) % side
                edges.add((min(here, there), max(here, there)))
    assert filled_loops(graph_of(side * side, sorted(edges))) == 2


def test_purity_follows_its_formulas_on_a_small_case():
    # Two nodes: {0, 1, 2} and {2, 3}; point 4 is in none.
    graph = MapperGraph(
        **{
            **vars(graph_of(2, [(0, 1)], [3, 2])),
            "members": np.array([0, 1, 2, 2, 3]),
            "points": 5,
        }
    )
    labels = np.array([0, 0, 1, 1, 1])
    counts = label_counts(graph, labels, classes=3)
    assert counts.tolist() == [[2, 1, 0], [0, 2, 0]]
    purity = node_purity(counts)
    assert purity.tolist() == [0.5, 1.0]
    assert point_purity(graph, purity).tolist() == [0.5, 0.5, 0.75, 1.0, 0.0]
    assert np.allclose(class_purity(graph, labels, 3), [0.5, 1.75 / 3, np.nan], equal_nan=True)
    assert coverage(graph) == 0.8
    assert np.allclose(mean_points(graph, np.arange(10.0).reshape(5, 2)), [[2, 3], [5, 6]])


def test_branches_ignore_small_nodes():
    star = [(0, 1), (0, 2), (0, 3), (3, 4)]
    assert branches(graph_of(5, star, [20, 20, 20, 20, 19])) == (3, 1)
    assert branches(graph_of(5, star, [20, 20, 20, 20, 20])) == (3, 1)
    assert branches(graph_of(5, star, [20, 20, 19, 20, 20])) == (2, 0)


@pytest.mark.parametrize(
    ("make", "nodes", "words"),
    [
        (
            lambda cloud: mapper_of_activations(cloud, COVER, eps=1e-6),
            0,
            "dropped as noise.* that, lower min_samples, or raise eps, or use fewer intervals or more overlap.$",
        ),
        (
            lambda cloud: mapper_of_activations(cloud, OverlapCover(1, 0), eps=1e-6),
            0,
            r"has no node.* memberships were dropped as noise\. To change that, raise eps\.$",
        ),
        (
            lambda cloud: mapper_of_activations(cloud, COVER, eps=1, min_samples=99),
            0,
            "fewer than min_samples = 99.* that, lower min_samples, or use fewer intervals or more overlap.$",
        ),
        (
            lambda cloud: mapper_of_activations(cloud, OverlapCover(1, 0), eps=1, min_samples=99),
            0,
            r"1 cubes hold points, 1 of them fewer than .* that, lower min_samples\.$",
        ),
        (
            lambda cloud: mapper_of_filters(cloud, GainCover(5, 2), FirstGap(min_samples=99)),
            0,
            "that, lower min_samples, or use a lower resolution or more gain.$",
        ),
        (
            lambda cloud: mapper_of_activations(cloud, OverlapCover(1, 0), eps=99),
            1,
            "has one node: 1 cubes hold points.* that, use more intervals.$",
        ),
        (
            lambda cloud: mapper_of_filters(cloud, GainCover(1, 1)),
            1,
            "has one node: 1 cubes hold points.* that, use a higher resolution.$",
        ),
    ],
)
def test_an_empty_or_one_node_graph_is_explained(make, nodes, words):
    graph = make(np.abs(np.random.default_rng(0).normal(size=(60, 4))))
    assert graph.nodes == nodes
    assert graph.lens.shape[0] == nodes
    assert loops(graph) == filled_loops(graph) == 0
    assert branches(graph) == (0, 0)
    labels = np.arange(60) % 3
    assert np.allclose(class_purity(graph, labels, 3), 1 / 3 if nodes else 0)
    assert re.search(words, explain(graph))


def test_one_node_of_many_cubes_names_what_was_left_out():
    cloud = np.concatenate([np.zeros((9, 2)) + np.linspace(0, 0.1, 9)[:, None], [[5.0, 5.0]]])
    graph = mapper_graph(cloud, cloud[:, :1], OverlapCover(4, 0.1), Dbscan(0.2, 3))
    assert graph.nodes == 1
    assert "1 of them fewer than min_samples = 3" in explain(graph)


def three_lines(gap):
    """Return points along three parallel lines, `gap` apart, whose l2 norm grows along each."""
    along = np.linspace(1, 9, 200)
    return np.concatenate([np.column_stack([along, np.full(200, gap * line)]) for line in range(3)])


def test_an_eps_that_makes_one_node_of_every_interval_is_explained():
    wide = mapper_of_activations(three_lines(0.5), OverlapCover(6, 0.3), eps=9.0)
    assert wide.nodes == wide.cubes == 6
    assert re.search(r"No interval of the lens holds two of the 6 nodes.*lower eps ", explain(wide))
    assert explain(mapper_of_activations(three_lines(0.5), OverlapCover(6, 0.3), eps=0.2)) == ""


def test_graphs_with_more_nodes_need_no_explanation():
    points, _ = noisy_circle(100)
    assert explain(mapper_of_filters(points, clustering=FirstGap())) == ""
