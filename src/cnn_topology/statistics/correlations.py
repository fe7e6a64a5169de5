"""Does a measure go with an outcome over networks? Correlations, with intervals, permutation tests and adjustment.

Pearson, Spearman and Kendall (tau-b); the granulated Kendall coefficient of Jiang et al. (*Fantastic generalization
measures and where to find them*, 2020, section 4), which compares only runs that differ in one hyperparameter; and
partial correlations, which hold other quantities fixed. Each takes all predictors at once: columns of a matrix.

Networks of one population share their hyperparameters, and the snapshots of one network their history. Such rows are
no independent observations, so they stay together as a *block*: the bootstrap draws blocks with replacement, and a
permutation gives the outcomes of one block to another. Under the null hypothesis that outcomes have nothing to do with
predictors, blocks are exchangeable; rows are not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from cnn_topology.comparison.ranks import mean_ranks
from cnn_topology.errors import InputError
from cnn_topology.plan.generalization import LEAST_NETWORKS

METHODS = ("pearson", "spearman", "kendall", "granulated_kendall", "partial_pearson", "partial_spearman")

# A partial correlation needs more rows than columns it holds fixed: at least so many degrees of freedom.
LEAST_FREEDOM = 2
# Blocks that what is held fixed must leave free for a test: residuals of fewer are too unlike an exchangeable sample
# (ours; of true nulls at level 0.05, eight populations with five columns held reject 0.12, familywise 0.20; with four
# free blocks or more 0.06 to 0.07).
LEAST_FREE_BLOCKS = 4
# Spread below this part of the values' size is rounding.
FLAT = 1e-12
# Columns held fixed that the others explain up to this part add nothing.
RANK = 1e-9
# Permutations handled at once.
BLOCK = 512
LEVEL = 0.95


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
    hyperparameters: np.ndarray | None = None


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
        If there are fewer than four networks, or the blocks differ in size.
    """
    if sample.networks < LEAST_NETWORKS:
        raise InputError(
            f"correlations need at least {LEAST_NETWORKS} networks; got {sample.networks}: train "
            f"{LEAST_NETWORKS - sample.networks} more"
        )
    names, x, y = list(sample.predictors), np.column_stack(list(sample.predictors.values())), sample.outcome
    rows = _rows_of_blocks(sample.blocks)
    compute = _statistic(sample, names, method)
    everything = np.arange(len(y))
    observed = compute(x, y, everything)
    drawn = np.array([compute(x[i], y[i], i) for i in _resampled(rows, draws, rng)])
    low, high = np.array([_interval(column) for column in drawn.T]).T
    if len(rows) < LEAST_NETWORKS:
        low, high = np.full((2, len(names)), np.nan)
    permuted = _permuted_statistics(sample, names, x, method, _permuted(rows, permutations, rng))
    tested = np.where(_testable(sample, names, rows, method), observed, np.nan)
    return Correlations(observed, low, high, *permutation_p_values(tested, permuted))


def pearson(x: Float[np.ndarray, "rows predictors"], y: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " predictors"]:
    """Give Pearson's r of each column with y; NaN where one of the two does not vary."""
    flat = _flat(x) | _flat(y[:, None])
    x, y = x - x.mean(axis=0), y - y.mean()
    norms = _norms(x) * np.linalg.norm(y)
    return np.where(flat, np.nan, (y @ x) / np.where(flat, 1.0, norms))


def _flat(values: Float[np.ndarray, "rows columns"]) -> Bool[np.ndarray, " columns"]:
    """Tell which columns do not vary but by rounding, whatever their unit."""
    return _norms(values - values.mean(axis=0)) <= FLAT * _norms(values)


def _norms(values: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, " columns"]:
    """Give `np.linalg.norm(values, axis=0)`, of which the checks of its arguments are half, for thousands of draws."""
    return np.asarray(np.sqrt(np.add.reduce(values * values, axis=0)))


def spearman(
    x: Float[np.ndarray, "rows predictors"], y: Float[np.ndarray, " rows"]
) -> Float[np.ndarray, " predictors"]:
    """Give Spearman's rho of each column with y: Pearson's r of mean ranks."""
    return pearson(mean_ranks(x, axis=0), mean_ranks(y))


def kendall(x: Float[np.ndarray, "rows predictors"], y: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " predictors"]:
    """Give Kendall's tau-b of each column with y, which allows for ties."""
    a, b = np.triu_indices(len(y), 1)
    sx, sy = np.sign(x[a] - x[b]), np.sign(y[a] - y[b])
    norms = np.sqrt((sx != 0).sum(axis=0) * (sy != 0).sum())
    return np.where(norms == 0, np.nan, (sy @ sx) / np.where(norms == 0, 1.0, norms))


