"""Compiled kernels of the search for the k-th neighbour: one group of queries against all leaves of a k-d tree."""

# mypy: disallow-untyped-defs=False

import numba as nb
import numpy as np

kernel = nb.njit(nogil=True, cache=True)

# Points of a leaf; of 64, 128 and 256 the fastest for unit-norm filters and k = 100. The queries of one leaf form a
# group, which reads each leaf once into the first-level cache. Known when compiled, so that loops over it vectorize.
LEAF = 128
# Coordinates summed at a time: a cloud's coordinates are filled up with zeros to a multiple.
WIDTH = 8
# Distances of a leaf that are looked at one by one when any of them is below the bound.
CHUNK = 16
# Steps of the bisection that cuts candidates down, and the part of them that may be left over.
ROUNDS, SPARE = 16, 8


@kernel
def search(blocks, sizes, lows, highs, ks, groups, found):
    """Find the squared distances from each point of some leaves to its k-th nearest other point, for each k.

    Parameters
    ----------
    blocks : ndarray of float64, shape (leaves, coordinates, LEAF)
        The points leaf by leaf; coordinates are a multiple of `WIDTH`, missing points are infinitely far.
    sizes : ndarray of int64, shape (leaves,)
        Points of each leaf.
    lows, highs : ndarray of float64, shape (leaves, coordinates)
        The bounding box of the points of each leaf.
    ks : ndarray of int64, shape (ks,)
        Descending, the largest below the number of points.
    groups : tuple of int
        First leaf whose points are queries, and the one after the last.
    found : ndarray of float64, shape (leaves, LEAF, ks)
        Squared distances, written for the queries.
    """
    dimension = blocks.shape[1]
    need = ks[0] + 1  # the query itself is among the points, at distance 0
    room = need + need // 2 + CHUNK
    nearest = np.empty((LEAF, room))  # of each query the squared distances that are still candidates
    counts = np.empty(LEAF, dtype=np.int64)
    bounds = np.empty(LEAF)  # no squared distance from here on can be the k-th
    least = np.empty(LEAF)
    total = np.empty(LEAF)
    for group in range(groups[0], groups[1]):
        queries, size = blocks[group], sizes[group]
        counts[:] = 0
        bounds[:] = np.inf
        for leaf in np.argsort(_offsets(lows, highs, group)):
            if _gap(lows, highs, group, leaf) >= np.max(bounds[:size]):
                continue
            _box_distances(queries, lows[leaf], highs[leaf], least)
            block = blocks[leaf]
            for q in range(size):
                bound = bounds[q]
                if least[q] >= bound:
                    continue
                total[:] = 0.0
                for c in range(0, dimension, WIDTH):
                    _add_squares(block[c : c + WIDTH], queries[c : c + WIDTH, q], total)
                candidates, count = nearest[q], counts[q]
                for begin in range(0, LEAF, CHUNK):
                    part = total[begin : begin + CHUNK]
                    below = 0
                    for m in range(CHUNK):
                        below += part[m] < bound
                    if below:
                        for m in range(CHUNK):  # written in any case, overwritten unless it counts
                            candidates[count] = part[m]
                            count += part[m] < bound
                        if count > room - CHUNK:
                            bound, count = _cut(candidates, count, need, bound)
                bounds[q], counts[q] = bound, count
        for q in range(size):
            _, count = _cut(nearest[q], counts[q], need, bounds[q])
            for column in range(len(ks)):
                found[group, q, column] = select(nearest[q], count, ks[column])
                count = ks[column]


@kernel
def select(values, count, rank):
    """Return the value of a rank (0: the least) of ``values[:count]``, with no smaller one after and larger before."""
    low, high = 0, count - 1
    while low < high:
        a, b, c = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return values[rank]


@kernel
def _cut(values, count, need, bound):
    """Drop most of ``values[:count]``, all at most `bound`, that are not among the `need` least.

    The threshold is found by bisection, which counts without branches: ten times faster than selection, and a few
    values too many do no harm.

    Returns
    -------
    bound : float
        At least `need` values are not above it.
    count : int
        Those values, now at the front.
    """
    low, high = 0.0, bound if bound < np.inf else np.max(values[:count])
    for _ in range(ROUNDS):
        middle = 0.5 * (low + high)
        inside = 0
        for m in range(count):
            inside += values[m] <= middle
        if inside < need:
            low = middle
        else:
            high = middle
            if inside <= need + need // SPARE:
                break
    kept = 0
    for m in range(count):
        values[kept] = values[m]
        kept += values[m] <= high
    if kept <= need + need // SPARE:
        return high, kept
    return select(values, kept, need - 1), need  # ties


@kernel
def _add_squares(block, query, total):
    """Add the squared differences of `WIDTH` coordinates to the sums of a leaf's points, in order."""
    x0, x1, x2, x3, x4, x5, x6, x7 = query[0], query[1], query[2], query[3], query[4], query[5], query[6], query[7]
    r0, r1, r2, r3, r4, r5, r6, r7 = block[0], block[1], block[2], block[3], block[4], block[5], block[6], block[7]
    for m in range(LEAF):
        a, b, c, d = r0[m] - x0, r1[m] - x1, r2[m] - x2, r3[m] - x3
        e, f, g, h = r4[m] - x4, r5[m] - x5, r6[m] - x6, r7[m] - x7
        partial = (((total[m] + a * a) + b * b) + c * c) + d * d
        total[m] = (((partial + e * e) + f * f) + g * g) + h * h


@kernel
def _box_distances(queries, low, high, least):
    """Write a lower bound of the squared distances from each query to the points in a box.

    Differences, squares and sums are rounded as those to the points are, in the same order. Rounding keeps order, so
    that the bound holds for the rounded distances too and nothing that counts is passed over.
    """
    least[:] = 0.0
    for c in range(len(low)):
        row, below, above = queries[c], low[c], high[c]
        for q in range(LEAF):
            outside = max(below - row[q], row[q] - above)
            outside = outside if outside > 0.0 else 0.0
            least[q] += outside * outside


@kernel
def _gap(lows, highs, one, other):
    """Return the squared distance of two boxes: a lower bound for all their points, rounded as those are."""
    total = 0.0
    for c in range(lows.shape[1]):
        outside = max(lows[other, c] - highs[one, c], lows[one, c] - highs[other, c], 0.0)
        total += outside * outside
    return total


@kernel
def _offsets(lows, highs, group):
    """Return for every box how far its middle lies from that of a group's box, in no particular unit."""
    offsets = np.zeros(len(lows))
    for leaf in range(len(lows)):
        for c in range(lows.shape[1]):
            offset = (lows[leaf, c] + highs[leaf, c]) - (lows[group, c] + highs[group, c])
            offsets[leaf] += offset * offset
    return offsets
