"""Barcodes of Vietoris-Rips filtrations: one interface, several engines.

`barcode` takes a point cloud or distances and returns the bars of persistent homology in dimension 0 and 1 (or
higher) with coefficients in Z/p. The engine of our own (`annotations`, exact, H0 and H1 over Z/2 and Z/3) is the
default where it applies; Ripser, or RedZeD where it is installed, serves the rest, and Ripser is the reference.
Carlsson and Gabrielsson, *Topological approaches to deep learning* (arXiv:1811.01122), read such barcodes of the
spatial filters of trained networks.

All lengths are diameters, as in Ripser: a simplex enters when its longest edge does. Bars of no length are left out,
also the bars that duplicate points would have in dimension 0.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_topology.checks import real, real_matrix, whole
from cnn_topology.errors import InputError, unknown
from cnn_topology.topology.distances import (
    SPARSE_BYTES,
    checked_edges,
    checked_lengths,
    is_sparse,
    is_thin,
    shape_of,
)
from cnn_topology.topology.filtration import (
    MOST_POINTS,
    bytes_of_points,
    checked_points,
    checked_threshold,
    lengths_of_points,
    looks_like_distances,
)
from cnn_topology.topology.forecasting import (
    Forecast,
    automatic_engine,
    bytes_of_graph,
    check_cost,
    check_free,
    fewer_points,
    forecast,
)
from cnn_topology.topology.landmarks import landmarks_maxmin
from cnn_topology.topology.reference_engines import LARGEST_FIELD, Bars, gudhi_bars, redzed_bars, ripser_bars

__all__ = ["ENGINES", "Barcode", "Forecast", "barcode", "forecast", "landmarks_maxmin"]

# Seconds: what is forecast to take longer has to be asked for.
LONGEST = 3_600.0

# That `Barcode.dimension` holds; Ripser ends the interpreter where its tables do not fit into memory.
LARGEST_DIMENSION = 127

ENGINES = ("auto", "annotations", "redzed", "ripser", "gudhi")


@dataclass(frozen=True, eq=False, repr=False)
class Barcode:
    """The bars of one cloud, ordered by dimension, birth and death. Two are equal if their bars and fields are.

    Attributes
    ----------
    dimension : ndarray of int8, shape (bars,)
    birth, death : ndarray of float64, shape (bars,)
        Diameters; the death of an essential class is infinite.
    field : int
        p of the coefficients Z/p.
    points : int
        Points the filtration was built on, after the choice of landmarks.
    covering_radius : float
        Greatest distance of a point of the cloud to its nearest landmark; 0.0 when all points were used. No bar end
        of the whole cloud lies farther than twice this from its bar end here.
    engine : str
        ``annotations``, ``redzed``, ``ripser`` or ``gudhi``.
    max_dimension : int
        Highest dimension that was computed.
    landmarks : ndarray of int64, shape (points,), or None
        Rows of the landmarks in the order of choice; None when all points were used.
    """

    dimension: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    field: int
    points: int
    covering_radius: float
    engine: str
    max_dimension: int = 1
    landmarks: np.ndarray | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Barcode):
            return NotImplemented
        ours, theirs = ((bars.dimension, bars.birth, bars.death) for bars in (self, other))
        return self.field == other.field and all(map(np.array_equal, ours, theirs))

    def __repr__(self) -> str:
        counts = ", ".join(f"{np.sum(self.dimension == d)} in dimension {d}" for d in range(self.max_dimension + 1))
        return f"<Barcode of {self.points} points over Z/{self.field} by {self.engine!r}; bars: {counts}>"

    def in_dimension(self, d: int) -> np.ndarray:
        """Return the bars of dimension d, the most persistent first.

        Parameters
        ----------
        d : int

        Returns
        -------
        ndarray, shape (bars, 2)
            Rows (birth, death); the death of an essential class is infinite.
        """
        chosen = self.dimension == d
        birth, death = self.birth[chosen], self.death[chosen]
        return np.stack([birth, death], axis=1)[np.lexsort((birth, birth - death))]

    @property
    def dgms(self) -> list[np.ndarray]:
        """The bars of each dimension from 0 on as rows (birth, death), as ripser.py returns and persim takes them."""
        return [self.in_dimension(d) for d in range(self.max_dimension + 1)]

    def lengths(self, d: int) -> np.ndarray:
        """Return the lengths of the finite bars of dimension d, the longest first.

        Parameters
        ----------
        d : int

        Returns
        -------
        ndarray, shape (finite bars,)
        """
        bars = self.in_dimension(d)
        length = bars[:, 1] - bars[:, 0]
        return length[np.isfinite(length)]


def barcode(
    points: Any = None,
    *,
    distances: Any = None,
    max_dimension: int = 1,
    field: int = 2,
    threshold: float = np.inf,
    landmarks: int | None = None,
    engine: str = "auto",
    threads: int = 1,
    max_seconds: float = LONGEST,
) -> Barcode:
    """Compute the barcode of the Vietoris-Rips filtration of a cloud.

    Parameters
    ----------
    points : array_like, shape (points, coordinates), optional
        The cloud, with Euclidean distances.
    distances : ndarray or scipy sparse matrix, optional
        In place of points: condensed, square symmetric or sparse; they need not obey the triangle inequality.
        Infinite, or not stored in a sparse matrix: no edge. See `distances.checked_lengths`.
    max_dimension : int
        Highest dimension of homology.
    field : int
        Prime p of the coefficients Z/p: 2 or 3 by our engine, up to 127 by Ripser, up to 65,521 by GUDHI.
    threshold : float
        Longest edge of the filtration, rounded to float32 as all lengths are; classes alive there never die. Default:
        the whole filtration.
    landmarks : int, optional
        Use this many max-min landmarks in place of all points; of distances none are chosen.
    engine : {'auto', 'annotations', 'redzed', 'ripser', 'gudhi'}
        ``auto`` is our own engine in dimensions 0 and 1 over Z/2 and Z/3; in dimension 2 over Z/2 RedZeD where the
        package redzed-tda is installed; else Ripser. All give the same bars.
    threads : int
        Threads that compute the distances of points.
    max_seconds : float
        What is forecast to take longer on one core, an hour by default, is refused at once; ``math.inf`` goes on. Our
        own engine is never forecast to take so long. Ctrl-C ends it within a second, and others when they are done. See
        `forecast`, which computes nothing.

    Returns
    -------
    Barcode
        The same bits for the same input and engine, whatever the number of threads.

    Raises
    ------
    InputError
        If the input is unusable, the engine does not serve it, or it would not fit into memory or into `max_seconds`.

    Warns
    -----
    UserWarning
        If the points look like a matrix of distances.

    See Also
    --------
    loops : The loops of a layer's filters, tested against noise.

    Notes
    -----
    Weights paper, method, step 8. Our own engine is exact and tested against Ripser and GUDHI.

    Examples
    --------
    Twelve points on a circle have one loop. It is born at the distance of neighbours and lasts until the triangles are
    large enough to fill it.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> angle = 2 * np.pi * np.arange(12) / 12
    >>> bars = ct.barcode(np.column_stack([np.cos(angle), np.sin(angle)]))
    >>> bars.in_dimension(1).round(3).tolist()
    [[0.518, 1.732]]
    >>> bars.lengths(1).round(3).tolist(), len(bars.in_dimension(0))
    ([1.214], 12)
    """
    max_dimension, field = whole(max_dimension, "max_dimension", 0), whole(field, "field", 2)
    name = _chosen_engine(engine, max_dimension, field)
    if max_dimension > LARGEST_DIMENSION:
        raise InputError(f"max_dimension = {max_dimension} is above {LARGEST_DIMENSION}, which no cloud reaches")
    limit, threads = checked_threshold(threshold), whole(threads, "threads", 1)
    longest = real(max_seconds, "max_seconds")
    if name == "annotations" and points is None and landmarks is None and is_thin(distances):
        count, radius, rows = shape_of(distances)[1], 0.0, None
        dimension, birth, death = _graph_bars(distances, count, max_dimension, field, limit)
    else:
        lengths, count, radius, rows = filtration_lengths(
            points, distances, landmarks, max_dimension, name, threads, longest, field=field
        )
        dimension, birth, death = _BARS[name](lengths, count, max_dimension, field, limit)
    order = np.lexsort((death, birth, dimension))
    return Barcode(dimension[order], birth[order], death[order], field, count, radius, name, max_dimension, rows)


def filtration_lengths(
    points: Any = None,
    distances: Any = None,
    landmarks: int | None = None,
    max_dimension: int = 1,
    engine: str = "annotations",
    threads: int = 1,
    max_seconds: float = math.inf,
    beside: int = 0,
    field: int = 2,
) -> tuple[np.ndarray, int, float, np.ndarray | None]:
    """Check points or distances and compute the lengths of all edges; the cost is checked before anything is copied.

    Parameters
    ----------
    points, distances, landmarks, max_dimension, engine, threads, max_seconds, field
        As for `barcode`; the engine is not ``auto``.
    beside : int
        Bytes per pair of points that the caller takes besides.

    Returns
    -------
    lengths : ndarray of float32, shape (pairs,)
        Condensed; a new array, which may be overwritten.
    points : int
        Points of the filtration, after the choice of landmarks.
    covering_radius : float
    landmarks : ndarray of int64, or None
        Their rows; None when all points are used.

    Raises
    ------
    InputError
        If the input is unusable, there are more points than an engine holds, or they would not fit into memory or
        into `max_seconds`.
    """
    if (points is None) == (distances is None):
        raise InputError("give either points or distances: got " + ("neither" if points is None else "both"))
    if distances is not None and landmarks is not None:
        raise InputError("landmarks are chosen from points: pass the distances of those that shall stand for all")
    wanted = None if landmarks is None else whole(landmarks, "landmarks", 1)
    array: Any
    array, count = (real_matrix(points), len(points)) if distances is None else shape_of(distances)
    chosen = wanted if wanted is not None and wanted < count else None
    used = count if chosen is None else chosen
    _check_count(used, cloud=distances is None)

    def taken(n: int) -> int:
        stored = SPARSE_BYTES * array.nnz if is_sparse(array) else 0
        return (stored if points is None else bytes_of_points(array, n)) + beside * (n * (n - 1) // 2)

    check_cost(used, max_dimension, engine, max_seconds, taken, cloud=distances is None, field=field)
    if distances is None:
        cloud = checked_points(array)
        if looks_like_distances(cloud):
            warnings.warn(
                f"the {count} points have a symmetric matrix with zeros on its diagonal: are these distances? Then "
                "pass them as distances=",
                stacklevel=3,
            )
        if chosen is None:
            return lengths_of_points(cloud, threads), count, 0.0, None
        indices, radius = landmarks_maxmin(cloud, chosen)
        return lengths_of_points(cloud[indices], threads), chosen, radius, indices
    return checked_lengths(array), count, 0.0, None


def _own_bars(lengths: np.ndarray, points: int, max_dimension: int, field: int, limit: float) -> Bars:
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.topology.annotations import annotation_bars

    return annotation_bars(lengths, points, max_dimension, field, limit)


def _graph_bars(distances: Any, points: int, max_dimension: int, field: int, limit: float) -> Bars:
    from cnn_topology.topology.annotations import annotated_graph, bars_of

    _check_count(points, cloud=False)
    need = bytes_of_graph(points, distances.nnz) + SPARSE_BYTES * distances.nnz
    check_free(need, f"the barcode of {points} points and {distances.nnz} distances")
    row, column, lengths = checked_edges(distances)
    entering = lengths <= min(limit, float(np.finfo(np.float32).max))
    state = annotated_graph(row[entering], column[entering], lengths[entering], points, field)
    return bars_of(state, points, max_dimension)


_BARS: dict[str, Callable[[np.ndarray, int, int, int, float], Bars]] = {
    "annotations": _own_bars,
    "ripser": ripser_bars,
    "gudhi": gudhi_bars,
    "redzed": redzed_bars,
}


def _check_count(points: int, *, cloud: bool) -> None:
    if points > MOST_POINTS:
        way = fewer_points(MOST_POINTS, cloud=cloud)
        raise InputError(f"{points} points are more than the {MOST_POINTS} that fit: {way}")


def _chosen_engine(engine: str, max_dimension: int, field: int) -> str:
    if engine not in ENGINES:
        raise unknown("persistence engine", engine, ENGINES)
    best = automatic_engine(max_dimension, field)
    name = best if engine == "auto" else engine
    if field > LARGEST_FIELD["gudhi"] or any(field % q == 0 for q in range(2, int(field**0.5) + 1)):
        raise InputError(f"field must be a prime up to {LARGEST_FIELD['gudhi']}; got {field}")
    way = "engine='auto'" if field <= LARGEST_FIELD[best] else "engine='gudhi' (pip install gudhi)"
    if name == "annotations" and max_dimension > 1:
        raise InputError(f"engine {name!r} serves dimensions 0 and 1; got max_dimension={max_dimension}: use {way}")
    if field > LARGEST_FIELD[name]:
        raise InputError(
            f"engine {name!r} serves coefficients up to Z/{LARGEST_FIELD[name]}; got field={field}: use {way}"
        )
    return name
