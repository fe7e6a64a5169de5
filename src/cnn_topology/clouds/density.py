"""The density filter rho(k, p) (weights paper, method, step 5): keep the fraction p of points in the densest places.

Density at a point is measured by the distance to its k-th nearest *other* point (`neighbours`).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.checks import finite_points, real, real_array, whole
from cnn_topology.clouds.kept import kept_by_counts
from cnn_topology.clouds.neighbours import checked_cloud, neighbour_distances, searchable
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import MOST_COUNTED, Density, kept_points

# Of smaller clouds all distances to neighbours are computed.
LEAST_COUNTED = 1_500


def density_filter(
    points: Float[np.ndarray, "points coordinates"], k: int | float, p: float, *, threads: int = 1
) -> Int[np.ndarray, " kept"]:
    """Select the points of a cloud that the density filter rho(k, p) keeps: the fraction p in the densest places.

    Density at a point is measured by the distance to its k-th nearest other point; the smaller, the denser.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        The cloud, in any number of dimensions.
    k : int or float
        The neighbour: a count from 1 to points - 1, or, as a float between 0 and 1, a share of the points.
    p : float
        Fraction in (0, 1]. Of N points floor(p N + 1/2) are kept, and at least one.
    threads : int
        Threads of the search for neighbours; they change no result.

    Returns
    -------
    ndarray of int64, shape (kept,)
        Indices of the kept points, ascending: ``points[density_filter(points, k, p)]`` is the filtered cloud. Of points
        in places of equal density those with smaller index come first, so a smaller p always keeps a subset. Densities
        are equal to the last bit of duplicates; of other points whose distances are equal by symmetry, as on a grid,
        rounding decides.

    Raises
    ------
    InputError
        If k is neither a count below the number of points nor a share between 0 and 1, p lies outside (0, 1], or a
        coordinate is NaN or infinite.

    Notes
    -----
    Weights paper, method, step 5: rho(200, 0.3) of 6,400 filters, of which k is the share 0.03125.

    Examples
    --------
    Thirty points on a circle and three far from it: the filter keeps points of the circle alone.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> angles = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    >>> circle = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> points = np.concatenate([circle, [[3.0, 0.0], [0.0, 4.0], [-5.0, 0.0]]])
    >>> kept = ct.density_filter(points, k=2, p=0.5)
    >>> len(kept), bool(kept.max() < 30)
    (17, True)
    >>> kept = ct.density_filter(points, k=0.06, p=30 / 33)  # the second neighbour again, as a share of 33 points
    >>> kept.tolist() == list(range(30))
    True
    """
    cloud = finite_points(points)
    return kept_sets(cloud, [(neighbour_count(k, p, len(cloud)), p)], threads)[0]


def kept_sets(
    points: Float[np.ndarray, "points coordinates"], densities: Sequence[tuple[int, float]], threads: int = 1
) -> list[Int[np.ndarray, " kept"]]:
    """Select the points that each of some density filters keeps.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        The cloud.
    densities : sequence of (int, float)
        k, as a count, and p of each filter.
    threads : int
        Threads of the search for neighbours; they change no result.

    Returns
    -------
    list of ndarray of int64, each of shape (kept,)
        Indices, ascending, as `densest_points` selects them by `neighbour_distances`.

    Raises
    ------
    InputError
        As by `density_filter`.
    """
    asked = [(k, _checked_fraction(p)) for k, p in densities]
    distinct = list(dict.fromkeys(asked))
    kept: dict[tuple[int, float], np.ndarray] = {}
    if len(points) >= LEAST_COUNTED and len(distinct) <= MOST_COUNTED:
        tree = searchable(checked_cloud(points, [k for k, _ in distinct]))
        for k, p in distinct:
            chosen = kept_by_counts(tree, k, kept_points(p, len(points)), threads)
            if chosen is not None:
                kept[k, p] = chosen
    left = [density for density in distinct if density not in kept]
    ks = sorted({k for k, _ in left})
    distances = dict(zip(ks, neighbour_distances(points, ks, threads).T, strict=True)) if left else {}
    kept |= {(k, p): densest_points(distances[k], p) for k, p in left}
    return [kept[density] for density in asked]


def neighbour_count(k: int | float, p: float, points: int) -> int:
    """Turn k of a density filter rho(k, p) into a count of neighbours.

    Parameters
    ----------
    k : int or float
        A count from 1 to points - 1, or, as a float between 0 and 1, a share of the points.
    p : float
        The fraction that is kept.
    points : int
        Number of points of the cloud.

    Returns
    -------
    int
        From 1 to points - 1.

    Raises
    ------
    InputError
        If k is neither, or p lies outside (0, 1].
    """
    if isinstance(k, float | np.floating):
        k = float(k)
        if not 0 < k < 1:
            raise InputError(f"k = {k} must be a count of neighbours (an int), or a share of the points in (0, 1)")
    else:
        k = whole(k, "k", 1)
    return Density(k=k, p=_checked_fraction(p)).neighbours(points)


def densest_points(distances: Float[np.ndarray, " points"], p: float) -> Int[np.ndarray, " kept"]:
    """Select the fraction p of the points with the smallest distance to their k-th neighbour.

    Parameters
    ----------
    distances : ndarray, shape (points,)
        One column of `neighbours.neighbour_distances`.
    p : float
        Fraction in (0, 1]. Of N points floor(p N + 1/2) are kept, and at least one.

    Returns
    -------
    ndarray of int64, shape (kept,)
        Indices of the kept points, ascending. Of points with equal distance those with smaller index come first, so
        a smaller p always keeps a subset.

    Raises
    ------
    InputError
        If p lies outside (0, 1], or a distance is NaN.
    """
    p, distances = _checked_fraction(p), real_array(distances, "distances to neighbours")
    if np.isnan(distances).any():
        raise InputError("a distance to a neighbour is NaN: drop points with NaN coordinates first")
    kept = kept_points(p, len(distances))
    return np.sort(np.argsort(distances, kind="stable")[:kept])


def _checked_fraction(p: float) -> float:
    fraction = real(p, "p")
    if not 0 < fraction <= 1:
        raise InputError(f"p = {p} must lie in (0, 1]; 1 keeps all points")
    return fraction
