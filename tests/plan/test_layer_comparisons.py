"""`layer_distances` in a config: the paper's settings, the blocks of pairs, and what is refused before a job starts."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnn_topology.comparison.alignment import FEWEST_DEBIASED
from cnn_topology.comparison.canonical_correlations import all_directions, fewest_samples
from cnn_topology.comparison.sensitivity import STEP, removal_grid
from cnn_topology.errors import InputError
from cnn_topology.forecast.activation_jobs import activation_tensor
from cnn_topology.plan.activation_parameters import LayerDistanceParameters
from cnn_topology.plan.config import parse_config, read_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.layer_comparisons import (
    FEWEST_IMAGES,
    FIRST_REMOVAL,
    MORE_SAMPLES,
    MOST_MATCHED,
    comparisons,
    tensor_source,
)
from cnn_topology.topology.sliced_wasserstein import DIRECTIONS

CONFIG = {
    "version": 2,
    "name": "layers",
    "images": {"cifar10": {"kind": "cifar10"}},
    "resnets": {"ph": {"images": "cifar10", "variant": "ph", "networks": 7}},
    "activation_clouds": {"top": {"population": "ph"}, "all": {"population": "ph", "sampling": "full"}},
    "layer_distances": {"clouds": ["top"]},
    "jobs": {"networks_per_job": 3},
}


@pytest.fixture
def config():
    return copy.deepcopy(CONFIG)


def compared(config):
    return comparisons(Plan(parse_config(config)))


def test_the_activation_tensor_is_drawn_from_the_cloud_of_fewest_images(config):
    clouds = config["activation_clouds"]
    clouds["all"] |= {"n_images": 1_000, "max_points": 10**8}
    large = tensor_source(Plan(parse_config(config)))
    assert (large.cloud, large.layer.depth) == ("all", 9)
    clouds["few"] = {"population": "ph", "sampling": "full", "n_images": 5, "layers": ["conv1"]}
    plan = Plan(parse_config(config))
    small = tensor_source(plan)
    assert (small.cloud, small.layer.name) == ("few", "conv1")
    # 1,000 images of 16 x 16 x 128 are 131 MB, five of 32 x 32 x 64 are 1.
    assert activation_tensor(plan, large).memory_mb > 400 > 300 > activation_tensor(plan, small).memory_mb
    del clouds["few"], clouds["all"]
    assert tensor_source(Plan(parse_config(config))) is None


def test_the_paper_is_the_default(config):
    comparison = compared(config)["top"]
    assert (len(comparison.layers), comparison.images, comparison.reduced) == (17, 1000, (0,))
    assert comparison.measures[0] == "sliced_wasserstein"
    assert len(comparison.measures) == 7


def test_blocks_hold_every_pair_of_networks_once(config):
    config["layer_distances"]["measures"] = ["sliced_wasserstein", "bottleneck", "linear_cka"]
    comparison = compared(config)["top"]
    blocks = comparison.blocks(3)
    assert blocks.pop("diagrams") == (comparison.networks, comparison.networks)
    assert blocks.pop("matchings") == ((0, 1, 2), (0, 1, 2))
    pairs = [
        (a, b) for rows, columns in blocks.values() for a in rows for b in columns if rows != columns or a <= b
    ]  # fmt: skip
    assert sorted(pairs) == [(a, b) for a in range(7) for b in range(a, 7)]


def test_of_many_layers_bars_are_matched_in_one_network(config):
    config["layer_distances"]["measures"] = ["wasserstein"]
    comparison = compared(config)["top"]
    many = replace(comparison, layers=comparison.layers * 5)
    assert many.blocks(3)["matchings"] == ((0,), (0,))


def test_a_job_gets_its_own_measures_and_networks(config):
    plan = Plan(parse_config(config))
    block = LayerDistanceParameters.of(plan, comparisons(plan)["top"], "0001-0002")
    assert (block.rows, block.columns) == ((3, 4, 5), (6,))
    assert "sliced_wasserstein" not in block.measures
    assert "draws" not in block.model_dump_json()


def test_a_run_without_the_section_compares_nothing(config):
    del config["layer_distances"]
    assert compared(config) == {}


def test_numbers_the_plan_repeats_are_those_of_the_measures():
    wide = all_directions(np.random.default_rng(0).normal(size=(20, 9)))
    assert fewest_samples(wide, wide) == 9 + MORE_SAMPLES
    assert (FEWEST_IMAGES, FIRST_REMOVAL) == (FEWEST_DEBIASED, STEP)


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("layer_distances", {"clouds": ["tpo"]}, r"cloud in layer_distances.clouds\[0\]: 'tpo' \(did you mean 'top'"),
        ("layer_distances", {"clouds": ["all"]}, "several points per image"),
        ("layer_distances", {"components": {"members": [9]}}, "top has no network 9; it has 0, 1"),
        ("layer_distances", {"measures": ["linear_ca"]}, r"measures\[0\] = \"linear_ca\""),
        ("activation_clouds", {"top": {"population": "ph", "n_images": 513}}, r"svcca_distance needs at least 514"),
        ("activation_clouds", {"top": {"population": "ph", "layers": ["conv1"]}}, "has 1 layers"),
        ("resnets", {"ph": {"images": "cifar10", "variant": "ph", "widths": [4, 4, 4, 4]}}, "removes 4 or more"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_with_a_way_out(config, section, change, message):
    config[section] = {**config[section], **change}
    with pytest.raises(InputError, match=message):
        compared(config)


def test_measures_that_need_fewer_images_are_not_refused(config):
    config["activation_clouds"]["top"]["n_images"] = 100
    config["layer_distances"]["measures"] = ["sliced_wasserstein", "debiased_cka"]
    assert compared(config)["top"].images == 100


def test_the_shipped_paper_compares_seventeen_layers_of_a_hundred_networks_on_a_thousand_images():
    comparison = comparisons(Plan(read_config(Path("config/activations-paper.yaml"))))["top-l2"]
    assert (len(comparison.networks), len(comparison.layers), comparison.images) == (100, 17, 1000)
    assert comparison.on_diagrams == ("sliced_wasserstein", "scaled_sliced_wasserstein")
    assert comparison.on_matchings == ("bottleneck", "wasserstein")
    assert len(comparison.matched) == 3
    assert (len(comparison.matched) * len(comparison.layers)) ** 2 / 2 <= MOST_MATCHED
    assert comparison.reduced == (0,)
    assert DIRECTIONS == 50
    assert removal_grid(64, "published")[:4].tolist() == [4, 7, 11, 15]
    assert [len(removal_grid(c, "published")) for c in (64, 128, 256, 512)] == [16, 32, 64, 128]
