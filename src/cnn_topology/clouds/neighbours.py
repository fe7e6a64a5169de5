"""Exact distances to the k-th nearest neighbour of every point of a cloud, the measure of density of rho(k, p).

The points are ordered by a k-d tree into leaves of 128, each held coordinate by coordinate. The queries of a leaf go
through all leaves together, the nearest first, and look only into those whose bounding box lies within the k-th
distance found so far. In the eight dimensions of filters, where a search of single points by a k-d tree reads much of
the cloud anyway, this costs a fraction of it (`benchmarks/neighbours.py`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.checks import check_longest, finite_points, whole
from cnn_topology.clouds.threads import in_threads
from cnn_topology.errors import InputError

# An axis along which the whole cloud spreads less than this part of its largest spread is rounding, not data.
EMPTY_AXIS = 1e-13

# Sums of as many coordinates as memory holds do not overflow.
LARGEST_COORDINATE = 2.0**960

# Leaves handed to a thread at once, so that threads end together.
LEAVES_AT_ONCE = 8


def neighbour_distances(
    points: Float[np.ndarray, "points coordinates"], ks: Sequence[int], threads: int = 1
) -> Float[np.ndarray, "points ks"]:
    """Compute the exact Euclidean distance from each point to its k-th nearest other point, for several k at once.

    The cloud is first turned to its principal axes, which moves no distance by more than a few units in the last place
    of the cloud's extent. Of the turned points, distances are sums of squared differences in float64, and what is
    returned is the k-th smallest of them, to the last bit that of comparing all pairs: lower bounds are rounded as
    distances are. So the leaves, the order of the rows' visit and the threads change nothing, and duplicates are at
    distance exactly 0.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        The cloud. Duplicates count as neighbours at distance 0.
    ks : sequence of int
        Each from 1 to points - 1, in any order.
    threads : int
        Threads of the search.

    Returns
    -------
    ndarray of float64, shape (points, len(ks))
        Column j belongs to ``ks[j]``. Memory beyond it is a small multiple of the cloud.

    Raises
    ------
    InputError
        If a k is below 1 or not below the number of points, or a coordinate is NaN or infinite.
    """
    cloud = checked_cloud(points, ks)
    if not len(ks):
        return np.empty((len(cloud), 0))
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.clouds.neighbour_kernels import LEAF, search

    tree = searchable(cloud)
    columns = np.array(sorted(set(ks), reverse=True))
    squared = np.empty((len(tree.sizes), LEAF, len(columns)))
    spans = [(b, min(b + LEAVES_AT_ONCE, len(tree.sizes))) for b in range(0, len(tree.sizes), LEAVES_AT_ONCE)]
    in_threads(
        lambda b, e: search(tree.blocks, tree.sizes, tree.lows, tree.highs, columns, (b, e), squared), spans, threads
    )
    distances = np.empty((len(cloud), len(ks)))
    distances[tree.order] = np.sqrt(squared[tree.leaf, tree.place])[:, np.searchsorted(-columns, np.negative(ks))]
    return np.ldexp(distances, tree.exponent)


def checked_cloud(points: Float[np.ndarray, "points coordinates"], ks: Sequence[int]) -> np.ndarray:
    """Check a cloud of which some k-th neighbours are asked for, and return it as float64.

    Parameters
    ----------
    points, ks
        As for `neighbour_distances`.

    Returns
    -------
    ndarray of float64, shape (points, coordinates)

    Raises
    ------
    InputError
        As by `neighbour_distances`.
    """
    cloud = np.asarray(finite_points(points), dtype=np.float64)
    if cloud.size:
        largest = float(np.abs(cloud).max())
        check_longest(largest, largest, (0.0, LARGEST_COORDINATE), "a point cloud")
    if not isinstance(ks, Sequence | np.ndarray):
        raise InputError(f"ks = {ks!r} must be a sequence of neighbours: [{ks!r}] for one")
    for k in ks:
        if not 1 <= whole(k, "k") < len(cloud):
            raise InputError(
                f"k = {k} must lie from 1 to {len(cloud) - 1}, below the number of points, {len(cloud)}: lower k or "
                "pool more networks"
            )
    return cloud


class SearchableCloud(NamedTuple):
    """A cloud turned to its principal axes, scaled and laid out in the leaves of a k-d tree.

    Attributes
    ----------
    order : ndarray of int64, shape (points,)
        Rows of the cloud, leaf by leaf.
    leaf, place : ndarray of int64, shape (points,)
        Where each of these rows stands: its leaf, and its place there.
    blocks, sizes, lows, highs : ndarray
        As `neighbour_kernels.search` reads them.
    exponent : int
        Distances in the cloud are 2^exponent times those of `blocks`, whose coordinates lie in [-1, 1].
    """

    order: np.ndarray
    leaf: np.ndarray
    place: np.ndarray
    blocks: np.ndarray
    sizes: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    exponent: int


def searchable(cloud: Float[np.ndarray, "points coordinates"]) -> SearchableCloud:
    """Lay out a cloud for searches of neighbours.

    Parameters
    ----------
    cloud : ndarray of float64, shape (points, coordinates)
        Finite; at least one point.

    Returns
    -------
    SearchableCloud
    """
    from cnn_topology.clouds.neighbour_kernels import LEAF

    turned = _principal_coordinates(cloud)
    # By a power of two, which is exact: squares of what is left neither overflow nor vanish.
    exponent = int(np.frexp(np.abs(turned).max())[1])
    turned = np.ldexp(turned, -exponent)
    order, starts = _leaves(turned, LEAF)
    sizes = np.diff(starts)
    leaf = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(cloud)) - starts[leaf]
    return SearchableCloud(order, leaf, place, *_blocks(turned[order], starts), exponent)


def _principal_coordinates(cloud: np.ndarray) -> np.ndarray:
    """Rotate a cloud to its principal axes and drop the axes along which it has no extent."""
    centred = cloud - cloud.mean(axis=0)
    _, spreads, axes = np.linalg.svd(centred, full_matrices=False)
    used = axes[spreads > EMPTY_AXIS * spreads[0]]
    # einsum treats every row alike, which BLAS does not: duplicates stay duplicates to the last bit.
    return np.einsum("nc,ac->na", centred, used) if len(used) else centred


def _leaves(cloud: np.ndarray, most: int) -> tuple[Int[np.ndarray, " points"], Int[np.ndarray, " leaves_and_one"]]:
    """Order points by a k-d tree: halved along the axis of widest extent until at most `most` are left in each leaf.

    Returns
    -------
    order : ndarray of int64, shape (points,)
        Rows of the cloud, leaf by leaf.
    starts : ndarray of int64, shape (leaves + 1,)
        Where each leaf begins in `order`, and the number of points.
    """
    order = np.arange(len(cloud))
    starts = []
    open_ = [(0, len(cloud))]
    while open_:
        begin, end = open_.pop()
        pieces = -(-(end - begin) // most)
        if pieces == 1:
            starts.append(begin)
            continue
        inside = order[begin:end]
        rows = cloud[inside]
        axis = int(np.argmax(rows.max(axis=0) - rows.min(axis=0)))
        middle = (end - begin) * (pieces // 2) // pieces
        order[begin:end] = inside[np.argpartition(rows[:, axis], middle)]
        open_ += [(begin + middle, end), (begin, begin + middle)]
    return order, np.array([*starts, len(cloud)])


def _blocks(ordered: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lay out leaves as `search` reads them: points coordinate by coordinate, sizes, and bounding boxes."""
    from cnn_topology.clouds.neighbour_kernels import LEAF, WIDTH

    points, dimension = ordered.shape
    leaves, wide = len(starts) - 1, -(-dimension // WIDTH) * WIDTH
    leaf = np.repeat(np.arange(leaves), np.diff(starts))
    blocks, lows, highs = np.zeros((leaves, wide, LEAF)), np.zeros((leaves, wide)), np.zeros((leaves, wide))
    blocks[:, :dimension] = np.inf
    blocks[leaf, :dimension, np.arange(points) - starts[leaf]] = ordered
    lows[:, :dimension] = np.minimum.reduceat(ordered, starts[:-1])
    highs[:, :dimension] = np.maximum.reduceat(ordered, starts[:-1])
    return blocks, np.diff(starts), lows, highs
