"""Whether filters are a ring in the plane of their two strongest directions, a disc, or a mixture (ours).

A loop of the densest filters is compared with noise by its bar. This statistic needs no density filter and no barcode:
the squared distance r^2 of all filters from the origin of that plane varies little if they lie on a ring, and much if
some lie in the plane and others far from it. C = Var(r^2) / E(r^2)^2 is compared on both sides with filters that have
the layer's own second moments, and whose entries, once whitened, are shuffled (`whitened_null`).
docs/calibration.md has its level and power.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.null_clouds import whitened_null
from cnn_topology.statistics.nulls import CloudName
from cnn_topology.statistics.significance import two_sided_p_value


@dataclass(frozen=True)
class Hollowness:
    """The statistic of a layer beside its null.

    Attributes
    ----------
    value : float
        C; 0 of a perfect ring, about 0.6 of filters that are uniform on the 7-sphere.
    error : float
        Standard error over output channels, whose filters are alike.
    median : float
        Of the draws: C below it is the hollow side, above it the side of a mixture.
    p_value : float
        Two-sided rank p-value among the draws.
    """

    value: float
    error: float
    median: float
    p_value: float


def hollowness(points: Float[np.ndarray, "points entries"]) -> float:
    """Compute C = Var(r^2) / E(r^2)^2, r the length of a filter in the plane of the two strongest axes of all.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Normalized filters, one at least.

    Returns
    -------
    float
        0 or more.
    """
    squares = _squared_lengths(points)
    return float(np.var(squares) / np.mean(squares) ** 2)


def block_error(points: Float[np.ndarray, "points entries"], blocks: Int[np.ndarray, " points"]) -> float:
    """Compute the standard error of `hollowness` by leaving out one block after another, the plane as it is.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Normalized filters, one at least.
    blocks : ndarray of int, shape (points,)
        Block of each filter, such as its output channel. Filters of a block may depend on each other.

    Returns
    -------
    float
        Of the delete-one-block jackknife; NaN of a single block.
    """
    squares = _squared_lengths(points)
    _, places = np.unique(blocks, return_inverse=True)
    sums = np.stack([np.bincount(places, weights=squares**power) for power in (0, 1, 2)])
    count, first, second = sums.sum(axis=1, keepdims=True) - sums
    if len(count) < 2:
        return float("nan")
    values = second / count / (first / count) ** 2 - 1
    return float(np.sqrt((len(values) - 1) / len(values) * np.sum((values - values.mean()) ** 2)))


def hollowness_test(
    points: Float[np.ndarray, "points entries"],
    blocks: Int[np.ndarray, " points"],
    draws: int,
    run_seed: int,
    cloud: CloudName,
) -> Hollowness:
    """Compare the hollowness of a layer with that of filters with its own second moments, whitened and shuffled.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        All normalized filters of the layer, before any density filter.
    blocks : ndarray of int, shape (points,)
        As for `block_error`.
    draws : int
    run_seed : int
    cloud : tuple of (str, str, int)
        Population, layer and step, which are part of the seed of each draw.

    Returns
    -------
    Hollowness
    """
    value = hollowness(points)
    make = whitened_null(points, blocks)
    seeds = (derive_seed(run_seed, "hollowness", *cloud, draw) for draw in range(draws))
    null = np.array([hollowness(make(np.random.default_rng(seed))) for seed in seeds])
    return Hollowness(value, block_error(points, blocks), float(np.median(null)), two_sided_p_value(value, null))


def ring(row: Mapping[Any, Any], alpha: float) -> str:
    """Describe on which side of its null the hollowness of a layer lies.

    Parameters
    ----------
    row : mapping
        With `hollowness`, `hollowness_median` and `p_hollowness`, as the tables `loops` and `look` have them.
    alpha : float
        Level of the test.

    Returns
    -------
    str
        ``hollow as a ring``, ``a mixture`` or ``undecided``; empty where it was not tested.
    """
    if row["p_hollowness"] is None or np.isnan(row["p_hollowness"]):
        return ""
    if row["p_hollowness"] > alpha:
        return "undecided"
    return "hollow as a ring" if row["hollowness"] < row["hollowness_median"] else "a mixture"


def _squared_lengths(points: Float[np.ndarray, "points entries"]) -> Float[np.ndarray, " points"]:
    _, axes = np.linalg.eigh(points.T @ points)
    return np.sum((points @ axes[:, -2:]) ** 2, axis=1)
