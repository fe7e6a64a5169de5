"""Does a measure go with an outcome over networks? Correlations, with intervals, permutation tests and adjustment.

Networks of one population share their hyperparameters, and the snapshots of one network their history. Such rows are
no independent observations, so they stay together as a *block*: the bootstrap draws blocks with replacement, and a
permutation gives the outcomes of one block to another. Under the null hypothesis that outcomes have nothing to do with
predictors, blocks are exchangeable; rows are not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from math import factorial

import numpy as np
from jaxtyping import Bool, Float, Int

from cnn_topology.errors import InputError
from cnn_topology.plan.generalization import LEAST_NETWORKS
from cnn_topology.statistics.coefficients import (
    FLAT,
    basis_of,
    column_norms,
    granulated_kendall,
    kendall,
    mean_ranks,
    pairs_apart_in_one,
    partial_pearson,
    pearson,
    rank_of,
    residuals,
)
from cnn_topology.statistics.intervals import percentile_interval

METHODS = ("pearson", "spearman", "kendall", "granulated_kendall", "partial_pearson", "partial_spearman")

# Blocks that what is held fixed must leave free for a test: residuals of fewer are too unlike an exchangeable sample
# (ours; of true nulls at level 0.05, eight populations with five columns held reject 0.12, familywise 0.20; with four
# free blocks or more 0.06 to 0.07).
LEAST_FREE_BLOCKS = 4
# Permutations handled at once.
BLOCK = 512
# Values of predictors handled at once, over draws of the bootstrap: 4 MB.
TOGETHER = 500_000


@dataclass(frozen=True)
class Sample:
    """What is correlated.

    Attributes
    ----------
    predictors : mapping of str to ndarray, shape (rows,)
    outcome : ndarray, shape (rows,)
    blocks : ndarray of int, shape (rows,)
        Which rows belong together; blocks of equal size, their rows in corresponding order (networks by number, or
        steps in time).
    networks : int
        Different networks among the rows.
    given : mapping of str to ndarray, shape (rows,) or (rows, columns)
        What partial correlations hold fixed; a predictor is never held fixed against itself.
    hyperparameters : ndarray, shape (rows, hyperparameters)
        For the granulated coefficient.
    """

    predictors: Mapping[str, np.ndarray]
    outcome: np.ndarray
    blocks: np.ndarray
    networks: int
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    hyperparameters: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True)
class Correlations:
    """One method over all predictors; arrays have shape (predictors,).

    Attributes
    ----------
    statistic : ndarray
        NaN for a predictor that does not vary.
    low, high : ndarray
        95 % percentile interval over bootstrap draws of blocks; NaN for fewer than four blocks.
    p, p_adjusted : ndarray
        Two-sided permutation p-values, and adjusted for all predictors (max-T of Westfall and Young). NaN where a
        partial correlation leaves fewer than four blocks free.
    """

    statistic: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray


def correlate(sample: Sample, method: str, draws: int, permutations: int, rng: np.random.Generator) -> Correlations:
    """Correlate every predictor with the outcome.

    Parameters
    ----------
    sample : Sample
    method : str
        One of `METHODS`.
    draws, permutations : int
        Of the bootstrap and of the test.
    rng : numpy.random.Generator

    Returns
    -------
    Correlations

    Raises
    ------
    InputError
        If there are fewer than four networks.
    """
    if sample.networks < LEAST_NETWORKS:
        raise InputError(
            f"correlations need at least {LEAST_NETWORKS} networks; got {sample.networks}: train "
            f"{LEAST_NETWORKS - sample.networks} more"
        )
    x, y = np.column_stack(list(sample.predictors.values())), sample.outcome
    rows = _rows_of_blocks(sample.blocks)
    observed = _computed(sample, method, x, y, np.arange(len(y)))
    resampled = np.array(_resampled(rows, draws, rng))
    together = max(1, TOGETHER // x.size)
    parts = [resampled[start : start + together] for start in range(0, draws, together)]
    drawn = np.concatenate([_computed(sample, method, x[part], y[part], part) for part in parts])
    low, high = np.array([percentile_interval(column) for column in drawn.T]).T
    if len(rows) < LEAST_NETWORKS:
        low, high = np.full((2, x.shape[1]), np.nan)
    permuted = _permuted_statistics(sample, x, method, _permuted(rows, permutations, rng))
    tested = np.where(_testable(sample, rows, method), observed, np.nan)
    return Correlations(observed, low, high, *permutation_p_values(tested, permuted))


def permutation_p_values(
    observed: Float[np.ndarray, " predictors"], permuted: Float[np.ndarray, "permutations predictors"]
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the two-sided p-value of each statistic, and adjusted for all of them by the largest of each permutation.

    Parameters
    ----------
    observed : ndarray, shape (predictors,)
    permuted : ndarray, shape (permutations, predictors)

    Returns
    -------
    p, p_adjusted : ndarray, shape (predictors,)
        (1 + #{|permuted| >= |observed|}) / (1 + permutations); NaN where `observed` is.
    """
    missing = np.isnan(observed)
    # A permutation without a value counts against the finding. Those that change nothing must count as equal whatever
    # the order of their sums.
    size, null = np.abs(observed) - 1e-12, np.where(np.isnan(permuted), np.inf, np.abs(permuted))
    null[:, missing] = 0.0
    p = (1 + (null >= size).sum(axis=0)) / (1 + len(null))
    adjusted = (1 + (null.max(axis=1)[:, None] >= size).sum(axis=0)) / (1 + len(null))
    return np.where(missing, np.nan, p), np.where(missing, np.nan, adjusted)


