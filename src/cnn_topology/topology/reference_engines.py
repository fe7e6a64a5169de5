"""Ripser, GUDHI and RedZeD behind the same condensed lengths: the reference, higher dimensions, other fields.

The first two are the reference; RedZeD (Kapulkin and Kershaw, arXiv 2606.06310), alpha and therefore optional, is an
order of magnitude faster in dimension 2 over Z/2. The libraries have traps that this module steps around: ripser.py
loses zero distances when a diagonal is not exactly zero, GUDHI returns wrong bars for a matrix that is asymmetric by
one rounding (here both triangles are copies), and RedZeD takes no infinite distance.
"""

import numpy as np

from cnn_topology.extras import needing_an_extra

Bars = tuple[np.ndarray, np.ndarray, np.ndarray]

# Largest prime p of the coefficients Z/p. Beyond it Ripser, which packs a coefficient into 8 bits, hangs, ends the
# interpreter or returns wrong bars without a word (131, 257, 8191, 65537); GUDHI refuses.
LARGEST_FIELD = {"annotations": 3, "redzed": 2, "ripser": 127, "gudhi": 65_521}


def _finite_threshold(lengths: np.ndarray, threshold: float) -> float:
    # An infinite length is a missing edge, not an edge that arrives at infinity.
    finite = lengths[np.isfinite(lengths)]
    if finite.size < lengths.size:
        return min(threshold, float(finite.max()) if finite.size else 0.0)
    return threshold


def join(diagrams: list[np.ndarray]) -> Bars:
    """Stack one (bars, 2) array per dimension into dimension, birth and death, without bars of no length.

    Parameters
    ----------
    diagrams : list of ndarray, each of shape (bars, 2)
        Rows (birth, death) of dimension 0, 1, and so on.

    Returns
    -------
    dimension, birth, death : ndarray, shape (bars,)
    """
    dimension = np.concatenate([np.full(len(d), k, dtype=np.int8) for k, d in enumerate(diagrams)])
    bars = np.concatenate([np.asarray(d, dtype=np.float64).reshape(-1, 2) for d in diagrams])
    keep = bars[:, 0] < bars[:, 1]
    return dimension[keep], bars[keep, 0], bars[keep, 1]


@needing_an_extra("engine 'ripser'")
def ripser_bars(lengths: np.ndarray, points: int, max_dimension: int, field: int, threshold: float) -> Bars:
    """Compute the bars with Ripser.

    Parameters
    ----------
    lengths : ndarray of float32, shape (points (points-1)/2,)
    points, max_dimension, field : int
    threshold : float
        Longest edge of the filtration, a float32 number.

    Returns
    -------
    dimension, birth, death : ndarray, shape (bars,)

    Raises
    ------
    InputError
        If ripser is not installed.
    """
    if points < 2:
        return trivial_bars(points)
    import ripser
    from scipy.sparse import coo_matrix
    from scipy.spatial.distance import squareform

    limit = _finite_threshold(lengths, threshold)
    if limit < threshold or points == 2:
        # Ripser takes the shape of a small matrix for a transposed cloud; a sparse one is taken as it is.
        row, column = np.triu_indices(points, 1)
        keep = lengths <= limit
        graph = coo_matrix((lengths[keep], (row[keep], column[keep])), shape=(points, points))
        result = ripser.ripser(graph, maxdim=max_dimension, coeff=field, distance_matrix=True)
    else:
        square = squareform(lengths)
        result = ripser.ripser(square, maxdim=max_dimension, coeff=field, thresh=threshold, distance_matrix=True)
    return join(result["dgms"])


@needing_an_extra("engine 'gudhi'")
def gudhi_bars(lengths: np.ndarray, points: int, max_dimension: int, field: int, threshold: float) -> Bars:
    """Compute the bars with GUDHI's `RipsPersistence`.

    Parameters
    ----------
    lengths, points, max_dimension, field, threshold
        As for `ripser_bars`.

    Returns
    -------
    dimension, birth, death : ndarray, shape (bars,)

    Raises
    ------
    InputError
        If gudhi is not installed.
    """
    if points < 2:
        return trivial_bars(points)
    from gudhi.sklearn import RipsPersistence
    from scipy.spatial.distance import squareform

    rips = RipsPersistence(
        homology_dimensions=list(range(max_dimension + 1)),
        threshold=_finite_threshold(lengths, threshold),
        input_type="lower distance matrix",
        homology_coeff_field=field,
        num_collapses=0,
    )
    return join(rips.fit_transform([squareform(lengths)])[0])


@needing_an_extra("engine 'redzed'")
def redzed_bars(lengths: np.ndarray, points: int, max_dimension: int, field: int, threshold: float) -> Bars:
    """Compute the bars over Z/2 with RedZeD.

    Parameters
    ----------
    lengths, points, max_dimension, field, threshold
        As for `ripser_bars`; the field is 2.

    Returns
    -------
    dimension, birth, death : ndarray, shape (bars,)

    Raises
    ------
    InputError
        If redzed-tda is not installed.
    """
    if points < 2:
        return trivial_bars(points)
    from redzed_tda import rips

    # What is not an edge is longer than the threshold, by a length that is finite.
    finite = np.minimum(lengths, np.finfo(np.float32).max)
    return join(rips(finite, maxdim=max_dimension, threshold=_finite_threshold(lengths, threshold)))


def trivial_bars(points: int) -> Bars:
    """Return the bars of no point or one: nothing, or one component that never dies.

    Parameters
    ----------
    points : {0, 1}

    Returns
    -------
    dimension, birth, death : ndarray, shape (points,)
    """
    return np.zeros(points, dtype=np.int8), np.zeros(points), np.full(points, np.inf)
