"""`cnn-topology activations`: draw the point clouds of the layers of residual networks."""

import argparse
from pathlib import Path

from cnn_topology.activations.clouds import draw_clouds, looked_at
from cnn_topology.data.image_set import read_image_set
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_parameters import ActivationParameters
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.training.devices import choose_device, settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters",
        required=True,
        nargs="+",
        type=ActivationParameters.parse,
        help="JSON, one a cloud of the same images and networks: the networks, the cloud, its layers",
    )
    parser.add_argument("--images", required=True, type=Path, help="the prepared image set")
    parser.add_argument("--weights", required=True, nargs="+", type=Path, help="the weights, one file a network")
    parser.add_argument("--masks", type=Path, help="the masks of these images, for foreground and background")
    parser.add_argument(
        "--clouds", required=True, nargs="+", type=Path, help="the clouds, one file a cloud, network and layer"
    )
    parser.add_argument(
        "--accuracy",
        required=True,
        nargs="+",
        type=Path,
        help="parts of the table resnet_accuracy, one a cloud and network",
    )
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"], help="where the network runs")
    parser.add_argument("--threads", default=1, type=int, help="CPU threads")


def run(arguments: argparse.Namespace) -> None:
    """Draw each cloud from all its layers of each network in one pass over the images."""
    image_set = read_image_set(arguments.images)
    lineage = read_metadata(arguments.images)
    device = choose_device(arguments.device)
    _check_files(arguments)
    clouds, tables = iter(arguments.clouds), iter(arguments.accuracy)
    with settings(device, arguments.threads, keep_memory=False):
        for parameters in arguments.parameters:
            look = looked_at(parameters, image_set, lineage, arguments.masks)
            for network, weights in zip(parameters.networks, arguments.weights, strict=True):  # as checked
                paths = {layer.name: next(clouds) for layer in look.layers}
                try:
                    draw_clouds(parameters.alone(network), look, weights, paths, next(tables), device)
                except InputError as error:
                    raise InputError(f"{parameters.population} {network}, cloud {parameters.cloud}: {error}") from error


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuse clouds of different networks in one call, and another number of files than they need."""
    blocks: list[ActivationParameters] = arguments.parameters
    if len({(block.population, block.networks) for block in blocks}) > 1:
        raise InputError("--parameters: the clouds of one call are of the same networks; call once for each")
    networks = len(blocks[0].networks)
    layers = sum(len(block.layers) for block in blocks)
    for option, needed in (("weights", networks), ("clouds", layers * networks), ("accuracy", len(blocks) * networks)):
        if len(given := getattr(arguments, option)) != needed:
            raise InputError(f"--{option} names {len(given)} files; these --parameters need {needed}")
