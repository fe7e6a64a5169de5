"""Specificity: whether a measure knows a layer across seeds (Ding, Denain and Steinhardt, NeurIPS 2021).

Two networks that differ only in their seed have the same layers. A specific measure finds, for layer l of one network,
layer l of the other as the nearest of all its layers. The rate of hits is compared with the chance level, one over the
number of layers, by exchanging layer labels within networks.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cnn_topology.comparison.measures import Kind
from cnn_topology.statistics.intervals import PERCENTILES, wilson_interval

Values = Float[np.ndarray, "models layers models layers"]


@dataclass(frozen=True, eq=False)
class Specificity:
    """How often the nearest layer of another network is the same layer.

    Attributes
    ----------
    rate : float
        Over all ordered pairs of different networks and all layers. Of several layers equally near, each counts as
        an equal part of one nearest layer, so a measure without information scores the chance level.
    chance : float
        1 / layers.
    low, high : float
        95% interval of the rate. Pairs that share a network are not independent, so networks are drawn with
        replacement; and since few networks that all agree would give an interval of no width, it is widened to
        Wilson's for as many cases as disjoint pairs of networks give.
    p_value : float
        Share of permutation draws (this one included) that reach the rate, each relabelling the layers of every
        network at random.
    layer_rate, layer_low, layer_high : ndarray, shape (layers,)
        The same for each layer.
    confusion : ndarray, shape (layers, layers)
        Row l: the distribution of the nearest layer of another network to layer l.
    """

    rate: float
    chance: float
    low: float
    high: float
    p_value: float
    layer_rate: np.ndarray
    layer_low: np.ndarray
    layer_high: np.ndarray
    confusion: np.ndarray


def specificity(values: Values, kind: Kind, draws: int = 999, seed: int = 0) -> Specificity:
    """Test the specificity of a measure.

    Parameters
    ----------
    values : ndarray, shape (models, layers, models, layers)
        Of two networks and layers at least. Entry (i, l, j, m): the measure between layer l of network i and layer m
        of network j; entries with i = j are not read.
    kind : {'distance', 'similarity'}
        Whether the nearest layer has the smallest or the largest value.
    draws : int
        Permutation draws, and draws of the bootstrap.
    seed : int
        Of both.

    Returns
    -------
    Specificity
    """
    shares = nearest_shares(values, kind)
    models, layers = shares.shape[:2]
    pairs = models * (models - 1)
    confusion = shares.sum(axis=(0, 2)) / pairs
    layer_rate = np.diagonal(confusion).copy()
    rate = float(layer_rate.mean())
    disjoint = models // 2
    low, high = wilson_interval(np.array(rate), disjoint * layers)
    layer_low, layer_high = wilson_interval(layer_rate, disjoint)
    rng = np.random.default_rng(seed)
    # A draw of equal rate may come out a rounding error below it.
    reached = sum(_relabelled_rate(shares, rng) >= rate - 1e-12 for _ in range(draws))
    drawn = _bootstrap_rates(shares, draws, rng)
    quantiles = np.quantile(np.column_stack([drawn.mean(axis=1), drawn]), PERCENTILES, axis=0)
    layer_low, layer_high = np.minimum(layer_low, quantiles[0, 1:]), np.maximum(layer_high, quantiles[1, 1:])
    return Specificity(
        rate=rate,
        chance=1 / layers,
        low=float(min(low, quantiles[0, 0])),
        high=float(max(high, quantiles[1, 0])),
        p_value=(1 + reached) / (1 + draws),
        layer_rate=layer_rate,
        layer_low=layer_low,
        layer_high=layer_high,
        confusion=confusion,
    )


def nearest_shares(values: Values, kind: Kind) -> Values:
    """Find for every layer of every network which layers of each other network are nearest.

    Parameters
    ----------
    values, kind
        As in `specificity`.

    Returns
    -------
    ndarray, shape (models, layers, models, layers)
        Entry (i, l, j, m): 1 if layer m of network j is the nearest to layer l of network i, 1/t if it is one of t
        equally near ones, else 0; and 0 for i = j.
    """
    other = ~np.eye(len(values), dtype=bool)[:, None, :, None]
    signed = values if kind == "distance" else -values
    nearest = (signed == signed.min(axis=3, keepdims=True)) & other
    return nearest / np.maximum(nearest.sum(axis=3, keepdims=True), 1)


def _bootstrap_rates(shares: Values, draws: int, rng: np.random.Generator) -> Float[np.ndarray, "draws layers"]:
    """Compute the rate of each layer for networks drawn with replacement; a network is never compared with itself."""
    models = len(shares)
    hits = np.einsum("iljl->lij", shares)
    counts = rng.multinomial(models, np.full(models, 1 / models), size=draws)
    # One network drawn every time has no other to be compared with: such a draw says nothing.
    counts = counts[(counts > 0).sum(axis=1) > 1]
    pairs = counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)
    return (
        np.stack([np.einsum("di,ij,dj->d", counts, hit, counts, optimize=True) for hit in hits], axis=1)
        / pairs[:, None]
    )


def _relabelled_rate(shares: Values, rng: np.random.Generator) -> float:
    """Compute the rate of hits after relabelling the layers of every network at random."""
    models, layers = shares.shape[:2]
    label = rng.permuted(np.tile(np.arange(layers), (models, 1)), axis=1)
    # slot[i, a]: the layer of network i that is now called a.
    slot = np.argsort(label, axis=1)
    i = np.arange(models)[:, None, None]
    j = np.arange(models)[None, :, None]
    hits = shares[i, slot[:, None, :], j, slot[None, :, :]]
    return float(hits.sum() / (models * (models - 1) * layers))
