"""Checks of what public functions are given: numbers, arrays of numbers, clouds of points.

NumPy turns much into numbers without a word: a masked array loses its mask, complex numbers their imaginary part, text
becomes what it spells. Whatever is read here is a number that was given as one.
"""

import operator
from typing import Any

import numpy as np

from cnn_topology.errors import InputError

# Integers beyond this are no longer all float64 numbers.
LARGEST_INTEGER = 2**53
# Sides of the square kernels that are analysed: on smaller ones lines have no width, larger ones (patch embeddings) are
# rare.
SIDES = range(3, 12)

# Squares of lengths in this range neither vanish nor overflow in float64.
SQUARED_IN_FLOAT64 = (2.0**-500, 2.0**500)


def whole(value: Any, name: str, least: int | None = None) -> int:
    """Return an integer of any type as Python's.

    Parameters
    ----------
    value : int or NumPy integer
    name : str
        What the error calls it.
    least : int, optional
        Its least value.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If it is no integer (2.0 is none), or smaller.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{name} = {value!r} must be a whole number") from None
    if least is not None and number < least:
        raise InputError(f"{name} = {number} must be at least {least}")
    return number


def real(value: Any, name: str) -> float:
    """Return a real number of any type as Python's float; infinity and NaN are left to the caller.

    Parameters
    ----------
    value : float, int or NumPy number
        NumPy computes with its own numbers in their precision: a product with a float32 is rounded to float32.
    name : str
        What the error calls it.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If it is no real number.
    """
    array = np.asarray(float(value) if isinstance(value, int) else value)
    if np.ma.is_masked(value) or array.ndim or array.dtype.kind not in "fiub":
        raise InputError(f"{name} = {value!r} must be a number")
    return float(array)


def set_fields(instance: Any, **values: object) -> None:
    """Replace fields of a frozen dataclass while it is made (``__post_init__``) by what checks have returned."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def unmasked(values: Any, what: str) -> np.ndarray:
    """Return an array_like as an array, or refuse one of which some entries are masked.

    Parameters
    ----------
    values : array_like
    what : str
        What the error calls it.

    Returns
    -------
    ndarray

    Raises
    ------
    InputError
        If an entry is masked (a plain array would hold whatever lies under the mask), rows differ in length, or a
        tensor is on a GPU, needs a gradient or is of a type that NumPy lacks.
    """
    rows = values if isinstance(values, list | tuple) else ()
    if np.ma.is_masked(values) or any(np.ma.is_masked(row) for row in rows):
        raise InputError(f"masked entries in {what}: drop them, or fill them (numpy.ma.filled), before")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # tensors raise the last two
        tensor = ": pass tensor.detach().float().cpu().numpy()" if hasattr(values, "detach") else ""
        raise InputError(f"{what} cannot be read as an array ({error}){tensor}") from None


def real_array(values: Any, what: str) -> np.ndarray:
    """Return an array_like of real numbers as an array, of the type it has.

    Parameters
    ----------
    values : array_like
    what : str
        What the error calls it.

    Returns
    -------
    ndarray

    Raises
    ------
    InputError
        If entries are masked, complex, text or objects, or integers that float64 does not hold.
    """
    array = unmasked(values, what)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{what} must hold real numbers; got shape {array.shape} of type {array.dtype}")
    wide = array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size > 0
    if wide and max(int(array.max()), -int(array.min())) > LARGEST_INTEGER:
        raise InputError(f"{what} holds integers above 2**53, which float64 rounds: subtract what they have in common")
    return array


def real_matrix(points: Any) -> np.ndarray:
    """Return a cloud of points as an array, of the type it has.

    Parameters
    ----------
    points : array_like, shape (points, coordinates)

    Returns
    -------
    ndarray, shape (points, coordinates)

    Raises
    ------
    InputError
        If it is no matrix of real numbers.
    """
    array = unmasked(points, "a point cloud")
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise InputError(
            f"a point cloud must be a matrix of numbers with one row per point; got shape {array.shape} of type "
            f"{array.dtype}: reshape it to (points, coordinates)"
        )
    return real_array(array, "a point cloud")


def finite_points(points: Any) -> np.ndarray:
    """Check a cloud of points and return it in float32 or float64, without a copy if it is so already.

    Parameters
    ----------
    points : array_like, shape (points, coordinates)
        The cloud; duplicates are fine.

    Returns
    -------
    ndarray of float32 or float64, shape (points, coordinates)

    Raises
    ------
    InputError
        If it is not a matrix of finite real numbers.
    """
    array = real_matrix(points)
    if array.dtype not in (np.float32, np.float64):
        with np.errstate(over="ignore"):  # of a longer type: infinity is refused below
            array = array.astype(np.float64)
    # The extremes are NaN or infinite where any entry is, and take no second array.
    if array.size and not (np.isfinite(array.min()) and np.isfinite(array.max())):
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise InputError(
            f"the point cloud has {bad.size} of {len(array)} points with NaN or infinite coordinates, first in row "
            f"{bad[0]}: drop them before"
        )
    return array


def check_extent(points: np.ndarray, bounds: tuple[float, float]) -> None:
    """Refuse a cloud whose distances are too small or too large to be computed.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        Finite.
    bounds : tuple of float
        Least and greatest extent of a cloud of distinct points.

    Raises
    ------
    InputError
        If the cloud has another extent; it names an exact factor that brings it to about 1.
    """
    if not points.size:
        return
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    with np.errstate(over="ignore"):
        extent = float((high - low).max())
    # No distance is longer than the diagonal of the box.
    check_longest(extent, extent * points.shape[1] ** 0.5, bounds, "a point cloud")


def check_longest(least: float, most: float, bounds: tuple[float, float], what: str) -> None:
    """Refuse lengths outside of some bounds.

    Parameters
    ----------
    least, most : float
        Bounds of the longest length; lengths that are all zero pass.
    bounds : tuple of float
        Where the longest length must lie.
    what : str
        What has these lengths.

    Raises
    ------
    InputError
        If it may lie outside; it names an exact factor.
    """
    if least == 0 or (least >= bounds[0] and most <= bounds[1]):
        return
    power = -int(np.frexp(min(least, np.finfo(np.float64).max))[1])
    raise InputError(
        f"{what} has lengths up to {least:.3g}; they are computed between {bounds[0]:.3g} and {bounds[1]:.3g}: "
        f"multiply it by 2^{power}, which is exact (numpy.ldexp(..., {power})), and the results by 2^{-power}"
    )
