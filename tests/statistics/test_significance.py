from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_shapes import klein_bottle, three_circles
from scipy import stats

from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import Filtering
from cnn_topology.statistics.null_clouds import permuted_null, sphere_null_cloud
from cnn_topology.statistics.nulls import filtered_clouds, null_draws
from cnn_topology.statistics.significance import (
    VERDICTS,
    bar_p_values,
    binomial_tail,
    bobrowski_skraba,
    critical_value,
    q_values,
    rank_p_value,
    significant_bars,
    verdict,
)
from cnn_topology.topology.patches import edge_patch, noisy, random_filters
from cnn_topology.topology.persistence import barcode

LENGTHS = st.lists(st.sampled_from([0.0, 0.1, 0.15, 0.2, 0.3, 1.0]), min_size=1, max_size=30).map(np.array)
ALPHAS = st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.3])


def two_nulls(points, filtering, draws):
    """Draw both nulls for a cloud: the longest bars of each."""
    makers = {
        "sphere": partial(sphere_null_cloud, len(points)),
        "permuted": permuted_null(points),
    }
    return [
        null_draws(make, [filtering], range(draws), (name, len(points)))[filtering].longest
        for name, make in makers.items()
    ]


def judged(points, filtering, draws=39, alpha=0.05):
    lengths = barcode(filtered_clouds(points, [filtering])[0]).lengths(1)
    nulls = two_nulls(points, filtering, draws)
    return verdict(lengths, nulls, alpha), [rank_p_value(lengths[0], null) for null in nulls]


def test_the_p_value_counts_the_observation_among_the_draws():
    null = np.array([1.0, 2.0, 3.0])
    assert rank_p_value(5.0, null) == 1 / 4
    assert rank_p_value(3.0, null) == 2 / 4
    assert rank_p_value(0.0, null) == 1


@given(LENGTHS, LENGTHS)
def test_bars_have_the_p_values_of_their_ranks(lengths, null):
    assert bar_p_values(lengths, null).tolist() == [rank_p_value(length, null) for length in lengths]


@given(LENGTHS, st.integers(0, 2**32 - 1), st.integers(1, 200), ALPHAS)
def test_a_bar_is_significant_exactly_when_its_p_value_reaches_alpha(lengths, seed, draws, alpha):
    null = np.random.default_rng(seed).choice([0.05, 0.1, 0.15, 0.2, 0.25], draws)
    if 1 / (draws + 1) > alpha + 1e-12:
        with pytest.raises(InputError, match=f"ask for at least {round(1 / alpha + 0.499) - 1} draws"):
            critical_value(null, alpha)
    else:
        assert significant_bars(lengths, null, alpha) == np.sum(bar_p_values(lengths, null) <= alpha + 1e-12)


def test_critical_values_at_the_settings_of_the_configs():
    draws = np.arange(1.0, 300.0)
    assert critical_value(draws[:199], 0.01) == 198
    assert critical_value(draws[:99], 0.01) == 99
    assert critical_value(draws[:19], 0.05) == 19
    assert critical_value(draws[:299], 0.01) == 297
    assert critical_value(draws[:99], 0.29) == 71  # 0.29 x 100 is 28.999999999999996


def test_the_universal_p_value_follows_its_formula():
    bars = np.array([[0.1, 0.2], [0.1, 0.3], [0.2, 0.9]])
    log_log = [np.log(np.log(ratio)) for ratio in (2, 3, 4.5)]
    for value, found in zip(log_log, bobrowski_skraba(bars), strict=True):
        excess = value - np.mean(log_log) - 0.5772156649
        assert found == pytest.approx(min(1, 3 * np.exp(-np.exp(excess))))


def test_the_universal_test_finds_a_circle_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    circle = barcode(noisy(edge_patch(rng.uniform(0, 2 * np.pi, 500)), 0.15, rng)).in_dimension(1)
    p_values = bobrowski_skraba(circle)
    assert p_values[0] < 1e-3
    assert np.sum(p_values < 0.05) == 1
    for _ in range(5):
        assert bobrowski_skraba(barcode(random_filters(300, rng)).in_dimension(1)).min() > 0.05


