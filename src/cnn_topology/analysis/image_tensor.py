"""The activation tensor of one image, as rows of a table."""

import numpy as np
import pyarrow as pa

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.errors import InputError
from cnn_topology.tables.images import ActivationTensorRow


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
