"""How far a mapper graph can be trusted: purity on shuffled labels, its error over images, and stability (all ours).

Purity depends on the sizes of nodes, so that it says little without its chance level. Labels are shuffled over images
and not over points: all positions of an image keep one label, and what they have in common stays in the chance level.
"""

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.checks import unmasked
from cnn_topology.mapper.graph import MapperGraph
from cnn_topology.mapper.summaries import class_purity, image_rank, label_counts, node_purity

# Halves of the images on which purity is computed anew.
JACKKNIFE_HALVES = 100


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

    Raises
    ------
    InputError
        As `label_counts`.
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
    result, labels = np.full(halves, np.nan), unmasked(labels, "labels")
    node = np.repeat(np.arange(graph.nodes), graph.sizes)
    cell = node * classes + labels[graph.members]
    for number in range(halves):
        kept = image_rank(ids, seed + number)[graph.members] >> np.uint64(63) == 0
        counts = np.bincount(cell[kept], minlength=graph.nodes * classes).reshape(graph.nodes, classes)
        held = counts[counts.any(axis=1)]
        if len(held):
            result[number] = node_purity(held).mean()
    return result


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


def adjusted_rand_index(first: Int[np.ndarray, " points"], second: Int[np.ndarray, " points"]) -> float:
    """Compute the adjusted Rand index of two partitions (Hubert and Arabie 1985): 1 if equal, 0 as expected by chance.

    As in scikit-learn, which takes longer to load than a mapper graph to compute.

    Parameters
    ----------
    first, second : ndarray of int, shape (points,)
        Number of the part that each point is in.

    Returns
    -------
    float
        At most 1.
    """
    (_, row), (names, column) = (np.unique(which, return_inverse=True) for which in (first, second))
    # Python's integers do not overflow.
    rows, columns, both = (
        np.unique(which, return_counts=True)[1].astype(object) for which in (row, column, row * len(names) + column)
    )
    # Ordered pairs of points that lie together in both partitions, in one of them alone, in neither.
    together = int((both**2).sum()) - len(first)
    in_first, in_second = (int((sizes**2).sum()) - len(first) - together for sizes in (rows, columns))
    apart = len(first) * (len(first) - 1) - together - in_first - in_second
    if in_first == in_second == 0:
        return 1.0
    chance = (together + in_first) * (in_first + apart) + (together + in_second) * (in_second + apart)
    return 2.0 * (together * apart - in_first * in_second) / chance


def _component_of_points(graph: MapperGraph, component: np.ndarray) -> np.ndarray:
    found = np.full(graph.points, -1, dtype=np.int64)
    found[graph.members] = np.repeat(component, graph.sizes)
    return found
