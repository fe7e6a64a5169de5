"""Which known shape the filters of a cloud with a loop lie on: a circle of edges, three circles, a Klein bottle (ours).

Barcodes do not tell these apart once the density filter has chosen its points: it keeps what is dense, so that of a
Klein bottle (two loops over Z/2, one over Z/3) five long bars over both fields may be left, as of three circles, and of
three circles fewer than five. What is asked is where the filters lie: how many lie near the Klein bottle, which holds
all these circles, and how many of those far from the three circles, whatever the number of filters.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from cnn_topology.statistics.circles import CircleTest
from cnn_topology.topology.klein import NEAR, circle_coverage, klein_coordinates

PRIMARY, THREE_CIRCLES, KLEIN_BOTTLE, UNDECIDED = "primary circle", "three circles", "Klein bottle", "undecided"

# A circle is there where filters near it cover this share of 36 equal arcs, and are more than by chance: p of filters
# with shuffled entries.
COVERED, CHANCE = 0.8, 0.05

# Of the kept filters at least so many lie near the bottle. Of random filters one in ten does, of a torus half.
MOST = 2 / 3
# Patches off the three circles: theta1 at least 15 degrees from the directions of the secondary circles, theta2 at
# least 30 from the edges. They are so large a part of the bottle's angles.
_OFF1, _OFF2 = np.pi / 12, np.pi / 6
_OFF_PART = (1 - 4 * _OFF1 / np.pi) * (1 - 4 * _OFF2 / (2 * np.pi))
# Density of the near filters off the circles, over that on the whole bottle. Simulated layers of one or three circles
# have at most .28, those of a Klein bottle at least .57, with noise of norm up to 1.
FEW_OFF, MANY_OFF = 0.3, 0.5
# Share of 36 arcs of each of the three circles with filters near it. The primary circle alone covers at most .35 of a
# secondary one, where they meet.
EACH_CIRCLE = 0.4
# Of the filters near any named circle, the share that is nearest to the primary one: of simulated layers of that circle
# at least .57, of three circles or a Klein bottle at most .53.
MAINLY = 0.6
# Arcs of each angle of the bottle.
ARCS = 12


class OnBottle(NamedTuple):
    """Filters about the Klein bottle.

    `near`: share of the filters near it; `off`: their density off the three circles, 1 where they are even over both
    angles; `covered`: the share of 12 arcs that they cover of the angle of which it is less. 0 where none is near.
    """

    near: float
    off: float
    covered: float


def on_klein_bottle(points: Float[np.ndarray, "points entries"]) -> OnBottle:
    """Describe how filters lie about the Klein bottle.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Mean-centred filters of unit norm.

    Returns
    -------
    OnBottle
    """
    theta1, theta2, residual = klein_coordinates(points)
    near = residual <= NEAR
    if not near.any():
        return OnBottle(0.0, 0.0, 0.0)
    theta1, theta2 = theta1[near], theta2[near]
    from_direction = np.abs(np.mod(theta1 + np.pi / 4, np.pi / 2) - np.pi / 4)
    from_edge = np.abs(np.mod(theta2, np.pi) - np.pi / 2)
    off = np.mean((from_direction >= _OFF1) & (from_edge >= _OFF2)) / _OFF_PART
    covered = min(circle_coverage(angle, ARCS) for angle in (2 * theta1, theta2))
    return OnBottle(float(near.mean()), float(off), covered)


def known_shape(bottle: OnBottle, test: CircleTest, degree: int | None) -> str:
    """Return the known shape that the filters of a cloud with a loop lie on, the first that applies.

    Parameters
    ----------
    bottle : OnBottle
    test : CircleTest
        Of the same filters.
    degree : int or None
        How often the loop of the longest bar winds round the primary circle.

    Returns
    -------
    str
        ``Klein bottle``: most filters lie near it, also off the three circles, over both angles. ``three circles``:
        most lie near the bottle, few off the circles, some along each. ``primary circle``: most of those near a circle
        are nearest to this one, which is covered, by more filters than by chance, and wound round once. Else
        ``undecided``.
    """
    coverage, nearest = test.found.coverage(), test.found.counts()
    if bottle.near >= MOST and bottle.off >= MANY_OFF and bottle.covered >= COVERED:
        return KLEIN_BOTTLE
    if bottle.near >= MOST and bottle.off <= FEW_OFF and coverage[:3].min() >= EACH_CIRCLE:
        return THREE_CIRCLES
    mainly = bottle.off <= FEW_OFF and nearest[0] >= MAINLY * nearest.sum()
    if mainly and coverage[0] >= COVERED and test.p_permuted[0] <= CHANCE and degree == 1:
        return PRIMARY
    return UNDECIDED
