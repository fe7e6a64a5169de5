"""Compiled kernels of the sliced Wasserstein distance; `sliced_wasserstein` explains the method.

Notation: a *breakpoint* is a place on the line of one direction where the step function of a diagram changes; diagram
i owns the slots ``start[i] .. start[i + 1] - 1`` of the flat arrays, its breakpoints in ascending order and an infinite
one at the end; ``level[t]`` is the value of its step function just before breakpoint t.
"""

# mypy: disallow-untyped-defs=False

import numpy as np

from cnn_topology.compiled import compiled

kernel = compiled()

# Areas are sums of non-negative numbers: their order may change, so that the compiler can add eight at a time.
summing_kernel = compiled(fastmath={"reassoc", "contract"})

# Rows of one block of pairs: what 32 diagrams of 500 bars need stays in the second-level cache.
TILE = 16

# A pair looks at its doubtful bins as bytes, eight of them in one word.
WORD = 8


@kernel
def project(birth, death, middle, start, cosine, sine, position, level, begin, end):
    """Fill the breakpoints and levels of diagrams [begin, end) along the direction (cosine, sine).

    The diagonal projections of all bars lie in the order of ``middle``, the sorted (birth + death) / 2, in every
    direction: only the points themselves are sorted, and merged with them.
    """
    total = cosine + sine
    for i in range(begin, end):
        # Diagram i has (start[i + 1] - start[i] - 1) / 2 bars, and bars are stored without the extra slot.
        bars = (start[i + 1] - start[i] - 1) // 2
        bar = (start[i] - i) // 2
        points = np.empty(bars)
        for m in range(bars):
            points[m] = birth[bar + m] * cosine + death[bar + m] * sine
        points.sort()
        at = start[i]
        here = 0
        first = second = 0
        for slot in range(at, at + 2 * bars):
            level[slot] = here
            projection = np.inf
            if second < bars:
                projection = total * (middle[bar + second] if total >= 0 else middle[bar + bars - 1 - second])
            if first < bars and points[first] <= projection:
                position[slot] = points[first]
                first += 1
                here += 1
            else:
                position[slot] = projection
                second += 1
                here -= 1
        position[at + 2 * bars] = np.inf
        level[at + 2 * bars] = here


@kernel
def tabulate(position, level, start, edges, area, low, high, first, begin, end):
    """Fill, for diagrams [begin, end) and every bin, the integral, the extremes and the first breakpoint.

    ``first[i, b]`` counts from ``start[i]``. A breakpoint on the edge of two bins belongs to the upper one, except on
    the last edge.
    """
    bins = len(edges) - 1
    for i in range(begin, end):
        slot = start[i]
        stop = start[i + 1] - 1
        for b in range(bins):
            first[i, b] = slot - start[i]
            here = level[slot]
            at = edges[b]
            integral = 0.0
            lowest = highest = here
            while slot < stop and (position[slot] < edges[b + 1] or b == bins - 1):
                integral += here * (position[slot] - at)
                at = position[slot]
                slot += 1
                here = level[slot]
                lowest = min(lowest, here)
                highest = max(highest, here)
            area[i, b] = integral + here * (edges[b + 1] - at)
            low[i, b] = lowest
            high[i, b] = highest
        first[i, bins] = stop - start[i]


@summing_kernel
def add_distances(position, level, start, edges, area, low, high, first, rows, origin, distances, begin, end):
    """Add the L1 distances of diagrams i < rows to diagrams j in [begin, end), j >= origin, to `distances`.

    Diagram j is column ``j - origin`` of `distances`; only pairs with j > i are visited. In a bin where
    the difference of two step functions cannot change its sign, the integral of its absolute value is the absolute
    difference of their integrals. The other bins are merged breakpoint by breakpoint, without branches: past its last
    breakpoint in the bin each diagram offers one that lies beyond the bin.
    """
    bins = area.shape[1]
    doubtful = np.zeros(bins, dtype=np.uint8)
    words = doubtful.view(np.uint64)
    found = np.empty(bins + 1, dtype=np.int64)
    for row_tile in range(0, min(rows, end), TILE):
        for i in range(row_tile, min(row_tile + TILE, rows)):
            for j in range(max(begin, origin, i + 1), end):
                total = 0.0
                for b in range(bins):
                    total += abs(area[i, b] - area[j, b])
                for b in range(bins):
                    doubtful[b] = (low[i, b] < high[j, b]) & (low[j, b] < high[i, b])
                count = 0
                for word in range(bins // WORD):
                    if words[word] != 0:
                        for b in range(WORD * word, WORD * word + WORD):
                            found[count] = b
                            count += doubtful[b]
                for m in range(count):
                    b = found[m]
                    total -= abs(area[i, b] - area[j, b])
                    s = start[i] + first[i, b]
                    t = start[j] + first[j, b]
                    at = edges[b]
                    steps = first[i, b + 1] - first[i, b] + first[j, b + 1] - first[j, b]
                    for _ in range(steps):
                        nearest = min(position[s], position[t])
                        total += np.float64(abs(np.int64(level[s]) - np.int64(level[t]))) * (nearest - at)
                        at = nearest
                        mine = np.int64(position[s] <= position[t])
                        s += mine
                        t += 1 - mine
                    total += np.float64(abs(np.int64(level[s]) - np.int64(level[t]))) * (edges[b + 1] - at)
                distances[i, j - origin] += total