def granulated_kendall(
    x: Float[np.ndarray, "rows predictors"],
    y: Float[np.ndarray, " rows"],
    hyperparameters: Float[np.ndarray, "rows axes"],
) -> Float[np.ndarray, " predictors"]:
    """Give the granulated Kendall coefficient of each column with y (Jiang et al. 2020, section 4).

    For each hyperparameter, runs are grouped so that within a group nothing else differs; the mean sign agreement of
    the pairs of a group that differ in it is averaged over groups, and the result over the hyperparameters that vary.
    A pair tied in x or y counts zero.

    Parameters
    ----------
    x, y : ndarray
        Predictors and outcome.
    hyperparameters : ndarray, shape (rows, axes)
        The values of each run.

    Returns
    -------
    ndarray, shape (predictors,)
        From -1 to 1; NaN if no two runs differ in just one hyperparameter.
    """
    a, b, weights = _pairs_apart_in_one(hyperparameters)
    if not len(a):
        return np.full(x.shape[1], np.nan)
    return (weights * np.sign(y[a] - y[b])) @ np.sign(x[a] - x[b])


def _pairs_apart_in_one(
    hyperparameters: Float[np.ndarray, "rows axes"],
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"], Float[np.ndarray, " pairs"]]:
    """List the pairs of runs that differ in one hyperparameter, and the weight of each in the coefficient."""
    codes = np.column_stack([np.unique(column, return_inverse=True)[1] for column in hyperparameters.T])
    a, b = np.triu_indices(len(codes), 1)
    differ = codes[a] != codes[b]
    one = differ.sum(axis=1) == 1
    a, b, axis = a[one], b[one], differ[one].argmax(axis=1)
    weights = np.zeros(len(a))
    axes = np.unique(axis)
    for number in axes:
        mine = np.flatnonzero(axis == number)
        others = np.delete(codes, number, 1)[a[mine]]
        _, group, size = np.unique(others, axis=0, return_inverse=True, return_counts=True)
        weights[mine] = 1 / (len(axes) * len(size) * size[group.ravel()])
    return a, b, weights


def partial_pearson(
    x: Float[np.ndarray, "rows predictors"], y: Float[np.ndarray, " rows"], given: Float[np.ndarray, "rows given"]
) -> Float[np.ndarray, " predictors"]:
    """Give Pearson's r of what a linear fit on `given` leaves of each column and of y.

    NaN where nothing is left, or fewer than two degrees of freedom.
    """
    basis = _basis(given, len(y))
    if len(y) - basis.shape[1] < LEAST_FREEDOM:
        return np.full(x.shape[1], np.nan)
    left, outcome = _left_by(basis, x), _left_by(basis, y[:, None])[:, 0]
    # Rounding leaves something of a column that the fit explains wholly.
    spent = _flat(x) | (_norms(left) <= 1e-9 * _norms(x - x.mean(axis=0)))
    if _flat(y[:, None])[0] or np.linalg.norm(outcome) <= 1e-9 * np.linalg.norm(y - y.mean()):
        return np.full(x.shape[1], np.nan)
    return np.where(spent, np.nan, pearson(left, outcome))


def residuals(
    values: Float[np.ndarray, "rows columns"], given: Float[np.ndarray, "rows given"]
) -> Float[np.ndarray, "rows columns"]:
    """Give what a least-squares fit of each column on `given` and a constant leaves."""
    return _left_by(_basis(given, len(values)), values)


def _left_by(basis: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values - basis @ (basis.T @ values)


def _basis(given: np.ndarray, rows: int) -> Float[np.ndarray, "rows rank"]:
    """Give an orthonormal basis of a constant and the columns of `given`, each scaled to its own spread."""
    centred = given - given.mean(axis=0) if given.shape[1] else np.empty((rows, 0))
    moving = centred[:, ~_flat(given)] if given.shape[1] else centred
    design = np.column_stack([np.full(rows, rows**-0.5), moving / _norms(moving)])
    left, spread, _ = np.linalg.svd(design, full_matrices=False)
    return left[:, spread > RANK * spread[0]]


def permutation_p_values(
    observed: Float[np.ndarray, " predictors"], permuted: Float[np.ndarray, "permutations predictors"]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the two-sided p-value of each statistic, and adjusted for all of them by the largest of each permutation.

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


Compute = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _statistic(sample: Sample, names: list[str], method: str) -> Compute:
    """Give the function of predictors, outcome and the rows of the sample that these are."""
    simple = {"pearson": pearson, "spearman": spearman, "kendall": kendall}
    if method in simple:
        return lambda x, y, _: simple[method](x, y)
    if method == "granulated_kendall":
        hyperparameters = sample.hyperparameters
        if hyperparameters is None:
            raise InputError("the granulated coefficient compares runs over hyperparameters: none were given")
        return lambda x, y, rows: granulated_kendall(x, y, hyperparameters[rows])
    if method not in METHODS:
        raise InputError(f"unknown method of correlation {method!r}; valid: {', '.join(METHODS)}")

    def partial(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
        ranks = method == "partial_spearman"
        x, y = (mean_ranks(x, axis=0), mean_ranks(y)) if ranks else (x, y)
        found = np.empty(len(names))
        for chosen, given in _given(sample, names, rows, ranks=ranks):
            found[chosen] = partial_pearson(x[:, chosen], y, given)
        return found

    return partial


def _given(
    sample: Sample, names: list[str], rows: np.ndarray, *, ranks: bool
) -> list[tuple[list[int], Float[np.ndarray, "rows given"]]]:
    """Pair predictors with what is held fixed: those that are held fixed for others lose their own column."""
    inside = [place for place, name in enumerate(names) if name in sample.given]
    others = [place for place in range(len(names)) if place not in inside]
    # Ranks of quantities; a factor (several columns of indicators) stays what it is.
    drawn = {name: values[rows] for name, values in sample.given.items()}
    held = {name: mean_ranks(v) if ranks and v.ndim == 1 else v for name, v in drawn.items()}
    pairs = []
    for chosen in ([others] if others else []) + [[place] for place in inside]:
        own = {names[place] for place in chosen}
        columns = [values for name, values in held.items() if name not in own]
        pairs.append((chosen, np.column_stack(columns) if columns else np.empty((len(rows), 0))))
    return pairs


def _permuted_statistics(
    sample: Sample, names: list[str], x: np.ndarray, method: str, orders: list[np.ndarray]
) -> Float[np.ndarray, "permutations predictors"]:
    """Compute the statistic under permutations; of a partial one the residuals are permuted (Freedman and Lane)."""
    y, everything = sample.outcome, np.arange(len(sample.outcome))
    if "kendall" in method:
        return _permuted_agreement(x, y, orders, None if method == "kendall" else sample.hyperparameters)
    ranks = method.endswith("spearman")
    x, y = (mean_ranks(x, axis=0), mean_ranks(y)) if ranks else (x, y)
    partial = method.startswith("partial")
    held = (
        _given(sample, names, everything, ranks=ranks)
        if partial
        else [(list(range(len(names))), np.empty((len(y), 0)))]
    )
    found = np.empty((len(orders), len(names)))
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
        a, b, weights = _pairs_apart_in_one(hyperparameters)
        weighed = weights[:, None] * np.sign(x[a] - x[b])
    return np.array([np.sign(y[order][a] - y[order][b]) @ weighed for order in orders])


def _permuted_pearson(
    x: np.ndarray, y: np.ndarray, given: np.ndarray, orders: list[np.ndarray]
) -> Float[np.ndarray, "permutations predictors"]:
    """Permute what the fit leaves of y, fit again, and correlate; the fit is one projection for all permutations."""
    left_x, left_y = residuals(x, given), residuals(y[:, None], given)[:, 0]
    basis = _basis(given, len(y))
    norms = np.linalg.norm(left_x, axis=0)
    found = []
    for start in range(0, len(orders), BLOCK):
        moved = left_y[np.array(orders[start : start + BLOCK])]
        moved = moved - (moved @ basis) @ basis.T
        left = np.linalg.norm(moved, axis=1)[:, None]
        sizes, flat = left * norms, (left <= FLAT * np.linalg.norm(left_y)) | (norms == 0)
        found.append(np.where(flat, np.nan, (moved @ left_x) / np.where(flat, 1.0, sizes)))
    return np.concatenate(found)


def _testable(sample: Sample, names: list[str], rows: np.ndarray, method: str) -> Bool[np.ndarray, " predictors"]:
    """Tell for which predictors what is held fixed leaves blocks enough to exchange; steps are alike in all blocks."""
    found = np.ones(len(names), dtype=bool)
    if method.startswith("partial"):
        for chosen, given in _given(sample, names, np.arange(rows.size), ranks=method.endswith("spearman")):
            held = _basis(given[rows].mean(axis=1), len(rows))
            found[chosen] = len(rows) - held.shape[1] >= LEAST_FREE_BLOCKS
    return found


def _rows_of_blocks(blocks: Int[np.ndarray, " rows"]) -> Int[np.ndarray, "blocks size"]:
    """List the rows of each block."""
    names, sizes = np.unique(blocks, return_counts=True)
    if len(set(sizes)) > 1:
        raise InputError(f"blocks hold {min(sizes)} to {max(sizes)} rows; only blocks of equal size are exchangeable")
    return np.array([np.flatnonzero(blocks == name) for name in names])


def _resampled(rows: np.ndarray, draws: int, rng: np.random.Generator) -> list[np.ndarray]:
    return [rows[rng.integers(len(rows), size=len(rows))].ravel() for _ in range(draws)]


def _permuted(rows: np.ndarray, permutations: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Give, for each permutation, the row from which each row takes its outcome."""
    orders = []
    for _ in range(permutations):
        order = np.empty(rows.size, dtype=np.int64)
        order[rows] = rows[rng.permutation(len(rows))]
        orders.append(order)
    return orders


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    """Give the percentile interval over the draws that have a value; none if fewer than half do."""
    finite = drawn[np.isfinite(drawn)]
    if 2 * len(finite) < len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
