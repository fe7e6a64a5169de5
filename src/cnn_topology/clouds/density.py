"""The density filter rho(k, p) (weights paper, method, step 5): keep the fraction p of points in the densest places.

Density at a point is measured by the distance to its k-th nearest *other* point (`neighbours`).
"""

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.checks import real, real_array
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import kept_points


def density_filter(distances: Float[np.ndarray, " points"], p: float) -> Int[np.ndarray, " kept"]:
    """Keep the fraction p of the points with the smallest distance to their k-th neighbour.

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
    p, distances = real(p, "p"), real_array(distances, "distances to neighbours")
    if not 0 < p <= 1:
        raise InputError(f"p = {p} must lie in (0, 1]; 1 keeps all points")
    if np.isnan(distances).any():
        raise InputError("a distance to a neighbour is NaN: drop points with NaN coordinates first")
    kept = kept_points(p, len(distances))
    return np.sort(np.argsort(distances, kind="stable")[:kept])
