"""Coefficients that say how a measure goes with an outcome, of all measures at once: columns of a matrix.

Pearson, Spearman and Kendall (tau-b); the granulated Kendall coefficient of Jiang et al. (*Fantastic generalization
measures and where to find them*, 2020, section 4), which compares only runs that differ in one hyperparameter; and
partial correlations, which hold other quantities fixed. All but Kendall's take many draws at once, of a bootstrap for
one: leading axes of their arrays.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from cnn_topology.checks import real_array

# A partial correlation needs more rows than columns it holds fixed: at least so many degrees of freedom.
LEAST_FREEDOM = 2
# Spread below this part of the values' size is rounding.
FLAT = 1e-12
# Columns held fixed that the others explain up to this part add nothing.
RANK = 1e-9


def pearson(
    x: Float[np.ndarray, "*draws rows predictors"], y: Float[np.ndarray, "*draws rows"]
) -> Float[np.ndarray, "*draws predictors"]:
    """Compute Pearson's r of each column with y.

    Parameters
    ----------
    x : ndarray, shape (..., rows, predictors)
    y : ndarray, shape (..., rows)

    Returns
    -------
    ndarray, shape (..., predictors)
        From -1 to 1; NaN where one of the two does not vary.
    """
    flat = is_flat(x) | is_flat(y[..., None])
    x, y = x - x.mean(axis=-2, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    norms = column_norms(x) * column_norms(y[..., None])
    return np.where(flat, np.nan, (y[..., None, :] @ x)[..., 0, :] / np.where(flat, 1.0, norms))


def is_flat(values: Float[np.ndarray, "*draws rows columns"]) -> Bool[np.ndarray, "*draws columns"]:
    """Find which columns do not vary but by rounding, whatever their unit.

    Parameters
    ----------
    values : ndarray, shape (..., rows, columns)

    Returns
    -------
    ndarray of bool, shape (..., columns)
    """
    return column_norms(values - values.mean(axis=-2, keepdims=True)) <= FLAT * column_norms(values)


def column_norms(values: Float[np.ndarray, "*draws rows columns"]) -> Float[np.ndarray, "*draws columns"]:
    """Compute the l2 norm of each column.

    Parameters
    ----------
    values : ndarray, shape (..., rows, columns)

    Returns
    -------
    ndarray, shape (..., columns)
    """
    return np.asarray(np.sqrt(np.add.reduce(values * values, axis=-2)))


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
    from scipy.stats import rankdata  # takes most of a second to load

    return np.asarray(rankdata(real_array(values, "values to rank"), axis=axis))


def spearman(
    x: Float[np.ndarray, "*draws rows predictors"], y: Float[np.ndarray, "*draws rows"]
) -> Float[np.ndarray, "*draws predictors"]:
    """Compute Spearman's rho of each column with y: Pearson's r of mean ranks.

    Parameters
    ----------
    x : ndarray, shape (..., rows, predictors)
    y : ndarray, shape (..., rows)

    Returns
    -------
    ndarray, shape (..., predictors)
        From -1 to 1; NaN where one of the two does not vary.
    """
    return pearson(mean_ranks(x, axis=-2), mean_ranks(y))


def kendall(x: Float[np.ndarray, "rows predictors"], y: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " predictors"]:
    """Compute Kendall's tau-b of each column with y, which allows for ties.

    Parameters
    ----------
    x : ndarray, shape (rows, predictors)
    y : ndarray, shape (rows,)

    Returns
    -------
    ndarray, shape (predictors,)
        From -1 to 1; NaN where one of the two does not vary.
    """
    a, b = np.triu_indices(len(y), 1)
    sx, sy = np.sign(x[a] - x[b]), np.sign(y[a] - y[b])
    norms = np.sqrt((sx != 0).sum(axis=0) * (sy != 0).sum())
    return np.where(norms == 0, np.nan, (sy @ sx) / np.where(norms == 0, 1.0, norms))


def granulated_kendall(
    x: Float[np.ndarray, "rows predictors"],
    y: Float[np.ndarray, " rows"],
    hyperparameters: Float[np.ndarray, "rows axes"],
) -> Float[np.ndarray, " predictors"]:
    """Compute the granulated Kendall coefficient of each column with y (Jiang et al. 2020, section 4).

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
    a, b, weights = pairs_apart_in_one(hyperparameters)
    if not len(a):
        return np.full(x.shape[1], np.nan)
    return (weights * np.sign(y[a] - y[b])) @ np.sign(x[a] - x[b])


