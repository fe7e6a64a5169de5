"""How much of what lies near the named circles is chance: the layer's filters with the entries of each shuffled.

A shuffle keeps the values of a filter and destroys their places, and with them any edge or line. All filters of
the layer are shuffled and pass the same rho(k, p): it keeps clumps, so that the number of filters near a circle varies
much more from draw to draw than among shuffles of the filters once kept, which at level 0.05 called pure noise edges in
18 of 100 clouds of 6,400 filters. Of filters drawn from the sphere, whatever rho(k, p) keeps of them, each is uniform
on it by symmetry: one expected part per circle.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import real, whole
from cnn_topology.clouds.density import neighbour_count
from cnn_topology.clouds.filters import layer_filters
from cnn_topology.plan.clouds import Centre, Filtering
from cnn_topology.statistics.null_clouds import sphere_null_cloud
from cnn_topology.statistics.nulls import CloudName, NullDraws, checked_name, draws_of_null, filtered_clouds
from cnn_topology.statistics.significance import rank_p_value
from cnn_topology.topology.circles import CIRCLES, NearCircles, near_circles

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

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the circles, in the order of all arrays."""
        return CIRCLES


def circles(
    filters: np.ndarray,
    k: int | float = 0.03125,
    p: float = 0.3,
    *,
    draws: int = 199,
    seed: int = 0,
    centre: Centre = "filter",
    cloud: CloudName = ("", "", 0),
) -> CircleTest:
    """Count the filters of a layer near the four named circles of patches, and compare with chance, as a run does.

    The circles are those of edges (primary), of the three-circle model (secondary vertical and horizontal) and of
    lines (quadratic). The filters are centred and normalized, and rho(k, p) keeps the densest of them. Chance is the
    permuted null: the layer's filters with the entries of each shuffled, through the same steps.

    Parameters
    ----------
    filters : ndarray, shape (out, in, k, k) or (points, k^2)
        As for `loops`.
    k : int or float
        Neighbour of the density filter: a count, or, as a float between 0 and 1, a share of the filters.
    p : float
        Fraction of the filters that the density filter keeps, in (0, 1].
    draws : int
        Shuffles of the layer; the smallest p-value is 1 / (draws + 1).
    seed : int
        Seed of the shuffles. The result is the same for the same seed and `cloud`.
    centre : {'filter', 'coordinate'}
        As for `loops`.
    cloud : tuple of (str, str, int)
        Population, layer and step of a run. With these, and the run's `seed`, the numbers are those of the run's rows
        in the table `circles`.

    Returns
    -------
    CircleTest
        Four values each, in the order of `names`: `found.counts()` filters lie nearest to a circle and within 0.5 of
        it, `permuted` is their mean over shuffles, `p_permuted` the p-value; `found.coverage()` is the part of the
        circle they cover. A cloud too small for a test (see `loops`) has NaN for what shuffles would give.

    Raises
    ------
    InputError
        If the filters have another shape or NaN or infinite entries, or a parameter is out of its range.

    Notes
    -----
    The circles: weights paper, three-circle model and Klein bottle. The test is ours.

    Examples
    --------
    200 noisy edges in all directions among 400 random filters. Of the 180 that the density filter keeps most lie near
    the primary circle, in every direction; of a shuffled layer two do in the mean.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.tile([-1, 0, 1], 3), np.repeat([-1, 0, 1], 3)
    >>> angle = rng.uniform(0, 2 * np.pi, 200)
    >>> edges = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y)
    >>> filters = rng.standard_normal((600, 9))
    >>> filters[:200] = edges + 0.2 * filters[:200]
    >>> test = ct.circles(filters, k=20, p=0.3, draws=99)
    >>> test.names
    ('primary', 'secondary vertical', 'secondary horizontal', 'quadratic')
    >>> int(test.found.counts()[0]), round(float(test.permuted[0])), round(float(test.p_permuted[0]), 2)
    (159, 2, 0.01)
    >>> float(test.found.coverage()[0])
    1.0
    """
    layer, seed, cloud = layer_filters(filters, centre), whole(seed, "seed"), checked_name(cloud)
    points = layer.points
    filtering = Filtering(k=neighbour_count(k, p, len(points)), p=real(p, "p"))
    kept = filtered_clouds(points, [filtering])[0]
    null = None
    if not filtering.untested(len(points)):
        count = whole(draws, "draws", 1)
        null = draws_of_null("permuted", layer, [filtering], count, seed, cloud, [filtering])[filtering]
    return circle_test(kept, null, centre)


def circle_test(
    points: Float[np.ndarray, "points entries"], null: NullDraws | None, centre: Centre = "filter"
) -> CircleTest:
    """Count the filters near each named circle and compare with the permuted null.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Filters that the density filter keeps, normalized.
    null : NullDraws or None
        Of the permuted null under the same density filter, with the filters near circles counted; None of a cloud with
        too few points for a test.
    centre : {'filter', 'coordinate'}
        How the layer's filters were centred: by coordinate they lie on the whole sphere.

    Returns
    -------
    CircleTest
    """
    found = near_circles(points)
    expected = len(points) * sphere_parts(centre, points.shape[1])
    if null is None:
        unknown = np.full(len(expected), np.nan)
        return CircleTest(found, unknown, unknown, expected, unknown, draws=0)
    assert null.near is not None
    assert null.coverage is not None
    ranks = [rank_p_value(float(count), drawn) for count, drawn in zip(found.counts(), null.near.T, strict=True)]
    return CircleTest(found, null.near.mean(axis=0), null.coverage.mean(axis=0), expected, np.array(ranks), len(null))


@lru_cache
def sphere_parts(centre: Centre = "filter", entries: int = 9) -> Float[np.ndarray, " circles"]:
    """Compute the part of the sphere that lies near each circle and nearest to it, as `near_circles` counts.

    Parameters
    ----------
    centre : {'filter', 'coordinate'}
        How filters are centred: by filter they have mean 0, by coordinate not.
    entries : int
        Of a filter: 9 of 3x3 kernels.

    Returns
    -------
    ndarray, shape (circles,)
        In the order of `CIRCLES`, by simulation of `SPHERE_FILTERS` filters.
    """
    drawn = sphere_null_cloud(SPHERE_FILTERS, np.random.default_rng(SPHERE_SEED), centre, entries)
    return near_circles(drawn).counts() / SPHERE_FILTERS
