"""Representatives of H1 bars: cocycles on the edges, and loops through the points.

A cocycle is what circular coordinates are computed from (de Silva, Morozov, Vejdemo-Johansson, *Persistent cohomology
and circular coordinates*, 2011); a loop is what one draws. The loop of a bar is its first edge, closed by a shortest
path among the edges before it; the cocycle of the bar takes the value 1 or -1 on it.

All cocycles come from one walk. An edge keeps the id that it had when it entered, and the walk logs, for each class
that dies, the ids whose vectors held it, and which of them became another. The edges of a cocycle are those whose id
had become, by the death of the class, one that held it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnn_topology.checks import real, whole
from cnn_topology.errors import InputError
from cnn_topology.topology.distances import CHUNK, condensed_position
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


class Cocycles:
    """The cocycles of all bars of dimension 1 of a cloud, each computed when it is asked for; `cocycles` returns them.

    Attributes
    ----------
    bars : ndarray of float64, shape (bars, 2)
        Rows (birth, death), the most persistent first, as `Barcode.in_dimension` orders them.
    field : int
    """

    def __init__(self, state: "State", lengths: np.ndarray, points: int, field: int, limit: float) -> None:
        self.bars, self._classes = _sorted_bars(state)
        self.field = field
        self._state, self._lengths, self._points, self._limit = state, lengths, points, limit

    def __len__(self) -> int:
        return len(self.bars)

    def __iter__(self) -> Iterator[Cocycle]:
        return map(self.cocycle, range(len(self)))

    def cocycle(self, rank: int, scale: float | None = None) -> Cocycle:
        """Return the cocycle of a bar.

        Parameters
        ----------
        rank : int
            0 for the most persistent bar.
        scale : float, optional
            Longest edge of the complex the cocycle is defined on, from the birth to below the death of the bar.
            Default: all edges shorter than the death.

        Returns
        -------
        Cocycle

        Raises
        ------
        InputError
            If there are not so many bars, the scale lies outside the bar, or memory does not suffice.
        """
        rank = _checked_rank(rank, len(self))
        birth, death = map(float, self.bars[rank])
        # The last length before the death, or the last of all: infinite ones are no edges.
        last = min(float(np.nextafter(np.float32(death), np.float32(0))), self._limit)
        at = last if scale is None else float(np.float32(real(scale, "scale")))
        if not birth <= at < death:
            raise InputError(f"scale must lie in the bar [{birth}, {death}); got {scale}")
        ids, signs = self._ids(int(self._classes[rank]))
        edges = self._edges
        begin, end = edges.begin[ids], edges.begin[ids + 1]
        check_free(COCYCLE_BYTES * int((end - begin).sum()), f"a cocycle of {int((end - begin).sum())} edges")
        chosen = np.concatenate([np.arange(0), *map(np.arange, begin, end)])
        places = edges.places[chosen]
        minus = (self._state.entry[places] & 1).astype(np.int64) ^ np.repeat(signs, end - begin)
        entered = self._lengths[places] <= at
        places, minus = places[entered], minus[entered]
        order = np.argsort(places)
        pairs = np.stack(_pairs(places[order], self._points), axis=1)
        return Cocycle(pairs, 1 - 2 * minus[order], birth, death, at, self.field)

    def _ids(self, what: int) -> tuple[np.ndarray, np.ndarray]:
        """List the ids that hold a class just before it dies, themselves or by what they became, and their signs."""
        begin, end = map(int, self._state.logged[what])
        if np.isinf(self._state.death[what]):
            begin, ids = len(self._log), _holders(self._state, what)
        else:
            ids = [(int(word >> 33), int(word >> 32) & 1) for word in self._log[begin:end].tolist()]
        merged = self._merged
        for at, sign in ids:  # to which is added, while it is walked, what had become of others by then
            first = merged.begin[at]
            for place in range(first, first + int(np.searchsorted(merged.times[first : merged.begin[at + 1]], begin))):
                ids.append((int(merged.ids[place]), sign ^ int(merged.signs[place])))
        both = np.array(ids, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    @cached_property
    def _log(self) -> np.ndarray:
        from cnn_topology.topology.annotation_kernels import LOGGED

        return self._state.log[: int(self._state.counters[LOGGED])]

    @cached_property
    def _merged(self) -> "_Merged":
        """The ids that became another, by that other and in time; those of classes that became zero are left out."""
        before, after = self._log >> np.uint64(33), (self._log & np.uint64(0xFFFFFFFF)) >> np.uint64(1)
        times = np.flatnonzero((after != before) & (after > 0))
        times = times[np.argsort(after[times], kind="stable")]
        begin = np.searchsorted(after[times], np.arange(len(self._state.forward) + 1))
        return _Merged(begin, before[times], self._log[times] & np.uint64(1), times)

    @cached_property
    def _edges(self) -> "_Edges":
        """The edges whose value was not zero when they entered, by id."""
        from cnn_topology.topology.annotation_kernels import UNREAD

        entry = self._state.entry
        parts = ((begin, entry[begin : begin + CHUNK]) for begin in range(0, len(entry), CHUNK))
        places = np.concatenate([begin + np.flatnonzero((part > 1) & (part < UNREAD)) for begin, part in parts])
        ids = entry[places] >> 1
        order = np.argsort(ids, kind="stable")
        return _Edges(np.searchsorted(ids[order], np.arange(len(self._state.forward) + 1)), places[order])


class _Merged(NamedTuple):
    begin: np.ndarray
    ids: np.ndarray
    signs: np.ndarray
    times: np.ndarray


class _Edges(NamedTuple):
    begin: np.ndarray
    places: np.ndarray


def cocycles(points: Any = None, *, distances: Any = None, field: int = 2, threshold: float = np.inf) -> Cocycles:
    """Compute the cocycles of all bars of dimension 1, at the cost of one barcode.

    Parameters
    ----------
    points, distances, threshold
        As for `cnn_topology.topology.persistence.barcode`.
    field : {2, 3}

    Returns
    -------
    Cocycles
        ``cocycles(points).cocycle(0)`` is that of the most persistent bar.

    Raises
    ------
    InputError
        As `barcode`.
    """
    from cnn_topology.topology.annotations import annotated

    field, limit = _checked_field(field), checked_threshold(threshold)
    lengths, count, *_ = filtration_lengths(points, distances, beside=LOOP_BYTES)
    return Cocycles(annotated(lengths.copy(), count, field, limit), lengths, count, field, limit)


def representative_loop(
    points: Any = None, *, distances: Any = None, rank: int = 0, field: int = 2, threshold: float = np.inf
) -> Loop:
    """Find a loop of the bar of dimension 1 with a given rank.

    Parameters
    ----------
    points, distances, field, threshold
        As for `cocycles`.
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

    from cnn_topology.topology.annotations import annotated

    field, limit = _checked_field(field), checked_threshold(threshold)
    lengths, count, *_ = filtration_lengths(points, distances, beside=LOOP_BYTES)
    state = annotated(lengths.copy(), count, field, limit, bars_only=True)
    bars, classes = _sorted_bars(state)
    rank = _checked_rank(rank, len(bars))
    birth, death = map(float, bars[rank])
    start, end = divmod(int(state.birth_pair[classes[rank]]), 1 << 16)
    last = condensed_position(start, end, count)  # of edges of one length the one that stands first enters first
    earlier = lengths < birth
    earlier[:last] |= lengths[:last] == birth
    edges = int(np.count_nonzero(earlier))
    check_free(EDGE_BYTES * edges, f"the search for a loop among {edges} edges")
    places = np.flatnonzero(earlier)
    row, column = _pairs(places, count)
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
        raise InputError(f"cocycles are computed over Z/2 and Z/3; got field={field}: ripser.py has them over others")
    return number


