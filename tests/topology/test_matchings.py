"""Bottleneck and 2-Wasserstein distance: by all matchings of few bars, by GUDHI and Hera on many, in closed form."""

from itertools import permutations

import numpy as np
import pytest
from gudhi.hera import bottleneck_distance, wasserstein_distance
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.errors import InputError
from cnn_topology.topology.matchings import bottleneck, wasserstein

NONE = np.empty((0, 2))
BARS = st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 5)), max_size=4).map(
    lambda bars: np.array([(birth, birth + length) for birth, length in bars], dtype=float).reshape(-1, 2)
)


def by_all_matchings(first, second, norm, total):
    """Take the best of all matchings of both diagrams, each with the diagonal projections of the other added."""
    middle = [np.repeat(bars.mean(axis=1)[:, None], 2, axis=1) for bars in (first, second)]
    rows, columns = np.concatenate([first, middle[1]]), np.concatenate([second, middle[0]])
    ways = np.linalg.norm(rows[:, None] - columns, ord=norm, axis=2)
    ways[len(first) :, len(second) :] = 0
    count = range(len(rows))
    return min(total(ways[count, list(order)]) for order in permutations(count)) if len(rows) else 0.0


@settings(max_examples=40, deadline=None)
@given(first=BARS, second=BARS.map(lambda bars: bars[:2]))
def test_few_bars_are_at_the_distance_of_the_best_of_all_matchings(first, second):
    by_bottleneck = by_all_matchings(first, second, np.inf, np.max)
    by_squares = by_all_matchings(first, second, 2, lambda ways: np.sqrt((ways**2).sum()))
    assert bottleneck(first, second) == pytest.approx(by_bottleneck, abs=1e-9)
    assert wasserstein(first, second) == pytest.approx(by_squares, abs=1e-9)
    assert wasserstein(second, first) == pytest.approx(wasserstein(first, second), abs=1e-12)


@pytest.mark.parametrize("sizes", [(0, 40), (40, 30), (150, 200)])
def test_many_bars_are_at_the_distance_that_hera_finds(sizes):
    rng = np.random.default_rng(sum(sizes))
    births = [rng.normal(size=size) for size in sizes]
    first, second = (np.column_stack([birth, birth + rng.exponential(size=len(birth))]) for birth in births)
    assert bottleneck(first, second) == pytest.approx(bottleneck_distance(first, second, delta=0), rel=1e-9)
    near = wasserstein_distance(first, second, order=2.0, internal_p=2.0, delta=1e-4)
    assert wasserstein(first, second) == pytest.approx(near, rel=2e-4)


def test_one_bar_goes_to_the_diagonal_and_equal_diagrams_are_at_zero():
    one = np.array([[1.0, 4.0]])
    assert bottleneck(one, NONE) == pytest.approx(1.5)
    assert wasserstein(NONE, one) == pytest.approx(3 / np.sqrt(2))
    several = np.array([[0.1, 0.7], [0.1, 0.7], [0.3, 0.31]])
    assert wasserstein(several, several[::-1]) == 0 == pytest.approx(bottleneck(several, several[::-1]))
    assert bottleneck(NONE, NONE) == wasserstein(NONE, NONE) == 0


@pytest.mark.parametrize("distance", [bottleneck, wasserstein])
def test_they_scale_with_the_diagrams_and_refuse_essential_bars(distance):
    rng = np.random.default_rng(1)
    first, second = (np.cumsum(rng.random((bars, 2)), axis=1) for bars in (20, 30))
    assert distance(1e6 * first, 1e6 * second) == pytest.approx(1e6 * distance(first, second), rel=1e-9)
    with pytest.raises(InputError, match="the second diagram"):
        distance(first, np.array([[0.0, np.inf]]))
