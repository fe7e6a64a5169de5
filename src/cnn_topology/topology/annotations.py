"""Exact persistence of H0 and H1 over Z/2 and Z/3 by edge annotations, without storing a triangle.

Annotations (Boissonnat, Dey, Maria, *The compressed annotation matrix*, Algorithmica 2015) carry persistent cohomology
(de Silva, Morozov, Vejdemo-Johansson 2011) on the edges: every edge holds the vector of its values under a basis of
the live 1-cocycles. Edges enter by length, ties by their points. An edge without common neighbours merges two
components or gives birth to a class; otherwise a first common neighbour fixes its vector by the cocycle condition, and
every further one whose triangle breaks the condition ends the youngest class in the difference.

Four facts make this fast on a Rips filtration. (1) If k and l are common neighbours of i and j and are joined
themselves, the triangles ikl and jkl hold already, so ijk and ijl agree: only a dominating set of the common neighbours
must be looked at, found on rows of bits (one AND NOT of a row per member, and mostly one member is enough). (2) Equal
vectors share an id, so that two triangles are compared by one look-up; vectors are compared entry by entry when an id
is given, and no random signature stands for them. (3) Nine edges in ten lie where all values are zero, which rows of
bits tell too. (4) Births and merges need an edge with an empty lune: past the longest such edge the walk ends with the
last live class, and over Z/2 a few live classes are carried on as rows of bits (`plane_kernels`). The result is exact:
there is no probability of a collision.

Memory: 4 bytes per pair (the length of an edge until it enters, then its value), two to six bits per ordered pair, and
a block of edges to sort. Physical floor: two rows of bits per edge to see whether a common neighbour exists, two more
while a class is alive, over the bandwidth of the memory they lie in.

There is no version for a GPU. An edge takes some 30 to 400 ns on one core, and
the next one waits for it; to start a kernel, or to hold its blocks together once, takes microseconds. Two threads on
one cloud were slower than one. What is parallel are clouds: layers, steps and null draws are jobs of their own.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnn_topology.topology import annotation_kernels as kernels
from cnn_topology.topology import edge_kernels, lune_kernels, plane_kernels
from cnn_topology.topology.filtration import PAIRS_AT_ONCE
from cnn_topology.topology.forecasting import BLOCKS, LEAST_BLOCK, check_free

if TYPE_CHECKING:
    from cnn_topology.topology.annotation_kernels import State

# A block of edges is found from this many bins of lengths; the first has at least so many edges.
BIN_BITS, LEAST_FIRST = 14, 1 << 14
# Edges that the search for the last birth holds at once.
LEAST_DOUBTFUL = 1 << 16
# Compiled code does not hear Ctrl-C: after so many edges Python may look. They take 2 ms, or a second where thousands
# of loops live at once; to begin anew takes 6 microseconds.
EDGES_AT_ONCE = 1 << 12
# Over Z/2 so many live classes are carried on as rows of bits.
MOST_PLANES = 4


def annotation_bars(
    lengths: np.ndarray, points: int, max_dimension: int, field: int, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the bars in dimensions 0 and 1.

    Parameters
    ----------
    lengths : ndarray of float32, shape (points (points-1)/2,)
        Condensed lengths, overwritten.
    points : int
    max_dimension : {0, 1}
    field : {2, 3}
    threshold : float
        Longest edge of the filtration, a float32 number.

    Returns
    -------
    dimension, birth, death : ndarray, shape (bars,)
    """
    return bars_of(annotated(lengths, points, field, threshold), points, max_dimension)


