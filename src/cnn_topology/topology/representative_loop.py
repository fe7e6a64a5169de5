"""The loop of an H1 bar through the points: its first edge, closed by a shortest path among the edges before it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_topology.checks import whole
from cnn_topology.errors import InputError
from cnn_topology.topology.distances import condensed_position
from cnn_topology.topology.forecasting import LOOP_BYTES, check_free
from cnn_topology.topology.persistence import filtration_lengths

# Bytes per edge before the bar that the shortest path takes (measured: 56).
EDGE_BYTES = 60


@dataclass(frozen=True)
class Loop:
    """A closed path in the class that a bar gives birth to: points in order, the last joined to the first."""

    vertices: np.ndarray
    birth: float
    death: float


def representative_loop(points: Any = None, *, distances: Any = None, rank: int = 0) -> Loop:
    """Find a loop of the bar of dimension 1 over Z/2 with a given rank.

    Parameters
    ----------
    points, distances
        As for `cnn_topology.topology.persistence.barcode`.
    rank : int
        0 for the most persistent bar.

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

    from cnn_topology.topology.annotation_kernels import CLASSES
    from cnn_topology.topology.annotations import annotated

    lengths, count, *_ = filtration_lengths(points, distances, beside=LOOP_BYTES)
    state = annotated(lengths.copy(), count, 2, float("inf"))
    births, deaths = (ends[: state.counters[CLASSES]].astype(np.float64) for ends in (state.birth, state.death))
    classes = np.flatnonzero(births < deaths)
    if not 0 <= (number := whole(rank, "rank")) < len(classes):
        raise InputError(f"rank must be below the number of bars in dimension 1; got {rank} of {len(classes)}")
    # The most persistent first, as `Barcode.in_dimension` orders them.
    chosen = classes[np.lexsort((births[classes], births[classes] - deaths[classes]))[number]]
    birth, death = float(births[chosen]), float(deaths[chosen])
    start, end = divmod(int(state.birth_pair[chosen]), 1 << 16)
    last = condensed_position(start, end, count)  # of edges of one length the one that stands first enters first
    earlier = lengths < birth
    earlier[:last] |= lengths[:last] == birth
    edges = int(np.count_nonzero(earlier))
    check_free(EDGE_BYTES * edges, f"the search for a loop among {edges} edges")
    places = np.flatnonzero(earlier)
    first = np.concatenate([[0], np.cumsum(np.arange(count - 1, 1, -1))])
    row = np.searchsorted(first, places, side="right") - 1
    # A stored zero would be no edge: duplicates are joined by the least positive length.
    weight = np.maximum(lengths[places].astype(np.float64), np.finfo(np.float64).tiny)
    graph = coo_matrix((weight, (row, places - first[row] + row + 1)), shape=(count, count)).tocsr()
    _, previous = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    path = [end]
    while path[-1] != start:
        path.append(int(previous[path[-1]]))
    return Loop(np.array(path[::-1], dtype=np.int64), birth, death)
