"""Representatives of one H1 bar: a cocycle on the edges, and a loop through the points.

A cocycle is what circular coordinates are computed from (de Silva, Morozov, Vejdemo-Johansson, *Persistent cohomology
and circular coordinates*, 2011); a loop is what one draws. The loop of a bar is its first edge, closed by a shortest
path among the edges before it; the cocycle of the bar takes the value 1 or -1 on it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_topology.checks import real, whole
from cnn_topology.errors import InputError
from cnn_topology.topology.filtration import checked_threshold
from cnn_topology.topology.forecasting import LOOP_BYTES, check_free
from cnn_topology.topology.persistence import filtration_lengths

if TYPE_CHECKING:
    from cnn_topology.topology.annotation_kernels import State


# Bytes per edge before the bar that the shortest path takes (measured: 56), and per edge of a cocycle.
EDGE_BYTES, COCYCLE_BYTES = 60, 48


@dataclass(frozen=True)
class Cocycle:
    """A cocycle that represents a bar at one scale.

    Attributes
    ----------
    edges : ndarray of int64, shape (edges, 2)
        The edges i < j on which it is not zero.
    values : ndarray of int64, shape (edges,)
        Its value from i to j: 1, or -1 over Z/3; from j to i it is the opposite.
    birth, death : float
        The bar, as diameters.
    scale : float
        It is a cocycle of the complex of all edges up to this length.
    field : int
    """

    edges: np.ndarray
    values: np.ndarray
    birth: float
    death: float
    scale: float
    field: int


@dataclass(frozen=True)
class Loop:
    """A closed path in the class that a bar gives birth to: points in order, the last joined to the first."""

    vertices: np.ndarray
    birth: float
    death: float


def representative_cocycle(
    points: Any = None,
    *,
    distances: Any = None,
    rank: int = 0,
    scale: float | None = None,
    field: int = 2,
    threshold: float = np.inf,
) -> Cocycle:
    """Compute a cocycle of the bar of dimension 1 with a given rank.

    Parameters
    ----------
    points, distances, threshold
        As for `cnn_topology.topology.persistence.barcode`.
    rank : int
        0 for the most persistent bar, as `Barcode.in_dimension` orders them.
    scale : float, optional
        Longest edge of the complex the cocycle is defined on, from the birth to below the death of the bar. Default:
        all edges shorter than the death.
    field : {2, 3}

    Returns
    -------
    Cocycle

    Raises
    ------
    InputError
        If there are not so many bars, or the scale lies outside the bar; otherwise as `barcode`.
    """
    from cnn_topology.topology import annotation_kernels as kernels
    from cnn_topology.topology.annotations import annotated

    rank, field, limit = whole(rank, "rank", 0), _checked_field(field), checked_threshold(threshold)
    lengths, count, _ = filtration_lengths(points, distances, beside=LOOP_BYTES)
    what, birth, death, _ = _chosen_bar(annotated(lengths.copy(), count, field, limit, bars_only=True), rank)
    # The last length before the death, or the last of all: infinite ones are no edges.
    last = float(np.nextafter(np.float32(death), np.float32(0)))
    at = min(last, limit) if scale is None else float(np.float32(real(scale, "scale")))
    if not birth <= at < death:
        raise InputError(f"scale must lie in the bar [{birth}, {death}); got {scale}")
    # Edges enter in the same order, so the class has the same number as before.
    state = annotated(lengths, count, field, min(at, limit))
    size = kernels.support(state, what, count, np.empty((0, 3), dtype=np.int64))
    check_free(COCYCLE_BYTES * size, f"a cocycle of {size} edges")
    ends_and_values = np.empty((size, 3), dtype=np.int64)
    kernels.support(state, what, count, ends_and_values)
    return Cocycle(ends_and_values[:, :2].copy(), ends_and_values[:, 2].copy(), birth, death, at, field)


def representative_loop(
    points: Any = None, *, distances: Any = None, rank: int = 0, field: int = 2, threshold: float = np.inf
) -> Loop:
    """Find a loop of the bar of dimension 1 with a given rank.

    Parameters
    ----------
    points, distances, rank, field, threshold
        As for `representative_cocycle`.

    Returns
    -------
    Loop
        Points in order, the last joined to the first.

    Raises
    ------
    InputError
        If there are not so many bars; otherwise as `barcode`.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    from cnn_topology.topology.annotations import annotated

    rank, field, limit = whole(rank, "rank", 0), _checked_field(field), checked_threshold(threshold)
    lengths, count, _ = filtration_lengths(points, distances, beside=LOOP_BYTES)
    _, birth, death, (start, end) = _chosen_bar(annotated(lengths.copy(), count, field, limit, bars_only=True), rank)
    # Place of each row's first pair among all; of edges of one length the one that stands first enters first.
    first = np.concatenate([[0], np.cumsum(np.arange(count - 1, 1, -1))])
    last = first[start] + end - start - 1
    earlier = lengths < birth
    earlier[:last] |= lengths[:last] == birth
    edges = int(np.count_nonzero(earlier))
    check_free(EDGE_BYTES * edges, f"the search for a loop among {edges} edges")
    places = np.flatnonzero(earlier)
    row = np.searchsorted(first, places, side="right") - 1
    column = places - first[row] + row + 1
    # A stored zero would be no edge: duplicates are joined by the least positive length.
    weight = np.maximum(lengths[places].astype(np.float64), np.finfo(np.float64).tiny)
    graph = coo_matrix((weight, (row, column)), shape=(count, count)).tocsr()
    _, previous = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    path = [end]
    while path[-1] != start:
        path.append(int(previous[path[-1]]))
    return Loop(np.array(path[::-1], dtype=np.int64), birth, death)


def _checked_field(field: int) -> int:
    number = whole(field, "field", 2)
    if number not in (2, 3):
        raise InputError(f"cocycles are computed over Z/2 and Z/3; got field={field}")
    return number


def _chosen_bar(state: "State", rank: int) -> tuple[int, float, float, tuple[int, int]]:
    from cnn_topology.topology.annotation_kernels import CLASSES

    count = int(state.counters[CLASSES])
    birth, death = state.birth[:count].astype(np.float64), state.death[:count].astype(np.float64)
    bars = np.flatnonzero(birth < death)
    if not 0 <= rank < len(bars):
        raise InputError(f"rank must be below the number of bars in dimension 1; got {rank} of {len(bars)}")
    order = np.lexsort((birth[bars], birth[bars] - death[bars]))
    what = int(bars[order[rank]])
    pair = int(state.birth_pair[what])
    return what, float(birth[what]), float(death[what]), (pair >> 16, pair & 0xFFFF)
