"""Where on the Klein bottle, and near which of its circles, a filter lies (weights paper; weights.md section 6).

A filter p of unit norm is nearest to the circle of patches with direction theta1 in the plane of its edge and its
line; the squared norm g of the projection on that plane is to be maximized over theta1 alone. With s = 2 theta1,

    g(s) = f(s) / a + q(s)^2 / w(s),    f = (p.x cos theta1 + p.y sin theta1)^2,
    q = p.(x cos theta1 + y sin theta1)^2,    w = b + (m - b / 2) sin(s)^2,

where a and w are the squared norms of edge and line. For patches of side k, with s_n the sum of the n-th powers of the
coordinates of a side, a = k s_2, b = k s_4 - s_2^2 is the squared norm of the centred x^2, and m = s_2^2 that of x y;
of 3x3 patches a = 6 and w = 2 + 3 sin(s)^2. g is smooth with a few maxima: the best of a grid are refined by
Newton's method.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import finite_points
from cnn_topology.errors import InputError
from cnn_topology.networks.patches import Grid, grid, side_of
from cnn_topology.topology.patches import edge_patch, klein_patch, line_patch, secondary_patch

# Steps of theta1 in [0, pi): 2 degrees; maxima are some 20 degrees wide.
GRID = 90

# Local maxima of the grid that are refined: the highest alone is the wrong one for some filters between two patches of
# the bottle, two are enough (tested).
CANDIDATES = 2

# Newton's steps: the first starts within 2 degrees of the maximum, each doubles the digits.
STEPS = 4

# Points handled at once: keeps the grid of a block within the cache.
BLOCK = 2_048

MODELS = ("primary", "secondary vertical", "secondary horizontal", "quadratic", "klein", "none")

# Greatest distance at which a filter counts as belonging to a model. Of uniformly random filters 1.2 % lie so near to
# the primary circle and 10 % so near to the Klein bottle.
NEAR = 0.5
# How far the norm of a filter may be from 1: those of tables are float32.
UNIT = 1e-5

# Distances that differ by less are equal: a patch where circles meet goes to the first of them.
TIE = 1e-9


def klein_coordinates(
    points: Float[np.ndarray, "points entries"],
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Return the nearest point of the Klein bottle for each filter, and the distance to it.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Mean-centred filters of unit norm.

    Returns
    -------
    theta1 : ndarray, shape (points,)
        In [0, pi), the direction of edge and line.
    theta2 : ndarray, shape (points,)
        In [0, 2 pi), as in `klein_patch`. Of the two names (theta1, theta2) and (theta1 + pi, -theta2) of one patch
        the one with theta1 below pi is given.
    residual : ndarray, shape (points,)
        Euclidean distance to ``klein_patch(theta1, theta2)``, from 0 to sqrt(2).

    Raises
    ------
    InputError
        If the filters are no matrix of finite numbers with k^2 columns, or their norm is not 1.

    Notes
    -----
    The Klein bottle of Carlsson, Ishkhanov, de Silva and Zomorodian (2008), on which the weights paper looks for
    filters: theta2 = pi/2 and 3 pi/2 are the edges (the primary circle), theta2 = 0 and pi the bright and dark lines.
    The nearest point is found to rounding (module `topology.klein`).

    Examples
    --------
    An upright edge lies on the primary circle, a checkerboard far from the bottle.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> edge, board = np.array([-1.0, 0, 1] * 3), np.array([1.0, -1] * 4 + [1])
    >>> cloud, kept = ct.centre_and_normalize(np.stack([edge, board]))
    >>> theta1, theta2, residual = ct.klein_coordinates(cloud)
    >>> theta1.round(3).tolist()[0], theta2.round(3).tolist()[0], residual.round(3).tolist()
    (0.0, 1.571, [0.0, 1.169])
    """
    points = _filters(points)
    if len(points) and not np.allclose(np.linalg.norm(points, axis=1), 1, rtol=0, atol=UNIT):
        raise InputError("filters must have norm 1, or residuals are no distances on the sphere: centre_and_normalize")
    theta1, theta2 = klein_angles(points)
    return theta1, theta2, np.linalg.norm(points - klein_patch(theta1, theta2, side_of(points)), axis=1)


