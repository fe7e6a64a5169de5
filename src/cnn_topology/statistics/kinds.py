"""Whether classes of one kind lie nearer to each other in a mapper graph than classes of two (ours)."""

from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

# Classes of CIFAR-10 of one of its two kinds; the others are animals.
VEHICLES = frozenset({"airplane", "automobile", "ship", "truck"})
ANIMALS = frozenset({"bird", "cat", "deer", "dog", "frog", "horse"})


def class_affinity(
    counts: Int[np.ndarray, "nodes classes"], edges: Int[np.ndarray, "edges 2"]
) -> Float[np.ndarray, "classes classes"]:
    """Compute how much classes share nodes and neighbouring nodes of a graph.

    Parameters
    ----------
    counts : ndarray of int, shape (nodes, classes)
        Points of each class in each node.
    edges : ndarray of int, shape (edges, 2)

    Returns
    -------
    ndarray, shape (classes, classes)
        The sum over nodes, and over edges both ways, of the product of the shares of both classes; 1 along the
        diagonal. 0 for a class without a point in a node.
    """
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    across = shares[edges[:, 0]].T @ shares[edges[:, 1]]
    together = shares.T @ shares + across + across.T
    norms = np.sqrt(np.diag(together))
    return together / np.where(np.outer(norms, norms) > 0, np.outer(norms, norms), 1.0)


def kinds_test(affinity: Float[np.ndarray, "classes classes"], kind: list[int]) -> tuple[float, float]:
    """Compare the affinity of classes of one kind with that of any other choice of as many classes.

    Parameters
    ----------
    affinity : ndarray, shape (classes, classes)
    kind : list of int
        Labels of the classes of one kind; the others are of the other kind.

    Returns
    -------
    difference : float
        Mean affinity of two classes of one kind less that of two classes of two kinds.
    p_value : float
        Share of all choices of as many classes whose difference is as large, exact; 1 / 210 at least for 4 of 10.
    """
    classes = len(affinity)
    choices = np.array([np.isin(np.arange(classes), chosen) for chosen in combinations(range(classes), len(kind))])
    pairs = np.triu_indices(classes, 1)
    same = choices[:, pairs[0]] == choices[:, pairs[1]]
    values = affinity[pairs]
    differences = same @ values / same.sum(axis=1) - ~same @ values / (~same).sum(axis=1)
    observed = differences[np.flatnonzero((choices == np.isin(np.arange(classes), kind)).all(axis=1))[0]]
    return float(observed), float(np.mean(differences >= observed - 1e-12))
