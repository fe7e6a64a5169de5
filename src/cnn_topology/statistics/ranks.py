"""Ranks: `scipy.stats` has them too, and takes longer to load than many a job of ours to run."""

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import real_array


def mean_ranks(values: Float[np.ndarray, "*shape"], axis: int = -1) -> Float[np.ndarray, "*shape"]:
    """Rank values along an axis from 1; equal values share the mean of their ranks.

    Parameters
    ----------
    values : ndarray
    axis : int

    Returns
    -------
    ndarray of float64
        NaN in all places of a line that holds a NaN.
    """
    lines = np.moveaxis(np.asarray(real_array(values, "values to rank"), dtype=np.float64), axis, -1)
    order = np.argsort(lines, axis=-1, kind="stable")
    ordered = np.take_along_axis(lines, order, axis=-1)
    begins = np.ones(ordered.shape, dtype=bool)
    begins[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    first = np.flatnonzero(begins)
    ties = np.diff(first, append=ordered.size)
    shared = np.repeat(first % max(lines.shape[-1], 1) + (ties + 1) / 2, ties)
    ranks = np.empty(lines.shape)
    np.put_along_axis(ranks, order, shared.reshape(lines.shape), axis=-1)
    ranks[np.isnan(lines).any(axis=-1)] = np.nan
    return np.moveaxis(ranks, -1, axis)


def rank_correlation(x: Float[np.ndarray, " rows"], y: Float[np.ndarray, " rows"]) -> float:
    """Compute Spearman's rho.

    Parameters
    ----------
    x, y : ndarray, shape (rows,)
        Neither is constant.

    Returns
    -------
    float
        From -1 to 1.
    """
    return float(np.corrcoef(np.column_stack([mean_ranks(x), mean_ranks(y)]), rowvar=False)[1, 0])
