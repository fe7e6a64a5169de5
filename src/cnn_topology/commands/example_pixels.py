"""`cnn-topology example-pixels`: images that figures show, with masks, position weights and noise."""

import argparse
from pathlib import Path

import pyarrow as pa

from cnn_topology.analysis.shown_images import panel_table, panels
from cnn_topology.data.image_set import read_image_set
from cnn_topology.plan.activation_parameters import ExamplePixelParameters
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.images import ExamplePixelRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=ExamplePixelParameters.parse, help="JSON")
    parser.add_argument("--images", required=True, type=Path, help="the prepared image set")
    parser.add_argument("--output", required=True, type=Path, help="this part of the table example_pixels")


def run(arguments: argparse.Namespace) -> None:
    """Write the pixels of a few images."""
    parameters: ExamplePixelParameters = arguments.parameters
    image_set = read_image_set(arguments.images)
    parts = [panel_table(parameters, *panel) for panel in panels(parameters, image_set)]
    notes = parameters.notes([read_metadata(arguments.images)])
    write_table(arguments.output, pa.concat_tables(parts), ExamplePixelRow.schema, notes)