def _computed(sample: Sample, method: str, x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Compute the statistic of predictors and outcome, of one draw or of many; `rows` of the sample these are."""
    if method == "kendall":
        return _each(kendall)(x, y)
    if method == "granulated_kendall":
        return _each(granulated_kendall)(x, y, sample.hyperparameters[rows])
    if ranks := method.endswith("spearman"):
        x, y = mean_ranks(x, axis=-2), mean_ranks(y)
    if not method.startswith("partial"):
        return pearson(x, y)
    found = np.empty((*rows.shape[:-1], x.shape[-1]))
    for chosen, given in _given(sample, rows, ranks=ranks):
        found[..., chosen] = partial_pearson(x[..., chosen], y, given)
    return found


def _each(statistic: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Compute a statistic of one draw, or of each of many: pairs of the rows of many would take too much memory."""

    def of(x: np.ndarray, y: np.ndarray, *others: np.ndarray) -> np.ndarray:
        return statistic(x, y, *others) if x.ndim == 2 else np.array([*map(statistic, x, y, *others)])

    return of


def _given(
    sample: Sample, rows: np.ndarray, *, ranks: bool
) -> list[tuple[list[int], Float[np.ndarray, "*draws rows given"]]]:
    """Pair predictors with what is held fixed: those that are held fixed for others lose their own column."""
    names = list(sample.predictors)
    inside = [place for place, name in enumerate(names) if name in sample.given]
    others = [place for place in range(len(names)) if place not in inside]
    # Ranks of quantities; a factor (several columns of indicators) stays what it is.
    drawn = {name: values[rows] for name, values in sample.given.items()}
    held = {
        name: values if values.ndim > rows.ndim else (mean_ranks(values) if ranks else values)[..., None]
        for name, values in drawn.items()
    }
    pairs = []
    for chosen in ([others] if others else []) + [[place] for place in inside]:
        own = {names[place] for place in chosen}
        columns = [values for name, values in held.items() if name not in own]
        pairs.append((chosen, np.concatenate([np.empty((*rows.shape, 0)), *columns], axis=-1)))
    return pairs


def _permuted_statistics(
    sample: Sample, x: np.ndarray, method: str, orders: list[np.ndarray]
) -> Float[np.ndarray, "permutations predictors"]:
    """Compute the statistic under permutations; of a partial one the residuals are permuted (Freedman and Lane)."""
    y = sample.outcome
    if "kendall" in method:
        return _permuted_agreement(x, y, orders, None if method == "kendall" else sample.hyperparameters)
    ranks = method.endswith("spearman")
    x, y = (mean_ranks(x, axis=0), mean_ranks(y)) if ranks else (x, y)
    held = [(list(range(x.shape[1])), np.empty((len(y), 0)))]
    if method.startswith("partial"):
        held = _given(sample, np.arange(len(y)), ranks=ranks)
    found = np.empty((len(orders), x.shape[1]))
    for chosen, given in held:
        found[:, chosen] = _permuted_pearson(x[:, chosen], y, given, orders)
    return found


def _permuted_agreement(
    x: np.ndarray, y: np.ndarray, orders: list[np.ndarray], hyperparameters: np.ndarray | None
) -> Float[np.ndarray, "permutations predictors"]:
    """Compute Kendall's coefficients under permutations: the signs of pairs of predictors, and ties, stay the same."""
    if hyperparameters is None:
        a, b = np.triu_indices(len(y), 1)
        signs = np.sign(x[a] - x[b])
        norms = np.sqrt((signs != 0).sum(axis=0) * (y[a] != y[b]).sum())
        weighed = np.where(norms == 0, np.nan, signs / np.where(norms == 0, 1.0, norms))
    else:
        a, b, weights = pairs_apart_in_one(hyperparameters)
        weighed = weights[:, None] * np.sign(x[a] - x[b])
    return np.array([np.sign(y[order][a] - y[order][b]) @ weighed for order in orders])


def _permuted_pearson(
    x: np.ndarray, y: np.ndarray, given: np.ndarray, orders: list[np.ndarray]
) -> Float[np.ndarray, "permutations predictors"]:
    """Permute what the fit leaves of y, fit again, and correlate; the fit is one projection for all permutations."""
    left_x, left_y = residuals(x, given), residuals(y[:, None], given)[:, 0]
    basis = basis_of(given)
    norms = column_norms(left_x)
    found = []
    for start in range(0, len(orders), BLOCK):
        moved = left_y[np.array(orders[start : start + BLOCK])]
        moved = moved - (moved @ basis) @ basis.T
        left = np.linalg.norm(moved, axis=1)[:, None]
        sizes, flat = left * norms, (left <= FLAT * np.linalg.norm(left_y)) | (norms == 0)
        found.append(np.where(flat, np.nan, (moved @ left_x) / np.where(flat, 1.0, sizes)))
    return np.concatenate(found)


def _testable(sample: Sample, rows: np.ndarray, method: str) -> Bool[np.ndarray, " predictors"]:
    """Find for which predictors what is held fixed leaves blocks enough to exchange; steps are alike in all blocks."""
    found = np.ones(len(sample.predictors), dtype=bool)
    if method.startswith("partial"):
        for chosen, given in _given(sample, np.arange(rows.size), ranks=method.endswith("spearman")):
            held = basis_of(given[rows].mean(axis=1))
            found[chosen] = len(rows) - rank_of(held) >= LEAST_FREE_BLOCKS
    return found


def _rows_of_blocks(blocks: Int[np.ndarray, " rows"]) -> Int[np.ndarray, "blocks size"]:
    """List the rows of each block."""
    return np.array([np.flatnonzero(blocks == name) for name in np.unique(blocks)])


def _resampled(rows: np.ndarray, draws: int, rng: np.random.Generator) -> list[np.ndarray]:
    return [rows[rng.integers(len(rows), size=len(rows))].ravel() for _ in range(draws)]


def _permuted(rows: np.ndarray, permutations: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return for each permutation the row from which each row takes its outcome."""
    orders = []
    for _ in range(permutations):
        order = np.empty(rows.size, dtype=np.int64)
        order[rows] = rows[rng.permutation(len(rows))]
        orders.append(order)
    return orders


def fewest_exchanged(tests: int, level: float, extremes: int = 2) -> int:
    """Return how many rows a permutation test needs, so that its least p-value can be significant.

    Parameters
    ----------
    tests : int
        Tests for which the p-value is adjusted (Bonferroni).
    level : float
    extremes : int
        Orders that are as far out as any can be: a perfect one and, where the test is two-sided or takes no notice of
        direction, its reverse.

    Returns
    -------
    int
        The least n with extremes x tests / n! <= level.
    """
    return next(n for n in count(2) if extremes * tests / factorial(n) <= level)
