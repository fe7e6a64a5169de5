"""What is read off a mapper graph: mean points, coverage, examples, branches, and why it shows little."""

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.mapper.clustering import Dbscan
from cnn_topology.mapper.cover import GainCover
from cnn_topology.mapper.graph import MapperGraph
from cnn_topology.mapper.purity import image_rank

# Nodes with fewer points do not count as parts of a branch (ours).
BRANCH_NODE = 20


def mean_points(
    graph: MapperGraph, points: Float[np.ndarray, "points coordinates"]
) -> Float[np.ndarray, "nodes coordinates"]:
    """Average the points of each node: for filters the mean filter that the weights paper draws at it.

    Parameters
    ----------
    graph : MapperGraph
    points : ndarray, shape (points, coordinates)
        The cloud that it was built on.

    Returns
    -------
    ndarray of float64, shape (nodes, coordinates)
    """
    return (graph.incidence() @ points.astype(np.float64)) / graph.sizes[:, None]


def coverage(graph: MapperGraph) -> float:
    """Compute the share of the points that are in at least one node.

    Parameters
    ----------
    graph : MapperGraph

    Returns
    -------
    float
        From 0 to 1.
    """
    return len(np.unique(graph.members)) / graph.points


def examples(graph: MapperGraph, ids: Int[np.ndarray, " points"], most: int, seed: int) -> list[list[int]]:
    """Choose some images of each node: the first `most` of them in one seeded order of all images.

    Parameters
    ----------
    graph : MapperGraph
    ids : ndarray of int64, shape (points,)
        Image of each point.
    most, seed : int

    Returns
    -------
    list of list of int
        Images by node, each once; nodes that share images tend to share examples.
    """
    chosen = []
    for begin, end in zip(graph.starts[:-1], graph.starts[1:], strict=True):
        images = np.unique(ids[graph.members[begin:end]])
        chosen.append(images[np.argsort(image_rank(images, seed))[:most]].tolist())
    return chosen


def branches(graph: MapperGraph, least: int = BRANCH_NODE) -> tuple[int, int]:
    """Count the ends and the forks of the graph after dropping small nodes.

    Parameters
    ----------
    graph : MapperGraph
    least : int
        Points a node needs to be kept.

    Returns
    -------
    leaves, forks : int
        Kept nodes with one kept neighbour, and with three or more.
    """
    kept = graph.sizes >= least
    ends = graph.edges[kept[graph.edges].all(axis=1)]
    degree = np.bincount(ends.ravel(), minlength=graph.nodes)
    return int(np.sum(degree == 1)), int(np.sum(degree >= 3))


def explain(graph: MapperGraph) -> str:
    """Describe why a graph shows little and what to change: it has no node, one, or by DBSCAN one at most an interval.

    Parameters
    ----------
    graph : MapperGraph

    Returns
    -------
    str
        Empty for other graphs.
    """
    finer, coarser = (
        ("a higher resolution", "a lower resolution or more gain")
        if isinstance(graph.cover, GainCover)
        else ("more intervals", "fewer intervals or more overlap")
    )
    if graph.nodes <= 1:
        ways = []
        if graph.skipped_cubes:
            ways.append("lower min_samples")
        if graph.noise:  # only DBSCAN has any
            ways.append("raise eps")
        if graph.skipped_cubes and graph.cubes > 1:
            ways.append(f"use {coarser}")
        if graph.nodes == graph.cubes:  # one of each
            ways = [f"use {finer}"]
        return (
            f"The mapper graph of {graph.points} points has {'one' if graph.nodes else 'no'} node: {graph.cubes} cubes "
            f"hold points, {graph.skipped_cubes} of them fewer than min_samples = {graph.clustering.min_samples}, and "
            f"{graph.noise} memberships were dropped as noise. To change that, {', or '.join(ways)}."
        )
    # Of DBSCAN alone, whose eps decides it; first gap and two lenses have such graphs of clouds that are well covered.
    if isinstance(graph.clustering, Dbscan) and graph.lens.shape[1] == 1 and len(np.unique(graph.cube)) == graph.nodes:
        return (
            f"No interval of the lens holds two of the {graph.nodes} nodes: the graph follows the lens and tells no "
            f"groups of points apart. To change that, lower eps (= {graph.clustering.eps:g}) or take more points."
        )
    return ""
