"""Cells that end where the range ends hold the extreme points, whatever the rounding of the values."""

import numpy as np
import pytest

from cnn_topology.mapper.cover import GainCover, OverlapCover, intervals, memberships


@pytest.mark.parametrize(
    "cover", [GainCover(4, 3.0), GainCover(30, 3.0), GainCover(7, 2.5, equalized=True), OverlapCover()]
)
def test_the_cells_of_the_extreme_points_hang_on_no_rounding(cover):
    low_fractions, high_fractions = cover.fractions()
    rng = np.random.default_rng(0)
    for _ in range(300):
        values = rng.standard_normal(9) * rng.choice([1e-3, 1, 1e3])
        low, high = intervals(values, cover)
        assert (low[low_fractions == 0] == values.min()).all()
        assert (high[high_fractions == 1] == values.max()).all()


def test_a_shift_that_rounds_every_value_leaves_each_point_in_its_cells():
    rng = np.random.default_rng(1)
    for _ in range(200):
        lens = rng.standard_normal((12, 2))
        here, there = (memberships(values, GainCover(4, 3.0)) for values in (lens, lens * 0.1 + 7))
        assert np.array_equal(here.members, there.members)
        assert np.array_equal(here.cube, there.cube)
