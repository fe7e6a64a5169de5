"""Covers of the range of a lens by overlapping closed intervals; of two lenses by the products of their intervals.

`GainCover` is that of the weights paper in the terms of Ayasdi's software: Mapper(resolution, gain), where
overlap = 1 - 1 / gain; its geometry (cells widened about their centres) is that of KeplerMapper with the same overlap,
since Ayasdi's is not published. `OverlapCover` is that of the activations paper (MapperInteractive, the
released code): intervals of equal length that fill the range exactly.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.checks import real, set_fields, whole
from cnn_topology.errors import InputError

Ends = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class GainCover:
    """Resolution cells per lens, each widened `gain` times about its centre.

    Attributes
    ----------
    resolution : int
        Intervals per lens.
    gain : float
        At least 1. Every point away from the ends of the range lies in about `gain` intervals of a lens.
    equalized : bool
        Cells of equal numbers of points instead of equal length. Whether the weights paper did so is unknown.
    """

    resolution: int = 30
    gain: float = 3.0
    equalized: bool = False

    def __post_init__(self) -> None:
        gain = real(self.gain, "gain")
        if not 1 <= gain < np.inf:
            raise InputError(f"gain = {self.gain} must be at least 1; overlap 1 - 1/gain: 3 for two thirds")
        set_fields(self, resolution=whole(self.resolution, "resolution", 1), gain=gain)

    def fractions(self) -> Ends:
        """Return both ends of each interval as fractions of the range (or of the points), within [0, 1].

        Returns
        -------
        low, high : ndarray, shape (resolution,)
        """
        centres = np.arange(self.resolution) + 0.5
        half = self.gain / 2
        return (
            np.clip((centres - half) / self.resolution, 0, 1),
            np.clip((centres + half) / self.resolution, 0, 1),
        )


@dataclass(frozen=True)
class OverlapCover:
    """Closed intervals of equal length that fill the range, neighbours sharing the fraction `overlap` of it.

    With n intervals and overlap p on [lo, hi] the radius is (hi - lo) / (2 (n - (n - 1) p)) and the centres lie evenly
    from lo + radius to hi - radius.
    """

    intervals: int = 40
    overlap: float = 0.25
    equalized: bool = False

    def __post_init__(self) -> None:
        overlap = real(self.overlap, "overlap")
        if not 0 <= overlap < 1:
            raise InputError(f"overlap = {self.overlap} must lie in [0, 1): a fraction, 0.25 for 25 %")
        set_fields(self, intervals=whole(self.intervals, "intervals", 1), overlap=overlap)

    def fractions(self) -> Ends:
        """Return both ends of each interval as fractions of the range (or of the points), within [0, 1].

        Returns
        -------
        low, high : ndarray, shape (intervals,)
        """
        length = 1 / (self.intervals - (self.intervals - 1) * self.overlap)
        low = np.arange(self.intervals) * (length * (1 - self.overlap))
        return np.clip(low, 0, 1), np.clip(low + length, 0, 1)


Cover = GainCover | OverlapCover


def intervals(values: Float[np.ndarray, " points"], cover: Cover) -> Ends:
    """Lay the intervals of a cover over the values of one lens.

    Parameters
    ----------
    values : ndarray, shape (points,)
        Finite.
    cover : GainCover or OverlapCover

    Returns
    -------
    low, high : ndarray of float64, shape (intervals,)
        Both rise; each value lies in at least one closed interval [low, high].

    Raises
    ------
    InputError
        If all values are equal: the lens has zero variance.
    """
    least, most = float(values.min()), float(values.max())
    if not most > least:
        raise InputError(f"the lens has zero variance: all {len(values)} values are {least:.6g}, nothing to cover")
    low, high = cover.fractions()
    from_least, to_most = low == 0, high == 1
    if cover.equalized:
        # The inverted distribution function ignores whether all points are there once or twice.
        low, high = (np.quantile(values, end, method="inverted_cdf") for end in (low, high))
    else:
        low, high = (least + end * (most - least) for end in (low, high))
    # Several wide cells end where the range ends; a rounding must not decide which of them hold the extreme point.
    low[from_least], high[to_most] = least, most
    low[0], high[-1] = least, most
    # Where neighbours only touch, rounding must not open a gap between them.
    high[:-1] = np.maximum(high[:-1], low[1:])
    return low, high


@dataclass(frozen=True)
class Memberships:
    """Which points lie in which cube: cube `cube[c]` holds ``members[starts[c]:starts[c + 1]]``, ascending.

    Cubes are numbered along the last lens first; empty ones are left out.
    """

    cube: Int[np.ndarray, " cubes"]
    starts: Int[np.ndarray, " cubes+1"]
    members: Int[np.ndarray, " memberships"]


def count_memberships(lens: Float[np.ndarray, "points lenses"], cover: Cover) -> int:
    """Count the pairs of a point and a cube that holds it, without making them.

    Parameters
    ----------
    lens : ndarray, shape (points, lenses)
    cover : GainCover or OverlapCover

    Returns
    -------
    int

    Raises
    ------
    InputError
        If a lens has zero variance.
    """
    counts = np.ones(len(lens), dtype=np.int64)
    for values in lens.T:
        first, last = _first_and_last(values, cover)
        counts *= last - first + 1
    return int(counts.sum())


def memberships(lens: Float[np.ndarray, "points lenses"], cover: Cover) -> Memberships:
    """Find the points of each cube of the product cover.

    Parameters
    ----------
    lens : ndarray, shape (points, lenses)
    cover : GainCover or OverlapCover
        Taken for each lens.

    Returns
    -------
    Memberships
        Every point is in at least one cube.
    """
    cube = np.zeros(len(lens), dtype=np.int64)
    point = np.arange(len(lens))
    for values in lens.T:
        first, last = (ends[point] for ends in _first_and_last(values, cover))
        counts = last - first + 1
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        cube = np.repeat(cube * len(cover.fractions()[0]) + first, counts) + within
        point = np.repeat(point, counts)
    order = np.argsort(cube, kind="stable")
    cube = cube[order]
    starts = np.flatnonzero(np.diff(cube, prepend=-1))
    return Memberships(cube[starts], np.append(starts, len(cube)), point[order])


def _first_and_last(values: np.ndarray, cover: Cover) -> Ends:
    """Return the numbers of the first and the last interval that hold each value; it lies in all between."""
    low, high = intervals(values, cover)
    return np.searchsorted(high, values, side="left"), np.searchsorted(low, values, side="right") - 1
