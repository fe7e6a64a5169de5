"""Compiled kernels over all pairs of points: lengths, enclosing radius, and edges in blocks by length."""

# mypy: disallow-untyped-defs=False

import numba as nb
import numpy as np

kernel = nb.njit(nogil=True, cache=True)

TILE = 128  # columns of one tile: accumulators and one row of coordinates stay in the first-level cache
UNREAD = np.uint32(0x80000000)


@kernel
def fill_lengths(coordinates, begin, end, lengths):
    """Write the Euclidean lengths of all pairs i < j with i in [begin, end) to condensed float32 `lengths`.

    Differences are squared and summed in float64, coordinate by coordinate: the same bits on every machine and for
    every order of the rows, and exactly zero for duplicates.
    """
    dimension, points = coordinates.shape
    total = np.empty(TILE, dtype=np.float64)
    for tile in range(begin, points, TILE):
        stop = min(tile + TILE, points)
        for i in range(begin, min(end, stop - 1)):
            first = max(tile, i + 1)
            count = stop - first
            for m in range(count):
                total[m] = 0.0
            for c in range(dimension):
                here = coordinates[c, i]
                for m in range(count):
                    difference = coordinates[c, first + m] - here
                    total[m] += difference * difference
            at = i * (2 * points - i - 3) // 2 - 1 + first
            for m in range(count):
                lengths[at + m] = np.sqrt(total[m])


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
    """Count entries between two keys by ``(entry - low) >> shift``; return the number below `low`... none is."""
    for at in range(len(entry)):
        key = entry[at]
        if low <= key <= high:
            counts[(key - low) >> shift] += 1


@kernel
def gather(entry, points, low, high, edges):
    """Collect the edges with keys in [low, high] as 64-bit numbers that sort by length, then by points.

    Returns
    -------
    int
        Number of edges written.
    """
    count = 0
    at = 0
    for i in range(points - 1):
        for j in range(i + 1, points):
            key = entry[at]
            at += 1
            if low <= key <= high:
                pair = (np.uint64(i) << np.uint64(16)) | np.uint64(j)
                edges[count] = (np.uint64(key ^ UNREAD) << np.uint64(32)) | pair
                count += 1
    return count
