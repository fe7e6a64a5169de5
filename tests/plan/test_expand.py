"""The expansion of a config into shards, steps, layers and clouds."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_topology.errors import InputError
from cnn_topology.forecast.filter_jobs import barcodes, nulls
from cnn_topology.plan.clouds import DEAD_LAYER, Density, Filtering, largest_tested, neighbours_left
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import RunFacts
from cnn_topology.plan.parameters import BarcodeParameters, CloudParameters, ImagesParameters, TrainParameters
from cnn_topology.plan.populations import Architecture, Recipe, image_shape, layers_of
from cnn_topology.seeds import derive_seed


def test_shards_hold_every_network_once(tiny):
    plan = Plan(parse_config(tiny))
    networks = [shard.first + i for shard in plan.shards_of("a") for i in range(shard.count)]
    assert networks == list(range(5))
    assert [shard.count for shard in plan.shards_of("a")] == [2, 2, 1]


def test_step_zero_and_the_last_step_are_always_kept(tiny):
    tiny["populations"]["a"]["snapshots"] = {}
    assert Plan(parse_config(tiny)).steps("a") == (0, 12)


def test_cloud_sizes_are_those_of_the_paper():
    config = {
        "version": 2,
        "name": "paper",
        "images": {"mnist": {"kind": "mnist"}},
        "populations": {"mnist": {"images": "mnist"}},
        "clouds": [{"layers": "all", "densities": [{"k": 200, "p": 0.3}]}],
    }
    plan = Plan(parse_config(config))
    assert {clouds.layer.name: clouds.points for clouds in plan.layer_clouds} == {"conv1": 6_400, "conv2": 204_800}


def test_filterings_of_one_layer_are_joined_and_the_first_is_the_headline(tiny):
    tiny["clouds"].append(
        {"layers": ["conv1"], "steps": "last", "densities": [{"k": 2, "p": 0.5}, {"k": 0.2, "p": 0.6}]}
    )
    clouds = Plan(parse_config(tiny)).layer_clouds[0]
    assert [len(clouds.filterings[step]) for step in (0, 4, 12)] == [1, 1, 2]
    assert (clouds.headline.k, clouds.headline.p) == (0.2, 0.6)
    assert clouds.blocks(2) == {0: (0, 4), 1: (12,)}


def test_mnist_network_has_the_layers_of_the_paper():
    layers = layers_of(Architecture(), (28, 28, 1))
    assert [(layer.name, layer.weight) for layer in layers] == [
        ("conv1", (64, 1, 3, 3)),
        ("conv2", (32, 64, 3, 3)),
        ("dense1", (64, 7 * 7 * 32)),
        ("scores", (10, 64)),
    ]


def test_cifar_network_has_the_sides_of_its_pools():
    recipe = Recipe(augmentation="crop_flip", crop=24)
    shape = image_shape((32, 32, 3), recipe)
    tutorial = layers_of(Architecture(family="C"), shape)
    assert tutorial[2].weight == (64, 6 * 6 * 32)
    gut = layers_of(Architecture(family="C", norm_order="gut"), shape)
    assert gut[2].weight == (64, 11 * 11 * 32)


def test_thirteen_convolutions_fit_a_small_image():
    layers = layers_of(Architecture(convolutions=(8,) * 13), (28, 28, 1))
    assert [layer.depth for layer in layers if layer.kind == "convolution"] == list(range(1, 14))
    assert sum(layer.pooled for layer in layers) == 3


@given(k=st.floats(0.001, 0.999), points=st.integers(10, 10_000))
def test_fraction_of_neighbours_is_below_the_number_of_points(k, points):
    try:
        assert 1 <= Density(k=k, p=1).neighbours(points) < points
    except InputError:
        assert round(k * points) >= points


def test_seeds_depend_on_identity_alone():
    assert derive_seed(1, "network", "a", 0) == derive_seed(1, "network", "a", 0)
    seeds = {derive_seed(1, "network", name, i) for name in ("a", "b") for i in range(100)}
    assert len(seeds) == 200
    assert derive_seed("1") != derive_seed(1)
    assert derive_seed("ab", "c") != derive_seed("a", "bc")
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_an_edit_elsewhere_changes_no_parameter_block(tiny):
    def blocks(config):
        plan = Plan(parse_config(config))
        clouds = plan.layer_clouds[0]
        return (
            TrainParameters.of(plan, plan.shards[0]).model_dump_json(),
            CloudParameters.of(plan, clouds, (0, 4)).model_dump_json(),
            BarcodeParameters.of(plan, clouds, (0, 4)).model_dump_json(),
        )

    before = blocks(tiny)
    tiny["populations"]["b"] = tiny["populations"]["a"]
    tiny["populations"]["a"] = {**tiny["populations"]["a"], "networks_per_job": 2}
    tiny["clouds"][1]["densities"] = [{"k": 4, "p": 0.5}]
    assert blocks(tiny) == before
    tiny["significance"]["draws"] = 39
    after = blocks(tiny)
    assert after[:2] == before[:2]
    assert after[2] != before[2]


def test_more_networks_leave_the_shards_that_are_there(tiny):
    plan = Plan(parse_config(tiny))
    first = TrainParameters.of(plan, plan.shards[0]).model_dump_json()
    tiny["populations"]["a"]["networks"] = 50
    plan = Plan(parse_config(tiny))
    assert TrainParameters.of(plan, plan.shards[0]).model_dump_json() == first


def test_lineage_changes_exactly_when_something_upstream_does(tiny):
    plan = Plan(parse_config(tiny))
    block = TrainParameters.of(plan, plan.shards[0])
    data = {"config": "abc", "data": "d1", "seed": "7"}
    assert block.notes([data]) == block.notes([data])
    assert block.notes([data])["data"] == "d1"
    assert block.notes([{**data, "config": "abd"}])["config"] != block.notes([data])["config"]


def test_planning_imports_no_library_that_is_slow_to_load():
    code = (
        "import sys, cnn_topology.plan.parameters, cnn_topology.plan.names\n"
        "heavy = {'pandas', 'torch', 'pyarrow', 'matplotlib', 'numba', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_same_k_as_count_and_as_fraction_is_computed_once(tiny):
    tiny["clouds"][0]["densities"] = [{"k": 0.2, "p": 0.6}, {"k": 6, "p": 0.6}, {"k": 6, "p": 0.5}]
    clouds = Plan(parse_config(tiny)).layer_clouds[0]
    assert [(v.k, v.p) for v in clouds.filterings[0]] == [(0.2, 0.6), (6, 0.5)]


def test_what_is_asked_of_the_same_k_in_another_form_is_asked_of_the_first(tiny):
    tiny["clouds"][0]["densities"] = [{"k": 3, "p": 0.6}, {"k": 0.2, "p": 0.6}]
    tiny["clouds"].insert(1, {"layers": ["conv1"], "densities": [{"k": 6, "p": 0.6}], "circles": "all", "exact": True})
    clouds = Plan(parse_config(tiny)).layer_clouds[0]
    second = Filtering(k=0.2, p=0.6)
    assert clouds.filterings[0][1:] == clouds.measured == clouds.exact == (second,)


def test_a_density_filter_that_leaves_no_room_for_a_loop_is_refused(tiny):
    tiny["clouds"][0]["densities"] = [{"k": 3, "p": 0.1}]
    with pytest.raises(InputError, match=r"clouds\[0\]\.densities\[0\] for a, conv1: p = 0.1 keeps 3 of 30 points"):
        Plan(parse_config(tiny))


def test_tests_fall_between_snapshots_at_equal_distances(tiny):
    tiny["populations"]["a"]["snapshots"] = {"iterations": [4, 5], "test_every": 2}
    plan = Plan(parse_config(tiny))
    assert plan.steps("a") == (0, 4, 5, 12)
    assert plan.test_steps("a") == (2, 6, 8, 10)
    del tiny["populations"]["a"]["snapshots"]["test_every"]
    assert Plan(parse_config(tiny)).test_steps("a") == ()


def test_local_density_filters_are_measured_against_circles_where_asked(tiny):
    tiny["clouds"] = [{"layers": ["conv1"], "densities": [{"k": 0.2, "p": 0.6}, {"k": 2, "p": 0.5}], "circles": "all"}]
    tiny["clouds"].append({"layers": ["conv1"], "densities": [{"k": 3, "p": 0.5}]})
    (clouds,) = Plan(parse_config(tiny)).layer_clouds
    assert [(v.k, v.p) for v in clouds.measured] == [(2, 0.5)]
    tiny["clouds"][0]["circles"] = "headline"
    assert Plan(parse_config(tiny)).layer_clouds[0].measured == ()


def test_all_points_are_wanted_of_the_density_filters_of_which_the_config_asks_it(tiny):
    """0.2 and 6 are one k of 30 points: asked for in either form it is one filter."""
    tiny["clouds"] = [{"layers": ["conv1"], "densities": [{"k": 0.2, "p": 0.6}, {"k": 3, "p": 0.5}]}]
    tiny["clouds"].append({"layers": ["conv1"], "steps": "last", "densities": [{"k": 6, "p": 0.6}], "exact": True})
    (clouds,) = Plan(parse_config(tiny)).layer_clouds
    assert [(v.k, v.p) for v in clouds.exact] == [(0.2, 0.6)]
    tiny["clouds"][1]["exact"] = False
    assert Plan(parse_config(tiny)).layer_clouds[0].exact == ()
    tiny["populations"]["a"]["networks"] = 4_000
    (less, more) = (
        barcodes(plan, plan.layer_clouds[0], (12,))
        for exact in (False, True)
        if (plan := Plan(parse_config(tiny | {"clouds": [tiny["clouds"][1] | {"exact": exact}]})))
    )
    assert more.seconds > less.seconds + 10
    assert more.memory_mb > 2 * less.memory_mb


def test_a_layer_centred_in_two_ways_is_two_layers_of_one_weight(tiny):
    tiny["clouds"] = [{"layers": ["conv1"], "densities": [{"k": 0.2, "p": 0.6}]}]
    tiny["clouds"].append({**tiny["clouds"][0], "centre": "coordinate", "steps": "last"})
    plan = Plan(parse_config(tiny))
    one, two = plan.layer_clouds
    assert [(c.layer.name, c.weights, c.centre, c.recentred) for c in (one, two)] == [
        ("conv1", "conv1", "filter", False),
        ("conv1-coordinate", "conv1", "coordinate", True),
    ]
    assert [CloudParameters.of(plan, c, (12,)).weights for c in (one, two)] == ["conv1", "conv1"]
    tiny["clouds"] = [{**cloud, "densities": [{"k": 0.1, "p": 1.0}]} for cloud in tiny["clouds"]]
    tiny["populations"]["a"]["networks"] = 9
    plan = Plan(parse_config(tiny))
    assert {size: set(of) for size, of in plan.null_sizes.items()} == {(54, 3): {"filter", "coordinate"}}


def test_what_a_set_stands_for_matters_to_claims_alone(tiny):
    blocks, facts = [], []
    for kind in (None, "mnist"):
        tiny["images"]["digits"] = {"kind": "npz", "path": "a.npz", "shape": [28, 28, 1], "stands_for": kind}
        plan = Plan(parse_config(tiny))
        blocks.append(ImagesParameters.of(plan, "digits").model_dump_json())
        facts.append(RunFacts.of(plan).images["digits"])
    assert blocks[0] == blocks[1]
    assert [(found.stands_for, found.own) for found in facts] == [("", False), ("mnist", False)]
    tiny["images"]["digits"]["stands_for"] = "minst"
    with pytest.raises(InputError, match=r"images\.digits.*stands_for"):
        parse_config(tiny)


@pytest.mark.parametrize(
    ("k", "p", "points", "without_test"),
    [
        (0.03, 0.3, 256, False),
        (100, 0.1, 256, True),
        (8, 0.193, 256, True),  # keeps 49
        (8, 0.196, 256, False),  # keeps 50
        (26, 0.3, 256, False),  # ceil(25.6)
        (27, 0.3, 256, True),
        (0.1, 0.3, 251, False),
        (200, 0.3, 6_400, False),
        (1, 1.0, 2, True),
        (200, 1.0, 60, True),  # more networks failed than the plan could know
    ],
)
def test_a_cloud_is_tested_where_it_keeps_fifty_points_and_k_is_at_most_a_tenth(k, p, points, without_test):
    assert bool(Density(k=k, p=p).untested(points)) is without_test


@pytest.mark.parametrize("points", [0, 1])
def test_a_layer_of_which_at_most_one_filter_is_left_is_dead(points):
    assert Density(k=200, p=0.3).untested(points) == DEAD_LAYER


@given(points=st.integers(2, 10_000))
def test_a_capped_k_is_tested_however_many_points_are_left(points):
    assert 1 <= neighbours_left(0.1, points) <= largest_tested(points)


def test_no_null_is_planned_for_clouds_with_too_few_filters(tiny):
    plan = Plan(parse_config(tiny))
    assert {clouds.layer.name: clouds.points for clouds in plan.layer_clouds} == {"conv1": 30, "conv2": 120}
    assert {size: [*map(len, of.values())] for size, of in plan.null_sizes.items()} == {(30, 3): [], (120, 3): [2]}
    assert nulls(plan, 30, 3).seconds < nulls(plan, 120, 3).seconds
    untested, tested = (barcodes(plan, clouds, (12,)).seconds for clouds in plan.layer_clouds)
    assert untested < tested - 0.01


def test_the_sample_of_mnist_is_mnist_at_a_reduced_size(tiny):
    """The claims about MNIST are tested on it, and their verdict says what is smaller."""
    tiny["images"]["digits"] = {"kind": "mnist_sample"}
    facts = RunFacts.of(Plan(parse_config(tiny)))
    assert (facts.images["digits"].stands_for, facts.images["digits"].own) == ("mnist", True)
    (population,) = [one for one in facts.populations.values() if one.images == "digits"]
    assert "4,000 of 60,000 training images" in population.reduced
