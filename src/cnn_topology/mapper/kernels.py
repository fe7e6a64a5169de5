"""Compiled kernels over the points of one cube: the order of single linkage, DBSCAN, nearest distances."""

# mypy: disallow-untyped-defs=False

import numpy as np

from cnn_topology.compiled import compiled

kernel = compiled()

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
def squared_distance(points, i, j):
    """Sum the squared differences of two rows in float64, coordinate by coordinate."""
    total = 0.0
    for c in range(points.shape[1]):
        difference = np.float64(points[i, c]) - np.float64(points[j, c])
        total += difference * difference
    return total


@kernel
def root_of(parent, point):
    """Find the root of a point in a forest of parents, and halve the way to it."""
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = parent[point]
    return point


@kernel
def join_near(products, begin, squares, slack, points, reach, min_samples, core, parent):
    """Find which points of a block of rows are core points of DBSCAN, and join them to the core points before them.

    Parameters
    ----------
    products : ndarray of float32, shape (rows, points)
        Scalar products of rows `begin`, `begin` + 1, ... with all points, centred and scaled.
    squares : ndarray of float32, shape (points,)
        Squared norms of those.
    slack : float
        What rounding can do to a squared distance made of both, relative to the sum of the two squares.
    points : ndarray, shape (points, coordinates)
        The points as given: pairs too close to the radius to be told by `products` are computed anew from them.
    reach : tuple of float
        The squared radius, of the scaled points and of the points as given.
    core : ndarray of bool, shape (points,)
        Set for the rows.
    parent : ndarray of int64, shape (points,)
        Forest of the core points; joined for the rows.

    Returns
    -------
    int
        Rows that are near another point but are no core points: the border may lie among them.
    """
    rows, count = products.shape
    state = np.empty(count, dtype=np.uint8)
    scaled, given = np.float32(reach[0]), reach[1]
    relative, one, two = np.float32(slack), np.float32(1), np.float32(2)
    low, high = one + relative, one - relative
    unsettled = 0
    for row in range(rows):
        here = begin + row
        square = squares[here]
        near = unsure = 0
        for j in range(count):
            both = square + squares[j]
            product = two * products[row, j]
            sure = both * low - product <= scaled
            maybe = both * high - product <= scaled
            state[j] = np.uint8(sure) + np.uint8(maybe)
            near += sure
            unsure += maybe
        if unsure > near:
            for j in range(count):
                if state[j] == 1:
                    if squared_distance(points, here, j) <= given:
                        state[j] = 2
                        near += 1
                    else:
                        state[j] = 0
        core[here] = near >= min_samples
        if not core[here]:
            unsettled += near > 1
            continue
        mine = root_of(parent, here)
        for j in range(here):
            if state[j] == 2 and core[j] and parent[j] != mine:
                other = root_of(parent, j)
                # The smaller index is the root: a cluster is numbered by its first core point.
                if other < mine:
                    parent[mine] = other
                    mine = other
                elif mine < other:
                    parent[other] = mine
    return unsettled


@kernel
def join_border(products, rows, squares, slack, points, reach, core, labels):
    """Assign to points that are no core points the smallest label among the core points near them; -1 stays at noise.

    Parameters as in `join_near`; `rows` are the indices of the points whose products are given.
    """
    scaled, given = np.float32(reach[0]), reach[1]
    low, high = np.float32(1 + slack), np.float32(1 - slack)
    for row in range(len(rows)):
        here = rows[row]
        best = -1
        for j in range(len(squares)):
            if core[j] and (best < 0 or labels[j] < best):
                both = squares[here] + squares[j]
                product = np.float32(2) * products[row, j]
                if both * low - product <= scaled or (
                    both * high - product <= scaled and squared_distance(points, here, j) <= given
                ):
                    best = labels[j]
        labels[here] = best


@kernel
def nearer(products, first, second, squares, slack, points, scale, best):
    """Take the pairs of a block of rows and a block of columns into the nearest distances of both.

    Parameters
    ----------
    products : ndarray of float32, shape (rows, columns)
        Scalar products of rows `first`, `first` + 1, ... with rows `second`, ... of the centred and scaled points.
    squares, slack, points
        As in `join_near`.
    scale : float
        Squared unit of the scaled points: what turns their squared distances into those of the points as given.
    best : ndarray of float64, shape (points, k)
        Squared distances to the nearest other points so far, ascending; updated. Pairs that rounding cannot rule out
        are computed anew from the points as given.
    """
    rows, columns = products.shape
    last = best.shape[1] - 1
    high = np.float32(1 - slack)
    for row in range(rows):
        i = first + row
        for column in range(max(0, i + 1 - second), columns):
            j = second + column
            least = scale * ((squares[i] + squares[j]) * high - np.float32(2) * products[row, column])
            if least < best[i, last] or least < best[j, last]:
                exact = squared_distance(points, i, j)
                for end in (i, j):
                    if exact < best[end, last]:
                        place = last
                        while place > 0 and best[end, place - 1] > exact:
                            best[end, place] = best[end, place - 1]
                            place -= 1
                        best[end, place] = exact