def test_the_universal_test_takes_none_and_one_bar():
    assert len(bobrowski_skraba(np.empty((0, 2)))) == 0
    assert bobrowski_skraba(np.array([[0.1, 0.5]])) == pytest.approx([np.exp(-np.exp(-np.euler_gamma))])


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], "no loop"),
        ([0.2], "no loop"),
        ([0.5], "one loop"),
        ([0.75, 0.25], "one loop"),
        ([0.74, 0.25], "one weak loop"),
        ([0.9, 0.31], "several loops"),
        ([1.3] * 5, "several loops"),
    ],
)
def test_the_verdict_follows_its_rule(lengths, expected):
    null = np.linspace(0.1, 0.3, 199)  # critical value at 0.01: the second largest, just below 0.3
    null[-2] = 0.3
    assert verdict(np.array(lengths), [null], 0.01) == expected
    assert expected in VERDICTS


def test_a_loop_must_be_significant_under_every_null():
    low, high = np.full(99, 0.2), np.full(99, 0.6)
    lengths = np.array([0.5, 0.1])
    assert verdict(lengths, [low], 0.01) == "one loop"
    assert verdict(lengths, [low, high], 0.01) == "no loop"


def test_a_noisy_circle_is_one_circle_with_the_smallest_p_value():
    rng = np.random.default_rng(1)
    circle = noisy(edge_patch(rng.uniform(0, 2 * np.pi, 400)), 0.2, rng)
    assert judged(circle, Filtering(k=20, p=0.5)) == ("one loop", [1 / 40, 1 / 40])


def test_a_circle_hidden_in_noise_is_found_by_the_density_filter():
    rng = np.random.default_rng(2)
    circle = noisy(edge_patch(rng.uniform(0, 2 * np.pi, 300)), 0.15, rng)
    hidden = np.concatenate([random_filters(700, rng), circle])
    assert judged(hidden, Filtering(k=15, p=0.2), draws=19) == ("one loop", [1 / 20, 1 / 20])


@pytest.mark.parametrize("cloud", [three_circles(40), klein_bottle(18, 24)])
def test_richer_models_have_several_loops(cloud):
    assert judged(cloud, Filtering(k=5, p=1.0), draws=19)[0] == "several loops"


def test_random_filters_have_no_loop():
    assert judged(random_filters(600, np.random.default_rng(3)), Filtering(k=20, p=0.3))[0] == "no loop"


def test_the_whole_test_finds_loops_in_noise_as_often_as_it_says():
    # Each trial has its own noise and its own null: 120 trials at level 0.1, so 12 alarms give or take 3.3.
    filtering, draws, trials = Filtering(k=4, p=0.5), 19, 120
    alarms = 0
    for trial in range(trials):
        found = null_draws(partial(sphere_null_cloud, 60), [filtering], range(draws + 1), ("alarms", trial))
        observed, null = found[filtering].longest[0], found[filtering].longest[1:]
        alarms += verdict(np.array([observed]), [null], 0.1) != "no loop"
    assert 4 <= alarms <= 22


def test_the_binomial_tail_is_that_of_scipy():
    for successes in range(6):
        assert binomial_tail(successes, 5, 0.05) == pytest.approx(stats.binom.sf(successes - 1, 5, 0.05))


def test_q_values_are_the_smallest_rates_at_which_a_test_is_a_discovery():
    # By hand: p times tests over rank, made monotone from the largest down; what was not tested does not count.
    p = np.array([0.02, np.nan, 0.005, 0.5, 0.03])
    np.testing.assert_allclose(q_values(p), [0.04, np.nan, 0.02, 0.5, 0.04])
    assert np.isnan(q_values(np.array([np.nan]))).all()
