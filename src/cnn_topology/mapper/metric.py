"""The metric of a mapper graph as a scaling of coordinates, and the elbow rule for the radius of DBSCAN.

Variance-normalized Euclidean distance is the metric of the weights paper (method, step 6), the elbow rule that of the
activations paper's released code (`get_knn.py`), which takes the knee of the curve of nearest-neighbour distances by
Kneedle (Satopää, Albrecht, Irwin, Raghavan 2011).
"""

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.errors import InputError
from cnn_topology.mapper.lenses import ROUNDING, NoVariance, checked_points
from cnn_topology.mapper.neighbourhoods import nearest_distances

# Rows on which the elbow rule looks for neighbours: the search grows with the square of their number.
ELBOW_ROWS = 50_000

# Distances that differ by less than this part of the largest are equal: rounding leaves about 1e-15.
TIE = 1e-12


def variance_normalized(points: Float[np.ndarray, "points coordinates"]) -> Float[np.ndarray, "points used"]:
    """Scale coordinates so that Euclidean distance becomes sqrt(sum_i (x_i - y_i)^2 / var_i).

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)

    Returns
    -------
    ndarray of float64, shape (points, used)
        Each coordinate divided by its standard deviation over the cloud; those with zero variance are left out.

    Raises
    ------
    NoVariance
        If no coordinate varies.
    """
    cloud = checked_points(points)
    deviation = cloud.std(axis=0, dtype=np.float64)
    used = deviation > ROUNDING * np.maximum(np.abs(cloud.min()), np.abs(cloud.max()))
    if not used.any():
        raise NoVariance(
            f"the variance-normalized metric needs a coordinate that varies: all {len(cloud)} points coincide"
        )
    return cloud[:, used] / deviation[used]


def elbow_eps(points: Float[np.ndarray, "points coordinates"], seed: int) -> float:
    """Choose the radius of DBSCAN by the elbow rule; see `elbow_rows` and `elbow_of`, which it joins.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
    seed : int
        As for `elbow_rows`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        As `elbow_rows` and `elbow_of`.
    """
    return elbow_of(nearest_distances(elbow_rows(points, seed), 1)[:, 0])


def elbow_rows(points: Float[np.ndarray, "points coordinates"], seed: int) -> Float[np.ndarray, "rows coordinates"]:
    """Choose the rows on which the elbow rule looks for neighbours.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        Of more than `ELBOW_ROWS` points that many are drawn without replacement, and kept in their order.
    seed : int
        Of that draw.

    Returns
    -------
    ndarray, shape (rows, coordinates)

    Raises
    ------
    InputError
        If there are fewer than 2 points.
    """
    cloud = checked_points(points)
    if len(cloud) < 2:
        raise InputError("the elbow rule needs at least 2 points; give eps instead")
    return cloud[drawn_rows(len(cloud), ELBOW_ROWS, seed)]


def drawn_rows(rows: int, most: int, seed: int) -> slice | Int[np.ndarray, " drawn"]:
    """Choose rows of a cloud: all, or so many of them, drawn without replacement and kept in their order.

    Parameters
    ----------
    rows, most : int
        Rows that there are, and that are wanted at most.
    seed : int
        Of the draw.

    Returns
    -------
    slice or ndarray of int, shape (drawn,)
    """
    return slice(None) if rows <= most else np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def elbow_of(distances: Float[np.ndarray, " rows"]) -> float:
    """Choose the radius of DBSCAN at the knee of the curve of distances to the nearest other point.

    Distances d are sorted from the largest to the smallest and paired with even ranks y in [0, 1]; the radius is the
    d at the first knee of this curve (convex, decreasing, sensitivity 1), or the median of d where it has none.

    Parameters
    ----------
    distances : ndarray, shape (rows,)
        Of each row to its nearest other row, in any order.

    Returns
    -------
    float
        Rounded to 3 decimals, as the released code does.

    Raises
    ------
    InputError
        If the points coincide so often that the radius is 0.
    """
    falling = np.sort(distances.astype(np.float64))[::-1]
    at = knee(falling)
    chosen = 0.0 if at is None else float(falling[at])
    # The released code takes the median for a knee at 0 as well.
    eps = round(chosen or float(np.median(falling)), 3)
    if eps <= 0:
        raise InputError(
            f"the elbow rule gives eps = 0 to three decimals (largest nearest-neighbour distance "
            f"{falling[0]:.3g}): give eps, or scale the cloud"
        )
    return eps


def knee(distances: Float[np.ndarray, " points"]) -> int | None:
    """Find the first knee by Kneedle of falling distances over even ranks.

    Parameters
    ----------
    distances : ndarray, shape (points,)
        From the largest to the smallest.

    Returns
    -------
    int or None
        Index of the knee: the first local maximum of the difference curve, (1 - rank) - scaled distance, after which
        the curve falls by more than the mean step of the distances before it rises to another maximum. A fall of just
        that step does not count, and a rise or fall of nothing is none; so rounding, and with it the unit of the
        cloud, decides nothing.

    Notes
    -----
    Two points that are each other's nearest have one distance, and the curve falls by just the mean step between them.
    That is so of a third of random points and more; the released code leaves each such tie to the rounding of its
    sums. Where there is none the knee is the one it finds.
    """
    extent = distances[0] - distances[-1]
    if extent <= 0:
        return None
    last = len(distances) - 1
    # The curve in units of the mean step: ranks fall by 1, distances from `last` to 0.
    curve = (distances[0] - distances) / extent * last - np.arange(last + 1)
    tie = TIE * last * distances[0] / extent
    padded = np.pad(curve, 1, mode="edge")
    maximum = (curve >= padded[:-2] - tie) & (curve >= padded[2:] - tie)
    candidate = None
    for i in range(last):
        if maximum[i]:
            candidate = i
        if candidate is not None and curve[i + 1] < curve[candidate] - 1 - tie:
            return candidate
    return None
