"""The points that rho(k, p) keeps, without the distance to the k-th neighbour of every point.

To know which points are the densest it is enough to know who lies on which side of the threshold between kept and left
out. The exact distances of a sample bracket that threshold; one pass in float32 counts for each point the neighbours
within both ends of the bracket; and only the few points between them are measured exactly. What comes out is proven to
be the set that all distances give, or it is not given.
"""

from itertools import pairwise

import numpy as np

from cnn_topology.clouds.neighbours import SearchableCloud
from cnn_topology.clouds.threads import in_threads

# Half-width of the bracket, in standard deviations of the sample's quantile: it misses once in 400 clouds, and is then
# tried once more, wider.
SIGMAS, WIDER = 3.0, 8.0
# Share of points between the ends of the bracket beyond which a search of the whole cloud costs less.
MOST_BETWEEN = 0.25
# So many points of the sample are searched first, for a bound of the others.
FIRST = 12
# Compiled code does not hear Ctrl-C: after so many pairs of leaves, a tenth of a second, Python may look.
PAIRS_OF_LEAVES_AT_ONCE = 1 << 16


def kept_by_counts(tree: SearchableCloud, k: int, keep: int, threads: int = 1) -> np.ndarray | None:
    """Select the points with the smallest distance to their k-th neighbour by counts, or None where that does not pay.

    Parameters
    ----------
    tree : SearchableCloud
    k : int
        Below the number of points.
    keep : int
        Points to select; of points at equal distance those with smaller index come first.
    threads : int
        They change no result.

    Returns
    -------
    ndarray of int64, shape (keep,), or None
        Indices in the cloud, ascending. None where too many points have nearly the same distance.

    Notes
    -----
    Counts are of float32 numbers. Let a_c be the largest coordinate c in absolute value, A the sum of a_c^2, D the
    coordinates (padded ones included), u = 2^-24. Rounding two coordinates and their difference moves it by at most
    4 u a_c, so its square, which is at most 4 a_c^2, by 16 u a_c^2, and with its own rounding 20 u a_c^2. Each of at
    most D sums rounds by at most 4 u A. So a squared distance, and the squared distance of two boxes of which one
    holds each point, moves by less than the margin e = (24 + 4 D) u A, in which the higher powers of u and the
    rounding of float64 (2^-29 u) are covered too. Hence of a point with at least k + 1 points counted within `near`
    (one is itself) the squared distance to the k-th neighbour is below near + e, and of one with fewer counted within
    `far` it is not below far - e. All others are measured exactly. If the threshold, the distance of the last point
    that is kept, is one of a measured point and lies strictly between these two bounds, then every point on either
    side is placed rightly, ties included; otherwise the bracket missed.
    """
    points = len(tree.order)
    if keep >= points:
        return np.arange(points)
    share = keep / points
    deviation = np.sqrt(share * (1 - share))
    # The sample and what will lie in the bracket, which shrinks with the root of the sample, cost least together.
    sample = int(np.ceil((SIGMAS * points * deviation) ** (2 / 3)))
    asked = np.linspace(0, points - 1, sample).astype(np.int64)  # even over the leaves
    spread = float(np.sum(np.abs(np.where(np.isfinite(tree.blocks), tree.blocks, 0)).max(axis=(0, 2)) ** 2))
    guess = _squared(tree, k, asked[:: -(-sample // FIRST)], 4 * spread, 1).max()
    sampled = np.sort(_squared(tree, k, asked, 1.02 * guess, threads))
    for sigmas in (SIGMAS, WIDER):
        width = sigmas * deviation * np.sqrt(sample)
        low, high = int(share * sample - width) - 1, int(np.ceil(share * sample + width))
        if high >= sample:
            return None
        chosen = _between(tree, k, keep, (sampled[low] if low >= 0 else 0.0, sampled[high]), spread, threads)
        if chosen is not None:
            return chosen
    return None


def _between(
    tree: SearchableCloud, k: int, keep: int, bracket: tuple[float, float], spread: float, threads: int
) -> np.ndarray | None:
    """Select the points if the squared threshold lies in a bracket, see `kept_by_counts`; otherwise return None."""
    margin = (24 + 4 * tree.blocks.shape[1]) * 2.0**-24 * spread
    # Half a margin more than needed, so that the ends may be rounded and may tie with the threshold.
    near, far = np.float32(bracket[0] - 1.5 * margin), np.float32(bracket[1] + 1.5 * margin)
    counts = _counts(tree, near, far, threads)
    inside, outside = counts[0] > k, counts[1] <= k
    between = np.flatnonzero(~inside & ~outside)
    missing = keep - int(np.count_nonzero(inside))
    if not 0 < missing <= len(between) <= MOST_BETWEEN * len(tree.order):
        return None

    def distance(squared: np.ndarray | float) -> np.ndarray:
        return np.ldexp(np.sqrt(np.maximum(squared, 0)), tree.exponent)

    measured = distance(_squared(tree, k, between, float(far) + 2 * margin, threads))
    rows = tree.order[between]
    order = np.lexsort((rows, measured))[:missing]
    threshold = measured[order[-1]]
    if near > -margin and not distance(float(near) + margin) < threshold:
        return None
    if not threshold < distance(float(far) - margin):
        return None
    return np.sort(np.concatenate([tree.order[inside], rows[order]]))


def _counts(tree: SearchableCloud, near: np.float32, far: np.float32, threads: int) -> np.ndarray:
    """Count for each point, in the order of the leaves, the points within two squared radii; shape (2, points)."""
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.clouds.neighbour_kernels import LEAF, count_within

    blocks = tree.blocks.astype(np.float32)
    lows, highs = (np.ascontiguousarray(box.T, dtype=np.float32) for box in (tree.lows, tree.highs))
    leaves = len(tree.sizes)
    parts = []

    def count(begin: int, end: int) -> None:
        counts = np.zeros((2, leaves * LEAF), dtype=np.int32)
        part = max(1, PAIRS_OF_LEAVES_AT_ONCE // leaves)
        for first in range(begin, end, part):
            count_within(blocks, tree.sizes, lows, highs, near, far, first, min(first + part, end), counts)
        parts.append(counts)

    # A leaf is compared with those after it: cut where the number of pairs is cut evenly.
    cuts = [round(leaves * (1 - (1 - part / threads) ** 0.5)) for part in range(threads)] + [leaves]
    in_threads(count, pairwise(cuts), threads)
    return sum(parts[1:], parts[0])[:, tree.leaf * LEAF + tree.place]


def _squared(tree: SearchableCloud, k: int, which: np.ndarray, start: float, threads: int) -> np.ndarray:
    """Compute the exact squared distances of some points, as places in the order of the leaves."""
    from cnn_topology.clouds.neighbour_kernels import search_some

    lows, highs = np.ascontiguousarray(tree.lows.T), np.ascontiguousarray(tree.highs.T)
    leaf, place, squared = tree.leaf[which], tree.place[which], np.empty(len(which))
    cuts = [len(which) * part // threads for part in range(threads + 1)]
    in_threads(
        lambda b, e: search_some(tree.blocks, lows, highs, leaf[b:e], place[b:e], k, start, squared[b:e]),
        pairwise(cuts),
        threads,
    )
    return squared
