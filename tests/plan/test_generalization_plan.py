"""Grids of populations and what is analysed network by network."""

from pathlib import Path

import pytest

from cnn_topology.errors import InputError
from cnn_topology.plan.config import parse_config, read_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import NetworksParameters, TrainParameters

VARY = {"width": [6, 12], "dropout": [0, 0.5], "learning_rate": [1e-3], "label_noise": [0.2], "train_images": [50]}


def _with(tiny, **changes):
    tiny["generalization"]["grids"]["grid"].update(changes)
    return tiny


def test_a_grid_makes_one_population_of_each_combination_named_by_its_values(tiny):
    plan = Plan(parse_config(_with(tiny, vary=VARY)))
    names = list(plan.config.grids["grid"])
    assert names == [f"a-w{w}-d{d}-lr0_001-ln0_2-n50" for w in (6, 12) for d in ("0", "0_5")]
    assert list(plan.populations) == ["a", *names]
    last = plan.populations[names[-1]]
    assert last.architecture.convolutions == (12, 8)
    assert last.architecture.dense == (16,)
    assert last.architecture.dropout == 0.5
    assert (last.recipe.learning_rate, last.recipe.label_noise, last.recipe.train_images) == (1e-3, 0.2, 50)
    assert (last.networks, last.recipe.iterations, plan.steps(names[-1])) == (2, 6, (0, 6))
    assert last.recipe.batch_size == plan.populations["a"].recipe.batch_size


def test_populations_of_a_grid_are_trained_but_are_not_among_all_clouds_and_figures(tiny):
    plan = Plan(parse_config(tiny))
    assert {shard.population for shard in plan.shards} == {"a", "a-d0", "a-d0_5"}
    assert {clouds.population for clouds in plan.layer_clouds} == {"a"}
    block = TrainParameters.of(plan, plan.shards_of("a-d0")[0])
    assert block.architecture.dropout == 0


def test_each_population_is_analysed_at_its_steps_and_a_grid_at_the_last(tiny):
    plan = Plan(parse_config(tiny))
    population, grid = plan.network_groups
    assert population.items == (("a", 0), ("a", 4), ("a", 12))
    assert grid.items == (("a-d0", 6), ("a-d0_5", 6))
    assert population.blocks(2) == {0: (("a", 0), ("a", 4)), 1: (("a", 12),)}
    members = NetworksParameters.of(plan, grid, grid.items).members
    assert [(m.population, m.step, m.shards, m.width, m.dropout) for m in members] == [
        ("a-d0", 6, 1, 6, 0.0),
        ("a-d0_5", 6, 1, 6, 0.5),
    ]
    tiny["generalization"] = None
    assert Plan(parse_config(tiny)).network_groups == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"base": "b"}, "unknown population in generalization.grids.grid.base: 'b'"),
        ({"networks": 1}, "2 combinations of 1 networks are 2 networks; correlations need at least 4"),
        ({"vary": {}}, "a grid varies at least one of width, dropout"),
        ({"vary": {"dropout": [0, 0]}}, "grid.vary.dropout: 0.0 is listed twice"),
        ({"vary": {"width": [2, 6]}}, "p = 0.7 keeps 1 of 2 points"),
        ({"vary": {"train_images": [40, 2_000]}}, "train_images = 2000, but images.digits has 1000"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(tiny, changes, expected):
    tiny["images"]["digits"]["train"] = 1_000
    with pytest.raises(InputError) as refused:
        Plan(parse_config(_with(tiny, **changes)))
    assert expected in str(refused.value)


def test_two_grids_may_not_make_the_same_population(tiny):
    grids = tiny["generalization"]["grids"]
    grids["other"] = {**grids["grid"], "networks": 3}
    with pytest.raises(InputError, match="makes a population a-d0, which is there already"):
        parse_config(tiny)


@pytest.mark.parametrize(
    ("section", "networks"),
    [
        ("resnets", {"variant": "ph", "images": "digits", "normalization": "set", "recipe": {"batch_size": 32}}),
        ("checkpoints", {"kind": "files", "files": ["one.pt"]}),
    ],
)
def test_other_networks_may_not_have_the_name_of_a_population_of_a_grid(tiny, section, networks):
    tiny[section] = {"a-d1": networks}
    parse_config(tiny)
    tiny[section] = {"a-d0": networks}
    with pytest.raises(
        InputError, match=rf"{section}\.a-d0: generalization\.grids\.grid makes networks of that name too"
    ):
        parse_config(tiny)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("layers", ["conv7"], "unknown convolution layer of a in generalization.layers: 'conv7'"),
        ("populations", ["b"], "unknown population in generalization.populations: 'b'"),
        ("density", {"k": 3, "p": 0.7}, "density.k = 3 is a count"),
    ],
)
def test_what_cannot_be_analysed_is_refused_by_name(tiny, key, value, expected):
    tiny["generalization"][key] = value
    with pytest.raises(InputError) as refused:
        Plan(parse_config(tiny))
    assert expected in str(refused.value)


def test_networks_with_too_few_filters_for_a_test_are_told(tiny):
    def remarks() -> list[str]:
        return [remark for remark in Plan(parse_config(tiny)).remarks if remark.startswith("generalization: ")]

    told = remarks()
    assert ["conv1 of 1 network of a:" in remark and "of 6," in remark for remark in told] == [True, False, False]
    assert "conv1 of 2 networks of a-d0:" in told[1]
    assert "of 12," in told[1]
    tiny["populations"]["a"]["architecture"]["convolutions"] = [90, 4]
    tiny["generalization"]["density"]["k"] = 0.1
    assert remarks() == []


def test_the_tour_shows_topology_beside_accuracy():
    assert Plan(read_config(Path(__file__).parents[2] / "config/tour.yaml")).remarks == []


def test_too_few_draws_for_the_level_of_the_test_are_refused(tiny):
    tiny["dynamics"]["bootstrap_draws"] = 18
    with pytest.raises(
        InputError, match=r"dynamics.bootstrap_draws = 18: the level alpha = 0.05 .* needs at least 19 draws"
    ):
        parse_config(tiny)


def test_loops_are_followed_in_layers_analysed_at_two_steps_at_least(tiny):
    assert [clouds.layer.name for clouds in Plan(parse_config(tiny)).dynamics_clouds] == ["conv1"]
    tiny["clouds"][1]["steps"] = "all"
    assert [clouds.layer.name for clouds in Plan(parse_config(tiny)).dynamics_clouds] == ["conv1", "conv2"]
    del tiny["dynamics"]
    assert Plan(parse_config(tiny)).dynamics_clouds == []
