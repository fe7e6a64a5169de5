"""`cnn-topology example-images`: the images that stand for the nodes of mapper graphs, as small pictures."""

import argparse
from pathlib import Path

import pyarrow as pa

from cnn_topology.data.examples import example_images
from cnn_topology.data.image_set import read_image_set
from cnn_topology.plan.activation_graphs import ExampleImageParameters
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.tables.activation_graphs import ActivationNodeRow
from cnn_topology.tables.images import ExampleImageRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=ExampleImageParameters.parse, help="JSON")
    parser.add_argument("--nodes", required=True, type=Path, help="the table activation_nodes")
    parser.add_argument("--images", required=True, nargs="+", type=Path, help="the prepared image sets, named as such")
    parser.add_argument("--output", required=True, type=Path, help="the table example_images (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Gather each image once."""
    parameters: ExampleImageParameters = arguments.parameters
    nodes = read_table(arguments.nodes, ActivationNodeRow.schema).to_pandas()
    sets = {path.stem: read_image_set(path) for path in arguments.images}
    wanted: dict[tuple[str, str], set[int]] = {}
    for (population, split), rows in nodes.groupby(["population", "split"], sort=False):
        key = (parameters.images[str(population)], str(split))
        wanted.setdefault(key, set()).update(*map(set, rows["example_images"]))
    found = [example_images(sets[name], name, split, sorted(ids)) for (name, split), ids in wanted.items()]
    table = pa.concat_tables([ExampleImageRow.table([]), *found])
    notes = parameters.notes([read_notes(arguments.nodes)])
    write_table(arguments.output, table, ExampleImageRow.schema, notes)
    print(f"{table.num_rows} images")
