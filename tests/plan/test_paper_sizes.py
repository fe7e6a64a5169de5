"""What of a run is smaller than in the papers is said; the configs of the papers are of full size."""

from pathlib import Path

import pytest
import yaml

from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import RunFacts

CONFIGS = Path(__file__).parents[2] / "config"
M = {"convolutions": [64, 32], "dense": [64]}


def facts(images, **changes):
    population = {"images": "one", "architecture": M, "networks": 100, "snapshots": {"iterations": [200]}, **changes}
    return RunFacts.of(
        Plan(parse_config({"version": 2, "name": "n", "images": {"one": images}, "populations": {"first": population}}))
    )


@pytest.mark.parametrize(
    ("images", "changes", "said"),
    [
        ({"kind": "mnist"}, {}, ()),
        ({"kind": "mnist", "shape": [28, 28, 1]}, {"recipe": {"iterations": 50_000}}, ()),
        ({"kind": "svhn", "shape": [28, 28, 1]}, {}, ()),
        ({"kind": "mnist"}, {"recipe": {"iterations": 700}}, ("700 of 40,000 iterations",)),
        ({"kind": "mnist", "train": 5_000}, {}, ("5,000 of 60,000 training images",)),
        (
            {"kind": "mnist", "train": 5_000},
            {"recipe": {"train_images": 4_000}},
            ("4,000 of 60,000 training images",),
        ),
        ({"kind": "mnist", "shape": [14, 14, 1]}, {}, ("14 x 14 of 28 x 28 pixels",)),
        ({"kind": "mnist"}, {"architecture": {**M, "convolutions": [16, 8]}}, ("M(16, 8, 64), not M(64, 32, 64)",)),
        ({"kind": "mnist"}, {"architecture": {"convolutions": [64, 8], "dense": [512]}}, ()),
        ({"kind": "digits"}, {"recipe": {"iterations": 300, "batch_size": 8}}, ()),
    ],
)
def test_what_of_a_population_is_smaller_than_the_papers_is_said(images, changes, said):
    assert facts(images, **changes).populations["first"].reduced == said


def grid_facts(population=None, **grid):
    config = {
        "version": 2,
        "name": "n",
        "images": {"one": {"kind": "mnist"}},
        "populations": {"first": {"images": "one", "architecture": M, "networks": 100, **(population or {})}},
        "generalization": {"populations": ["first"], "grids": {"g": {"base": "first", **grid}}},
    }
    return RunFacts.of(Plan(parse_config(config)))


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"vary": {"dropout": [0, 0.5]}}, ()),
        ({"vary": {"dropout": [0, 0.5]}, "iterations": 500}, ("500 of 40,000 iterations",)),
        ({"vary": {"width": [32, 64, 128], "train_images": [2_000, 60_000]}}, ()),
        (
            {"vary": {"width": [32, 64, 128], "train_images": [1_000, 20_000]}},
            ("20,000 of 60,000 training images",),
        ),
        ({"vary": {"width": [16, 32]}}, ("M(32, 16, 32), not M(64, 32, 64)",)),
    ],
)
def test_what_all_populations_of_a_grid_have_smaller_than_the_papers_is_said(grid, said):
    assert grid_facts(**grid).grids["g"].example.reduced == said


def test_a_grid_of_full_length_around_a_short_base_is_not_short():
    short = {"recipe": {"iterations": 500}}
    found = grid_facts(short, vary={"dropout": [0, 0.5]}, iterations=40_000)
    assert found.populations["first"].reduced == ("500 of 40,000 iterations",)
    assert found.grids["g"].example.reduced == ()


def test_the_papers_config_is_of_full_size_but_for_its_variants():
    found = RunFacts.of(Plan(parse_config(yaml.safe_load((CONFIGS / "weights-paper.yaml").read_text()))))
    reduced = {name for name, population in found.populations.items() if population.reduced}
    assert reduced.isdisjoint({"mnist", "mnist-M64-8-512", "svhn", "cifar10-gray", "cifar10", "mnist-plain"})
    assert "mnist-short" in reduced
    assert {name: grid.example.reduced for name, grid in found.grids.items()} == {"mnist-grid": (), "svhn-grid": ()}
    found = RunFacts.of(Plan(parse_config(yaml.safe_load((CONFIGS / "activations-paper.yaml").read_text()))))
    assert {name: networks.reduced for name, networks in found.resnets.items()} == {"ph": (), "mapper": ()}


