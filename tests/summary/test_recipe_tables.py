"""The tables of a page about how mapper graphs were made."""

import pyarrow as pa

from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import RunFacts
from cnn_topology.summary.tables import recipe_tables
from cnn_topology.tables.registry import TABLES

NOTHING = RunFacts(
    alpha=0.01,
    nulls=("sphere",),
    draws=199,
    **{name: {} for name in ("images", "populations", "checkpoints", "resnets", "improvements", "grids")},
)


def test_other_recipes_of_a_layer_are_listed_at_its_last_step():
    names = ("population", "layer", "step", "change", "nodes", "components", "loops", "filled_loops")
    rows = [
        ("a", "conv1", 0, "as drawn", 3, 1, 0, 0),
        ("a", "conv1", 600, "as drawn", 1_551, 1, 1, 1),
        ("a", "conv1", 600, "gain 2", 80, 2, 4, 0),
        ("a", "conv2", 300, "as drawn", 9, 1, 0, 0),
    ]
    schema = TABLES["mapper_sweep"].schema
    sweep = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=schema)
    (table,) = recipe_tables(NOTHING, {"mapper_sweep": sweep})
    assert table.rows == [
        ("a", "conv1", "as drawn", "1,551", "1", "1", "1"),
        ("a", "conv1", "gain 2", "80", "2", "4", "0"),
        ("a", "conv2", "as drawn", "9", "1", "0", "0"),
    ]
    assert len(table.columns) == 7
    assert recipe_tables(NOTHING, {"mapper_sweep": schema.empty_table()}) == recipe_tables(NOTHING, {}) == []


def test_layout_and_recipe_of_residual_networks_are_told():
    resnets = {
        "ph": {"images": "cifar10", "variant": "ph", "networks": 3},
        "mapper": {"images": "cifar10", "variant": "mapper", "recipe": {"selection": "best-on-test"}},
        "theirs": {"images": "cifar10", "variant": "mapper", "checkpoints": ["x.pt"]},
    }
    config = {"version": 2, "name": "nets", "images": {"cifar10": {"kind": "cifar10"}}, "resnets": resnets}
    (table,) = recipe_tables(RunFacts.of(Plan(parse_config(config))), {})
    ph, mapper, theirs = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    assert (ph["learning rate"], ph["augmentation"]) == ("0 to 1 at epoch 5 to 0", "shift ±2, flip, cutout 8")
    assert (mapper["learning rate"], mapper["weights"]) == ("0.1, × 0.1 at 150, 250", "best epoch on the test set")
    assert (theirs["weights"], theirs["epochs"], theirs["widths"]) == ("from checkpoints", "", "64, 128, 256, 512")
