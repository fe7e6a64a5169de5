"""Max-min landmarks: a subset of points whose covering radius bounds the error of its barcode.

Each next landmark is the point farthest from those chosen. If every point lies within r of a landmark, then the
Hausdorff distance of landmarks and cloud is r and no bar end moves by more than 2 r, so no length changes by more than
4 r (Chazal, de Silva, Oudot 2014, with lengths as diameters). The choice depends on the points alone, not on the order
of the rows.
"""

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.topology.filtration import checked_points


def _check_count(count: int, points: int) -> None:
    if not 1 <= count <= points:
        raise InputError(f"landmarks must be between 1 and the number of points; got {count} of {points}")


def landmarks_maxmin(points: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """Choose landmarks by the max-min rule, starting at the point nearest to the mean.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
    count : int
        Landmarks to choose, at most the number of points.

    Returns
    -------
    indices : ndarray of int64, shape (count,)
        Rows of the landmarks in the order of choice.
    covering_radius : float
        Greatest distance of a point to its nearest landmark.
    """
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.topology.edge_kernels import choose_farthest

    cloud = checked_points(points)
    _check_count(count, len(cloud))
    # In lexicographic order, ties fall to the same point (or to an equal one) however the rows are permuted.
    order = np.lexsort(cloud.T[::-1])
    coordinates = np.ascontiguousarray(cloud[order].T)
    to_mean = ((coordinates - coordinates.mean(axis=1, keepdims=True)) ** 2).sum(axis=0)
    chosen, radius = choose_farthest(coordinates, int(np.argmin(to_mean)), count)
    return order[chosen], radius


def landmarks_of_lengths(lengths: np.ndarray, points: int, count: int) -> tuple[np.ndarray, float]:
    """Choose landmarks from condensed lengths, starting at the point whose farthest point is nearest.

    Parameters
    ----------
    lengths : ndarray of float32, shape (points (points-1)/2,)
    points, count : int

    Returns
    -------
    indices : ndarray of int64, shape (count,)
    covering_radius : float
    """
    _check_count(count, points)
    # Without coordinates there is no order but that of the rows: ties fall to the first row.
    eccentricity = np.array([row_of(lengths, points, i).max() for i in range(points)])
    following = int(np.argmin(eccentricity))
    chosen = np.empty(count, dtype=np.int64)
    nearest = np.full(points, np.inf)
    for step in range(count):
        chosen[step] = following
        np.minimum(nearest, row_of(lengths, points, following), out=nearest)
        following = int(np.argmax(nearest))
    return chosen, float(nearest[following])


def row_of(lengths: np.ndarray, points: int, i: int) -> np.ndarray:
    """Return the distances of point i to all points from condensed lengths, zero to itself."""
    row = np.zeros(points)
    before = np.arange(i)
    row[:i] = lengths[before * (2 * points - before - 3) // 2 + i - 1]
    start = i * (2 * points - i - 1) // 2
    row[i + 1 :] = lengths[start : start + points - 1 - i]
    return row


def restrict(lengths: np.ndarray, points: int, indices: np.ndarray) -> np.ndarray:
    """Return the condensed lengths among the chosen points, in the order given."""
    rows = [row_of(lengths, points, int(i))[indices[k + 1 :]] for k, i in enumerate(indices)]
    return np.concatenate(rows).astype(np.float32) if rows else np.empty(0, dtype=np.float32)