def _checked_rank(rank: int, bars: int) -> int:
    if not 0 <= (number := whole(rank, "rank")) < bars:
        raise InputError(f"rank must be below the number of bars in dimension 1; got {rank} of {bars}")
    return number


def _sorted_bars(state: "State") -> tuple[np.ndarray, np.ndarray]:
    """Return the bars, the most persistent first, and the class of each."""
    from cnn_topology.topology.annotation_kernels import CLASSES

    count = int(state.counters[CLASSES])
    birth, death = state.birth[:count].astype(np.float64), state.death[:count].astype(np.float64)
    classes = np.flatnonzero(birth < death)
    birth, death = birth[classes], death[classes]
    order = np.lexsort((birth, birth - death))
    return np.stack([birth, death], axis=1)[order], classes[order]


def _holders(state: "State", what: int) -> list[tuple[int, int]]:
    """List the ids whose vectors hold a class that lives, and their signs."""
    signs: dict[int, int] = {}
    node = int(state.head[what])
    while node >= 0:
        at, node = int(state.node_id[node]), int(state.node_next[node])
        if state.forward[at] == 2 * at:
            vector = state.words[state.start[at] : state.start[at] + state.size[at]]
            signs.update((at, int(word) & 1) for word in vector[vector >> 1 == what])
    return list(signs.items())


def _pairs(places: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points i < j of pairs that stand in these places of condensed lengths."""
    first = np.concatenate([[0], np.cumsum(np.arange(points - 1, 1, -1))])
    row = np.searchsorted(first, places, side="right") - 1
    return row, places - first[row] + row + 1
