"""Distances of any accepted form, condensed, square or sparse, checked before any of them is copied.

The upper triangle counts. A square matrix must be symmetric up to rounding and its diagonal zero up to rounding: a
matrix of similarities, with ones there, has a barcode too, which means nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_topology.checks import check_longest, real_array
from cnn_topology.errors import InputError
from cnn_topology.topology.filtration import LENGTHS

# Both triangles may differ by the rounding of the products that made them: of a distance, by this part of it (float32:
# about 1e-6); of a distance of near duplicates, by this part of the longest distance (float64: about 1e-8).
SYMMETRY_TOLERANCE, DUPLICATE_TOLERANCE = 1e-5, 1e-7

# What products in float32 leave on the diagonal is below this part of the longest distance.
DIAGONAL_TOLERANCE = 1e-2

# Formats whose stored zeros are zeros that were given: `bsr` fills its blocks with them, `dia` does not tell.
SPARSE_FORMATS = ("coo", "csr", "csc", "lil", "dok")

# Bytes that the reading of one stored entry of a sparse matrix takes (measured: 73 to 89).
SPARSE_BYTES = 100

# A sparse matrix that stores less than this part of all pairs is walked edge by edge.
THIN = 10

# Condensed distances are checked so many at a time.
CHUNK = 1 << 20


def is_sparse(distances: Any) -> bool:
    """Whether distances are a sparse matrix of scipy.

    Parameters
    ----------
    distances : ndarray or scipy sparse matrix

    Returns
    -------
    bool
    """
    return hasattr(distances, "tocoo")


def shape_of(distances: Any) -> tuple[Any, int]:
    """Return distances as an array, or the sparse matrix as it is, and the number of points; nothing is copied.

    Parameters
    ----------
    distances : array_like or scipy sparse matrix
        As for `checked_lengths`.

    Returns
    -------
    distances : ndarray or scipy sparse matrix
    points : int

    Raises
    ------
    InputError
        If type or shape fit none of the forms.
    """
    if is_sparse(distances):
        form = getattr(distances, "format", type(distances).__name__)
        if form not in SPARSE_FORMATS:
            raise InputError(
                f"sparse distances of the format {form!r} do not tell a distance of zero from none: make the matrix "
                f"as one of {', '.join(SPARSE_FORMATS)}"
            )
        array = distances
    else:
        array = real_array(distances, "distances")
        if array.ndim == 1:
            # Empty condensed distances are those of one point; a cloud of none is given as a matrix of shape (0, 0).
            points = (1 + round((1 + 8 * len(array)) ** 0.5)) // 2
            if points * (points - 1) // 2 != len(array):
                raise InputError(
                    f"condensed distances must hold n(n-1)/2 entries; {len(array)} is no such number: pass the square "
                    "matrix or the result of scipy.spatial.distance.pdist"
                )
            return array, points
    if len(array.shape) != 2 or array.shape[0] != array.shape[1]:
        raise InputError(
            f"a distance matrix must be square, condensed distances 1-d; got shape {array.shape}: pass a cloud as "
            "points="
        )
    return array, int(array.shape[0])


def is_thin(distances: Any) -> bool:
    """Whether distances are a sparse matrix that stores so few that all pairs would take most of the memory.

    Parameters
    ----------
    distances : ndarray or scipy sparse matrix

    Returns
    -------
    bool
    """
    return is_sparse(distances) and THIN * distances.nnz < distances.shape[0] * (distances.shape[0] - 1) // 2


def checked_lengths(distances: Any) -> np.ndarray:
    """Check distances of any accepted form, and return the lengths of all pairs.

    Parameters
    ----------
    distances : array_like or scipy sparse matrix
        Condensed (n(n-1)/2,), square (n, n) or sparse (n, n). Square ones must be symmetric up to rounding; the upper
        triangle counts. In a sparse matrix one triangle or both may be stored, each entry once; a stored zero is a
        distance of zero, what is not stored is infinitely far.

    Returns
    -------
    ndarray of float32, shape (n (n - 1) / 2,)
        Condensed; a new array, which may be overwritten.

    Raises
    ------
    InputError
        If the shape fits none of the forms; if an entry is masked, NaN, negative, asymmetric or stored twice, the
        diagonal is not zero, or the longest distance is out of the range of float32.
    """
    array, points = shape_of(distances)
    if is_sparse(array):
        row, column, value = checked_edges(array)
        lengths = np.full(points * (points - 1) // 2, np.inf, dtype=np.float32)
        lengths[condensed_position(row, column, points)] = value
        return lengths
    if array.ndim == 1:
        return _of_condensed(array)
    return _of_square(array)


def checked_edges(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check the distances of a sparse matrix, and return what it stores.

    Parameters
    ----------
    matrix : scipy sparse matrix
        As for `checked_lengths`.

    Returns
    -------
    row, column : ndarray of int64, shape (stored,)
        The points i < j of each pair, in the order of rows, then of columns.
    lengths : ndarray of float32, shape (stored,)

    Raises
    ------
    InputError
        As `checked_lengths`.
    """
    stored = matrix.tocoo(copy=False)
    data = real_array(stored.data, "a sparse distance matrix")
    off = stored.row != stored.col
    row, column, value = stored.row[off].astype(np.int64), stored.col[off].astype(np.int64), data[off]
    largest = _largest(value)
    check_longest(largest, largest, LENGTHS, "a sparse distance matrix")
    _check_sign(value, lambda at: f"({row[at]}, {column[at]})")
    _check_diagonal(data[~off], largest)
    # Sorted by pair, the upper triangle first.
    order = np.lexsort((row > column, np.maximum(row, column), np.minimum(row, column)))
    row, column, value = row[order], column[order], value[order]
    low, high = np.minimum(row, column), np.maximum(row, column)
    again = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    doubled = np.flatnonzero(again & (row[1:] == row[:-1]))
    if doubled.size:
        at = doubled[0]
        raise InputError(
            f"the sparse distance matrix stores ({row[at]}, {column[at]}) more than once, {value[at]} and "
            f"{value[at + 1]}, which scipy adds up: store each distance once"
        )
    both = np.flatnonzero(again)
    _check_symmetry(value[both], value[both + 1], largest, lambda at: (row[both[at]], column[both[at]]))
    once = np.concatenate([[True], ~again])[: len(value)]
    return low[once], high[once], _positive(value[once].astype(np.float32))


