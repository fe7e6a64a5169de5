"""`cnn-topology activation-tensor`: the activation tensor of one image, from a cloud of all positions."""

import argparse
from pathlib import Path

from cnn_topology.activations.cloud_file import read_cloud
from cnn_topology.analysis.image_tensor import tensor_of
from cnn_topology.plan.layer_parameters import ActivationTensorParameters
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.images import ActivationTensorRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters", required=True, type=ActivationTensorParameters.parse, help="JSON: the run's seed"
    )
    parser.add_argument("--cloud", required=True, type=Path, help="a cloud of sampling full (.safetensors)")
    parser.add_argument("--output", required=True, type=Path, help="the table (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Write the tensor of the first image that has all positions."""
    table = tensor_of(read_cloud(arguments.cloud))
    notes = arguments.parameters.notes([read_metadata(arguments.cloud)])
    write_table(arguments.output, table, ActivationTensorRow.schema, notes)
    print(f"image {table['image'][0]} ({table['class_name'][0]}), {table['layer'][0]}: {table.num_rows} activations")
