"""Sensitivity: whether a measure notices missing components (Ding, Denain and Steinhardt, NeurIPS 2021).

Principal components of a layer are removed from the smallest upwards, and the reduced cloud is compared with the whole
one. The change counts as noticed once the value passes the threshold that the same layer of differently seeded networks
sets. The activations paper (arXiv:2212.00222) removes them without centring the cloud first and along an uneven grid
(its released code); both are kept as `published`, beside the centred cloud and the even grid as `corrected`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.comparison.clouds import SampledCloud, median_distance, scaled_bars
from cnn_topology.comparison.measures import Kind, Measure, compare_all
from cnn_topology.errors import InputError
from cnn_topology.plan.base import Mode
from cnn_topology.topology.persistence import barcode

# The released code removes 4 components first and about 4 more in each step.
STEP = 4

# Reduced clouds compared at a time: what measures prepare of each (a Gram matrix of 8 MB for 1,000 images) is kept.
AT_A_TIME = 16

# Ours: points of a curve of which an order can be told; two have a rank correlation of 1 or -1 whatever they are.
LEAST_STEPS = 3

# The acceptance test asks for a correlation above this between components removed and the distance [P].
MONOTONE = 0.9

# The threshold is drawn with the range of this share of the pairs of seeds around it.
BAND = (0.05, 0.95)


def removal_grid(features: int, grid: Mode) -> Int[np.ndarray, " steps"]:
    """List how many components to remove, in ascending order.

    Parameters
    ----------
    features : int
        Number c of features of the layer.
    grid : {'published', 'corrected'}
        Published: 4 + i (c - 4) / floor(c / 4), cut to whole numbers, for i = 0 .. floor(c / 4) - 1, whose steps are
        uneven (4, 7, 11, 15, ...). Corrected: all multiples of 4 below c.

    Returns
    -------
    ndarray of int64, shape (steps,)

    Raises
    ------
    InputError
        If the layer has 4 features or fewer: nothing would be left.
    """
    if features <= STEP:
        raise InputError(f"a layer of {features} features is too narrow for the sensitivity test: it takes {STEP + 1}")
    if grid == "corrected":
        return np.arange(STEP, features, STEP)
    steps = features // STEP
    return STEP + np.arange(steps) * (features - STEP) // steps


def without_smallest_components(
    points: Float[np.ndarray, "samples features"], removed: Iterable[int], centre: bool
) -> list[Float[np.ndarray, "samples kept"]]:
    """Remove the principal components of a cloud from the smallest upwards.

    Parameters
    ----------
    points : ndarray, shape (samples, features)
    removed : iterable of int
        How many components to remove, each from 0 to features - 1.
    centre : bool
        Whether to centre the cloud first (corrected). Without (published) the largest component is mostly the mean.

    Returns
    -------
    list of ndarray, each of shape (samples, features - removed)
        Coordinates of the samples along the components kept, the largest first; zero along those beyond the rank.
    """
    features = points.shape[1]
    whole = points - points.mean(axis=0) if centre else points
    directions, singular, _ = np.linalg.svd(whole, full_matrices=False)
    coordinates = np.zeros(points.shape)
    coordinates[:, : len(singular)] = directions * singular
    return [coordinates[:, : features - count] for count in removed]


def seed_threshold(values: Float[np.ndarray, "models models"]) -> tuple[float, float, float]:
    """Compute what differently seeded networks differ by in one layer: a change below it goes unnoticed.

    Parameters
    ----------
    values : ndarray, shape (models, models)
        Entry (i, j): the measure between this layer of network i and the same layer of network j, of two networks at
        least; the diagonal is not read.

    Returns
    -------
    mean, low, high : float
        Mean, 5% and 95% quantile over ordered pairs of different networks.
    """
    between = values[~np.eye(len(values), dtype=bool)]
    low, high = np.quantile(between, BAND)
    return float(between.mean()), float(low), float(high)


def detection_fraction(
    fractions: Float[np.ndarray, " steps"], curve: Float[np.ndarray, " steps"], threshold: float, kind: Kind
) -> float:
    """Find the smallest fraction of removed components at which the measure passes a threshold.

    Parameters
    ----------
    fractions : ndarray, shape (steps,)
        Removed components over features, ascending.
    curve : ndarray, shape (steps,)
        The measure between the whole and the reduced layer.
    threshold : float
        For example the mean, or an end of the band, of `seed_threshold`.
    kind : {'distance', 'similarity'}
        A distance passes it when it is larger, a similarity when it is smaller.

    Returns
    -------
    float
        The first fraction of the grid that passes; NaN if none does: the measure never notices.
    """
    passed = np.flatnonzero(curve > threshold if kind == "distance" else curve < threshold)
    return float(fractions[passed[0]]) if len(passed) else float("nan")


def component_curves(
    wholes: Sequence[SampledCloud], measures: list[Measure], mode: Mode, threads: int = 1
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Compare whole clouds with the first of them after its smallest principal components were removed.

    Against itself as the activations paper does (section 1.3); against the same layer of another seed as Ding et al.

    Parameters
    ----------
    wholes : sequence of SampledCloud
        The first loses components.
    measures : list of Measure
    mode : {'published', 'corrected'}
        Grid and centring (`comparison.sensitivity`).
    threads : int
        Of distances between points and diagrams.

    Returns
    -------
    removed : ndarray of int64, shape (1 + steps,)
        The grid after 0.
    values : dict of str to ndarray of float64, shape (wholes, 1 + steps)
        By name of the measure; the whole cloud is its first argument.
    """
    whole = wholes[0]
    removed = removal_grid(whole.points.shape[1], mode)
    reduced = without_smallest_components(whole.points, removed, centre=mode == "corrected")
    clouds = [*wholes, *(SampledCloud(points, whole.ids) for points in reduced)]
    taken: dict[str, list[Any]] = {"clouds": clouds}
    if any(measure.takes != "clouds" for measure in measures):
        taken["diagrams"] = [barcode(cloud.points, threads=threads).in_dimension(1) for cloud in clouds]
    if any(measure.takes == "scaled diagrams" for measure in measures):
        taken["scaled diagrams"] = [
            scaled_bars(bars, median_distance(cloud.points), "a cloud with components removed")
            for bars, cloud in zip(taken["diagrams"], clouds, strict=True)
        ]
    values = {}
    for measure in measures:
        prepared = taken[measure.takes]
        firsts, others = prepared[: len(wholes)], [prepared[0], *prepared[len(wholes) :]]
        steps = range(0, len(others), AT_A_TIME)
        parts = [compare_all(measure.name, firsts, others[step : step + AT_A_TIME], threads) for step in steps]
        values[measure.name] = np.concatenate(parts, axis=1)
    return np.array([0, *removed]), values
