"""Known shapes are told apart by where the filters lie, at the sizes and density filters of the shipped configs."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cnn_topology.plan.clouds import Filtering
from cnn_topology.statistics.circles import CircleTest
from cnn_topology.statistics.nulls import filtered_clouds
from cnn_topology.statistics.shapes import known_shape, on_klein_bottle
from cnn_topology.topology.circles import near_circles
from cnn_topology.topology.patches import klein_patch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from models import SHAPELESS, draw_model

# The local and the coarse density filter of E6 and E6b in `small.yaml`, and the default one.
SHIPPED = (Filtering(k=1, p=0.1), Filtering(k=16, p=0.14), Filtering(k=48, p=0.3))


def told(kept: np.ndarray, p_value: float = 0.01, degree: int = 1) -> str:
    unknown = np.full(4, np.nan)
    test = CircleTest(near_circles(kept), unknown, unknown, unknown, np.full(4, p_value), 99)
    return known_shape(on_klein_bottle(kept), test, degree)


@pytest.mark.parametrize("filtering", SHIPPED)
@pytest.mark.parametrize("noise", [0.2, 0.6])
@pytest.mark.parametrize("model", ["primary circle", "three circles", "Klein bottle", "torus"])
def test_each_model_is_known_by_its_filters(model, noise, filtering):
    layers = [draw_model(model, 1_536, np.random.default_rng(seed), noise) for seed in range(6)]
    shapes = [told(filtered_clouds(layer, [filtering])[0]) for layer in layers]
    assert set(shapes) <= {model, "undecided"}
    if model == "Klein bottle" or (model == "three circles" and filtering.k == 1):
        assert shapes.count(model) >= 4


@pytest.mark.parametrize("model", SHAPELESS)
def test_noise_of_no_kind_is_three_circles_or_a_klein_bottle(model):
    points = draw_model(model, 1_536, np.random.default_rng(8))
    assert {told(kept, p_value=1.0) for kept in filtered_clouds(points, SHIPPED)} == {"undecided"}


def test_a_circle_that_is_chance_or_is_not_wound_round_is_not_the_primary_one():
    points = draw_model("primary circle", 600, np.random.default_rng(0), 0.2)
    shapes = [told(points), told(points, p_value=0.06), told(points, degree=0)]
    assert shapes == ["primary circle", "undecided", "undecided"]


def test_filters_that_are_all_one_patch_off_the_circles_are_no_bottle():
    patch = klein_patch(np.full(50, np.pi / 4), np.full(50, 0.3))
    bottle = on_klein_bottle(patch)
    assert (bottle.near, bottle.off > 1, bottle.covered) == (1.0, True, 1 / 12)
    assert told(patch) == "undecided"
