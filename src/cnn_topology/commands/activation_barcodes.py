"""`cnn-topology activation-barcodes`: persistent homology of the activation clouds of all layers of a network."""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.spatial.distance import pdist

from cnn_topology.activations.cloud_file import ActivationCloud, read_cloud
from cnn_topology.comparison.clouds import SampledCloud, constant_features
from cnn_topology.errors import InputError
from cnn_topology.plan.layer_parameters import ActivationBarcodeParameters
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.layers import ActivationBarRow
from cnn_topology.tables.rows import joined
from cnn_topology.topology.persistence import barcode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters", required=True, type=ActivationBarcodeParameters.parse, help="JSON: population, cloud, network"
    )
    parser.add_argument("--clouds", required=True, nargs="+", type=Path, help="the network's clouds, one per layer")
    parser.add_argument("--threads", default=1, type=int, help="threads that compute distances")
    parser.add_argument("--output", required=True, type=Path, help="the bars of all layers (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Compute the bars in dimension 0 and 1 of every layer."""
    parameters: ActivationBarcodeParameters = arguments.parameters
    parts = []
    for cloud in read_network(arguments.clouds, parameters.population, parameters.cloud, parameters.network):
        points = sampled(cloud).points
        found = barcode(points, threads=arguments.threads)
        origin = cloud.origin
        table = ActivationBarRow.columns(
            **origin.columns,
            points=len(points),
            median_distance=median_distance(points),
            dimension=found.dimension.astype(np.int64),
            birth=found.birth,
            death=found.death,
        )
        parts.append(table)
        length = found.lengths(1)
        longest = f", the longest {length[0]:.3g}" if len(length) else ""
        print(f"{origin.layer}: {len(points)} points, {len(length)} H1 bars{longest}", flush=True)
    notes = parameters.notes(read_metadata(path) for path in arguments.clouds)
    write_table(arguments.output, joined(parts, ActivationBarRow.schema), ActivationBarRow.schema, notes)


def read_network(paths: list[Path], population: str, cloud: str, network: int | None = None) -> list[ActivationCloud]:
    """Read the clouds of the layers of a network, or of several, by network and depth.

    Raises
    ------
    InputError
        If a file is missing, altered, or holds another cloud than asked for, or a layer comes twice.
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
    found.sort(key=lambda read: (read.origin.network, read.origin.depth))
    for one, other in pairwise(found):
        if (one.origin.network, one.origin.depth) == (other.origin.network, other.origin.depth):
            raise InputError(f"{population} {one.origin.network}: layer {one.origin.layer} is given twice")
    return found


def sampled(cloud: ActivationCloud) -> SampledCloud:
    """Return a cloud with one point per image in the form that measures take.

    Raises
    ------
    InputError
        If an image comes twice, or all channels are constant: then there is nothing to compare.
    """
    origin = cloud.origin
    where = f"{origin.population} {origin.network}, layer {origin.layer}, cloud {origin.cloud}"
    constant = constant_features(cloud.points)
    if len(constant) == cloud.points.shape[1]:
        raise InputError(
            f"{where}: all {len(constant)} channels are constant over its {len(cloud.points)} images, so the layer is "
            f"dead; leave the network out by activation_clouds.{origin.cloud}.of, or train longer"
        )
    if len(constant):
        print(f"{where}: {len(constant)} of {cloud.points.shape[1]} channels are constant", flush=True)
    try:
        return SampledCloud(cloud.points, cloud.ids)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def median_distance(points: np.ndarray) -> float:
    """Compute the median Euclidean distance between two points of a cloud; 0 for one point."""
    return float(np.median(pdist(points))) if len(points) > 1 else 0.0


def scaled_bars(bars: np.ndarray, median: float, where: str) -> np.ndarray:
    """Divide bars by the median distance of their cloud.

    Raises
    ------
    InputError
        If it is 0: more than half of the pairs of points coincide.
    """
    if median == 0:
        raise InputError(
            f"{where}: the median distance between points is 0, so nothing can be divided by it; leave the measure "
            "scaled_sliced_wasserstein out"
        )
    return bars / median
