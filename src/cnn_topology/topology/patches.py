"""Models of 3x3 patches (weights paper, Figure 1 and three-circle model; Carlsson et al., IJCV 76, 2008).

A patch is nine values on the grid {-1, 0, 1}^2, row by row from the top; x grows to the right and y upwards, so that
`edge_patch(0)` is a vertical edge, bright on its right. Every model is mean-centred and of unit norm: a point of the
7-sphere. On this grid x, y and the centred x^2, y^2, xy are orthogonal to each other.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float

from cnn_topology.networks.patches import X, Y, edge_patch, random_filters, unit


def line_patch(theta: Float[np.ndarray, "*batch"] | float) -> Float[np.ndarray, "*batch 9"]:
    """Return the line Q(x cos(theta) + y sin(theta)), Q(t) = 2 t^2 - 1, centred, of unit norm: the quadratic circle.

    The period is pi. The line is dark on a bright ground; minus it, the bright line, is the other quadratic circle.

    Parameters
    ----------
    theta : float or ndarray
        Direction across the line, in radians.

    Returns
    -------
    ndarray, shape (..., 9)
    """
    angle = np.asarray(theta, dtype=np.float64)[..., None]
    return unit(2 * (np.cos(angle) * X + np.sin(angle) * Y) ** 2 - 1)


def secondary_patch(
    direction: Literal["vertical", "horizontal"], phi: Float[np.ndarray, "*batch"] | float
) -> Float[np.ndarray, "*batch 9"]:
    """Return the point at angle phi of a secondary circle of the three-circle model.

    Parameters
    ----------
    direction : {'vertical', 'horizontal'}
        Direction of the stripes: the circle through x and x^2, or that through y and y^2.
    phi : float or ndarray
        Angle between the unit edge (phi = 0) and the unit line (phi = pi/2).

    Returns
    -------
    ndarray, shape (..., 9)
    """
    angle = np.asarray(phi, dtype=np.float64)[..., None]
    along = 0.0 if direction == "vertical" else np.pi / 2
    return np.cos(angle) * edge_patch(along) + np.sin(angle) * line_patch(along)


def _around(points: int) -> np.ndarray:
    return 2 * np.pi * np.arange(points) / points


def primary_circle(points: int) -> Float[np.ndarray, "points 9"]:
    """Return equally spaced points of the primary circle.

    Parameters
    ----------
    points : int

    Returns
    -------
    ndarray, shape (points, 9)
    """
    return edge_patch(_around(points))


def quadratic_circle(points: int) -> Float[np.ndarray, "points 9"]:
    """Return equally spaced points of the quadratic circle, each line once.

    Parameters
    ----------
    points : int

    Returns
    -------
    ndarray, shape (points, 9)
    """
    return line_patch(_around(points) / 2)


def three_circles(points: int) -> Float[np.ndarray, "{3*points} 9"]:
    """Return the three-circle model: equally spaced points of the primary and of both secondary circles.

    Each secondary circle meets the primary one in two points, the two do not meet: the first Betti number is 5.

    Parameters
    ----------
    points : int
        Of each circle.

    Returns
    -------
    ndarray, shape (3 points, 9)
    """
    angles = _around(points)
    return np.concatenate(
        [edge_patch(angles), secondary_patch("vertical", angles), secondary_patch("horizontal", angles)]
    )


def klein_patch(
    theta1: Float[np.ndarray, "*batch"] | float, theta2: Float[np.ndarray, "*batch"] | float
) -> Float[np.ndarray, "*batch 9"]:
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

    Returns
    -------
    ndarray, shape (..., 9)
    """
    second = np.asarray(theta2, dtype=np.float64)[..., None]
    return np.cos(second) * line_patch(theta1) + np.sin(second) * edge_patch(theta1)


def klein_bottle(around: int, across: int) -> Float[np.ndarray, "{around*across} 9"]:
    """Return a grid of points of the Klein bottle: theta1 in [0, pi) by theta2 in [0, 2 pi).

    Parameters
    ----------
    around, across : int
        Values of theta1 and of theta2.

    Returns
    -------
    ndarray, shape (around across, 9)
        All theta2 of the first theta1 first.
    """
    first, second = np.meshgrid(_around(around) / 2, _around(across), indexing="ij")
    return klein_patch(first.ravel(), second.ravel())


def noisy(
    points: Float[np.ndarray, "points 9"], norm: float, rng: np.random.Generator
) -> Float[np.ndarray, "points 9"]:
    """Add to each patch a vector of the given norm in a uniformly random mean-zero direction, and normalize.

    Parameters
    ----------
    points : ndarray, shape (points, 9)
        Patches of unit norm.
    norm : float
        Length of what is added to each.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (points, 9)
        Of unit norm.
    """
    return unit(points + norm * random_filters(len(points), rng))
