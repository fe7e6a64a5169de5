"""Whether near layers are near by a measure, and whether two measures agree on it (activations paper, P1 and P5)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cnn_topology.comparison.measures import Kind
from cnn_topology.errors import InputError
from cnn_topology.statistics.coefficients import mean_ranks
from cnn_topology.statistics.correlations import fewest_exchanged
from cnn_topology.statistics.intervals import correlation_interval

Matrices = Float[np.ndarray, "networks layers layers"]

# Layers from which on full agreement is rarer than 1 in 20 among their permutations, drawn ones too: 1 in 120.
LEAST_EXCHANGED = 5
# Acceptance test of the notes on the activations paper, section 3 [P]; layers from which on it can be passed.
DEPTH_ORDER_LEVEL = 0.01
LEAST_ORDERED = fewest_exchanged(1, DEPTH_ORDER_LEVEL)


@dataclass(frozen=True, eq=False)
class DepthOrder:
    """How well a measure follows the order of the layers.

    Attributes
    ----------
    mean : float
        Over networks: Spearman's correlation of |l - m| with the distance between layers l and m, l != m.
    low, high : float
        95% interval of the mean over networks; NaN below four of them (see `correlation_interval`).
    p_value : float
        Share of permutation draws (this one included) whose mean reaches it: the layers change places, in the same
        way in every network, as in Mantel's test. NaN for fewer than `LEAST_ORDERED` layers.
    """

    mean: float
    low: float
    high: float
    p_value: float


def depth_order(values: Matrices, kind: Kind, draws: int = 999, seed: int = 0) -> DepthOrder:
    """Test whether layers that lie near each other in the network are near by a measure.

    Parameters
    ----------
    values : ndarray, shape (networks, layers, layers)
        The measure between the layers of each network, nearest the image first; the diagonal is not read.
    kind : {'distance', 'similarity'}
        A similarity is turned round first, so that a positive correlation means the same.
    draws : int
        Permutations.
    seed : int
        Of them.

    Returns
    -------
    DepthOrder
        NaN where every pair of different layers of a network has the same value.

    Raises
    ------
    InputError
        If there are fewer than 3 layers.
    """
    ranks = _standard_ranks(values, kind)
    layers = values.shape[1]
    apart = np.abs(np.subtract.outer(np.arange(layers), np.arange(layers))).astype(float)
    standard = _standard_ranks(apart[None], "distance")[0]
    by_network = ranks @ standard
    rng = np.random.default_rng(seed)
    # The mean over networks is linear in the ranks: one scalar product for each permutation.
    mean_ranks = _square(ranks.mean(axis=0), layers)
    ordered = _square(standard, layers)
    observed = float((mean_ranks * ordered).sum())
    # A permutation of equal mean may come out a rounding error below it.
    reached = sum(
        float((mean_ranks * ordered[np.ix_(order, order)]).sum()) >= observed - 1e-12
        for order in (rng.permutation(layers) for _ in range(draws))
    )
    low, high = correlation_interval(by_network)
    decides = np.isfinite(observed) and layers >= LEAST_ORDERED
    p_value = (1 + reached) / (1 + draws) if decides else float("nan")
    return DepthOrder(observed, low, high, p_value)


def agreement(first: Matrices, first_kind: Kind, second: Matrices, second_kind: Kind) -> Float[np.ndarray, " networks"]:
    """Compute Spearman's correlation of two measures over the pairs of different layers, for each network.

    Parameters
    ----------
    first, second : ndarray, shape (networks, layers, layers)
        Of the same networks and layers; the diagonals are not read.
    first_kind, second_kind : {'distance', 'similarity'}
        Similarities are turned round: 1 means that both order the pairs in the same way.

    Returns
    -------
    ndarray, shape (networks,)
        From -1 to 1.

    Raises
    ------
    InputError
        As `depth_order`.
    """
    return np.asarray((_standard_ranks(first, first_kind) * _standard_ranks(second, second_kind)).sum(axis=1))


def agreement_p_value(
    first: Matrices, first_kind: Kind, second: Matrices, second_kind: Kind, draws: int = 999, seed: int = 0
) -> float:
    """Test whether two measures agree more than if the layers of one had changed places (Mantel's test, one-sided).

    Parameters
    ----------
    first, first_kind, second, second_kind
        As `agreement`.
    draws : int
        Permutations of the layers, in the same way in every network.
    seed : int
        Of them.

    Returns
    -------
    float
        Share of draws (this one included) whose mean correlation over networks reaches the one found; NaN where that
        is, and for fewer than `LEAST_EXCHANGED` layers.
    """
    layers = first.shape[1]
    if layers < LEAST_EXCHANGED:
        return float("nan")
    ranks, others = _standard_ranks(first, first_kind), _standard_ranks(second, second_kind)
    observed = float((ranks * others).sum())
    if not np.isfinite(observed):
        return float("nan")
    squares = np.stack([_square(row, layers) for row in others])
    off = ~np.eye(layers, dtype=bool)
    rng = np.random.default_rng(seed)
    # A permutation of equal mean may come out a rounding error below it.
    reached = sum(
        float((ranks * squares[:, order[:, None], order][:, off]).sum()) >= observed - 1e-9
        for order in (rng.permutation(layers) for _ in range(draws))
    )
    return (1 + reached) / (1 + draws)


def _standard_ranks(values: Matrices, kind: Kind) -> Float[np.ndarray, "networks pairs"]:
    """Rank the values off the diagonal of each network, centred and of norm 1: scalar products are correlations."""
    layers = values.shape[1]
    if layers < 3:
        raise InputError(f"values of a measure of shape {values.shape}: expected 3 layers or more")
    flat = values[:, ~np.eye(layers, dtype=bool)]
    ranks = mean_ranks(flat if kind == "distance" else -flat, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1, keepdims=True)
    return np.divide(ranks, norms, out=np.full_like(ranks, np.nan), where=norms > 0)


def _square(pairs: Float[np.ndarray, " pairs"], layers: int) -> Float[np.ndarray, "layers layers"]:
    """Put values of the pairs of different layers back into a matrix, zero on the diagonal."""
    square = np.zeros((layers, layers))
    square[~np.eye(layers, dtype=bool)] = pairs
    return square
