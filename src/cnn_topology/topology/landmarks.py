"""Max-min landmarks: a subset of points whose covering radius bounds the error of its barcode.

Each next landmark is the point farthest from those chosen. If every point lies within r of a landmark, then the
Hausdorff distance of landmarks and cloud is r and no bar end moves by more than 2 r, so no length changes by more than
4 r (Chazal, de Silva, Oudot 2014, with lengths as diameters). The choice depends on the points alone, not on the order
of the rows.
"""

import numpy as np

from cnn_topology.checks import whole
from cnn_topology.errors import InputError
from cnn_topology.topology.filtration import checked_points

# Compiled code does not hear Ctrl-C: after so many coordinates, a tenth of a second, Python may look.
NUMBERS_AT_ONCE = 1 << 28


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

    Raises
    ------
    InputError
        If there are not so many points, or they are no matrix of finite numbers.
    """
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.topology.edge_kernels import choose_farthest

    cloud = checked_points(points)
    count = whole(count, "landmarks", 1)
    if not 1 <= count <= len(cloud):
        raise InputError(f"landmarks must be between 1 and the number of points; got {count} of {len(cloud)}")
    # In lexicographic order, ties fall to the same point (or to an equal one) however the rows are permuted.
    order = np.lexsort(cloud.T[::-1])
    coordinates = np.ascontiguousarray(cloud[order].T)
    to_mean = ((coordinates - coordinates.mean(axis=1, keepdims=True)) ** 2).sum(axis=0)
    chosen, nearest, radius = np.empty(count, dtype=np.int64), np.full(len(cloud), np.inf), 0.0
    chosen[0] = np.argmin(to_mean)
    part = max(1, NUMBERS_AT_ONCE // cloud.size)
    for begin in range(0, count, part):
        radius = choose_farthest(coordinates, begin, min(begin + part, count), chosen, nearest)
    return order[chosen], radius
