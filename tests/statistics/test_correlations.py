"""Correlations against scipy and brute force; intervals and tests that keep dependent rows together."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cnn_topology.errors import InputError
from cnn_topology.statistics.coefficients import granulated_kendall, kendall, partial_pearson, pearson, spearman
from cnn_topology.statistics.correlations import (
    METHODS,
    Sample,
    _permuted_statistics,
    correlate,
    fewest_exchanged,
    permutation_p_values,
)

ORACLES = {pearson: stats.pearsonr, spearman: stats.spearmanr, kendall: stats.kendalltau}


@pytest.mark.parametrize("method", ORACLES, ids=lambda f: f.__name__)
@given(seed=st.integers(0, 10_000), rows=st.integers(4, 25), ties=st.booleans())
@settings(max_examples=40)
def test_coefficients_are_those_of_scipy_with_and_without_ties(method, seed, rows, ties):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(rows, 3)), rng.normal(size=rows)
    if ties:
        x, y = np.round(x), np.round(y)
    x[0], y[0] = 9, -9  # neither is constant
    expected = [ORACLES[method](column, y).statistic for column in x.T]
    np.testing.assert_allclose(method(x, y), expected, atol=1e-12)


def test_a_predictor_that_does_not_vary_has_no_coefficient():
    x, y = np.column_stack([np.ones(6), np.arange(6.0)]), np.arange(6.0)
    for method in ORACLES:
        np.testing.assert_allclose(method(x, y), [np.nan, 1])


def _granulated_by_hand(x, y, hyperparameters):
    """Jiang et al. 2020, equation 8, written out: axes, then the values of the others, then pairs."""
    axes = []
    for axis in range(hyperparameters.shape[1]):
        groups = {}
        for i, j in itertools.combinations(range(len(y)), 2):
            differ = np.flatnonzero(hyperparameters[i] != hyperparameters[j])
            if list(differ) == [axis]:
                rest = tuple(np.delete(hyperparameters[i], axis))
                groups.setdefault(rest, []).append(np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]))
        if groups:
            axes.append(np.mean([np.mean(signs) for signs in groups.values()]))
    return np.mean(axes)


@given(seed=st.integers(0, 10_000), copies=st.integers(1, 2))
@settings(max_examples=25)
def test_granulated_kendall_compares_runs_that_differ_in_one_hyperparameter(seed, copies):
    rng = np.random.default_rng(seed)
    cells = np.array(list(itertools.product([16, 32], [0, 0.2, 0.5], [1e-3]))).repeat(copies, axis=0)
    cells = cells[rng.random(len(cells)) < 0.9]  # unequal groups
    x, y = rng.normal(size=(len(cells), 2)), rng.integers(0, 4, len(cells)).astype(float)
    expected = [_granulated_by_hand(column, y, cells) for column in x.T]
    np.testing.assert_allclose(granulated_kendall(x, y, cells), expected, atol=1e-12)


def test_granulated_kendall_sees_through_a_hyperparameter_that_moves_both():
    # Width lifts predictor and outcome alike; at either width the predictor goes against the outcome.
    cells = np.array(list(itertools.product([1, 2], range(5))), dtype=float)
    x = (100 * cells[:, 0] + cells[:, 1])[:, None]
    y = 100 * cells[:, 0] - cells[:, 1]
    assert kendall(x, y)[0] > 0
    # Along width it agrees (+1), along the other it disagrees (-1).
    assert granulated_kendall(x, y, cells)[0] == pytest.approx(0)
    assert np.isnan(granulated_kendall(x, y, np.ones((10, 1)))[0])


def test_partial_correlation_is_the_textbook_formula_and_removes_a_common_cause():
    rng = np.random.default_rng(0)
    z = rng.normal(size=400)
    x, y = z + 0.3 * rng.normal(size=400), -z + 0.3 * rng.normal(size=400)
    rxy, rxz, ryz = (np.corrcoef(a, b)[0, 1] for a, b in ((x, y), (x, z), (y, z)))
    expected = (rxy - rxz * ryz) / np.sqrt((1 - rxz**2) * (1 - ryz**2))
    found = partial_pearson(x[:, None], y, z[:, None])[0]
    assert found == pytest.approx(expected)
    assert abs(found) < 0.15 < 0.8 < -rxy


def test_partial_correlation_with_too_few_rows_or_nothing_left_is_none():
    rng = np.random.default_rng(0)
    y, z = rng.normal(size=6), rng.normal(size=(6, 4))
    assert np.isnan(partial_pearson(rng.normal(size=(6, 1)), y, z)[0])
    assert np.isnan(partial_pearson((2 * z[:, :1] + 1), y, z[:, :1])[0])


def _sample(rng, blocks=12, size=3, effect=0.0, **changes):
    block = np.repeat(np.arange(blocks), size)
    common = rng.normal(size=blocks)[block]
    x = rng.normal(size=blocks)[block] + 0.1 * rng.normal(size=len(block)) + effect * common
    y = common + 0.1 * rng.normal(size=len(block))
    sample = Sample({"x": x, "noise": rng.normal(size=len(block))}, y, block, len(block))
    return replace(sample, **changes)


def test_dependent_rows_are_exchanged_as_blocks_so_that_the_test_keeps_its_level():
    rng = np.random.default_rng(1)
    p, p_rows = [], []
    for _ in range(150):
        sample = _sample(rng, blocks=8, size=4)
        p.append(correlate(sample, "pearson", 20, 99, rng).p[0])
        p_rows.append(correlate(replace(sample, blocks=np.arange(32)), "pearson", 20, 99, rng).p[0])
    assert np.mean(np.array(p) <= 0.1) < 0.17
    assert np.mean(np.array(p_rows) <= 0.1) > 0.25  # what happens when rows are exchanged one by one


@pytest.mark.parametrize("method", METHODS)
def test_a_real_association_is_found_by_every_method_and_noise_is_not(method):
    rng = np.random.default_rng(4)
    sample = _sample(rng, blocks=16, size=2, effect=6.0)
    given = {"z": rng.normal(size=32)}
    cells = np.array(list(itertools.product(range(4), range(4))), dtype=float).repeat(2, axis=0)
    found = correlate(replace(sample, given=given, hyperparameters=cells), method, 200, 199, rng)
    assert found.p_adjusted[0] <= 0.02
    assert found.p[1] > 0.05
    assert found.low[0] > 0
    assert found.low[1] < 0 < found.high[1]
    assert (found.p <= found.p_adjusted).all()
    assert (found.low <= found.statistic).all()
    assert (found.statistic <= found.high).all()


def test_a_quantity_held_fixed_is_not_held_fixed_against_itself():
    rng = np.random.default_rng(2)
    sample = _sample(rng)
    fixed = replace(sample, given={"x": sample.predictors["x"]})
    found = correlate(fixed, "partial_pearson", 20, 19, rng).statistic
    assert found[0] == pytest.approx(pearson(sample.predictors["x"][:, None], sample.outcome)[0])


def test_adjustment_counts_the_largest_statistic_of_each_permutation():
    p, adjusted = permutation_p_values(
        np.array([0.5, -0.2, np.nan]), np.array([[0.1, 0.6, 0], [0.3, -0.3, 0], [0, 0, 0]])
    )
    np.testing.assert_allclose(p, [1 / 4, 3 / 4, np.nan])
    np.testing.assert_allclose(adjusted, [2 / 4, 3 / 4, np.nan])


def test_fewer_than_four_networks_are_refused_with_the_number_needed():
    rng = np.random.default_rng(0)
    sample = Sample({"x": np.arange(3.0)}, np.arange(3.0), np.arange(3), 3)
    with pytest.raises(InputError, match="at least 4 networks; got 3: train 1 more"):
        correlate(sample, "pearson", 20, 19, rng)


@pytest.mark.parametrize("method", METHODS)
def test_permuted_statistics_are_the_statistic_of_what_is_permuted(method):
    rng = np.random.default_rng(8)
    cells = np.array(list(itertools.product(range(3), range(2), range(2))), dtype=float)
    x, y, z = rng.normal(size=(12, 2)), np.round(rng.normal(size=12), 1), rng.normal(size=12)
    names = ["p", "q"]
    sample = Sample(dict(zip(names, x.T, strict=True)), y, np.arange(12), 12, {"z": z}, cells)
    orders = [rng.permutation(12) for _ in range(5)]
    found = _permuted_statistics(sample, x, method, orders)
    if method.startswith("partial"):
        ranks = stats.rankdata if method.endswith("spearman") else np.asarray
        fit = np.polynomial.Polynomial.fit(ranks(z), ranks(y), 1)(ranks(z))
        left = ranks(y) - fit
        ranked = np.column_stack([ranks(column) for column in x.T])
        expected = [partial_pearson(ranked, fit + left[order], ranks(z)[:, None]) for order in orders]
    else:
        plain = {"pearson": pearson, "spearman": spearman, "kendall": kendall}
        compute = plain.get(method, lambda x, y: granulated_kendall(x, y, cells))
        expected = [compute(x, y[order]) for order in orders]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_varies_is_told_from_rounding_in_any_unit():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 1)), rng.normal(size=9)
    expected = pearson(x, y)
    np.testing.assert_allclose(pearson(x * 1e-9, y * 1e-9), expected)
    np.testing.assert_allclose(partial_pearson(x * 1e-9, y * 1e-9, x[::-1] * 1e-14), partial_pearson(x, y, x[::-1]))
    rounded = np.full((9, 1), 0.1) * 1e7 * (1 + 1e-16 * np.arange(9)[:, None])
    assert np.isnan(pearson(rounded, 1e6 * y)).all()
    assert np.isnan(partial_pearson(rounded, 1e6 * y, x)).all()


def test_a_permutation_without_a_value_counts_against_the_finding():
    p, adjusted = permutation_p_values(np.array([0.5, np.nan]), np.array([[np.nan, np.nan], [0.1, np.nan]]))
    np.testing.assert_allclose(p, [2 / 3, np.nan])
    np.testing.assert_allclose(adjusted, [2 / 3, np.nan])


def of_blocks(blocks, held, seed=0):
    """Return networks in pairs that share what they are; nothing goes with anything."""
    rng = np.random.default_rng(seed)

    def values():
        return np.repeat(rng.normal(size=blocks), 2) + 0.3 * rng.normal(size=2 * blocks)

    given = {f"held {n}": values() for n in range(held)}
    return Sample(
        {"x": values(), "held 0": given["held 0"]}, values(), np.repeat(np.arange(blocks), 2), 2 * blocks, given
    )


@pytest.mark.parametrize(("blocks", "tested"), [(8, [False, True]), (9, [True, True])])
def test_a_partial_correlation_that_leaves_few_blocks_free_is_not_tested(blocks, tested):
    # Four columns and the mean are held fixed; against itself a column is not.
    found = correlate(of_blocks(blocks, 4), "partial_spearman", 20, 19, np.random.default_rng(0))
    assert list(np.isfinite(found.p)) == list(np.isfinite(found.p_adjusted)) == tested
    assert np.isfinite(found.statistic).all()


def test_few_blocks_have_no_interval():
    found = [correlate(of_blocks(n, 1), "pearson", 20, 19, np.random.default_rng(0)) for n in (3, 4)]
    assert [list(np.isnan(each.low)) for each in found] == [[True, True], [False, False]]


@given(seed=st.integers(0, 10_000), rows=st.integers(4, 20))
@settings(max_examples=30)
def test_coefficients_of_many_draws_are_those_of_each(seed, rows):
    rng = np.random.default_rng(seed)
    x, y, z = rng.integers(0, 4, (rows, 3)).astype(float), rng.normal(size=rows), rng.integers(0, 3, (rows, 2))
    # Columns that depend on each other, and draws in which some do not vary.
    given = np.column_stack([z, z.sum(axis=1), np.ones(rows)]).astype(float)
    draws = rng.integers(rows, size=(12, rows))
    draws[0] = 0
    for method, *held in ((pearson,), (spearman,), (partial_pearson, given)):
        together = method(x[draws], y[draws], *(values[draws] for values in held))
        alone = [method(x[draw], y[draw], *(values[draw] for values in held)) for draw in draws]
        np.testing.assert_allclose(together, alone, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_interval_is_that_of_draws_computed_one_by_one(method, monkeypatch):
    rng = np.random.default_rng(5)
    z, codes = rng.normal(size=16), rng.integers(0, 3, (16, 2)).astype(float)
    sample = Sample({"a": rng.normal(size=16), "z": z}, rng.normal(size=16), np.arange(16) // 2, 16, {"z": z}, codes)
    together = correlate(sample, method, 30, 9, np.random.default_rng(0))
    monkeypatch.setattr("cnn_topology.statistics.correlations.TOGETHER", 1)
    alone = correlate(sample, method, 30, 9, np.random.default_rng(0))
    np.testing.assert_allclose([together.low, together.high], [alone.low, alone.high], atol=1e-12)
    assert np.isfinite(together.low).all()


@given(seed=st.integers(0, 10_000), rows=st.integers(8, 20))
@settings(max_examples=30)
def test_columns_held_fixed_twice_and_columns_that_do_not_vary_take_no_freedom(seed, rows):
    rng = np.random.default_rng(seed)
    x, y, z = rng.normal(size=(rows, 2)), rng.normal(size=rows), rng.normal(size=(rows, 2))
    repeated = np.column_stack([z, z.sum(axis=1), 3 * z[:, 0] - 1, np.full(rows, 7.0)])
    np.testing.assert_allclose(partial_pearson(x, y, repeated), partial_pearson(x, y, z), atol=1e-9)
    fit = np.column_stack([np.ones(rows), z])
    left, outcome = (v - fit @ np.linalg.lstsq(fit, v, rcond=None)[0] for v in (x, y))
    np.testing.assert_allclose(partial_pearson(x, y, z), pearson(left, outcome), atol=1e-9)


def test_the_fewest_rows_are_those_whose_least_p_value_is_significant():
    assert [fewest_exchanged(1, level) for level in (1.0, 0.34, 0.09, 0.01)] == [2, 3, 4, 6]  # 2 / n!
    assert fewest_exchanged(3, 0.05) == 5
