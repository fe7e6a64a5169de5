"""How much of what lies near the named circles is chance: the layer's filters with the entries of each shuffled.

A shuffle keeps the nine values of a filter and destroys their places, and with them any edge or line. All filters of
the layer are shuffled and pass the same rho(k, p): it keeps clumps, so that the number of filters near a circle varies
much more from draw to draw than among shuffles of the filters once kept, which at level 0.05 called pure noise edges in
18 of 100 clouds of 6,400 filters. Of filters drawn from the sphere, whatever rho(k, p) keeps of them, each is uniform
on it by symmetry: one expected part per circle.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from cnn_topology.statistics.nulls import Centre, NullDraws, sphere_null_cloud
from cnn_topology.statistics.significance import rank_p_value
from cnn_topology.topology.circles import NearCircles, near_circles
from cnn_topology.topology.klein import NEAR

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
        Means over draws of the permuted null of the number of filters nearest to each circle, and of the part of it
        they cover.
    sphere : ndarray, shape (circles,)
        Expected number of as many filters drawn from the sphere.
    p_permuted : ndarray, shape (circles,)
        Rank of the number found among those of the permuted null.
    draws : int
        Of the permuted null. With none, what it would give is NaN.
    """

    found: NearCircles
    permuted: Float[np.ndarray, " circles"]
    permuted_coverage: Float[np.ndarray, " circles"]
    sphere: Float[np.ndarray, " circles"]
    p_permuted: Float[np.ndarray, " circles"]
    draws: int


def circle_test(points: Float[np.ndarray, "points 9"], null: NullDraws | None, centre: Centre = "filter") -> CircleTest:
    """Count the filters near each named circle and compare with the permuted null.

    Parameters
    ----------
    points : ndarray, shape (points, 9)
        Filters that the density filter keeps, normalized.
    null : NullDraws or None
        Of the permuted null under the same density filter, with the filters near circles counted; None of a cloud with
        too few points for a test.
    centre : {'filter', 'coordinate'}
        How the layer's filters were centred: by coordinate they lie on the whole 8-sphere.

    Returns
    -------
    CircleTest
    """
    found = near_circles(points)
    expected = len(points) * sphere_parts(centre)
    if null is None:
        unknown = np.full(len(expected), np.nan)
        return CircleTest(found, unknown, unknown, expected, unknown, draws=0)
    assert null.near is not None
    assert null.coverage is not None
    ranks = [rank_p_value(float(count), drawn) for count, drawn in zip(found.counts(), null.near.T, strict=True)]
    return CircleTest(found, null.near.mean(axis=0), null.coverage.mean(axis=0), expected, np.array(ranks), len(null))


@lru_cache
def sphere_parts(centre: Centre = "filter", near: float = NEAR) -> Float[np.ndarray, " circles"]:
    """Give the part of the sphere that lies within `near` of each circle and nearest to it."""
    drawn = sphere_null_cloud(SPHERE_FILTERS, np.random.default_rng(SPHERE_SEED), centre)
    return near_circles(drawn, near).counts() / SPHERE_FILTERS
