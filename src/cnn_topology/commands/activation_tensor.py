"""`cnn-topology activation-tensor`: the activation tensor of one image, from a cloud of all positions."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa

from cnn_topology.activations.cloud_file import ActivationCloud, read_cloud
from cnn_topology.errors import InputError
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


def tensor_of(cloud: ActivationCloud) -> pa.Table:
    """Put the points of one image back into its activation tensor x in R^(c x h x w).

    Returns
    -------
    pyarrow.Table
        Rows of `activation_tensor`, channel by channel; the first image of the file that has all positions.

    Raises
    ------
    InputError
        If no image has all positions.
    """
    origin = cloud.origin
    positions = origin.height * origin.width
    ids, first = np.unique(cloud.ids, return_index=True)
    for image in ids[np.argsort(first)]:
        mine = np.flatnonzero(cloud.ids == image)
        at = cloud.positions[mine]
        if len(at) == positions == len(np.unique(at)):
            tensor = cloud.points[mine[np.argsort(at)]].T.reshape(-1, origin.height, origin.width)
            channel, y, x = (axis.ravel() for axis in np.indices(tensor.shape))
            return ActivationTensorRow.columns(
                **origin.columns,
                tensor=origin.tensor,
                image=int(image),
                class_name=origin.classes[cloud.labels[mine[0]]],
                channel=channel,
                y=y,
                x=x,
                value=tensor.ravel().astype(np.float64),
            )
    raise InputError(
        f"cloud {origin.cloud} of {origin.population}, {origin.layer}: no image has all {positions} positions; draw it "
        "from a cloud of sampling full whose most_points holds them"
    )