def pairs_apart_in_one(
    hyperparameters: Float[np.ndarray, "rows axes"],
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"], Float[np.ndarray, " pairs"]]:
    """List the pairs of runs that differ in one hyperparameter, and the weight of each in the coefficient.

    Parameters
    ----------
    hyperparameters : ndarray, shape (rows, axes)
        One row a run.

    Returns
    -------
    first, second : ndarray of int, shape (pairs,)
        Rows of both runs.
    weights : ndarray, shape (pairs,)
        Their sum is 1, unless there is no pair.
    """
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
    x: Float[np.ndarray, "*draws rows predictors"],
    y: Float[np.ndarray, "*draws rows"],
    given: Float[np.ndarray, "*draws rows given"],
) -> Float[np.ndarray, "*draws predictors"]:
    """Compute Pearson's r of what a linear fit on `given` leaves of each column and of y.

    NaN where nothing is left, or fewer than two degrees of freedom.

    Parameters
    ----------
    x : ndarray, shape (..., rows, predictors)
    y : ndarray, shape (..., rows)
    given : ndarray, shape (..., rows, given)
        What is held fixed.

    Returns
    -------
    ndarray, shape (..., predictors)
        From -1 to 1.
    """
    basis, y = basis_of(given), y[..., None]
    left, outcome = _left_by(basis, x), _left_by(basis, y)
    # Rounding leaves something of a column that the fit explains wholly.
    spent = [
        is_flat(values) | (column_norms(rest) <= 1e-9 * column_norms(values - values.mean(axis=-2, keepdims=True)))
        for values, rest in ((x, left), (y, outcome))
    ]
    bound = y.shape[-2] - rank_of(basis) < LEAST_FREEDOM
    return np.where(spent[0] | spent[1] | bound[..., None], np.nan, pearson(left, outcome[..., 0]))


def residuals(
    values: Float[np.ndarray, "*draws rows columns"], given: Float[np.ndarray, "*draws rows given"]
) -> Float[np.ndarray, "*draws rows columns"]:
    """Compute what a least-squares fit of each column on `given` and a constant leaves.

    Parameters
    ----------
    values : ndarray, shape (..., rows, columns)
    given : ndarray, shape (..., rows, given)

    Returns
    -------
    ndarray, shape (..., rows, columns)
    """
    return _left_by(basis_of(given), values)


def _left_by(basis: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(values - basis @ (basis.swapaxes(-1, -2) @ values))


def basis_of(given: Float[np.ndarray, "*draws rows given"]) -> Float[np.ndarray, "*draws rows columns"]:
    """Compute an orthonormal basis of a constant and the columns of `given`, each scaled to its own spread.

    Parameters
    ----------
    given : ndarray, shape (..., rows, given)

    Returns
    -------
    ndarray, shape (..., rows, columns)
        Columns that add nothing are zeros.
    """
    flat = is_flat(given)[..., None, :]
    centred = given - given.mean(axis=-2, keepdims=True)
    moving = np.where(flat, 0.0, centred / np.where(flat, 1.0, column_norms(centred)[..., None, :]))
    constant = np.full((*given.shape[:-1], 1), given.shape[-2] ** -0.5)
    left, spread, _ = np.linalg.svd(np.concatenate([constant, moving], axis=-1), full_matrices=False)
    return np.where((spread > RANK * spread[..., :1])[..., None, :], left, 0.0)


def rank_of(basis: Float[np.ndarray, "*draws rows columns"]) -> Int[np.ndarray, "*draws"]:
    """Count the columns of a basis that are not zeros.

    Parameters
    ----------
    basis : ndarray, shape (..., rows, columns)
        From `basis_of`.

    Returns
    -------
    ndarray of int, shape (...)
    """
    return np.asarray(basis.any(axis=-2).sum(axis=-1))


def adjusted_rand_index(first: Int[np.ndarray, " points"], second: Int[np.ndarray, " points"]) -> float:
    """Compute the adjusted Rand index of two partitions (Hubert and Arabie 1985): 1 if equal, 0 as expected by chance.

    As in scikit-learn, which takes longer to load than a mapper graph to compute.

    Parameters
    ----------
    first, second : ndarray of int, shape (points,)
        Number of the part that each point is in.

    Returns
    -------
    float
        At most 1.
    """
    (_, row), (names, column) = (np.unique(which, return_inverse=True) for which in (first, second))
    # Python's integers do not overflow.
    rows, columns, both = (
        np.unique(which, return_counts=True)[1].astype(object) for which in (row, column, row * len(names) + column)
    )
    # Ordered pairs of points that lie together in both partitions, in one of them alone, in neither.
    together = int((both**2).sum()) - len(first)
    in_first, in_second = (int((sizes**2).sum()) - len(first) - together for sizes in (rows, columns))
    apart = len(first) * (len(first) - 1) - together - in_first - in_second
    if in_first == in_second == 0:
        return 1.0
    chance = (together + in_first) * (in_first + apart) + (together + in_second) * (in_second + apart)
    return 2.0 * (together * apart - in_first * in_second) / chance
