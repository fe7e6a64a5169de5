"""Compiled kernels over the points of one cube: the order of single linkage, and the search of DBSCAN."""

# mypy: disallow-untyped-defs=False

import numba as nb
import numpy as np

kernel = nb.njit(nogil=True, cache=True)

TILE = 128  # columns of one tile: their running sums stay in the first-level cache


@kernel
def visit(coordinates, order, squared):
    """Visit the points by Prim's algorithm: each next one is the nearest to any visited before.

    Point ``order[i]`` comes i-th, at the squared distance ``squared[i]`` to those before it (``squared[0]`` is 0).
    Memory is linear in the points. `coordinates`, shape (coordinates, points), is reordered. Differences are squared
    and summed coordinate by coordinate: the same lengths for every order of the points, and zero for duplicates.
    """
    dimension, points = coordinates.shape
    name = np.arange(points)
    best = np.full(points, np.inf)
    total = np.empty(TILE)
    here = coordinates[:, points - 1].copy()
    order[0], squared[0] = points - 1, 0.0
    for left in range(points - 1, 0, -1):
        least = np.inf
        at = 0
        for tile in range(0, left, TILE):
            count = min(TILE, left - tile)
            for m in range(count):
                total[m] = 0.0
            for c in range(dimension):
                value = here[c]
                for m in range(count):
                    difference = coordinates[c, tile + m] - value
                    total[m] += difference * difference
            for m in range(count):
                if total[m] < best[tile + m]:
                    best[tile + m] = total[m]
                if best[tile + m] < least:
                    least = best[tile + m]
                    at = tile + m
        order[points - left] = name[at]
        squared[points - left] = least
        here[:] = coordinates[:, at]
        last = left - 1
        coordinates[:, at] = coordinates[:, last]
        name[at], best[at] = name[last], best[last]


@kernel
def reach(near, core, labels):
    """Label the points reached from each core point through core points; -1 stays at noise.

    Clusters grow one at a time, from the core point of smallest index that has none: a border point belongs to the
    first that reaches it, as in scikit-learn.

    Parameters
    ----------
    near : ndarray of uint64, shape (points, words)
        Bit j % 64 of word j // 64 in row i: are i and j within eps.
    core : ndarray of bool, shape (points,)
    labels : ndarray of int64, shape (points,)
        All -1 at the start.

    Returns
    -------
    int
        Number of clusters.
    """
    points, words = near.shape
    free = np.full(words, np.uint64(0xFFFFFFFFFFFFFFFF))
    stack = np.empty(points, dtype=np.int64)
    clusters = 0
    for start in range(points):
        if not core[start] or labels[start] >= 0:
            continue
        labels[start] = clusters
        stack[0] = start
        height = 1
        while height:
            height -= 1
            point = stack[height]
            for w in range(words):
                found = near[point, w] & free[w]
                if not found:
                    continue
                free[w] &= ~found
                for b in range(64):
                    if found >> np.uint64(b) & np.uint64(1):
                        reached = 64 * w + b
                        labels[reached] = clusters
                        if core[reached]:
                            stack[height] = reached
                            height += 1
        clusters += 1
    return clusters