def condensed_position(i: Any, j: Any, points: int) -> Any:
    """Return the position of the pairs i < j in condensed lengths, as ``scipy.spatial.distance.pdist`` orders them.

    Parameters
    ----------
    i, j : int or ndarray of int
        Points, i < j.
    points : int
        Points in all.

    Returns
    -------
    int or ndarray of int
        As many as the pairs.
    """
    return i * (2 * points - i - 3) // 2 + j - 1


def _of_condensed(array: np.ndarray) -> np.ndarray:
    largest = 0.0
    for begin in range(0, len(array), CHUNK):
        part = array[begin : begin + CHUNK]
        _check_sign(part, lambda at: f"condensed position {begin + at}")  # noqa: B023 (called at once)
        largest = max(largest, _largest(part))
    check_longest(largest, largest, LENGTHS, "distances")
    return _positive(array.astype(np.float32))


def _of_square(array: np.ndarray) -> np.ndarray:
    points = len(array)
    largest = max((_largest(array[i, i + 1 :]) for i in range(points - 1)), default=0.0)
    check_longest(largest, largest, LENGTHS, "a distance matrix")
    lengths, begin = np.empty(points * (points - 1) // 2, dtype=np.float32), 0
    for i in range(points - 1):
        upper, lower = array[i, i + 1 :], array[i + 1 :, i]
        _check_symmetry(upper, lower, largest, lambda at: (i, i + 1 + at))  # noqa: B023 (called at once)
        _check_sign(upper, lambda at: f"({i}, {i + 1 + at})")  # noqa: B023
        lengths[begin : begin + len(upper)] = upper
        begin += len(upper)
    _check_diagonal(np.diagonal(array), largest)
    return _positive(lengths)


def _largest(values: np.ndarray) -> float:
    return float(np.max(values, where=np.isfinite(values), initial=0))


def _positive(lengths: np.ndarray) -> np.ndarray:
    return np.add(lengths, np.float32(0), out=lengths)  # minus zero would sort behind every other length


def _check_sign(values: np.ndarray, place: Callable[[int], str]) -> None:
    """Refuse values that are negative or NaN, and name the place of the first."""
    if values.size and not values.min() >= 0:  # false for NaN too, and without a mask of all
        at = int(np.flatnonzero(~(values >= 0))[0])
        raise InputError(
            f"distances must not be NaN or negative; got {values[at]} at {place(at)}: use infinity for a pair that has "
            "no distance"
        )


def _check_symmetry(
    upper: np.ndarray, lower: np.ndarray, largest: float, place: Callable[[int], tuple[int, int]]
) -> None:
    """Refuse pairs whose distances in both triangles differ by more than rounding; NaN in both is no such."""
    if np.array_equal(upper, lower):
        return
    alike = np.isclose(upper, lower, rtol=SYMMETRY_TOLERANCE, atol=DUPLICATE_TOLERANCE * largest, equal_nan=True)
    if not alike.all():
        at = int(np.flatnonzero(~alike)[0])
        row, column = place(at)
        raise InputError(
            f"the distance matrix is not symmetric: entry ({row}, {column}) above the diagonal is {upper[at]}, entry "
            f"({column}, {row}) below is {lower[at]}: pass the mean of both triangles, or one of them"
        )


def _check_diagonal(diagonal: np.ndarray, largest: float) -> None:
    # NaN and infinity are marks of no distance, as some searches for neighbours want them.
    wrong = np.flatnonzero(np.isfinite(diagonal) & (np.abs(diagonal) > DIAGONAL_TOLERANCE * largest))
    if wrong.size:
        raise InputError(
            f"the diagonal of a distance matrix must be zero; it holds {diagonal[wrong[0]]}: turn similarities "
            "into distances first; filtrations in which points are born later (weighted Rips, lower stars of images) "
            "are computed by ripser and GUDHI"
        )