def bars_of(state: "State", points: int, max_dimension: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the bars from the state at the end of a walk.

    Parameters
    ----------
    state : State
    points : int
    max_dimension : {0, 1}

    Returns
    -------
    dimension, birth, death : ndarray, shape (bars,)
    """
    merges, classes = int(state.counters[kernels.MERGES]), int(state.counters[kernels.CLASSES])
    merged = state.merged[:merges].astype(np.float64)
    merged = merged[merged > 0]
    birth, death = state.birth[:classes].astype(np.float64), state.death[:classes].astype(np.float64)
    keep = (birth < death) & (max_dimension > 0)
    essential = points - merges
    zero = len(merged) + essential
    return (
        np.repeat(np.array([0, 1], dtype=np.int8), [zero, int(keep.sum())]),
        np.concatenate([np.zeros(zero), birth[keep]]),
        np.concatenate([merged, np.full(essential, np.inf), death[keep]]),
    )


def annotated(lengths: np.ndarray, points: int, field: int, threshold: float) -> "State":
    """Walk the edges of the filtration and return the state at its end; parameters as `annotation_bars`.

    Parameters
    ----------
    lengths, points, field, threshold
        As for `annotation_bars`; the lengths are overwritten.

    Returns
    -------
    State
        Of which births and deaths, and the first edge of each class, are read.
    """
    entry = lengths.view(np.uint32)
    state = _new_state(entry, points)
    limit = _longest(lengths, points, threshold)
    if limit < 0:
        return state
    final = int(np.float32(last_birth(lengths, points, limit)).view(np.uint32))
    entry |= kernels.UNREAD
    low, high = int(entry.min()), int(np.float32(limit).view(np.uint32) | kernels.UNREAD)
    if low > high:
        return state
    capacity = max(LEAST_BLOCK, len(entry) // BLOCKS, points)
    buffer = np.empty(min(capacity, len(entry)) + 1, dtype=np.uint64)
    few = MOST_PLANES if field == 2 else 0
    planes = None
    for first, last, begin, end in _blocks(entry, points, (low, high), final | int(kernels.UNREAD), capacity):
        total = edge_kernels.gather(entry, points, np.uint32(first), np.uint32(last), begin, end, buffer)
        edges = buffer[:total]
        edges.sort()  # ties by their points
        done = 0
        if planes is None:
            state, done = _walked(state, edges, points, field, np.uint64(final + 1 << 32), few)
            over = done < len(edges) or (last ^ int(kernels.UNREAD) > final and end == points - 1)
            if over and not state.counters[kernels.LIVE]:
                break
            if done < len(edges):
                planes = _Planes.of(state, points)
        if planes is not None:
            planes.finish(state, edges[done:])
            if not planes.alive.any():
                break
    return state


def annotated_graph(row: np.ndarray, column: np.ndarray, lengths: np.ndarray, points: int, field: int) -> "State":
    """Walk all edges of a sparse graph, and return the state at the end; nothing is held for other pairs but two bits.

    Parameters
    ----------
    row, column : ndarray of int64, shape (edges,)
        The ends i < j of each edge, in the order of rows, then of columns.
    lengths : ndarray of float32, shape (edges,)
        Finite.
    points : int
    field : {2, 3}

    Returns
    -------
    State
    """
    starts = np.searchsorted(row, np.arange(points + 1))
    state = _new_state(np.zeros(len(row), dtype=np.uint32), points, starts, column.astype(np.int32))
    edges = lengths.view(np.uint32).astype(np.uint64) << np.uint64(32) | (row << 16 | column).astype(np.uint64)
    edges.sort()
    return _walked(state, edges, points, field, np.uint64(2**64 - 1), 0)[0]


def last_birth(lengths: np.ndarray, points: int, limit: np.float32) -> np.float32:
    """Find the length after which no class is born and no components merge.

    Only an edge with an empty lune can do either. The longest of them is found among the edges that a few near points
    do not settle, the longest first. From there on the walk may end as soon as no class lives.

    Parameters
    ----------
    lengths : ndarray of float32, shape (pairs,)
    points : int
    limit : float32
        Longest edge of the filtration.

    Returns
    -------
    float32
        0 if there is none.
    """
    near = np.full((points, lune_kernels.NEAR), np.inf, dtype=np.float32)
    who = np.full((points, lune_kernels.NEAR), -1, dtype=np.int32)
    edges = np.empty(max(LEAST_DOUBTFUL, points), dtype=np.uint64)
    above, row = np.float32(0), 0
    while row < points - 1:
        end = min(row + max(1, PAIRS_AT_ONCE // points), points - 1)
        row, count = lune_kernels.doubtful(lengths, points, row, end, above, limit, near, who, edges)
        edges[:count].sort()
        above = lune_kernels.longest_empty(lengths, points, edges[:count], above, who)
    return above


class _Planes(NamedTuple):
    """The last live classes as rows of bits, see `plane_kernels`."""

    classes: np.ndarray
    planes: np.ndarray
    alive: np.ndarray
    death: np.ndarray

    @classmethod
    def of(cls, state: "State", points: int) -> "_Planes":
        """Take over the live classes of a state."""
        death = state.death[: int(state.counters[kernels.CLASSES])]
        classes = np.flatnonzero(np.isinf(death)).astype(np.int32)
        planes = np.zeros((len(classes), *state.adjacency.shape), dtype=np.uint64)
        kernels.fill_planes(state, points, classes, planes)
        return cls(classes, planes, np.ones(len(classes), dtype=bool), np.zeros(len(classes), dtype=np.uint32))

    def finish(self, state: "State", edges: np.ndarray) -> None:
        """Let edges enter, and note the deaths in the state."""
        for begin in range(0, len(edges), EDGES_AT_ONCE):
            part = edges[begin : begin + EDGES_AT_ONCE]
            plane_kernels.finish(state.adjacency, self.planes, part, self.alive, self.death)
            if not self.alive.any():
                break
        dead = ~self.alive
        state.death[self.classes[dead]] = self.death[dead].view(np.float32)


def _walked(
    state: "State", edges: np.ndarray, points: int, field: int, last: np.uint64, few: int
) -> tuple["State", int]:
    """Let sorted edges enter, and return how many have: not all if the walk ends, see `annotation_kernels.walk`."""
    done = 0
    while done < len(edges):
        part = edges[done : done + EDGES_AT_ONCE]
        walked = kernels.walk(state, part, points, field, last, few)
        done += walked
        if walked < len(part):
            if edges[done] >= last and state.counters[kernels.LIVE] <= few:
                break
            state = _larger(state)
    return state, done


def _longest(lengths: np.ndarray, points: int, threshold: float) -> np.float32:
    """Return the length of the last edge that matters, negative if there is none.

    From the enclosing radius on, some point is joined to all others: the complex is a cone and nothing is left to die.
    """
    if points < 2:
        return np.float32(-1)
    limit = min(edge_kernels.farthest(lengths, points).min(), np.finfo(np.float32).max)
    return min(np.float32(limit), np.float32(threshold))


def _blocks(
    entry: np.ndarray, points: int, keys: tuple[int, int], first: int, capacity: int
) -> Iterator[tuple[int, int, int, int]]:
    """Cut keys into ranges (first key, last key, first row, end of rows) of at most `capacity` edges.

    The first range ends near the key `first`, and each next one may have twice the edges. A block is made when the
    walk asks for it: entries that have become values by then lie below all keys.
    """
    low, high = keys
    shift = max(0, (high - low).bit_length() - BIN_BITS)
    counts = np.zeros(1 << BIN_BITS, dtype=np.int64)
    edge_kernels.histogram(entry, np.uint32(low), np.uint32(high), np.uint32(shift), counts)
    ends = np.cumsum(counts)
    size = max(LEAST_FIRST, int(ends[min(max(first - low, 0) >> shift, len(ends) - 1)]))
    begin = done = 0
    while done < ends[-1]:
        size = min(size, capacity)
        end = max(int(np.searchsorted(ends, done + size, side="right")), begin + 1)
        start, stop = low + (begin << shift), min(high, low + (end << shift) - 1)
        count = int(ends[end - 1]) - done
        if count > capacity and shift:
            yield from _blocks(entry, points, (start, stop), first, capacity)
        elif count > capacity:  # one length for all of them: ties go by rows
            rows = max(1, capacity // points)
            for row in range(0, points - 1, rows):
                yield start, stop, row, min(row + rows, points - 1)
        elif count:
            yield start, stop, 0, points - 1
        begin, done, size = end, done + count, 2 * max(size, count)


_NO_INDEX = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)


def _new_state(
    entry: np.ndarray,
    points: int,
    starts: np.ndarray = _NO_INDEX[0],
    columns: np.ndarray = _NO_INDEX[1],
) -> "State":
    # Noise has about two classes a point.
    ids = classes = max(1 << 8, 1 << (3 * points).bit_length())
    words = nodes = table = 4 * ids
    counters = np.zeros(kernels.COUNTERS, dtype=np.int64)
    counters[kernels.IDS] = 1
    counters[kernels.FREE] = -1
    adjacency = np.zeros((points, -(-points // 512) * 8), dtype=np.uint64)  # rows of whole cache lines
    own = np.arange(points)
    adjacency[own, own // 64] = np.uint64(1) << (own % 64).astype(np.uint64)
    return kernels.State(
        entry=entry,
        starts=starts,
        columns=columns,
        adjacency=adjacency,
        marked=np.zeros_like(adjacency),
        marks=np.zeros(points, dtype=np.int32),
        component=np.arange(points, dtype=np.int32),
        merged=np.zeros(points, dtype=np.float32),
        counters=counters,
        forward=np.zeros(ids, dtype=np.uint32),
        start=np.zeros(ids, dtype=np.int64),
        size=np.zeros(ids, dtype=np.int32),
        code=np.zeros(ids, dtype=np.uint64),
        words=np.zeros(words, dtype=np.int32),
        head=np.full(classes, -1, dtype=np.int32),
        node_id=np.zeros(nodes, dtype=np.int32),
        node_next=np.zeros(nodes, dtype=np.int32),
        table=np.zeros(table, dtype=np.int32),
        sum_key=np.zeros(1 << kernels.SUM_BITS, dtype=np.uint64),
        sum_value=np.zeros(1 << kernels.SUM_BITS, dtype=np.uint32),
        birth=np.zeros(classes, dtype=np.float32),
        death=np.zeros(classes, dtype=np.float32),
        birth_pair=np.zeros(classes, dtype=np.uint32),
    )


def _larger(state: "State") -> "State":
    """Move the vectors to arrays with room for what the next edge needs, leaving behind what is no longer used."""
    c = state.counters
    live_ids, live_words = kernels.measured(state)
    need_words, need_nodes, need_ids = (int(c[x]) for x in (kernels.NEED_WORDS, kernels.NEED_NODES, kernels.NEED_IDS))

    def grown(array: np.ndarray, size: int) -> np.ndarray:
        out = np.zeros((max(size, len(array)), *array.shape[1:]), dtype=array.dtype)
        out[: len(array)] = array
        return out

    ids = int(c[kernels.IDS]) * 2
    classes = int(c[kernels.CLASSES]) * 2
    words = max(len(state.words), 2 * live_words + 2 * need_words + int(c[kernels.LIVE]) + 64)
    nodes = max(len(state.node_id), 2 * live_words + 2 * need_nodes + int(c[kernels.LIVE]) + 64)
    table = len(state.table)
    while table < 4 * (live_ids + need_ids + 2):
        table *= 2
    check_free(4 * (words + 2 * nodes + table), f"a cloud with {int(c[kernels.LIVE])} loops alive at once")
    counters = c.copy()
    counters[[kernels.WORDS, kernels.NODES, kernels.FILLED]] = 0
    counters[kernels.FREE] = -1
    counters[[kernels.NEED_WORDS, kernels.NEED_NODES, kernels.NEED_IDS]] = 0
    sizes = dict.fromkeys(("forward", "start", "size", "code"), ids)
    sizes |= dict.fromkeys(("birth", "death", "birth_pair"), classes)
    target = state._replace(
        **{name: grown(getattr(state, name), size) for name, size in sizes.items()},
        counters=counters,
        words=np.zeros(words, dtype=np.int32),
        head=np.full(max(len(state.head), classes), -1, dtype=np.int32),
        node_id=np.zeros(nodes, dtype=np.int32),
        node_next=np.zeros(nodes, dtype=np.int32),
        table=np.zeros(table, dtype=np.int32),
    )
    kernels.repacked(state, target)
    return target
