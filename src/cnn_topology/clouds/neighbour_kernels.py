"""Compiled kernels of the search for the k-th neighbour, over the leaves of a k-d tree.

`search` finds the neighbours of all points of a leaf together. `count_within` counts neighbours below two radii in
float32, `search_some` finds the neighbours of single points: together they tell which points are the densest
(`kept`).
"""

# mypy: disallow-untyped-defs=False

import numpy as np

from cnn_topology.compiled import compiled

kernel = compiled()
# Products may be fused with sums: for counts whose error is bounded in any case, never for distances that are returned.
fused = compiled(fastmath={"contract", "nsz"})

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


@fused
def count_within(blocks, sizes, lows, highs, near, far, begin, end, counts):
    """Count for each point the points nearer than two radii, itself included, each pair of leaves once.

    Parameters
    ----------
    blocks : ndarray of float32, shape (leaves, coordinates, LEAF)
        As for `search`.
    sizes : ndarray of int64, shape (leaves,)
    lows, highs : ndarray of float32, shape (coordinates, leaves)
        Bounding boxes, rounded outwards.
    near, far : float32
        Squares of the two radii, near < far.
    begin, end : int
        The pairs of leaves whose first one lies in [begin, end) are compared.
    counts : ndarray of int32, shape (2, leaves * LEAF)
        Counts below near and below far are added.
    """
    leaves, dimension = len(sizes), lows.shape[0]
    # One flat array and unsigned indices: the loops over a leaf's points vectorize.
    flat = blocks.reshape(-1)
    points, stride = np.uint64(LEAF), np.uint64(dimension * LEAF)
    gaps, least, total = np.empty(leaves, np.float32), np.empty(LEAF, np.float32), np.empty(LEAF, np.float32)
    visitors = np.empty(LEAF + 1, dtype=np.int64)
    below_near, below_far = counts[0], counts[1]
    for one in range(begin, end):
        queries, size = blocks[one], sizes[one]
        gaps[:] = np.float32(0)
        for c in range(dimension):
            low, high, own_low, own_high = lows[c], highs[c], lows[c, one], highs[c, one]
            for other in range(one, leaves):
                outside = max(low[other] - own_high, own_low - high[other])
                outside = outside if outside > np.float32(0) else np.float32(0)
                gaps[other] += outside * outside
        for other in range(one, leaves):
            if gaps[other] > far:
                continue
            least[:] = np.float32(0)
            for c in range(dimension):
                row, low, high = queries[c], lows[c, other], highs[c, other]
                for q in range(LEAF):
                    outside = max(low - row[q], row[q] - high)
                    outside = outside if outside > np.float32(0) else np.float32(0)
                    least[q] += outside * outside
            visiting = 0
            for q in range(size):
                visitors[visiting] = q
                visiting += least[q] <= far
            at = np.uint64(other) * stride
            start = np.uint64(other) * points
            for visitor in range(visiting):
                q = np.uint64(visitors[visitor])
                x = np.uint64(one) * stride + q
                for c in range(0, dimension, WIDTH):
                    _add_rounded(flat, at + np.uint64(c * LEAF), x + np.uint64(c * LEAF), total, c == 0)
                inside = np.int32(0)
                for m in range(points):
                    inside += np.int32(total[m] < far)
                if inside == 0:
                    continue
                here = np.uint64(one) * points + q
                inner = np.int32(0)
                if other == one:
                    for m in range(points):
                        inner += np.int32(total[m] < near)
                else:
                    for m in range(points):
                        nearer = np.int32(total[m] < near)
                        inner += nearer
                        below_near[start + m] += nearer
                        below_far[start + m] += np.int32(total[m] < far)
                below_near[here] += inner
                below_far[here] += inside


@kernel
def search_some(blocks, lows, highs, leaf, place, k, start, found):
    """Find the squared distances from some points to their k-th nearest other point, to the same bits as `search`.

    Parameters
    ----------
    blocks : ndarray of float64, shape (leaves, coordinates, LEAF)
        As for `search`.
    lows, highs : ndarray of float64, shape (coordinates, leaves)
        The bounding boxes.
    leaf, place : ndarray of int64, shape (queries,)
        Where each query stands: its leaf, and its place there.
    k : int
    start : float
        A squared distance above which no k-th one is expected; wrong guesses cost time alone.
    found : ndarray of float64, shape (queries,)
        The squared distances, written.
    """
    dimension, leaves = lows.shape
    need = k + 1
    room = need + need // 2 + LEAF + CHUNK
    candidates, total, least = np.empty(room), np.empty(LEAF), np.empty(leaves)
    for query in range(len(leaf)):
        here = blocks[leaf[query], :, place[query]].copy()
        least[:] = 0.0
        for c in range(dimension):
            low, high, value = lows[c], highs[c], here[c]
            for other in range(leaves):
                outside = max(low[other] - value, value - high[other])
                outside = outside if outside > 0.0 else 0.0
                least[other] += outside * outside
        limit, count = start, 0
        while True:
            bound, count = limit, 0
            for other in range(leaves):
                if least[other] >= bound:
                    continue
                block = blocks[other]
                total[:] = 0.0
                for c in range(0, dimension, WIDTH):
                    _add_squares(block[c : c + WIDTH], here[c : c + WIDTH], total)
                below = 0
                for m in range(LEAF):
                    below += total[m] < bound
                if below:
                    for m in range(LEAF):
                        candidates[count] = total[m]
                        count += total[m] < bound
                    if count > room - LEAF - CHUNK:
                        bound, count = _cut(candidates, count, need, bound)
            if count >= need:
                break
            limit = 2.0 * limit if limit < 64.0 * start else np.inf
        bound, count = _cut(candidates, count, need, bound)
        found[query] = select(candidates, count, k)


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


@fused
def _add_rounded(flat, at, x, total, first):
    """Add the squared differences of `WIDTH` float32 coordinates of a leaf's points and one point to sums."""
    n = np.uint64(LEAF)
    x0, x1, x2, x3 = flat[x], flat[x + n], flat[x + n + n], flat[x + n + n + n]
    y = x + n + n + n + n
    x4, x5, x6, x7 = flat[y], flat[y + n], flat[y + n + n], flat[y + n + n + n]
    for m in range(n):
        t = at + m
        u = t + n + n + n + n
        a, b, c, d = flat[t] - x0, flat[t + n] - x1, flat[t + n + n] - x2, flat[t + n + n + n] - x3
        e, f, g, h = flat[u] - x4, flat[u + n] - x5, flat[u + n + n] - x6, flat[u + n + n + n] - x7
        before = np.float32(0) if first else total[m]
        total[m] = before + (((a * a + b * b) + (c * c + d * d)) + ((e * e + f * f) + (g * g + h * h)))


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
