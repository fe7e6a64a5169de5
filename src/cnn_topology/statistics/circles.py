"""How much of what lies near the named circles is chance: the same filters with the entries of each shuffled.

A shuffle keeps the nine values of a filter and destroys their places, and with them any edge or line. Of filters drawn
from the sphere, whatever rho(k, p) keeps of them, each is uniform on it by symmetry: one constant per circle.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from cnn_topology.statistics.significance import rank_p_value
from cnn_topology.topology.circles import CIRCLES, NearCircles, near_circles
from cnn_topology.topology.klein import NEAR
from cnn_topology.topology.patches import random_filters

# Shuffles of a cloud: p-values down to 0.01.
SHUFFLES = 99

# Filters drawn from the sphere: of the part near a circle, one or two hundredths, a few per cent are left uncertain.
SPHERE_FILTERS = 100_000
SPHERE_SEED = 2018


@dataclass(frozen=True)
class CircleTest:
    """Filters near each circle against chance, in the order of `CIRCLES`.

    Attributes
    ----------
    found : NearCircles
    permuted, permuted_coverage : ndarray, shape (circles,)
        Means over shuffles of the number of filters nearest to each circle, and of the part of it they cover.
    sphere : ndarray, shape (circles,)
        Expected number of as many filters drawn from the sphere.
    p_permuted : ndarray, shape (circles,)
        Rank of the number found among those of the shuffles.
    """

    found: NearCircles
    permuted: Float[np.ndarray, " circles"]
    permuted_coverage: Float[np.ndarray, " circles"]
    sphere: Float[np.ndarray, " circles"]
    p_permuted: Float[np.ndarray, " circles"]


def circle_test(
    points: Float[np.ndarray, "points 9"], rng: np.random.Generator, near: float = NEAR, shuffles: int = SHUFFLES
) -> CircleTest:
    """Count the filters near each named circle and compare with shuffled filters.

    Parameters
    ----------
    points : ndarray, shape (points, 9)
        Filters that the density filter keeps: mean-centred, of unit norm.
    rng : numpy.random.Generator
        Of the shuffles.
    near : float
        Greatest residual of a filter near a circle.
    shuffles : int
    """
    found = near_circles(points, near)
    counts, coverage = np.empty((shuffles, len(CIRCLES))), np.empty((shuffles, len(CIRCLES)))
    for draw in range(shuffles):
        shuffled = near_circles(rng.permuted(points, axis=1), near)
        counts[draw], coverage[draw] = shuffled.counts(), shuffled.coverage()
    ranks = [rank_p_value(float(count), null) for count, null in zip(found.counts(), counts.T, strict=True)]
    return CircleTest(
        found, counts.mean(axis=0), coverage.mean(axis=0), len(points) * sphere_parts(near), np.array(ranks)
    )


@lru_cache
def sphere_parts(near: float) -> Float[np.ndarray, " circles"]:
    """Give the part of the sphere that lies within `near` of each circle and nearest to it."""
    drawn = random_filters(SPHERE_FILTERS, np.random.default_rng(SPHERE_SEED))
    return near_circles(drawn, near).counts() / SPHERE_FILTERS