def test_what_of_residual_networks_is_smaller_is_said():
    networks = {
        "variant": "ph",
        "images": "c",
        "networks": 3,
        "recipe": {"epochs": 6, "peak_epoch": 2, "batch_size": 64},
    }
    config = {
        "version": 2,
        "name": "n",
        "images": {"c": {"kind": "cifar10", "train": 500}},
        "resnets": {"ph": networks, "m": {"variant": "mapper", "images": "c", "recipe": {"epochs": 300}}},
    }
    found = RunFacts.of(Plan(parse_config(config))).resnets
    assert found["ph"].reduced == ("3 of 100 networks", "6 of 24 epochs", "500 of 50,000 training images")
    assert found["m"].reduced == ("300 of 350 epochs", "500 of 50,000 training images")


def resnet_facts(**keys):
    section = {"variant": "mapper", "images": "c", "recipe": {"epochs": 300}, **keys}
    config = {"version": 2, "name": "n", "images": {"c": {"kind": "cifar10"}}, "resnets": {"m": section}}
    facts = RunFacts.of(Plan(parse_config(config)))
    assert RunFacts.model_validate_json(facts.model_dump_json()) == facts  # as jobs get it
    return facts


def test_what_no_claim_and_no_table_reads_of_residual_networks_makes_neither_anew():
    files = {"checkpoints": ["a.pt"]}
    same = [({}, {"normalization": "set"}), ({}, {"stem": "imagenet"})]
    same += [(files, {"checkpoints": ["b.pt"]}), (files, {**files, "entry": "net", "n_classes": 7})]
    same.append(({}, {"recipe": {"epochs": 300, "precision": "float32"}}))
    for one, other in same:
        assert resnet_facts(**one) == resnet_facts(**other)
    for keys in (files, {"networks": 2}, {"widths": [64, 8, 8, 8]}, {"recipe": {"epochs": 400}}):
        assert resnet_facts() != resnet_facts(**keys)


def cloud_facts(variant, **counts):
    """Return the residual networks of a run that compares or maps clouds of so many images."""
    networks, split = {"ph": (100, "test"), "mapper": (1, "train")}[variant]
    config = {
        "version": 2,
        "name": "n",
        "images": {"c": {"kind": "cifar10"}},
        "resnets": {"nets": {"variant": variant, "images": "c", "networks": networks}},
        "activation_clouds": {
            name: {"population": "nets", "sampling": "random", "n_images": count, "split": split}
            for name, count in counts.items()
        },
    }
    analysed = [name for name in counts if name != "aside"]
    config |= {
        "ph": {"layer_distances": {"clouds": analysed, "measures": ["sliced_wasserstein"]}},
        "mapper": {"activation_mapper": {"elbow": {"clouds": analysed}}},
    }[variant]
    return RunFacts.of(Plan(parse_config(config))).resnets["nets"]


@pytest.mark.parametrize(
    ("variant", "counts", "said"),
    [
        ("ph", {"a": 1_000}, ()),
        ("ph", {"a": 200, "b": 1_000}, ("clouds of 200 of 1,000 images",)),
        ("mapper", {"a": 50_000}, ()),
        ("mapper", {"a": 50_000, "b": 10_000}, ("clouds of 10,000 of 50,000 images",)),
        # Of a cloud that no claim reads nothing is said.
        ("ph", {"a": 1_000, "aside": 10}, ()),
        ("mapper", {"a": 50_000, "aside": 10}, ()),
    ],
)
def test_clouds_of_fewer_images_than_the_papers_are_said(variant, counts, said):
    assert cloud_facts(variant, **counts).reduced == said


@pytest.mark.parametrize("name", ["demo", "tour"])
def test_networks_on_other_images_are_not_said_to_have_small_clouds(name):
    config = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    found = RunFacts.of(Plan(parse_config(config))).resnets
    assert {networks.reduced for networks in found.values()} == {()}
