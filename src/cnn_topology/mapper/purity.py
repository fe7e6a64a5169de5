"""Purity of the nodes of a mapper graph, on its own labels, on shuffled ones and on halves of the images.

Purity as in the activations paper's released code: a node is as pure as the inverse of the number of classes in it.
Its class-wise form mixes purity and coverage, so coverage belongs beside it. Purity depends on the sizes of nodes, so
that it says little without its chance level (ours): labels are shuffled over images and not over points, so that all
positions of an image keep one label, and what they have in common stays in the chance level.
"""

import numpy as np
from jaxtyping import Float, Int, UInt

from cnn_topology.mapper.graph import MapperGraph

# Halves of the images on which purity is computed anew.
JACKKNIFE_HALVES = 100


def label_counts(
    graph: MapperGraph, labels: Int[np.ndarray, " points"], classes: int
) -> Int[np.ndarray, "nodes classes"]:
    """Count the members of each node by class.

    Parameters
    ----------
    graph : MapperGraph
    labels : ndarray of int, shape (points,)
        From 0 to classes - 1.
    classes : int

    Returns
    -------
    ndarray of int, shape (nodes, classes)
    """
    node = np.repeat(np.arange(graph.nodes), graph.sizes)
    counts = np.bincount(node * classes + labels[graph.members], minlength=graph.nodes * classes)
    return counts.reshape(graph.nodes, classes)


def node_purity(counts: Int[np.ndarray, "nodes classes"]) -> Float[np.ndarray, " nodes"]:
    """Compute 1 / (number of distinct classes in the node).

    Parameters
    ----------
    counts : ndarray of int, shape (nodes, classes)
        From `label_counts`.

    Returns
    -------
    ndarray, shape (nodes,)
        From 1 / classes to 1.
    """
    return 1 / np.count_nonzero(counts, axis=1)


def point_purity(graph: MapperGraph, purity: Float[np.ndarray, " nodes"]) -> Float[np.ndarray, " points"]:
    """Average the purity of the nodes that hold each point; 0 for points in no node.

    Parameters
    ----------
    graph : MapperGraph
    purity : ndarray, shape (nodes,)
        Of each node.

    Returns
    -------
    ndarray, shape (points,)
    """
    holds = graph.incidence()
    nodes = np.bincount(graph.members, minlength=graph.points)
    return (holds.T @ purity) / np.maximum(nodes, 1)


def class_purity(graph: MapperGraph, labels: Int[np.ndarray, " points"], classes: int) -> Float[np.ndarray, " classes"]:
    """Average point purity over all points of each class, those in no node with 0; NaN for a class without points.

    Parameters
    ----------
    graph : MapperGraph
    labels : ndarray of int, shape (points,)
        From 0 to classes - 1.
    classes : int

    Returns
    -------
    ndarray, shape (classes,)
    """
    of_points = point_purity(graph, node_purity(label_counts(graph, labels, classes)))
    sizes = np.bincount(labels, minlength=classes)
    totals = np.bincount(labels, weights=of_points, minlength=classes)
    return np.divide(totals, sizes, out=np.full(classes, np.nan), where=sizes > 0)


def node_wise(graph: MapperGraph, labels: Int[np.ndarray, " points"], classes: int) -> float:
    """Compute the unweighted mean of node purity (activations paper).

    Parameters
    ----------
    graph : MapperGraph
    labels : ndarray of int, shape (points,)
        From 0 to classes - 1.
    classes : int

    Returns
    -------
    float
        From 1 / classes to 1; NaN for a graph without nodes.
    """
    return float(node_purity(label_counts(graph, labels, classes)).mean()) if graph.nodes else np.nan


def shuffled_purity(
    graph: MapperGraph,
    ids: Int[np.ndarray, " points"],
    labels: Int[np.ndarray, " points"],
    classes: int,
    draws: int,
    seed: int,
) -> tuple[Float[np.ndarray, " draws"], Float[np.ndarray, "draws classes"]]:
    """Compute node-wise and class-wise purity with labels shuffled over images.

    Parameters
    ----------
    graph : MapperGraph
    ids, labels : ndarray of int64, shape (points,)
        Image of each point, and its class.
    classes, draws : int
    seed : int
        The same for two clouds on the same images gives the same shuffles, so that differences can be compared too.

    Returns
    -------
    node_wise : ndarray, shape (draws,)
    class_wise : ndarray, shape (draws, classes)
    """
    images, first, image = np.unique(ids, return_index=True, return_inverse=True)
    generator = np.random.default_rng(seed)
    of_nodes, of_classes = np.empty(draws), np.empty((draws, classes))
    for draw in range(draws):
        shuffled = labels[first][generator.permutation(len(images))][image]
        of_nodes[draw] = node_wise(graph, shuffled, classes)
        of_classes[draw] = class_purity(graph, shuffled, classes)
    return of_nodes, of_classes


def jackknife_purity(
    graph: MapperGraph,
    ids: Int[np.ndarray, " points"],
    labels: Int[np.ndarray, " points"],
    classes: int,
    seed: int,
    halves: int = JACKKNIFE_HALVES,
) -> Float[np.ndarray, " halves"]:
    """Compute node-wise purity on random halves of the images; the graph is held fixed, emptied nodes go.

    The jackknife that leaves out half (Shao and Wu 1989) holds where that which leaves out few fails: whether a class
    is in a node at all is no smooth function of its images.

    Parameters
    ----------
    graph : MapperGraph
    ids : ndarray of int, shape (points,)
        Image of each point.
    labels : ndarray of int, shape (points,)
        From 0 to classes - 1.
    classes : int
    seed : int
        Of the halves.
    halves : int

    Returns
    -------
    ndarray, shape (halves,)
        The same halves for two clouds with the same seed, whatever images one of them lacks.
    """
    result = np.full(halves, np.nan)
    node = np.repeat(np.arange(graph.nodes), graph.sizes)
    cell = node * classes + labels[graph.members]
    for number in range(halves):
        kept = image_rank(ids, seed + number)[graph.members] >> np.uint64(63) == 0
        counts = np.bincount(cell[kept], minlength=graph.nodes * classes).reshape(graph.nodes, classes)
        held = counts[counts.any(axis=1)]
        if len(held):
            result[number] = node_purity(held).mean()
    return result


def image_rank(ids: Int[np.ndarray, " images"], seed: int) -> UInt[np.ndarray, " images"]:
    """Compute for each image a number below 2^64 as if drawn by chance, which depends on its id and the seed alone.

    SplitMix64 (Steele, Lea, Flood 2014), its state advanced by the id. The seed is added after the product: were it
    added to the id, the next seed would give the next image this one's rank, and halves drawn with seeds that follow
    each other would be one half moved along.

    Parameters
    ----------
    ids : ndarray of int, shape (images,)
    seed : int

    Returns
    -------
    ndarray of uint64, shape (images,)
    """
    mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
