"""The mapper graphs of the two papers, from a cloud to a graph, with each choice a parameter."""

from typing import get_args

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import real_matrix
from cnn_topology.errors import check_known
from cnn_topology.mapper.clustering import Clustering, Dbscan, FirstGap
from cnn_topology.mapper.cover import Cover, GainCover
from cnn_topology.mapper.graph import MEMORY, MapperGraph, mapper_graph
from cnn_topology.mapper.lenses import norm_lens, pca_lens
from cnn_topology.mapper.metric import variance_normalized
from cnn_topology.plan.mapper import Metric

METRICS = get_args(Metric)


def mapper_of_filters(
    points: Float[np.ndarray, "points coordinates"],
    cover: Cover = GainCover(),  # noqa: B008 (frozen)
    clustering: Clustering = FirstGap(),  # noqa: B008 (frozen)
    metric: str = "variance-normalized",
    scaled_lens: bool = False,
    memory: int = MEMORY,
) -> MapperGraph:
    """Build the mapper graph of a cloud of spatial filters as in the weights paper (method, steps 6 and 7).

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        Filters after the density filter.
    cover : GainCover or OverlapCover
    clustering : FirstGap or Dbscan
        An eps is in units of the metric.
    metric : {'variance-normalized', 'euclidean'}
    scaled_lens : bool
        Take the principal components of the cloud as the metric scales it, instead of the cloud itself.
    memory : int
        Bytes the work may take beyond the cloud; a graph forecast to need more is refused before it starts.

    Returns
    -------
    MapperGraph
        With `nodes` and `edges`, the points of each node (`starts`, `members`) and the mean of the lens in each.

    Raises
    ------
    InputError
        If the points are no matrix of finite numbers, a coordinate or the lens has zero variance, there is no such
        metric, or memory does not suffice.

    Notes
    -----
    Resolution 30, gain 3, PCA-1 and PCA-2 and the variance-normalized metric are reported by re-implementations of the
    paper; equalization, the cut of single linkage and the cloud the lens is taken from are not known: the defaults
    are ours.

    Examples
    --------
    Filters of edges in all directions with a little noise: the graph is one ring, with a hole that no clique fills.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> from cnn_topology.mapper.cover import GainCover
    >>> from cnn_topology.mapper.homology import components, filled_loops
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.tile([-1, 0, 1], 3), np.repeat([-1, 0, 1], 3)
    >>> angle = rng.uniform(0, 2 * np.pi, 600)
    >>> edges = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y) + 0.1 * rng.standard_normal((600, 9))
    >>> cloud, kept = ct.centre_and_normalize(edges)
    >>> graph = ct.mapper_graph(cloud, GainCover(resolution=10, gain=3), metric="euclidean")
    >>> graph.points, len(set(components(graph))), filled_loops(graph)
    (600, 1, 1)
    """
    check_known("mapper metric", metric, METRICS)
    scaled = variance_normalized(points) if metric == "variance-normalized" else real_matrix(points)
    lens = pca_lens(scaled if scaled_lens else points, components=2)
    return mapper_graph(scaled, lens, cover, clustering, memory)


def mapper_of_activations(
    points: Float[np.ndarray, "points channels"],
    cover: Cover,
    eps: float,
    min_samples: int = 5,
    memory: int = MEMORY,
) -> MapperGraph:
    """Build the mapper graph of a cloud of activations as in the activations paper (released code).

    Parameters
    ----------
    points : ndarray, shape (points, channels)
        In their own units: columns are not scaled.
    cover : OverlapCover or GainCover
        Of the l2 norm, scaled to [0, 1]. The released code uses 40 intervals and overlap 0.25 or 0.3.
    eps : float
        Radius of DBSCAN; the released code takes that of the elbow rule, `elbow_eps`.
    min_samples : int
        Of DBSCAN.
    memory : int
        As in `mapper_graph`.

    Returns
    -------
    MapperGraph

    Raises
    ------
    InputError
        If eps is no positive number, the points are no matrix of finite numbers, their norms do not vary, or memory
        does not suffice.
    """
    return mapper_graph(points, norm_lens(points), cover, Dbscan(eps, min_samples), memory)
