"""RedZeD behind the engine interface: the bars of Ripser, on anything that has distances."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.errors import InputError
from cnn_topology.topology import forecasting, persistence
from cnn_topology.topology.persistence import barcode, forecast

SEEDS = st.integers(0, 2**32 - 1)
needed = pytest.mark.skipif(
    find_spec("redzed_tda") is None, reason="needs the optional package redzed-tda (pip install redzed-tda)"
)


def assert_same_bars(one, other):
    for name in ("dimension", "birth", "death"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@needed
@given(
    seed=SEEDS,
    count=st.integers(0, 18),
    levels=st.sampled_from([0, 3, 10]),
    missing=st.sampled_from([0.0, 0.3, 1.0]),
    threshold=st.sampled_from([np.inf, 0.0, 0.4, 0.9]),
    dimension=st.sampled_from([0, 1, 2, 3]),
)
@settings(max_examples=60)
def test_bars_of_distances_are_those_of_ripser(seed, count, levels, missing, threshold, dimension):
    rng = np.random.default_rng(seed)
    lengths = rng.random(count * (count - 1) // 2)
    if levels:
        lengths = np.floor(lengths * levels) / levels  # ties, and duplicates
    lengths[rng.random(len(lengths)) < missing] = np.inf
    given_to_both = {"distances": lengths, "max_dimension": dimension, "threshold": threshold}
    if count == 0:
        given_to_both = {"points": np.zeros((0, 3)), "max_dimension": dimension}
    assert_same_bars(barcode(**given_to_both, engine="redzed"), barcode(**given_to_both, engine="ripser"))


@needed
def test_a_torus_has_one_class_of_dimension_two_and_auto_takes_redzed_for_it():
    one, two = 2 * np.pi * np.stack(np.meshgrid(np.arange(12), np.arange(12))).reshape(2, -1) / 12
    points = np.column_stack([np.cos(one), np.sin(one), np.cos(two), np.sin(two)])
    bars = barcode(points, max_dimension=2)
    assert bars.engine == "redzed"
    assert_same_bars(bars, barcode(points, max_dimension=2, engine="ripser"))
    assert np.sum(bars.lengths(2) > 1) == 1
    assert np.sum(bars.lengths(1) > 1) == 2


@pytest.mark.parametrize(("asked", "engine"), [((1, 2), "annotations"), ((2, 2), "ripser"), ((2, 3), "ripser")])
def test_ripser_serves_where_redzed_is_not_installed(monkeypatch, asked, engine):
    monkeypatch.setattr(forecasting, "find_spec", lambda name: None)
    assert forecasting.automatic_engine(*asked) == persistence._chosen_engine("auto", *asked) == engine
    assert forecasting.forecast(100, asked[0]).engine == engine


def test_a_missing_package_and_another_field_are_refused_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "redzed_tda", None)
    with pytest.raises(InputError, match=r"cnn-topology\[redzed\]"):
        barcode(np.eye(4), max_dimension=2, engine="redzed")
    with pytest.raises(InputError, match="field=3"):
        barcode(np.eye(4), max_dimension=2, engine="redzed", field=3)


def test_a_barcode_by_redzed_is_not_refused_for_the_memory_that_ripser_needs():
    for dimension, points in ((1, 4_000), (2, 500)):
        assert forecast(points, dimension, "redzed").bytes < forecast(points, dimension, "ripser").bytes / 5
    assert forecast(100, 3, "redzed").bytes == forecast(100, 3, "ripser").bytes
