"""Covers: the formulas of both papers, and that every point lies in a cube."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnn_topology.errors import InputError
from cnn_topology.mapper.cover import GainCover, OverlapCover, count_memberships, intervals, memberships

RAMP = np.linspace(-2.0, 3.0, 101)

covers = st.one_of(
    st.builds(GainCover, st.integers(1, 12), st.floats(1, 5), st.booleans()),
    st.builds(OverlapCover, st.integers(1, 12), st.floats(0, 0.9), st.booleans()),
)


@pytest.mark.parametrize(("overlap", "length", "step"), [(0.25, 0.03306, 0.02479), (0.30, 0.03534, 0.02473)])
def test_overlap_cover_has_the_lengths_and_steps_of_mapper_interactive(overlap, length, step):
    low, high = intervals(np.array([0.0, 1.0]), OverlapCover(40, overlap))
    assert np.allclose(high - low, length, atol=5e-6)
    assert np.allclose(np.diff(low), step, atol=5e-6)
    assert (low[0], high[-1]) == (0.0, 1.0)


def test_overlap_cover_has_the_radius_and_centres_of_the_formula():
    low, high = intervals(RAMP, OverlapCover(7, 0.4))
    radius = 5 / (2 * (7 - 6 * 0.4))
    assert np.allclose((high - low) / 2, radius)
    assert np.allclose((high + low) / 2, np.linspace(-2 + radius, 3 - radius, 7))


def test_gain_cover_overlaps_by_one_minus_one_over_gain():
    low, high = intervals(RAMP, GainCover(resolution=20, gain=3))
    inner = slice(2, -2)  # the outer intervals end at the range
    assert np.allclose((high - low)[inner], 3 * 5 / 20)
    shared = high[2:-3] - low[3:-2]
    assert np.allclose(shared / (3 * 5 / 20), 1 - 1 / 3)


def test_equalized_cells_hold_equal_numbers_of_points():
    skewed = np.sort(np.random.default_rng(0).exponential(size=1000))
    held = memberships(skewed[:, None], GainCover(resolution=10, gain=1, equalized=True))
    assert np.ptp(np.diff(held.starts)) <= 1
    plain = memberships(skewed[:, None], GainCover(resolution=10, gain=1))
    assert np.ptp(np.diff(plain.starts)) > 100


@given(
    lens=arrays(np.float64, st.tuples(st.integers(2, 40), st.integers(1, 2)), elements=st.integers(-9, 9)),
    scale=st.sampled_from([1.0, 0.1, 1e-7 / 3]),
    cover=covers,
)
def test_cubes_hold_exactly_the_points_between_their_ends_and_every_point_is_in_one(lens, scale, cover):
    lens = lens * scale
    if np.any(np.ptp(lens, axis=0) == 0):
        with pytest.raises(InputError, match="zero variance"):
            memberships(lens, cover)
        return
    held = memberships(lens, cover)
    ends = [intervals(values, cover) for values in lens.T]
    count = len(ends[0][0])
    expected = {}
    for cube in np.ndindex(*(count,) * lens.shape[1]):
        inside = np.all(
            [(ends[axis][0][i] <= lens[:, axis]) & (lens[:, axis] <= ends[axis][1][i]) for axis, i in enumerate(cube)],
            axis=0,
        )
        if inside.any():
            expected[int(np.ravel_multi_index(cube, (count,) * lens.shape[1]))] = np.flatnonzero(inside).tolist()
    found = np.split(held.members, held.starts[1:-1])
    assert dict(zip(held.cube.tolist(), [one.tolist() for one in found], strict=True)) == expected
    assert set(held.members.tolist()) == set(range(len(lens)))
    assert count_memberships(lens, cover) == len(held.members)


def test_neighbouring_intervals_that_only_touch_leave_no_gap():
    for count in range(2, 100):
        for cover in (OverlapCover(count, 0.0), GainCover(count, 1.0)):
            low, high = intervals(np.array([0.1, 0.7]), cover)
            assert np.all(high[:-1] >= low[1:])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GainCover(0, 3), "resolution = 0"),
        (lambda: GainCover(30, 0.5), "gain = 0.5"),
        (lambda: OverlapCover(0, 0.2), "intervals = 0"),
        (lambda: OverlapCover(40, 25), r"overlap = 25 must lie in \[0, 1\)"),
    ],
)
def test_impossible_covers_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
