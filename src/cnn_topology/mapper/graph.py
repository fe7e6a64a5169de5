"""The mapper graph: clusters of the points of each cube are its nodes, shared points its edges (the nerve).

Singh, Mémoli, Carlsson (2007). Clusters with the same members in different cubes stay different nodes, as in the
released code of the activations paper. Nothing compares all pairs of nodes: the nerve is a sparse product.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from cnn_topology.errors import InputError
from cnn_topology.mapper.clustering import Clustering, cluster, cluster_bytes
from cnn_topology.mapper.cover import Cover, count_memberships, memberships
from cnn_topology.mapper.lenses import checked_points

# Bytes a graph may take beyond its cloud unless the caller says otherwise.
MEMORY = 4_000_000_000

# Bytes per pair of point and cube while the cover is laid and sorted, and per edge while edges are gathered.
_BYTES_PER_MEMBERSHIP, _BYTES_PER_EDGE = 72, 48

# Pairs of nodes that one block of the sparse product may touch.
_PRODUCT = 2**23


@dataclass(frozen=True)
class MapperGraph:
    """A mapper graph.

    Attributes
    ----------
    starts : ndarray of int64, shape (nodes + 1,)
    members : ndarray of int64, shape (memberships,)
        Node v holds the points ``members[starts[v]:starts[v + 1]]``, ascending.
    cube : ndarray of int64, shape (nodes,)
        Cube of each node; nodes are ordered by it. Cubes are numbered along the last lens first.
    lens : ndarray of float64, shape (nodes, lenses)
        Mean of the lens over the members.
    edges : ndarray of int64, shape (edges, 2)
        Pairs of nodes, the smaller first, in lexicographic order.
    shared : ndarray of int64, shape (edges,)
        Points that both nodes hold, at least 1.
    points : int
        Points of the cloud.
    cubes, skipped_cubes : int
        Cubes that hold points; those of them with fewer than min_samples.
    noise : int
        Pairs of a point and a clustered cube in which DBSCAN called the point noise.
    cover, clustering : Cover, Clustering
        By which it was made.
    """

    starts: Int[np.ndarray, " nodes+1"]
    members: Int[np.ndarray, " memberships"]
    cube: Int[np.ndarray, " nodes"]
    lens: Float[np.ndarray, "nodes lenses"]
    edges: Int[np.ndarray, "edges 2"]
    shared: Int[np.ndarray, " edges"]
    points: int
    cubes: int
    skipped_cubes: int
    noise: int
    cover: Cover
    clustering: Clustering

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.cube)

    @property
    def sizes(self) -> np.ndarray:
        """Number of points in each node, shape (nodes,)."""
        return np.diff(self.starts)

    def incidence(self) -> csr_array:
        """Return the sparse matrix with 1 where the node holds the point.

        Returns
        -------
        csr_array of int32, shape (nodes, points)
        """
        return _incidence(self.starts, self.members, self.points)


def mapper_graph(
    points: Float[np.ndarray, "points coordinates"],
    lens: Float[np.ndarray, "points lenses"],
    cover: Cover,
    clustering: Clustering,
    memory: int = MEMORY,
) -> MapperGraph:
    """Build the mapper graph of a cloud.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        In coordinates whose Euclidean distance is the metric (see `variance_normalized`).
    lens : ndarray, shape (points, lenses)
    cover : GainCover or OverlapCover
    clustering : FirstGap or Dbscan
    memory : int
        Bytes the work may take beyond the cloud; a graph forecast to need more is refused before it starts.

    Returns
    -------
    MapperGraph
        Possibly without nodes: `summaries.explain` says why.

    Raises
    ------
    InputError
        If cover or clustering is none of these, points and lens do not match or are not finite, a lens has zero
        variance, or memory does not suffice.
    """
    for name, value, kinds in (("cover", cover, Cover), ("clustering", clustering, Clustering)):
        if not isinstance(value, kinds):
            names = ", ".join(kind.__name__ for kind in get_args(kinds))
            raise InputError(f"{name} = {value!r} must be one of {names}; KeplerMapper takes others")
    cloud = checked_points(points)
    values = checked_points(lens).astype(np.float64, copy=False)
    if len(values) != len(cloud):
        raise InputError(f"the lens has {len(values)} rows, the cloud {len(cloud)} points: one row per point is needed")
    expected = count_memberships(values, cover)
    _check_memory(_BYTES_PER_MEMBERSHIP * expected, memory, f"{expected} memberships of points in cubes")
    cover_of_points = memberships(values, cover)
    largest = int(np.diff(cover_of_points.starts).max())
    # What is kept of the cover, and the same again for the nodes.
    need = 16 * expected + 16 * largest * cloud.shape[1] + cluster_bytes(largest, cloud.shape[1], clustering)
    _check_memory(need, memory, f"the largest cube holds {largest} points")
    members, sizes, cube = ([np.empty(0, dtype=np.int64)] for _ in range(3))
    skipped = noise = 0
    for c, (begin, end) in enumerate(zip(cover_of_points.starts[:-1], cover_of_points.starts[1:], strict=True)):
        held = cover_of_points.members[begin:end]
        if len(held) < clustering.min_samples:
            skipped += 1
            continue
        labels = cluster(cloud[held], clustering)
        counts = np.bincount(labels + 1)  # noise first
        noise += int(counts[0])
        order = np.argsort(labels, kind="stable")
        members.append(held[order[counts[0] :]])
        sizes.append(counts[1:])
        cube.append(np.full(len(sizes[-1]), cover_of_points.cube[c]))
    held_points = np.concatenate(members)
    starts = np.append(0, np.cumsum(np.concatenate(sizes)))
    edges, shared = nerve(starts, held_points, len(cloud), memory)
    return MapperGraph(
        starts=starts,
        members=held_points,
        cube=np.concatenate(cube),
        lens=(_incidence(starts, held_points, len(cloud)) @ values) / np.diff(starts)[:, None],
        edges=edges,
        shared=shared,
        points=len(cloud),
        cubes=len(cover_of_points.cube),
        skipped_cubes=skipped,
        noise=noise,
        cover=cover,
        clustering=clustering,
    )


def nerve(
    starts: Int[np.ndarray, " nodes+1"], members: Int[np.ndarray, " memberships"], points: int, memory: int = MEMORY
) -> tuple[Int[np.ndarray, "edges 2"], Int[np.ndarray, " edges"]]:
    """Join the nodes that share points.

    Parameters
    ----------
    starts, members : ndarray of int64
        Points of each node, as in `MapperGraph`.
    points : int
        Points of the cloud.
    memory : int
        Bytes that edges may take.

    Returns
    -------
    edges : ndarray of int64, shape (edges, 2)
        The smaller node first, in lexicographic order.
    shared : ndarray of int64, shape (edges,)
        Points in both nodes.
    """
    holds = _incidence(starts, members, points)
    held_by = holds.T.tocsr()
    # Blocks of rows of the product holds @ held_by, cut so that each touches a bounded number of pairs.
    touched = np.append(0, np.cumsum(np.diff(held_by.indptr)[members]))[starts]
    pairs, shared, found, begin = [np.empty((0, 2), dtype=np.int64)], [np.empty(0, dtype=np.int64)], 0, 0
    while begin < len(starts) - 1:
        end = max(begin + 1, int(np.searchsorted(touched, touched[begin] + _PRODUCT, side="right")) - 1)
        product = (holds[begin:end] @ held_by).tocoo()
        row, column = product.coords
        later = column > row + begin
        pairs.append(np.column_stack((row[later] + begin, column[later])).astype(np.int64))
        shared.append(product.data[later].astype(np.int64))
        found += int(later.sum())
        _check_memory(_BYTES_PER_EDGE * found, memory, f"more than {found} edges", "another eps")
        begin = end
    edges, counts = np.concatenate(pairs), np.concatenate(shared)
    order = np.lexsort(edges.T[::-1])
    return edges[order], counts[order]


def _incidence(starts: np.ndarray, members: np.ndarray, points: int) -> csr_array:
    return csr_array((np.ones(len(members), dtype=np.int32), members, starts), shape=(len(starts) - 1, points))


def _check_memory(
    need: int, memory: int, why: str, remedy: str = "more intervals, less overlap or fewer points"
) -> None:
    if need > memory:
        raise InputError(
            f"the mapper graph is forecast to need {need / 1e9:.1f} GB ({why}); {memory / 1e9:.1f} GB are allowed: "
            f"{remedy}, or allow more memory"
        )
