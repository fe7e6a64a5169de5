"""Compiled kernels over all pairs of points: lengths, enclosing radius, and edges in blocks by length."""

# mypy: disallow-untyped-defs=False

import numba as nb
import numpy as np

kernel = nb.njit(nogil=True, cache=True)

TILE = 64  # columns of one tile: its coordinates stay in the second-level cache, its sums in the first
UNREAD = np.uint32(0x80000000)


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
def choose_farthest(coordinates, first, count):
    """Choose points by the max-min rule from a first one on; ties fall to the point that comes first.

    Squares are summed in float64, coordinate by coordinate, all of a tile's while it lies in the first-level cache.

    Parameters
    ----------
    coordinates : ndarray of float64, shape (coordinates, points)
    first, count : int

    Returns
    -------
    chosen : ndarray of int64, shape (count,)
    radius : float
        Greatest distance of a point to the nearest chosen one.
    """
    dimension, points = coordinates.shape
    chosen = np.empty(count, dtype=np.int64)
    chosen[0] = first
    nearest = np.full(points, np.inf)
    total = np.empty(TILE)
    for step in range(count):
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
        if step + 1 < count:
            chosen[step + 1] = following
    return chosen, np.sqrt(most)


@kernel
def farthest(lengths, points):
    """Return for every point the length of its longest edge, shape (points,)."""
    most = np.zeros(points, dtype=np.float32)
    at = 0
    for i in range(points - 1):
        row = most[i]
        count = points - 1 - i
        for m in range(count):
            length = lengths[at + m]
            row = max(row, length)
            most[i + 1 + m] = max(most[i + 1 + m], length)
        most[i] = row
        at += count
    return most


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

    Every edge is written and the next one overwrites it unless it counts, so `edges` needs one place more than there
    are edges: a branch would be mispredicted every other time.

    Returns
    -------
    int
        Number of edges written.
    """
    count = 0
    at = begin * (2 * points - begin - 1) // 2
    for i in range(begin, end):
        pair = np.uint64(i) << np.uint64(16)
        for j in range(i + 1, points):
            key = entry[at]
            at += 1
            edges[count] = (np.uint64(key ^ UNREAD) << np.uint64(32)) | pair | np.uint64(j)
            count += (key >= low) & (key <= high)
    return count


@kernel
def sort(edges, spare, low, bits):
    """Sort edges by the bits of their lengths, of which `low` is the least; ties keep their order.

    Parameters
    ----------
    edges, spare : ndarray of uint64, shape (edges,)
    low : uint64
    bits : int
        Number of bits in which lengths differ after `low` is taken off.

    Returns
    -------
    bool
        Whether the sorted edges are in `spare`.
    """
    swapped = False
    places = np.empty(256, dtype=np.int64)
    for shift in range(32, 32 + bits, 8):
        places[:] = 0
        for m in range(len(edges)):
            places[((edges[m] - low) >> np.uint64(shift)) & np.uint64(255)] += 1
        total = 0
        for digit in range(256):
            count = places[digit]
            places[digit] = total
            total += count
        for m in range(len(edges)):
            edge = edges[m]
            digit = ((edge - low) >> np.uint64(shift)) & np.uint64(255)
            spare[places[digit]] = edge
            places[digit] += 1
        edges, spare = spare, edges
        swapped = not swapped
    return swapped
