"""Clustering of the points of one cube: single linkage by the first gap, and DBSCAN.

The weights paper used the single linkage of Ayasdi's software, whose rule for the cut is not published; `FirstGap` is
that of giotto-tda's FirstSimpleGap and a variant of it. The activations paper used DBSCAN. Time grows with the square
of the points of a cube, memory linearly.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.checks import real, set_fields, whole
from cnn_topology.errors import InputError
from cnn_topology.mapper.kernels import visit
from cnn_topology.mapper.neighbourhoods import BLOCK, density_clusters

# Heights are distances in float64; a difference of two is known to about this part of the largest.
ROUNDING_OF_HEIGHTS = 1e-12


@dataclass(frozen=True)
class FirstGap:
    """Single linkage, cut below the first large gap between merges.

    Let h_1 <= ... <= h_m be the positive heights at which the points of a cube merge. The cut lies just below the
    first h_i, i > 1, with h_i - h_(i-1) >= fraction * h_m; where there is none the cube is one cluster. Points that
    coincide merge at height 0, so duplicates change nothing.

    giotto-tda also counts h_1 - 0 as a gap (`from_zero`). In nine dimensions lengths concentrate and h_1 alone often
    passes the threshold: of the 1,920 densest of 6,400 synthetic filters around the primary circle that cut leaves
    301 components and no loop at (30, 3), the default one component and one loop.

    Attributes
    ----------
    fraction : float
        Of the range of heights from 0 to the last, in (0, 1]. The default is that of giotto-tda.
    from_zero : bool
        Count the gap from 0 to the first positive height. Two distinct points alone in a cube then always stay apart.
    min_samples : int
        Cubes with fewer points are skipped.
    """

    fraction: float = 0.3
    from_zero: bool = False
    min_samples: int = 1

    def __post_init__(self) -> None:
        fraction = real(self.fraction, "fraction")
        if not 0 < fraction <= 1:
            raise InputError(f"fraction = {self.fraction} of the height range must lie in (0, 1]")
        set_fields(self, fraction=fraction, min_samples=whole(self.min_samples, "min_samples", 1))


@dataclass(frozen=True)
class Dbscan:
    """DBSCAN as in scikit-learn; its noise is in no cluster. With min_samples = 1 it is single linkage, cut at eps.

    A border point within eps of core points of two clusters goes to the one whose first core point comes first, so
    that the order of points matters to it, and to it alone.

    Attributes
    ----------
    eps : float
        Euclidean distance in the metric of the graph.
    min_samples : int
        Points within eps, itself included, that make a point a core point; cubes with fewer points are skipped.
    """

    eps: float
    min_samples: int = 5

    def __post_init__(self) -> None:
        eps = real(self.eps, "eps")
        if not 0 < eps < np.inf:
            raise InputError(f"eps = {self.eps} must be a positive distance in the metric of the graph")
        set_fields(self, eps=eps, min_samples=whole(self.min_samples, "min_samples", 1))


Clustering = FirstGap | Dbscan


def cluster(points: Float[np.ndarray, "points coordinates"], clustering: Clustering) -> Int[np.ndarray, " points"]:
    """Cluster the points of one cube.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        At least one.
    clustering : FirstGap or Dbscan

    Returns
    -------
    ndarray of int64, shape (points,)
        Number of the cluster, from 0 in the order of first (core) members; -1 for noise.
    """
    if isinstance(clustering, Dbscan):
        return density_clusters(points, clustering.eps, clustering.min_samples)
    order, heights = single_linkage(points)
    run = np.empty(len(points), dtype=np.int64)
    run[order] = np.cumsum(heights >= _first_gap(heights, clustering))
    _, first, label = np.unique(run, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[label]


def single_linkage(
    points: Float[np.ndarray, "points coordinates"],
) -> tuple[Int[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Order the points so that the clusters of single linkage at any height are runs of that order.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)

    Returns
    -------
    order : ndarray of int64, shape (points,)
        As Prim's algorithm visits them.
    heights : ndarray of float64, shape (points,)
        The height at which point ``order[i]`` merges with those before it, 0 for the first: the clusters at height h
        are what is left together when the order is cut before each point whose height is above h.
    """
    order, squared = np.empty(len(points), dtype=np.int64), np.empty(len(points))
    # A copy, since the kernel reorders it.
    visit(np.array(points.T, dtype=np.float64, order="C"), order, squared)
    return order, np.sqrt(squared)


def _first_gap(heights: np.ndarray, clustering: FirstGap) -> float:
    """Find the height above the first gap (see `FirstGap`); infinite where there is none."""
    positive = np.sort(heights[heights > 0])
    if not len(positive):
        return np.inf
    before = 0.0 if clustering.from_zero else positive[0]
    # A gap of just this size counts, also where rounding leaves it a little below.
    least = clustering.fraction * positive[-1] * (1 - ROUNDING_OF_HEIGHTS)
    gaps = np.flatnonzero(np.diff(positive, prepend=before) >= least)
    return float(positive[gaps[0]]) if len(gaps) else np.inf


def cluster_bytes(points: int, coordinates: int, clustering: Clustering) -> int:
    """Forecast the bytes that clustering one cube takes beyond its points.

    Parameters
    ----------
    points, coordinates : int
        Size of the cube.
    clustering : FirstGap or Dbscan

    Returns
    -------
    int
    """
    if isinstance(clustering, Dbscan):
        # Centred twice (as given and in float32), the block of products, and a few columns.
        return 12 * points * coordinates + 4 * max(BLOCK, points) + 60 * points
    return points * (16 * coordinates + 120)
