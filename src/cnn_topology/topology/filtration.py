"""Lengths of all edges of a Vietoris-Rips filtration, checked and brought to one form.

Every engine reads the same float32 condensed lengths, so that their barcodes can be compared bar by bar. Ripser works
in float32 too; the rounding moves no bar by more than 6e-8 of its length. A missing edge has infinite length.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from cnn_topology.clouds.threads import in_threads
from cnn_topology.errors import InputError

# An engine holds one 4-byte entry per pair of points, and packs the two ends of an edge into 32 bits.
MOST_POINTS = 65_535

# Two triangles of a distance matrix may differ by the rounding of the product that made them (float32: about 1e-6).
SYMMETRY_TOLERANCE = 1e-5


def checked_points(points: Any) -> np.ndarray:
    """Check a point cloud and return it as float64.

    Parameters
    ----------
    points : array_like, shape (points, coordinates)
        The cloud; duplicates are fine.

    Returns
    -------
    ndarray, shape (points, coordinates)

    Raises
    ------
    InputError
        If it is not a matrix of finite numbers.
    """
    array = np.asarray(points)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise InputError(
            f"a point cloud must be a matrix of numbers with one row per point; got shape {array.shape} of type "
            f"{array.dtype}: reshape it to (points, coordinates)"
        )
    array = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise InputError(
            f"the point cloud has {bad.size} of {len(array)} points with NaN or infinite coordinates, first in row "
            f"{bad[0]}: drop them before computing distances"
        )
    return array


def lengths_of_points(cloud: np.ndarray, threads: int = 1) -> np.ndarray:
    """Compute the float32 condensed Euclidean distances of a checked cloud, summed in float64."""
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.topology.edge_kernels import fill_lengths

    points = len(cloud)
    lengths = np.empty(points * (points - 1) // 2, dtype=np.float32)
    coordinates = np.ascontiguousarray(cloud.T)
    # Rows get shorter: cut where the number of pairs is cut evenly.
    cuts = [round(points * (1 - (1 - part / threads) ** 0.5)) for part in range(threads)] + [points]
    in_threads(lambda b, e: fill_lengths(coordinates, b, e, lengths), pairwise(cuts), threads)
    return lengths


def condensed_position(i: Any, j: Any, points: int) -> Any:
    """Return the position of the pairs i < j in condensed lengths, as ``scipy.spatial.distance.pdist`` orders them."""
    return i * (2 * points - i - 3) // 2 + j - 1


def points_of_condensed(length: int) -> int:
    """Return how many points have `length` pairs, or refuse a length that no number of points has."""
    points = (1 + round((1 + 8 * length) ** 0.5)) // 2
    if points * (points - 1) // 2 != length:
        raise InputError(
            f"condensed distances must hold n(n-1)/2 entries; {length} is no such number: pass the square matrix or "
            "the result of scipy.spatial.distance.pdist"
        )
    return points


def lengths_of_distances(distances: Any) -> tuple[np.ndarray, int]:
    """Bring distances of any accepted form to float32 condensed lengths.

    Parameters
    ----------
    distances : ndarray or scipy sparse matrix
        Condensed (n(n-1)/2,), square (n, n) or sparse (n, n). Square ones must be symmetric up to rounding; the upper
        triangle counts, the diagonal does not. In a sparse matrix one triangle or both may be stored; a stored zero
        is a distance of zero, what is not stored is infinitely far.

    Returns
    -------
    lengths : ndarray of float32, shape (n(n-1)/2,)
        A new array: the caller may overwrite it.
    points : int

    Raises
    ------
    InputError
        If the shape fits none of the forms, or an entry is NaN, negative or asymmetric.
    """
    if hasattr(distances, "tocoo"):
        return _lengths_of_sparse(distances)
    array = np.asarray(distances)
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 2):
        raise InputError(
            f"distances must be numbers, condensed (1-d), square (2-d) or scipy sparse; got shape {array.shape} of "
            f"type {array.dtype}"
        )
    if array.ndim == 1:
        # Empty condensed distances are those of one point; a cloud of none is given as a matrix of shape (0, 0).
        points = points_of_condensed(len(array))
        lengths = array.astype(np.float32)
    else:
        points = len(array)
        if array.shape[1] != points:
            raise InputError(f"a distance matrix must be square; got shape {array.shape}: pass a cloud as points=")
        lengths = np.empty(points * (points - 1) // 2, dtype=np.float32)
        position = 0
        for i in range(points - 1):
            upper, lower = array[i, i + 1 :], array[i + 1 :, i]
            if not np.array_equal(upper, lower):
                _check_symmetry(upper, lower, i)
            lengths[position : position + len(upper)] = upper
            position += len(upper)
    _check_lengths(lengths)
    return lengths, points


def _check_symmetry(upper: np.ndarray, lower: np.ndarray, row: int) -> None:
    # NaN is reported by its own message later.
    differs = ~np.isclose(upper, lower, rtol=SYMMETRY_TOLERANCE, atol=SYMMETRY_TOLERANCE, equal_nan=True)
    if differs.any():
        column = int(np.flatnonzero(differs)[0])
        raise InputError(
            f"the distance matrix is not symmetric: entry ({row}, {row + 1 + column}) is {upper[column]}, entry "
            f"({row + 1 + column}, {row}) is {lower[column]}: pass the mean of both triangles or condensed distances"
        )


def _check_lengths(lengths: np.ndarray) -> None:
    if lengths.size and not lengths.min() >= 0:  # also true for NaN, without a mask of the whole array
        wrong = int(np.flatnonzero(~(lengths >= 0))[0])
        raise InputError(
            f"distances must not be NaN or negative; found {lengths[wrong]} at condensed position {wrong}: use "
            "infinity for a pair that has no distance"
        )
    np.add(lengths, np.float32(0), out=lengths)  # minus zero would sort behind every other length


def _lengths_of_sparse(distances: Any) -> tuple[np.ndarray, int]:
    matrix = distances.tocoo()
    points = matrix.shape[0]
    if matrix.shape[1] != points:
        raise InputError(f"a sparse distance matrix must be square; got shape {matrix.shape}")
    if points > MOST_POINTS:
        raise InputError(f"{points} points are more than the {MOST_POINTS} that fit: choose landmarks first")
    row, column, value = matrix.row.astype(np.int64), matrix.col.astype(np.int64), matrix.data.astype(np.float32)
    off = row != column
    row, column, value = row[off], column[off], value[off]
    _check_lengths(value)
    position = condensed_position(np.minimum(row, column), np.maximum(row, column), points)
    # The upper triangle counts: it is written last, over whatever the lower one stores for the same pair.
    lengths = np.full(points * (points - 1) // 2, np.inf, dtype=np.float32)
    lower, upper = row > column, row < column
    lengths[position[lower]] = value[lower]
    both = position[upper]
    stored = lengths[both]
    disagree = np.isfinite(stored) & ~np.isclose(stored, value[upper], rtol=SYMMETRY_TOLERANCE, atol=SYMMETRY_TOLERANCE)
    if disagree.any():
        first = int(np.flatnonzero(disagree)[0])
        raise InputError(
            f"the sparse distance matrix stores {value[upper][first]} above and {stored[first]} below its diagonal "
            f"for the pair ({row[upper][first]}, {column[upper][first]}): store one triangle, or the same in both"
        )
    lengths[both] = value[upper]
    return lengths, points
