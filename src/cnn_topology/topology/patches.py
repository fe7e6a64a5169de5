"""Models of square patches (weights paper, Figure 1 and three-circle model; Carlsson et al., IJCV 76, 2008).

A patch of side k is k^2 values on an even grid of [-1, 1]^2, row by row from the top; x grows to the right and y
upwards, so that `edge_patch(0)` is a vertical edge, bright on its right. Every model is mean-centred and of unit norm:
a point of the sphere of dimension k^2 - 2. On every such grid x, y and the centred x^2, y^2, xy are orthogonal to each
other. The papers have k = 3; larger sides (5x5, 7x7 kernels) are the same functions on a finer grid (ours).
"""

from typing import Literal

import numpy as np
from jaxtyping import Float

from cnn_topology.networks.patches import edge_patch, grid, random_filters, side_of, unit


def line_patch(theta: Float[np.ndarray, "*batch"] | float, side: int = 3) -> Float[np.ndarray, "*batch entries"]:
    """Return the line Q(x cos(theta) + y sin(theta)), Q(t) = 2 t^2 - 1, centred, of unit norm: the quadratic circle.

    The period is pi. The line is dark on a bright ground; minus it, the bright line, is the other quadratic circle.

    Parameters
    ----------
    theta : float or ndarray
        Direction across the line, in radians.
    side : int
        Of the patch.

    Returns
    -------
    ndarray, shape (..., entries)
    """
    angle, of = np.asarray(theta, dtype=np.float64)[..., None], grid(side)
    return unit(2 * (np.cos(angle) * of.x + np.sin(angle) * of.y) ** 2 - 1)


def secondary_patch(
    direction: Literal["vertical", "horizontal"], phi: Float[np.ndarray, "*batch"] | float, side: int = 3
) -> Float[np.ndarray, "*batch entries"]:
    """Return the point at angle phi of a secondary circle of the three-circle model.

    Parameters
    ----------
    direction : {'vertical', 'horizontal'}
        Direction of the stripes: the circle through x and x^2, or that through y and y^2.
    phi : float or ndarray
        Angle between the unit edge (phi = 0) and the unit line (phi = pi/2).
    side : int
        Of the patch.

    Returns
    -------
    ndarray, shape (..., entries)
    """
    angle = np.asarray(phi, dtype=np.float64)[..., None]
    along = 0.0 if direction == "vertical" else np.pi / 2
    return np.cos(angle) * edge_patch(along, side) + np.sin(angle) * line_patch(along, side)


def klein_patch(
    theta1: Float[np.ndarray, "*batch"] | float, theta2: Float[np.ndarray, "*batch"] | float, side: int = 3
) -> Float[np.ndarray, "*batch entries"]:
    """Return the point cos(theta2) line(theta1) + sin(theta2) edge(theta1) of the Klein bottle.

    These are the patches c (a x + b y)^2 + d (a x + b y), (a, b) = (cos, sin)(theta1), of Carlsson, Ishkhanov, de Silva
    and Zomorodian (IJCV 76, 2008), centred and normalized; line and edge are orthogonal and of unit norm, so that
    theta2 is the arc length along the circle through both. (theta1 + pi, -theta2) is the same patch as
    (theta1, theta2). theta2 = pi/2 and 3 pi/2 are the primary circle, 0 and pi the quadratic ones.

    Parameters
    ----------
    theta1 : float or ndarray
        Direction of edge and line, in radians.
    theta2 : float or ndarray
        Angle from the line to the edge, in radians.
    side : int
        Of the patch.

    Returns
    -------
    ndarray, shape (..., entries)
    """
    second = np.asarray(theta2, dtype=np.float64)[..., None]
    return np.cos(second) * line_patch(theta1, side) + np.sin(second) * edge_patch(theta1, side)


def noisy(
    points: Float[np.ndarray, "points entries"], norm: float, rng: np.random.Generator
) -> Float[np.ndarray, "points entries"]:
    """Add to each patch a vector of the given norm in a uniformly random mean-zero direction, and normalize.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Patches of unit norm.
    norm : float
        Length of what is added to each.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (points, entries)
        Of unit norm.
    """
    return unit(points + norm * random_filters(len(points), rng, side_of(points)))
