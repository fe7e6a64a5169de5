"""The sliced Wasserstein distance against persim, against its definition, and on closed cases."""

import subprocess
import sys

import numpy as np
import persim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnn_topology.errors import InputError
from cnn_topology.topology.sliced_wasserstein import sliced_wasserstein, sliced_wasserstein_matrix

EMPTY = np.empty((0, 2))


def defined(first: np.ndarray, second: np.ndarray, directions: int = 50) -> float:
    """The definition, word by word: sorted projections of each diagram with the diagonal projections of the other."""
    total = 0.0
    for m in range(directions):
        angle = np.pi * (0.5 + m / directions)
        line = np.array([np.cos(angle), np.sin(angle)])
        on_diagonal = [np.repeat(d.mean(axis=1, keepdims=True), 2, axis=1) for d in (first, second)]
        u = np.sort(np.concatenate([first, on_diagonal[1]]) @ line)
        v = np.sort(np.concatenate([second, on_diagonal[0]]) @ line)
        total += np.abs(u - v).sum()
    return total / directions


def random_diagram(rng: np.random.Generator, bars: int, scale: float = 1.0) -> np.ndarray:
    birth = scale * (1 + rng.random(bars))
    return np.stack([birth, birth + scale * rng.exponential(0.2, bars)], axis=1)


# Few distinct values make ties, duplicates, bars of no length and equal breakpoints.
diagrams = st.integers(0, 60).flatmap(
    lambda bars: hnp.arrays(np.float64, (bars, 2), elements=st.integers(-6, 6).map(lambda value: value / 4)).map(
        lambda diagram: np.sort(diagram, axis=1)  # no bar dies before it is born
    )
)


@settings(max_examples=200)
@given(first=diagrams, second=diagrams, directions=st.integers(1, 9))
def test_it_is_the_definition_with_ties_and_negative_births(
    first: np.ndarray, second: np.ndarray, directions: int
) -> None:
    expected = defined(first, second, directions)
    assert sliced_wasserstein(first, second, directions) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 80), (400, 350)])
