"""DBSCAN and nearest distances in many dimensions: scalar products in float32, what they leave open in float64.

A layer of the activations paper has up to 512 channels, where no tree helps and all pairs must be looked at. Single
precision halves their time; its rounding is bounded, and a pair whose distance it leaves open is computed anew from
the points as given. So results are those of float64 differences, on any machine and for any number of threads. Memory
is linear in the points.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from cnn_topology.mapper.kernels import join_border, join_near, nearer

# Scalar products held at once, and rows of a block: fewer make the product of matrices slow.
BLOCK, ROWS = 2**23, 1_024

_UNIT = 2.0**-24  # rounding unit of float32


def density_clusters(
    points: Float[np.ndarray, "points coordinates"], eps: float, min_samples: int
) -> Int[np.ndarray, " points"]:
    """Cluster by DBSCAN (Ester, Kriegel, Sander, Xu 1996) with the labels of scikit-learn.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
    eps : float
        Radius, above 0, in the units of the coordinates.
    min_samples : int
        Points within eps, itself among them, that make a point a core point.

    Returns
    -------
    ndarray of int64, shape (points,)
        Number of the cluster, in the order of first core points; -1 for noise. A border point within eps of core
        points of several clusters belongs to the one with the smallest number.
    """
    count = len(points)
    centred, squares, slack, scale = _prepared(points)
    reach = ((eps / scale) ** 2, eps * eps)
    core, parent = np.zeros(count, dtype=np.bool_), np.arange(count)
    unsettled = 0
    for begin, end in _blocks(count, count):
        products = centred[begin:end] @ centred.T
        unsettled += join_near(products, begin, squares, slack, points, reach, min_samples, core, parent)
    labels = _numbered(parent, core)
    if unsettled:
        outside = np.flatnonzero(~core)
        for begin, end in _blocks(len(outside), count):
            rows = outside[begin:end]
            join_border(centred[rows] @ centred.T, rows, squares, slack, points, reach, core, labels)
    return labels


def nearest_distances(points: Float[np.ndarray, "points coordinates"], k: int) -> Float[np.ndarray, "points k"]:
    """Compute the distance of each point to its nearest, second nearest ... k-th nearest other point.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        More than k.
    k : int

    Returns
    -------
    ndarray of float64, shape (points, k)
        Ascending in each row.
    """
    count = len(points)
    centred, squares, slack, scale = _prepared(points)
    best = np.full((count, k), np.inf)
    blocks = list(_blocks(count, ROWS))
    for number, (begin, end) in enumerate(blocks):
        for start, stop in blocks[number:]:
            products = centred[begin:end] @ centred[start:stop].T
            nearer(products, begin, start, squares, slack, points, scale * scale, best)
    return np.sqrt(best)


def _prepared(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Centre and scale the points, so that float32 neither overflows nor loses more than it must.

    Returns
    -------
    centred : ndarray of float32, shape (points, coordinates)
    squares : ndarray of float32, shape (points,)
        Their squared norms.
    slack : float
        Bound on the error of a squared distance made of both, relative to the sum of two squares: that of a scalar
        product of so many terms (Higham 2002, section 3.1), of the conversion, and of the sums.
    scale : float
        What one unit is in the points as given.
    """
    centred = points - points.mean(axis=0, dtype=np.float64).astype(points.dtype)
    scale = float(max(abs(centred.min()), abs(centred.max()))) or 1.0
    centred = (centred / centred.dtype.type(scale)).astype(np.float32, copy=False)
    squares = np.einsum("nc,nc->n", centred, centred, dtype=np.float64).astype(np.float32)
    return centred, squares, (points.shape[1] + 32) * _UNIT, scale


def _blocks(count: int, across: int) -> list[tuple[int, int]]:
    """Cut rows into blocks whose products with `across` others fit in `BLOCK`."""
    rows = max(1, min(ROWS, BLOCK // across))
    return [(begin, min(begin + rows, count)) for begin in range(0, count, rows)]


def _numbered(parent: Int[np.ndarray, " points"], core: Bool[np.ndarray, " points"]) -> Int[np.ndarray, " points"]:
    """Return the numbers of the trees of core points in the order of their roots, their first points; others get -1."""
    while not np.array_equal(flat := parent[parent], parent):
        parent = flat
    labels = np.full(len(parent), -1, dtype=np.int64)
    labels[core] = np.unique(parent[core], return_inverse=True)[1]
    return labels
