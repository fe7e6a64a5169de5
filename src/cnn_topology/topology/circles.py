"""How filters lie around the four named circles of patches (weights paper, three-circle model; notes: U20, E6, E7).

The circles are the primary one (edges), the two secondary ones of the three-circle model, and the quadratic one
(lines). The complex circle of the paper is not described in detail: what is measured is how many filters lie near each
circle, how much of it they cover, and how much of that chance explains.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from cnn_topology.topology.klein import MODELS, NEAR, TIE, edge_angles, klein_coordinates, line_angles, secondary_angles

CIRCLES = MODELS[:4]

# Arcs of ten degrees.
ARCS = 36


@dataclass(frozen=True)
class NearCircles:
    """Filters about the circles, in the order of `CIRCLES`.

    Attributes
    ----------
    angle : ndarray, shape (circles, points)
        Angle of the nearest point of each circle, in [0, 2 pi); of the quadratic circle twice the line's direction, for
        dark and for bright lines alike.
    residual : ndarray, shape (circles, points)
        Euclidean distance to it.
    near : float
        Greatest residual of a filter that counts as near a circle.
    """

    angle: Float[np.ndarray, "circles points"]
    residual: Float[np.ndarray, "circles points"]
    near: float

    @property
    def within(self) -> Bool[np.ndarray, "circles points"]:
        """Which filters lie near each circle; where circles meet, near several."""
        return self.residual <= self.near

    @property
    def nearest(self) -> Int[np.ndarray, " points"]:
        """Number of the circle nearest to each filter, -1 for filters near none; of equals the first."""
        smallest = self.residual.min(axis=0)
        first = np.argmax(self.residual <= smallest + TIE, axis=0)
        return np.where(smallest <= self.near, first, -1)

    def counts(self) -> Int[np.ndarray, " circles"]:
        """Count the filters whose nearest circle each is, within the residual.

        Returns
        -------
        ndarray of int, shape (circles,)
        """
        nearest = self.nearest
        return np.array([np.count_nonzero(nearest == number) for number in range(len(CIRCLES))])

    def coverage(self) -> Float[np.ndarray, " circles"]:
        """Compute the part of the arcs of each circle that have at least one filter within the residual.

        Returns
        -------
        ndarray, shape (circles,)
            From 0 to 1.
        """
        return np.count_nonzero(self.arc_counts(), axis=1) / ARCS

    def arc_counts(self) -> Int[np.ndarray, "circles arcs"]:
        """Count the filters within the residual by arc of each circle, from angle 0 on.

        Returns
        -------
        ndarray of int, shape (circles, ARCS)
            A filter near several circles counts for each.
        """
        arc = np.minimum((self.angle * (ARCS / (2 * np.pi))).astype(np.int64), ARCS - 1)
        within = self.within
        return np.stack([np.bincount(arc[n][within[n]], minlength=ARCS) for n in range(len(CIRCLES))])


def near_circles(points: Float[np.ndarray, "points entries"], near: float = NEAR) -> NearCircles:
    """Find the nearest point of each named circle for each filter.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Mean-centred filters of unit norm.
    near : float
        Greatest residual, stated before a run; ours.

    Returns
    -------
    NearCircles

    Raises
    ------
    InputError
        If the filters are no matrix of finite numbers.
    """
    direction, to_line = line_angles(points)
    found = [edge_angles(points), secondary_angles(points, "vertical"), secondary_angles(points, "horizontal")]
    angles, residuals = (np.stack(values) for values in zip(*found, (2 * direction, to_line), strict=True))
    return NearCircles(angles, residuals, near)


def nearest_model(points: Float[np.ndarray, "points entries"], near: float = NEAR) -> np.ndarray:
    """Name the model that each filter belongs to.

    The nearest of the four circles, if it lies within `near`; otherwise ``klein`` if the Klein bottle, which contains
    them all, does; otherwise ``none``. Both quadratic circles (dark and bright lines) count as ``quadratic``. Where
    circles meet, the first in the order of `MODELS` counts.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Mean-centred filters of unit norm.
    near : float
        Greatest Euclidean distance.

    Returns
    -------
    ndarray of str, shape (points,)
        Names of `MODELS`.
    """
    nearest, names = near_circles(points, near).nearest, np.array(MODELS)
    on_bottle = klein_coordinates(points)[2] <= near
    return np.where(nearest >= 0, names[nearest], np.where(on_bottle, "klein", "none"))
