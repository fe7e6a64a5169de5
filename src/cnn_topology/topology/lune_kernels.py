"""Compiled kernels that find the last birth: the longest edge without a point nearer to both of its ends.

The *lune* of an edge are the points nearer to both ends than these are to each other. An edge with a point in its lune
closes a triangle with two shorter edges when it enters: it joins no components and gives birth to no class.
"""

# mypy: disallow-untyped-defs=False

import numpy as np

from cnn_topology.compiled import compiled

kernel = compiled()

# Of each point so many nearest ones among the rows before are remembered: they settle 95 to 98 of 100 edges.
NEAR = 8
# Points that are looked at together.
CHUNK, STRIDE = 16, 128


@kernel
def doubtful(lengths, points, begin, end, above, limit, near, who, edges):
    """Collect the edges whose lune none of the remembered points proves not to be empty, row by row.

    Parameters
    ----------
    lengths : ndarray of float32, shape (pairs,)
    points, begin, end : int
        Rows to read, of all but the last point.
    above, limit : float32
        Edges longer than `above`, but not than `limit`, are of interest.
    near, who : ndarray, shape (points, NEAR)
        Remembered points of the rows before, the nearest first; kept up to date.
    edges : ndarray of uint64
        Written: the bits of the length, then both points.

    Returns
    -------
    row : int
        The first row that is not done: `end`, unless `edges` might run full.
    count : int
    """
    # Of numbers that are not negative the bits are ordered as they are, and loops over integers vectorize.
    bits, near_bits = lengths.view(np.uint32), near.view(np.uint32)
    low, high = _bits(above), _bits(limit)
    worst = near_bits[:, NEAR - 1].copy()
    closest = np.empty(points, dtype=np.uint32)
    count = 0
    for i in range(begin, end):
        base = np.int64(i) * (2 * points - i - 3) // 2 - 1
        row = bits[base + i + 1 : base + points]
        if count + len(row) >= len(edges):
            return i, count
        # The least distance at which a remembered point is near to both ends.
        between = closest[: len(row)]
        between[:] = high
        for q in range(0, NEAR, 4):
            if who[i, q] >= 0:
                _nearer(bits, points, i, who[i], near_bits[i], q, between)
        pair = np.uint64(i) << np.uint64(16)
        for start in range(0, len(row), CHUNK):
            part, other, theirs = row[start : start + CHUNK], between[start : start + CHUNK], worst[i + 1 + start :]
            open_ = closer = 0
            for m in range(len(part)):
                open_ += (part[m] <= other[m]) & (part[m] > low)
                closer += part[m] < theirs[m]
            if open_:
                for m in range(len(part)):
                    edges[count] = (np.uint64(part[m]) << np.uint64(32)) | pair | np.uint64(i + 1 + start + m)
                    count += (part[m] <= other[m]) & (part[m] > low)
            if closer:
                for m in range(len(part)):
                    if part[m] < theirs[m]:
                        j = i + 1 + start + m
                        p = NEAR - 1
                        while p > 0 and near_bits[j, p - 1] > part[m]:
                            near_bits[j, p], who[j, p] = near_bits[j, p - 1], who[j, p - 1]
                            p -= 1
                        near_bits[j, p], who[j, p] = part[m], i
                        worst[j] = near_bits[j, NEAR - 1]
    return end, count


@kernel
def _nearer(bits, points, i, who, near, q, between):
    """Lower the bounds of a row by four remembered points; one that lacks is infinitely far."""
    n = len(between)
    a, b, c, d = max(who[q], 0), max(who[q + 1], 0), max(who[q + 2], 0), max(who[q + 3], 0)
    p, r, s, t = near[q], near[q + 1], near[q + 2], near[q + 3]
    one, two, three, four = (
        _row(bits, points, a, i, n),
        _row(bits, points, b, i, n),
        _row(bits, points, c, i, n),
        _row(bits, points, d, i, n),
    )
    for m in range(n):
        first = min(max(one[m], p), max(two[m], r))
        second = min(max(three[m], s), max(four[m], t))
        between[m] = min(between[m], min(first, second))


@kernel
def _row(bits, points, k, i, count):
    """Return the lengths from point k to the `count` points after i."""
    start = np.int64(k) * (2 * points - k - 3) // 2 + i
    return bits[start : start + count]


@kernel
def _bits(length):
    """Return the bits of a length, which are ordered as lengths are; of a negative one 0."""
    number = np.empty(1, dtype=np.float32)
    number[0] = max(length, np.float32(0))
    return number.view(np.uint32)[0]


@kernel
def length_between(lengths, points, i, j):
    """Return the length of an edge, or infinity from a point to itself."""
    if i == j:
        return np.float32(np.inf)
    low, high = min(i, j), max(i, j)
    return lengths[low * (2 * points - low - 3) // 2 + high - 1]


@kernel
def has_point(lengths, points, i, j, length, who):
    """Whether there is a point in the lune of the edge ij, i < j."""
    for end in (j, i):
        for q in range(NEAR):
            k = np.int64(who[end, q])
            if (
                k >= 0
                and length_between(lengths, points, i, k) < length
                and length_between(lengths, points, j, k) < length
            ):
                return True
    of_i, of_j = i * (2 * points - i - 3) // 2 - 1, j * (2 * points - j - 3) // 2 - 1
    for start in range(j + 1, points, STRIDE):
        stop = min(start + STRIDE, points)
        one, other = lengths[of_i + start : of_i + stop], lengths[of_j + start : of_j + stop]
        inside = 0
        for m in range(len(one)):
            inside += (one[m] < length) & (other[m] < length)
        if inside:
            return True
    for k in range(j):
        if length_between(lengths, points, j, k) < length and length_between(lengths, points, i, k) < length:
            return True
    return False


@kernel
def longest_empty(lengths, points, edges, above, who):
    """Return the length of the longest of some edges, sorted by length, whose lune is empty, or `above` if none is."""
    key = np.empty(1, dtype=np.uint32)
    length = key.view(np.float32)
    for position in range(len(edges) - 1, -1, -1):
        edge = edges[position]
        key[0] = np.uint32(edge >> np.uint64(32))
        i, j = np.int64(edge >> np.uint64(16) & np.uint64(0xFFFF)), np.int64(edge & np.uint64(0xFFFF))
        if not has_point(lengths, points, i, j, length[0], who):
            return length[0]
    return above
