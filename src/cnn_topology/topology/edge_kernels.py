"""Compiled kernels over all pairs of points: lengths, enclosing radius, and edges in blocks by length."""

# mypy: disallow-untyped-defs=False

import numpy as np

from cnn_topology.compiled import compiled

kernel = compiled()

TILE = 64  # columns of one tile: its coordinates stay in the second-level cache, its sums in the first
UNREAD = np.uint32(0x80000000)
STRIDE = 16  # entries that are looked at together


@kernel
def fill_lengths(coordinates, begin, end, lengths):
    """Write the Euclidean lengths of all pairs i < j with i in [begin, end) to condensed float32 `lengths`.

    Differences are squared and summed in float64, coordinate by coordinate: the same bits on every machine and for
    every order of the rows, and exactly zero for duplicates.
    """
    dimension, points = coordinates.shape
    flat = coordinates.reshape(-1)
    stride = np.uint64(points)
    total = np.empty(TILE, dtype=np.float64)
    for tile in range(begin, points, TILE):
        stop = min(tile + TILE, points)
        for i in range(begin, min(end, stop - 1)):
            first = max(tile, i + 1)
            count = np.uint64(stop - first)
            total[:] = 0.0
            c = 0
            while c + 4 <= dimension:  # four at a time: a quarter of the traffic of the sums, in the same order
                at = np.uint64(c * points + first)
                a, b, d, e = coordinates[c, i], coordinates[c + 1, i], coordinates[c + 2, i], coordinates[c + 3, i]
                for m in range(np.uint64(0), count):
                    p, q = flat[at + m] - a, flat[at + stride + m] - b
                    r, s = flat[at + stride + stride + m] - d, flat[at + stride + stride + stride + m] - e
                    total[m] = (((total[m] + p * p) + q * q) + r * r) + s * s
                c += 4
            while c < dimension:
                at = np.uint64(c * points + first)
                a = coordinates[c, i]
                for m in range(np.uint64(0), count):
                    p = flat[at + m] - a
                    total[m] += p * p
                c += 1
            at = np.uint64(i * (2 * points - i - 3) // 2 - 1 + first)
            for m in range(np.uint64(0), count):
                lengths[at + m] = np.sqrt(total[m])


@kernel
def fill_from_products(products, squares, cloud, begin, error, lengths):
    """Write the lengths of all pairs i < j, i in a block of rows, from inner products, to the bits of `fill_lengths`.

    Where the error of the products may change the rounding to float32, the length is computed as there.

    Parameters
    ----------
    products : ndarray of float64, shape (rows, points - begin)
        Inner products of the centred points begin, begin + 1, ... and of the points from `begin` on.
    squares : ndarray of float64, shape (points,)
        Squared norms of the centred points.
    cloud : ndarray of float64, shape (points, coordinates)
        Not centred.
    begin : int
    error : float
        The squared length of ij is wrong by at most this part of ``squares[i] + squares[j]``.
    lengths : ndarray of float32, shape (pairs,)
    """
    points, dimension = cloud.shape
    for r in range(len(products)):
        i = begin + r
        at = np.int64(i) * (2 * points - i - 1) // 2
        row, following, out = products[r, r + 1 :], squares[i + 1 :], lengths[at : at + points - 1 - i]
        own, doubtful = squares[i], 0
        for t in range(len(out)):
            both = own + following[t]
            square, wrong = both - 2.0 * row[t], error * both
            least, most = np.float32(np.sqrt(max(square - wrong, 0.0))), np.float32(np.sqrt(max(square + wrong, 0.0)))
            out[t] = least if least == most else np.float32(-1)
            doubtful += least != most
        if doubtful:
            for t in range(len(out)):
                if out[t] < 0:
                    total = 0.0
                    for c in range(dimension):
                        apart = cloud[i + 1 + t, c] - cloud[i, c]
                        total += apart * apart
                    out[t] = np.sqrt(total)


@kernel
def choose_farthest(coordinates, begin, end, chosen, nearest):
    """Choose points by the max-min rule; ties fall to the point that comes first.

    Squares are summed in float64, coordinate by coordinate, all of a tile's while it lies in the first-level cache.

    Parameters
    ----------
    coordinates : ndarray of float64, shape (coordinates, points)
    begin, end : int
        The choices that are followed up; those after `begin` are written.
    chosen : ndarray of int64, shape (count,)
        The points up to `begin`, and room for the rest.
    nearest : ndarray of float64, shape (points,)
        Squared distance of each point to the nearest that is chosen, infinite at first; renewed.

    Returns
    -------
    float
        Greatest distance of a point to the nearest chosen one.
    """
    dimension, points = coordinates.shape
    total = np.empty(TILE)
    most = 0.0
    for step in range(begin, end):
        here = coordinates[:, chosen[step]].copy()
        most, following = -1.0, 0
        for tile in range(0, points, TILE):
            near = nearest[tile : tile + TILE]
            total[:] = 0.0
            for c in range(dimension):
                row, value = coordinates[c, tile : tile + TILE], here[c]
                for m in range(len(near)):
                    total[m] += (row[m] - value) * (row[m] - value)
            largest = 0.0
            for m in range(len(near)):
                near[m] = total[m] if total[m] < near[m] else near[m]
                largest = near[m] if near[m] > largest else largest
            if largest > most:
                most, following = largest, tile + np.argmax(near)
        if step + 1 < len(chosen):
            chosen[step + 1] = following
    return np.sqrt(most)


@kernel
def farthest(lengths, points):
    """Return for every point the length of its longest edge, shape (points,)."""
    # Of numbers that are not negative the bits are ordered as they are, and loops over integers vectorize.
    bits = lengths.view(np.uint32)
    most = np.zeros(points, dtype=np.uint32)
    at = 0
    for i in range(points - 1):
        row, following = bits[at : at + points - 1 - i], most[i + 1 :]
        own = most[i]
        for m in range(len(row)):
            own = max(own, row[m])
            following[m] = max(following[m], row[m])
        most[i] = own
        at += len(row)
    return most.view(np.float32)


@kernel
def histogram(entry, low, high, shift, counts):
    """Count the entries with keys in [low, high] by ``(key - low) >> shift``."""
    for at in range(len(entry)):
        key = entry[at]
        if low <= key <= high:
            counts[(key - low) >> shift] += 1


@kernel
def gather(entry, points, low, high, begin, end, edges):
    """Collect the edges ij with i in [begin, end) and keys in [low, high]: the bits of the length, then both points.

    `STRIDE` entries of which none counts are passed over at once. Of others every edge is written and the next one
    overwrites it unless it counts, so `edges` needs one place more than there are edges: a branch would be
    mispredicted every other time.

    Returns
    -------
    int
        Number of edges written.
    """
    count = 0
    at = begin * (2 * points - begin - 1) // 2
    span = high - low
    for i in range(begin, end):
        pair = np.uint64(i) << np.uint64(16)
        row = entry[at : at + points - 1 - i]
        for start in range(0, len(row), STRIDE):
            part = row[start : start + STRIDE]
            if len(part) == STRIDE:
                inside = 0
                for m in range(STRIDE):
                    inside += part[m] - low <= span
                if inside == 0:
                    continue
            for m in range(len(part)):
                key = part[m]
                edges[count] = (np.uint64(key ^ UNREAD) << np.uint64(32)) | pair | np.uint64(i + 1 + start + m)
                count += key - low <= span
        at += len(row)
    return count
