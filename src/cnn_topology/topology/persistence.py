"""Barcodes of Vietoris-Rips filtrations: one interface, several engines.

`barcode` takes a point cloud or distances and returns the bars of persistent homology in dimension 0 and 1 (or
higher) with coefficients in Z/p. The engine of our own (`annotations`, exact, H0 and H1 over Z/2 and Z/3) is the
default where it applies; Ripser serves the rest and is the reference. Carlsson and Gabrielsson, *Topological
approaches to deep learning* (arXiv:1811.01122), read such barcodes of the spatial filters of trained networks.

All lengths are diameters, as in Ripser: a simplex enters when its longest edge does. Bars of no length are left out,
also the bars that duplicate points would have in dimension 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_topology.errors import InputError, unknown
from cnn_topology.topology.filtration import MOST_POINTS, checked_points, lengths_of_distances, lengths_of_points
from cnn_topology.topology.forecasting import Forecast, check_memory, forecast
from cnn_topology.topology.landmarks import landmarks_maxmin, landmarks_of_lengths, restrict
from cnn_topology.topology.reference_engines import Bars, gudhi_bars, ripser_bars

__all__ = ["ENGINES", "Barcode", "Forecast", "barcode", "forecast", "landmarks_maxmin"]

ENGINES = ("auto", "annotations", "ripser", "gudhi")


@dataclass(frozen=True)
class Barcode:
    """The bars of one cloud, ordered by dimension, birth and death.

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
        ``annotations``, ``ripser`` or ``gudhi``.
    """

    dimension: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    field: int
    points: int
    covering_radius: float
    engine: str

    def in_dimension(self, d: int) -> np.ndarray:
        """Return the bars of dimension d as (birth, death) rows, shape (bars, 2), the most persistent first."""
        chosen = self.dimension == d
        birth, death = self.birth[chosen], self.death[chosen]
        return np.stack([birth, death], axis=1)[np.lexsort((birth, birth - death))]

    def lengths(self, d: int) -> np.ndarray:
        """Return the lengths of the finite bars of dimension d, the longest first."""
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
) -> Barcode:
    """Compute the barcode of the Vietoris-Rips filtration of a cloud.

    Parameters
    ----------
    points : array_like, shape (points, coordinates), optional
        The cloud, with Euclidean distances.
    distances : ndarray or scipy sparse matrix, optional
        In place of points: condensed, square symmetric or sparse; they need not obey the triangle inequality.
        Infinite, or not stored in a sparse matrix: no edge.
    max_dimension : int
        Highest dimension of homology.
    field : int
        Prime p of the coefficients Z/p.
    threshold : float
        Longest edge of the filtration; classes alive there never die. Default: the whole filtration.
    landmarks : int, optional
        Use this many max-min landmarks in place of all points.
    engine : {'auto', 'annotations', 'ripser', 'gudhi'}
    threads : int
        Threads that compute the distances of points.

    Returns
    -------
    Barcode
        The same bits for the same input and engine, whatever the number of threads.

    Raises
    ------
    InputError
        If the input is unusable, the engine does not serve it, or it would not fit into memory.
    """
    name = _chosen_engine(engine, max_dimension, field)
    if np.isnan(threshold):
        raise InputError("threshold must be a number or infinity; got NaN")
    if threads < 1:
        raise InputError(f"threads must be at least 1; got {threads}")
    lengths, count, radius = _lengths(points, distances, landmarks, name, max_dimension, threads)
    limit = float(threshold)
    if name == "annotations":
        # Compiled code takes half a second to load: only who computes pays for it.
        from cnn_topology.topology.annotations import annotation_bars

        dimension, birth, death = annotation_bars(lengths, count, max_dimension, field, limit)
    else:
        run: Callable[..., Bars] = ripser_bars if name == "ripser" else gudhi_bars
        dimension, birth, death = run(lengths, count, max_dimension, field, limit)
    order = np.lexsort((death, birth, dimension))
    return Barcode(dimension[order], birth[order], death[order], field, count, radius, name)


def _chosen_engine(engine: str, max_dimension: int, field: int) -> str:
    if engine not in ENGINES:
        raise unknown("persistence engine", engine, ENGINES)
    if max_dimension < 0:
        raise InputError(f"max_dimension must be 0 or more; got {max_dimension}")
    if field < 2 or any(field % q == 0 for q in range(2, int(field**0.5) + 1)):
        raise InputError(f"field must be a prime p of the coefficients Z/p; got {field}")
    applies = max_dimension <= 1 and field in (2, 3)
    if engine == "auto":
        return "annotations" if applies else "ripser"
    if engine == "annotations" and not applies:
        raise InputError(
            "engine 'annotations' serves dimensions 0 and 1 over Z/2 and Z/3; got "
            f"max_dimension={max_dimension}, field={field}: use engine='auto'"
        )
    return engine


def _lengths(
    points: Any, distances: Any, landmarks: int | None, engine: str, max_dimension: int, threads: int
) -> tuple[np.ndarray, int, float]:
    if (points is None) == (distances is None):
        raise InputError("give either points or distances: got " + ("neither" if points is None else "both"))
    radius = 0.0
    if points is None:
        lengths, count = lengths_of_distances(distances)
        if landmarks is not None and landmarks < count:
            chosen, radius = landmarks_of_lengths(lengths, count, landmarks)
            lengths, count = restrict(lengths, count, chosen), landmarks
        check_memory(count, max_dimension, engine)
        return lengths, count, radius
    cloud = checked_points(points)
    if landmarks is not None and landmarks < len(cloud):
        chosen, radius = landmarks_maxmin(cloud, landmarks)
        cloud = cloud[chosen]
    if len(cloud) > MOST_POINTS:
        raise InputError(f"{len(cloud)} points are more than the {MOST_POINTS} that fit: give landmarks=")
    check_memory(len(cloud), max_dimension, engine)
    return lengths_of_points(cloud, threads), len(cloud), radius
