"""A cloud of activations and its file: points with the image, position and label of each, and how they were drawn.

No array of the network itself is kept: a cloud is read without torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from cnn_topology.errors import InputError
from cnn_topology.plan.activations import ActivationClouds, Tensor
from cnn_topology.plan.base import Section
from cnn_topology.plan.recorded import RecordedLayer
from cnn_topology.storage.tensors import read_tensors

ARRAYS = ("points", "ids", "positions", "labels")


class CloudOrigin(Section):
    """Where a cloud comes from: enough to draw it again, and to label every number made of it.

    Attributes
    ----------
    population : str
        Key of `resnets` or `modules` in the config.
    network, seed : int
        Number of the network in its population and its seed; -1 as seed for weights from a checkpoint.
    weights : str
        SHA-256 of its weights.
    layer : RecordedLayer
    cloud, drawn : str and ActivationClouds
        Key of `activation_clouds` in the config, and its entry.
    tensor : str
        ``conv``, ``bn`` or ``relu``; ``output`` of a user's module.
    images, empty_masks : int
        Images that were looked at, and those of them that were left out or drawn at random since their mask is empty
        (foreground and background).
    classes : tuple of str
        Class names, by label.
    """

    population: str
    network: int
    seed: int
    weights: str
    layer: RecordedLayer
    cloud: str
    drawn: ActivationClouds
    tensor: Tensor
    images: int
    empty_masks: int
    classes: tuple[str, ...]

    @property
    def columns(self) -> dict[str, Any]:
        """The columns by which tables name a cloud."""
        of_network = {"population": self.population, "cloud": self.cloud, "network": self.network}
        return {**of_network, "layer": self.layer.name, "depth": self.layer.depth}


@dataclass(frozen=True, eq=False)
class ActivationCloud:
    """Activation vectors of one layer of one network.

    Attributes
    ----------
    points : float32 array (N, c)
        One activation vector x_uv of c channels per row, finite.
    ids : int64 array (N,)
        Index of the image in its split of the prepared image set.
    positions : int64 array (N,)
        row * width + column of the position (u, v).
    labels : int64 array (N,)
        Class of the image.
    origin : CloudOrigin
        Network, layer and how the points were drawn.
    """

    points: Float32[np.ndarray, "points channels"]
    ids: Int64[np.ndarray, " points"]
    positions: Int64[np.ndarray, " points"]
    labels: Int64[np.ndarray, " points"]
    origin: CloudOrigin


def cloud_metadata(origin: CloudOrigin, notes: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata of the file of a cloud: its origin beside the notes of what it was made from."""
    return {**notes, "origin": origin.model_dump_json()}


def read_cloud(path: Path) -> ActivationCloud:
    """Read a cloud of a layer, and check it against its checksum.

    Raises
    ------
    InputError
        If the file is missing, cut short, altered, or holds something else.
    """
    arrays, metadata = read_tensors(path, ARRAYS)
    if "origin" not in metadata:
        raise InputError(f"{path}: is no cloud of activations: its metadata have no `origin`")
    return ActivationCloud(**arrays, origin=CloudOrigin.model_validate_json(metadata["origin"]))


def read_network(paths: list[Path], population: str, cloud: str, network: int | None = None) -> list[ActivationCloud]:
    """Read the clouds of the layers of a network, or of several, by network and depth.

    Parameters
    ----------
    paths : list of Path
    population, cloud : str
        What all files hold.
    network : int, optional
        The one network they are of; several without it.

    Returns
    -------
    list of ActivationCloud

    Raises
    ------
    InputError
        If a file is missing, altered, or holds another cloud than asked for.
    """
    found = []
    for path in paths:
        read = read_cloud(path)
        here = read.origin
        if (here.population, here.cloud) != (population, cloud) or network not in (None, here.network):
            raise InputError(
                f"{path} holds cloud {here.cloud} of {here.population} {here.network}; expected {cloud} of {population}"
                + (f" {network}" if network is not None else "")
            )
        found.append(read)
    return sorted(found, key=lambda read: (read.origin.network, read.origin.layer.depth))
