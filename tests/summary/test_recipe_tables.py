"""The tables of a page about how mapper graphs were made."""

import pyarrow as pa

from cnn_topology.summary.tables import recipe_tables
from cnn_topology.tables.registry import TABLES


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
    (table,) = recipe_tables({"mapper_sweep": sweep})
    assert table.rows == [
        ("a", "conv1", "as drawn", "1,551", "1", "1", "1"),
        ("a", "conv1", "gain 2", "80", "2", "4", "0"),
        ("a", "conv2", "as drawn", "9", "1", "0", "0"),
    ]
    assert len(table.columns) == 7
    assert list(recipe_tables({"mapper_sweep": schema.empty_table()})) == list(recipe_tables({})) == []
