"""Loops of a mapper graph: of the graph itself, and of the complex in which every clique is filled.

Loops of the graph swing with resolution, overlap and cut; they stand beside the verdict of a barcode and never
replace it.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cnn_topology.mapper.graph import MapperGraph
from cnn_topology.statistics.coefficients import adjusted_rand_index
from cnn_topology.topology.persistence import barcode


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

    It is the Vietoris-Rips complex in which two nodes are at distance 1 if they are joined, and never meet otherwise.

    Parameters
    ----------
    graph : MapperGraph

    Returns
    -------
    int
    """
    lengths = coo_array((np.ones(len(graph.edges), dtype=np.float32), graph.edges.T), shape=(graph.nodes, graph.nodes))
    return len(barcode(distances=lengths).in_dimension(1))


def stability(first: MapperGraph, second: MapperGraph) -> float:
    """Compare the components of two graphs on the same points by the adjusted Rand index of their partitions.

    Parameters
    ----------
    first, second : MapperGraph
        Each point lies in one component at most, since nodes that share a point are joined; points in no node make a
        part of their own.

    Returns
    -------
    float
        1 for the same partition, about 0 for unrelated ones.
    """
    parts = []
    for graph in (first, second):
        part = np.full(graph.points, -1, dtype=np.int64)
        part[graph.members] = np.repeat(components(graph), graph.sizes)
        parts.append(part)
    return adjusted_rand_index(*parts)
