"""Exact persistence of H0 and H1 over Z/2 and Z/3 by edge annotations, without storing a triangle.

Annotations (Boissonnat, Dey, Maria, *The compressed annotation matrix*, Algorithmica 2015) carry persistent cohomology
(de Silva, Morozov, Vejdemo-Johansson 2011) on the edges: every edge holds the vector of its values under a basis of
the live 1-cocycles. Edges enter by length. An edge without common neighbours merges two components or gives birth to a
class; otherwise a first common neighbour fixes its vector by the cocycle condition, and every further one whose
triangle breaks the condition ends the youngest class in the difference.

Two facts make this fast on a Rips filtration. (1) If k and l are common neighbours of i and j and are joined
themselves, the triangles ikl and jkl hold already, so ijk and ijl agree: only a dominating set of the common neighbours
must be looked at, found on rows of bits (one AND NOT of a row per member). (2) Equal vectors share an id, so that two
triangles are compared by one look-up; vectors are compared entry by entry when an id is given and no random signature
is involved. The result is exact: there is no collision probability.

Memory: 4 bytes per pair (the length of an edge until it enters, then its value), one bit per ordered pair, and one
block of sorted edges.
"""

from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from cnn_topology.topology.filtration import MOST_POINTS

if TYPE_CHECKING:
    from cnn_topology.topology.annotation_kernels import State

# Edges are sorted in blocks of at least this many (8 bytes each), or of this share of all pairs.
LEAST_BLOCK = 1 << 19
BLOCKS = 16
BINS = 1 << 14


def annotation_bars(
    lengths: np.ndarray, points: int, max_dimension: int, field: int, threshold: float, threads: int = 1
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
    threads : int

    Returns
    -------
    dimension, birth, death : ndarray, shape (bars,)
    """
    state = annotated(lengths, points, field, threshold, threads)
    merged = state.merged[: points - _components(state, points)].astype(np.float64)
    merged = merged[merged > 0]
    essential = _components(state, points)
    count = state.counters[_k().CLASSES]
    birth, death = state.birth[:count].astype(np.float64), state.death[:count].astype(np.float64)
    keep = birth < death
    if max_dimension == 0:
        keep[:] = False
    birth, death = birth[keep], death[keep]
    zero = len(merged) + essential
    return (
        np.repeat(np.array([0, 1], dtype=np.int8), [zero, len(birth)]),
        np.concatenate([np.zeros(zero), birth]),
        np.concatenate([merged, np.full(essential, np.inf), death]),
    )


def _k() -> ModuleType:
    from cnn_topology.topology import annotation_kernels

    return annotation_kernels


def _components(state: "State", points: int) -> int:
    return points - int(state.counters[_k().MERGES])


def annotated(lengths: np.ndarray, points: int, field: int, threshold: float, threads: int = 1) -> "State":
    """Walk the edges of the filtration and return the state at its end; parameters as `annotation_bars`."""
    from cnn_topology.topology import annotation_kernels as kernels
    from cnn_topology.topology import edge_kernels

    assert points <= MOST_POINTS
    entry = lengths.view(np.uint32)
    state = _new_state(kernels, entry, points)
    if points < 2:
        return state
    limit = np.float32(min(threshold, edge_kernels.farthest(lengths, points).min()))
    if not np.isfinite(limit):
        limit = np.float32(np.finfo(np.float32).max)
    if limit > threshold:
        limit = np.nextafter(limit, np.float32(-np.inf))
    if limit < 0:
        return state
    entry |= kernels.UNREAD
    low, high = int(entry.min()), int(np.float32(limit).view(np.uint32) | kernels.UNREAD)
    if low > high:
        return state
    shift = max(0, (high - low).bit_length() - 14)
    counts = np.zeros(BINS, dtype=np.int64)
    edge_kernels.histogram(entry, np.uint32(low), np.uint32(high), np.uint32(shift), counts)
    capacity = max(LEAST_BLOCK, len(entry) // BLOCKS)
    for first, last, total in _blocks(counts, capacity):
        edges = np.empty(total, dtype=np.uint64)
        begin, end = low + (first << shift), min(high, low + (last << shift) - 1)
        got = edge_kernels.gather(entry, points, np.uint32(begin), np.uint32(end), edges)
        assert got == total, (got, total)
        edges.sort()
        done = 0
        while done < total:
            done = kernels.walk(state, edges, done, total, points, field)
            if done < total:
                state = _larger(kernels, state)
    return state


def _blocks(counts: np.ndarray, capacity: int) -> Iterator[tuple[int, int, int]]:
    first = total = 0
    for b, count in enumerate(counts):
        if total and total + count > capacity:
            yield first, b, total
            first, total = b, 0
        total += int(count)
    if total:
        yield first, len(counts), total


def _new_state(kernels: ModuleType, entry: np.ndarray, points: int) -> "State":
    ids, classes, words, nodes, table = 1 << 10, 1 << 10, 1 << 12, 1 << 12, 1 << 12
    counters = np.zeros(kernels.COUNTERS, dtype=np.int64)
    counters[kernels.IDS] = 1
    counters[kernels.FREE] = -1
    return kernels.State(
        entry=entry,
        adjacency=np.zeros((points, (points + 63) // 64), dtype=np.uint64),
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
        sum_key=np.zeros(kernels.SUM_CACHE, dtype=np.uint64),
        sum_value=np.zeros(kernels.SUM_CACHE, dtype=np.uint32),
        birth=np.zeros(classes, dtype=np.float32),
        death=np.zeros(classes, dtype=np.float32),
        birth_pair=np.zeros(classes, dtype=np.uint32),
    )


def _larger(kernels: ModuleType, state: "State") -> "State":
    c = state.counters
    live_ids, live_words = kernels.measured(state)
    need_words, need_nodes, need_ids = (int(c[x]) for x in (kernels.NEED_WORDS, kernels.NEED_NODES, kernels.NEED_IDS))

    def grown(array: np.ndarray, size: int) -> np.ndarray:
        out = np.zeros(max(size, len(array)), dtype=array.dtype)
        out[: len(array)] = array
        return out

    ids = int(c[kernels.IDS]) * 2
    classes = int(c[kernels.CLASSES]) * 2
    words = max(len(state.words), 2 * live_words + 2 * need_words + int(c[kernels.LIVE]) + 64)
    nodes = max(len(state.node_id), 2 * live_words + 2 * need_nodes + int(c[kernels.LIVE]) + 64)
    table = len(state.table)
    while table < 4 * (live_ids + need_ids + 2):
        table *= 2
    counters = c.copy()
    counters[[kernels.WORDS, kernels.NODES, kernels.FILLED]] = 0
    counters[kernels.FREE] = -1
    counters[[kernels.NEED_WORDS, kernels.NEED_NODES, kernels.NEED_IDS]] = 0
    target = state._replace(
        counters=counters,
        forward=grown(state.forward, ids),
        start=grown(state.start, ids),
        size=grown(state.size, ids),
        code=grown(state.code, ids),
        words=np.zeros(words, dtype=np.int32),
        head=np.full(max(len(state.head), classes), -1, dtype=np.int32),
        node_id=np.zeros(nodes, dtype=np.int32),
        node_next=np.zeros(nodes, dtype=np.int32),
        table=np.zeros(table, dtype=np.int32),
        birth=grown(state.birth, classes),
        death=grown(state.death, classes),
        birth_pair=grown(state.birth_pair, classes),
    )
    kernels.repacked(state, target)
    return target