def klein_angles(
    points: Float[np.ndarray, "points entries"],
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Compute the angles of the nearest point of the Klein bottle for each filter, of any norm.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Filters, such as the mean filters of mapper nodes; the angles do not depend on their length.

    Returns
    -------
    theta1, theta2 : ndarray, shape (points,)
        As `klein_coordinates`.

    Raises
    ------
    InputError
        If the filters are no matrix of finite numbers with k^2 columns.
    """
    points = _filters(points)
    theta1 = _best_direction(points, with_edges=True)
    along_edge = _rowwise(points, edge_patch(theta1, side_of(points)))
    along_line = _rowwise(points, line_patch(theta1, side_of(points)))
    return theta1, _wrapped(np.arctan2(along_edge, along_line), 2 * np.pi)


def _filters(points: np.ndarray) -> np.ndarray:
    """Return filters as a checked array, or refuse what is not square."""
    checked = finite_points(points)
    if not side_of(checked):
        raise InputError(f"filters must have shape (points, k^2), 9 entries each of 3x3 kernels; got {checked.shape}")
    return checked


def edge_angles(
    points: Float[np.ndarray, "points entries"],
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Compute the nearest point of the primary circle for each filter, and the distance to it.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Mean-centred filters of unit norm.

    Returns
    -------
    theta : ndarray, shape (points,)
        In [0, 2 pi), as for `edge_patch`.
    distance : ndarray, shape (points,)
        Euclidean, from 0 to sqrt(2).

    Raises
    ------
    InputError
        If the filters are no matrix of finite numbers.
    """
    points = _filters(points)
    of = grid(side_of(points))
    theta = _wrapped(np.arctan2(points @ of.y, points @ of.x), 2 * np.pi)
    return theta, np.linalg.norm(points - edge_patch(theta, side_of(points)), axis=1)


def secondary_angles(
    points: Float[np.ndarray, "points entries"], direction: Literal["vertical", "horizontal"]
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Compute the nearest point of a secondary circle for each filter, and the distance to it.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Mean-centred filters of unit norm.
    direction : {'vertical', 'horizontal'}
        Which of the two circles, as for `secondary_patch`.

    Returns
    -------
    phi : ndarray, shape (points,)
        In [0, 2 pi), as for `secondary_patch`.
    distance : ndarray, shape (points,)
        Euclidean, from 0 to sqrt(2).

    Raises
    ------
    InputError
        If the filters are no matrix of finite numbers.
    """
    points = _filters(points)
    side = side_of(points)
    edge, line = secondary_patch(direction, 0.0, side), secondary_patch(direction, np.pi / 2, side)
    phi = _wrapped(np.arctan2(points @ line, points @ edge), 2 * np.pi)
    return phi, np.linalg.norm(points - secondary_patch(direction, phi, side), axis=1)


def line_angles(
    points: Float[np.ndarray, "points entries"],
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Compute the nearest line, dark or bright, for each filter, and the distance to it.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Mean-centred filters of unit norm.

    Returns
    -------
    theta : ndarray, shape (points,)
        Direction of the line, in [0, pi), as for `line_patch`.
    distance : ndarray, shape (points,)
        Euclidean, from 0 to sqrt(2).

    Raises
    ------
    InputError
        If the filters are no matrix of finite numbers.
    """
    points = _filters(points)
    theta = _best_direction(points, with_edges=False)
    line = line_patch(theta, side_of(points))
    sign = np.where(_rowwise(points, line) < 0, -1.0, 1.0)
    return theta, np.linalg.norm(points - sign[:, None] * line, axis=1)


def circle_coverage(theta: Float[np.ndarray, " points"], bins: int = 36) -> float:
    """Compute the fraction of equal arcs of the circle [0, 2 pi) that hold at least one of the angles.

    Parameters
    ----------
    theta : ndarray, shape (points,)
        Angles in radians.
    bins : int
        Number of arcs.

    Returns
    -------
    float
        From 0 to 1.
    """
    arcs = np.floor(_wrapped(theta, 2 * np.pi) * (bins / (2 * np.pi))).astype(np.int64)
    return len(np.unique(np.minimum(arcs, bins - 1))) / bins


def _wrapped(angle: np.ndarray, period: float) -> np.ndarray:
    wrapped = np.mod(angle, period)
    return np.where(wrapped >= period, 0.0, wrapped)  # mod of -1e-17 rounds up to the period itself


def _rowwise(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("nc,nc->n", a, b)


def _best_direction(points: np.ndarray, with_edges: bool) -> np.ndarray:
    """Return theta1 in [0, pi) that maximizes g, or its second term alone."""
    theta = np.empty(len(points))
    for start in range(0, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        theta[block] = _best_of_block(np.asarray(points[block], dtype=np.float64), with_edges)
    return theta


def _best_of_block(points: np.ndarray, with_edges: bool) -> np.ndarray:
    of = grid(side_of(points))
    x, y = (points @ of.x, points @ of.y) if with_edges else np.zeros((2, len(points)))
    xx, yy, xy = points @ of.x**2, points @ of.y**2, points @ (of.x * of.y)
    # f / a and q as mean + cosine cos(s) + sine sin(s); one row per point.
    f = np.stack([(x**2 + y**2) / 2, (x**2 - y**2) / 2, x * y])[..., None] / of.slope
    q = np.stack([(xx + yy) / 2, (xx - yy) / 2, xy])[..., None]

    around = 2 * np.pi * np.arange(GRID) / GRID
    values = _projection(of, f, q, around[None])[0]
    peak = (values >= np.roll(values, 1, axis=1)) & (values >= np.roll(values, -1, axis=1))
    heights = np.where(peak, values, -np.inf)
    rows, found = np.arange(len(points)), []
    for _ in range(CANDIDATES):
        found.append(np.argmax(heights, axis=1))
        heights[rows, found[-1]] = -np.inf
    s = around[np.stack(found, axis=1)]
    for _ in range(STEPS):
        s = s + _newton_step(of, f, q, s)
    best = np.argmax(_projection(of, f, q, s)[0], axis=1)
    # Of two candidates on their way to one maximum the less exact may look higher by rounding: one step more.
    s = s[rows, best][:, None]
    return _wrapped((s + _newton_step(of, f, q, s))[:, 0] / 2, np.pi)


def _newton_step(of: Grid, f: np.ndarray, q: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Return the step towards the maximum, at most one of the grid; none where g is flat or bends upwards."""
    _, slope, curvature = _projection(of, f, q, s)
    down = curvature < 0
    step = np.where(down, -slope / np.where(down, curvature, -1.0), 0.0)
    return np.clip(step, -2 * np.pi / GRID, 2 * np.pi / GRID)


def _projection(of: Grid, f: np.ndarray, q: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return g(s) and its first two derivatives; f and q have shape (3, points, 1), s (points, values)."""
    cos, sin = np.cos(s), np.sin(s)
    waves = [(m + c * cos + d * sin, d * cos - c * sin, -c * cos - d * sin) for m, c, d in (f, q)]
    (f0, f1, f2), (q0, q1, q2) = waves
    wave = of.product - of.square / 2
    w0, w1, w2 = of.square + wave * sin**2, 2 * wave * sin * cos, 2 * wave * (cos**2 - sin**2)
    # h = q^2 / w, from the derivatives of h w = q^2.
    h0 = q0**2 / w0
    h1 = (2 * q0 * q1 - h0 * w1) / w0
    h2 = (2 * (q1**2 + q0 * q2) - 2 * h1 * w1 - h0 * w2) / w0
    return f0 + h0, f1 + h1, f2 + h2