def test_it_equals_persim(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    first, second = (random_diagram(rng, size, scale) for size, scale in zip(sizes, (1.0, 1.1), strict=True))
    assert sliced_wasserstein(first, second) == pytest.approx(persim.sliced_wasserstein(first, second), rel=1e-6)
    assert sliced_wasserstein(first, second, 7) == pytest.approx(persim.sliced_wasserstein(first, second, 7), rel=1e-6)


def test_all_pairs_of_diagrams_of_all_sizes_and_scales_are_the_definition() -> None:
    rng = np.random.default_rng(1)
    clouds = [random_diagram(rng, int(rng.integers(0, 200)), 10.0 ** rng.integers(-3, 3)) for _ in range(40)]
    values = sliced_wasserstein_matrix(clouds, directions=5)
    expected = np.array([[defined(a, b, 5) for b in clouds] for a in clouds])
    # Rounding is that of the largest diagram, for the grid of bins is common to all.
    np.testing.assert_allclose(values, expected, rtol=1e-10, atol=1e-12 * expected.max())


def test_one_bar_against_the_empty_diagram_has_a_closed_form() -> None:
    # A bar of length 1 lies sqrt(1/2) off the diagonal; the mean of |cos| over half a circle is 2/pi.
    for bar in ([0.0, 1.0], [-3.0, -2.0], [5.0, 6.0]):
        value = sliced_wasserstein(np.array([bar]), EMPTY, directions=2000)
        assert value == pytest.approx(np.sqrt(0.5) * 2 / np.pi, rel=1e-5)


def test_empty_diagrams_are_at_distance_zero() -> None:
    assert sliced_wasserstein(EMPTY, EMPTY) == 0.0
    assert sliced_wasserstein(np.array([]), EMPTY) == 0.0
    assert sliced_wasserstein_matrix([]).shape == (0, 0)
    assert sliced_wasserstein_matrix([], [EMPTY]).shape == (0, 1)


def test_bars_without_length_change_nothing() -> None:
    diagram = random_diagram(np.random.default_rng(2), 50)
    more = np.concatenate([diagram, [[1.5, 1.5], [0.2, 0.2]]])
    assert sliced_wasserstein(diagram, more) == pytest.approx(0.0, abs=1e-14)


def test_the_matrix_is_symmetric_and_the_order_of_bars_is_forgotten_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    clouds = [random_diagram(rng, 100) for _ in range(20)]
    shuffled = [rng.permutation(cloud) for cloud in clouds]
    values = sliced_wasserstein_matrix(clouds + shuffled, directions=10)
    assert (values == values.T).all()
    assert (values[:20, :20] == values[20:, 20:]).all()
    assert (np.diagonal(values[:20, 20:]) == 0).all()
    assert (values[:20, :20][~np.eye(20, dtype=bool)] > 0).all()


def test_the_number_of_threads_changes_no_bit() -> None:
    rng = np.random.default_rng(4)
    clouds = [random_diagram(rng, int(rng.integers(0, 90))) for _ in range(50)]
    one = sliced_wasserstein_matrix(clouds, directions=8)
    assert (one == sliced_wasserstein_matrix(clouds, directions=8, threads=3)).all()


def test_pairs_across_two_lists_are_the_block_of_all_pairs() -> None:
    rng = np.random.default_rng(5)
    clouds = [random_diagram(rng, 60) for _ in range(45)]
    whole = sliced_wasserstein_matrix(clouds, directions=8)
    block = sliced_wasserstein_matrix(clouds[:19], clouds[19:], directions=8, threads=2)
    np.testing.assert_allclose(block, whole[:19, 19:], rtol=1e-12)


def test_levels_beyond_two_bytes_do_not_overflow() -> None:
    bars = np.tile([[0.0, 1.0]], (40_000, 1))
    one = sliced_wasserstein(bars[:1], EMPTY, 3)
    assert sliced_wasserstein(bars, EMPTY, 3) == pytest.approx(40_000 * one, rel=1e-12)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), factor=st.floats(0.1, 10), shift=st.floats(-2, 2))
def test_it_scales_with_the_diagrams_and_ignores_a_common_shift(seed: int, factor: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = random_diagram(rng, 30), random_diagram(rng, 20)
    value = sliced_wasserstein(first, second)
    assert sliced_wasserstein(factor * first, factor * second) == pytest.approx(factor * value, rel=1e-10)
    assert sliced_wasserstein(first + shift, second + shift) == pytest.approx(value, rel=1e-9)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_the_triangle_inequality_holds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = sliced_wasserstein_matrix([random_diagram(rng, int(rng.integers(0, 20))) for _ in range(6)], directions=10)
    assert (values[:, None, :] <= values[:, :, None] + values[None, :, :] + 1e-12).all()


@pytest.mark.parametrize("bar", [[0.1, np.inf], [np.nan, 0.2], [-np.inf, 0.0]])
def test_an_essential_bar_is_refused_by_its_row(bar: list[float]) -> None:
    diagram = np.array([[0.0, 0.5], bar])
    with pytest.raises(InputError, match=r"diagram 1 holds 1 bars.*row 1.*drop the essential"):
        sliced_wasserstein_matrix([EMPTY, diagram])
    with pytest.raises(InputError, match="diagram 0 of the others"):
        sliced_wasserstein_matrix([EMPTY], [diagram])


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(4, 3\)"):
        sliced_wasserstein(np.zeros((4, 3)), EMPTY)
    with pytest.raises(InputError, match="directions = 0 must be at least 1"):
        sliced_wasserstein(EMPTY, EMPTY, directions=0)
    with pytest.raises(InputError, match="threads = 0 must be at least 1"):
        sliced_wasserstein_matrix([EMPTY], threads=0)


def test_the_import_loads_no_compiler() -> None:
    code = "import sys, cnn_topology.topology.sliced_wasserstein; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
