"""Loops of a mapper graph: of the graph itself, and of the complex in which every clique is filled.

Loops of the graph swing with resolution, overlap and cut; they stand beside the verdict of a barcode and never
replace it.
"""

import numpy as np
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cnn_topology.mapper.graph import MapperGraph
from cnn_topology.statistics.coefficients import adjusted_rand_index


def components(graph: MapperGraph) -> np.ndarray:
    """Find the connected component of each node.

    Parameters
    ----------
    graph : MapperGraph

    Returns
    -------
    ndarray of int64, shape (nodes,)
        Numbers from 0.
    """
    if not graph.nodes:
        return np.empty(0, dtype=np.int64)
    shape = (graph.nodes, graph.nodes)
    links = coo_array((np.ones(len(graph.edges), dtype=np.int8), graph.edges.T), shape=shape)
    return connected_components(links, directed=False)[1].astype(np.int64)


def loops(graph: MapperGraph) -> int:
    """Compute the first Betti number of the graph: edges - nodes + components.

    Parameters
    ----------
    graph : MapperGraph

    Returns
    -------
    int
    """
    return len(graph.edges) - graph.nodes + len(np.unique(components(graph)))


def filled_loops(graph: MapperGraph) -> int:
    """Compute the first Betti number over Z/2 of the flag complex of the graph: loops that cliques do not fill.

    Nodes whose neighbourhood another one's contains are taken away first, one after the other, which leaves the
    homotopy type of a flag complex as it is (strong collapse: Barmak and Minian 2012); what remains is reduced column
    by column. Where many nodes remain, time may grow with the cube of the loops of the graph that remains.

    Parameters
    ----------
    graph : MapperGraph

    Returns
    -------
    int
    """
    near = _collapsed(graph)
    number = {node: place for place, node in enumerate(sorted(near))}
    edges = sorted((number[a], number[b]) for a in near for b in near[a] if a < b)
    # Edges outside a spanning forest are a basis of the cycles: a triangle's boundary is the sum of those it has.
    parent = list(range(len(number)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    basis: dict[tuple[int, int], int] = {}
    for a, b in edges:
        here, there = root(a), root(b)
        if here == there:
            basis[a, b] = 1 << len(basis)
        else:
            parent[here] = there
    adjacent: list[set[int]] = [set() for _ in number]
    for a, b in edges:
        adjacent[a].add(b)
    filled: dict[int, int] = {}
    for a, b in edges:
        for c in adjacent[a] & adjacent[b]:
            column = basis.get((a, b), 0) ^ basis.get((a, c), 0) ^ basis.get((b, c), 0)
            while column and (top := column.bit_length()) in filled:
                column ^= filled[top]
            if column:
                filled[top] = column
        if len(filled) == len(basis):
            return 0
    return len(basis) - len(filled)


def _collapsed(graph: MapperGraph) -> dict[int, set[int]]:
    """Return the neighbours of each node that is left after taking away dominated nodes until there are none."""
    near: dict[int, set[int]] = {node: set() for node in range(graph.nodes)}
    for a, b in graph.edges.tolist():
        near[a].add(b)
        near[b].add(a)
    waiting = dict.fromkeys(sorted(near))
    while waiting:
        node = next(iter(waiting))
        del waiting[node]
        around = near[node]
        if any(len(near[other]) >= len(around) and around - {other} <= near[other] for other in around):
            for other in sorted(around):
                near[other].discard(node)
                waiting[other] = None
            del near[node]
    return near


def stability(
    first: tuple[MapperGraph, Int[np.ndarray, " nodes"]], second: tuple[MapperGraph, Int[np.ndarray, " nodes"]]
) -> float:
    """Compare the components of two graphs on the same points by the adjusted Rand index of their partitions.

    Parameters
    ----------
    first, second : (MapperGraph, ndarray of int64, shape (nodes,))
        A graph and the component of each of its nodes. Each point lies in one component at most, since nodes that
        share a point are joined; points in no node make a part of their own.

    Returns
    -------
    float
        1 for the same partition, about 0 for unrelated ones.
    """
    return adjusted_rand_index(*(_component_of_points(graph, parts) for graph, parts in (first, second)))


def _component_of_points(graph: MapperGraph, component: np.ndarray) -> np.ndarray:
    found = np.full(graph.points, -1, dtype=np.int64)
    found[graph.members] = np.repeat(component, graph.sizes)
    return found
