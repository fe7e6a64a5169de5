"""Lengths of all edges of a Vietoris-Rips filtration of points, in the one form that every engine reads.

Every engine reads the same float32 condensed lengths, so that their barcodes can be compared bar by bar. Ripser works
in float32 too; the rounding moves no bar by more than 6e-8 of its length. A missing edge has infinite length.
`distances` brings distances to this form.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from cnn_topology.checks import check_extent, finite_points, real
from cnn_topology.clouds.threads import in_threads
from cnn_topology.errors import InputError

# An engine holds one 4-byte entry per pair of points, and packs the two ends of an edge into 32 bits.
MOST_POINTS = 65_535

# Compiled code does not hear Ctrl-C: after so many pairs, a tenth of a second, Python may look.
PAIRS_AT_ONCE = 1 << 24

# Where the longest length must lie. Float32 holds lengths from 2^-149 on and rounds them by no more than 2^-150: even
# of the shortest cloud that is 1e-15 of its longest length.
LENGTHS = (2.0**-100, float(np.finfo(np.float32).max))

# From so many coordinates on lengths are computed from inner products, so many rows at a time.
LEAST_MULTIPLIED, ROWS_MULTIPLIED = 16, 128


def bytes_of_points(cloud: np.ndarray, used: int) -> int:
    """Forecast the bytes of the copies of a cloud in float64 while the lengths of `used` landmarks are computed.

    Parameters
    ----------
    cloud : ndarray, shape (points, coordinates)
    used : int
        Points of the filtration.

    Returns
    -------
    int
    """
    copied = cloud.size * (cloud.dtype != np.float64)
    turned = cloud.size if used == len(cloud) else 2 * cloud.size + 2 * used * cloud.shape[1]
    return 8 * (copied + turned)


def checked_points(points: Any) -> np.ndarray:
    """Check a point cloud and return it as float64.

    Parameters
    ----------
    points : array_like, shape (points, coordinates)
        The cloud; duplicates are fine.

    Returns
    -------
    ndarray, shape (points, coordinates)
        Possibly the one given.

    Raises
    ------
    InputError
        If it is not a matrix of finite numbers, or float32 does not hold its distances.
    """
    cloud = finite_points(points)
    check_extent(cloud, LENGTHS)
    return np.asarray(cloud, dtype=np.float64)


def looks_like_distances(cloud: np.ndarray) -> bool:
    """Whether a cloud could be a matrix of distances: square, symmetric, not negative, zero on its diagonal.

    A matrix of zeros is no such matrix, nor are three points or fewer: some small clouds look like one, and a loop
    has four points.

    Parameters
    ----------
    cloud : ndarray, shape (points, coordinates)

    Returns
    -------
    bool
    """
    square = len(cloud) == cloud.shape[1] > 3
    return (
        square
        and not np.diagonal(cloud).any()
        and bool((cloud >= 0).all() and cloud.any() and (cloud == cloud.T).all())
    )


def checked_threshold(threshold: Any) -> float:
    """Return the longest edge of a filtration rounded to float32, as lengths are: an edge of just this length counts.

    Parameters
    ----------
    threshold : float or NumPy number

    Returns
    -------
    float

    Raises
    ------
    InputError
        If it is no number.
    """
    limit = real(threshold, "threshold")
    if np.isnan(limit):
        raise InputError("threshold = nan must be a number or infinity")
    with np.errstate(over="ignore"):
        return float(np.float32(limit))


def lengths_of_points(cloud: np.ndarray, threads: int = 1) -> np.ndarray:
    """Compute the float32 condensed Euclidean distances of a checked cloud, summed coordinate by coordinate in float64.

    Parameters
    ----------
    cloud : ndarray of float64, shape (points, coordinates)
        Checked by `checked_points`.
    threads : int
        They change no bit of the result.

    Returns
    -------
    ndarray of float32, shape (points (points - 1) / 2,)
        Ordered as by ``scipy.spatial.distance.pdist``.

    Notes
    -----
    In many dimensions lengths are computed from inner products of the centred points, which is several times faster,
    and those whose rounding to float32 that may change are summed after all: one in 100,000. Let u = 2^-53, D the
    coordinates, s the sum of the squared norms of both centred points. Centring moves a squared length by at most
    4 u s, a squared norm is wrong by D u of itself, twice an inner product by D u s, their sum by 3 u s, and the sum
    it stands for by (D + 2) u of itself, which is at most 2 s: together less than (4 D + 24) u s, in which the higher
    powers of u are covered, in whatever order a library sums.
    """
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.topology.edge_kernels import fill_from_products, fill_lengths

    points = len(cloud)
    lengths = np.empty(points * (points - 1) // 2, dtype=np.float32)
    if cloud.shape[1] < LEAST_MULTIPLIED:
        coordinates = np.ascontiguousarray(cloud.T)
        # Rows get shorter: cut where the number of pairs is cut evenly.
        parts = max(threads, len(lengths) // PAIRS_AT_ONCE)
        cuts = [round(points * (1 - (1 - part / parts) ** 0.5)) for part in range(parts)] + [points]
        in_threads(lambda b, e: fill_lengths(coordinates, b, e, lengths), pairwise(cuts), threads)
        return lengths
    cloud = np.ascontiguousarray(cloud)
    centred = cloud - cloud.mean(axis=0)
    squares = np.einsum("ij,ij->i", centred, centred)
    error = (4 * cloud.shape[1] + 24) * 2.0**-53

    def fill(begin: int, end: int) -> None:
        fill_from_products(centred[begin:end] @ centred[begin:].T, squares, cloud, begin, error, lengths)

    in_threads(fill, pairwise([*range(0, points, ROWS_MULTIPLIED), points]), threads)
    return lengths
