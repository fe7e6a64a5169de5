"""`cnn-topology images`: read, check and reshape one image set."""

import argparse
from pathlib import Path

from cnn_topology.data.image_files import image_files
from cnn_topology.data.image_set import write_image_set
from cnn_topology.data.sources import load_image_set
from cnn_topology.plan.parameters import ImagesParameters
from cnn_topology.storage.manifest import check_unchanged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=ImagesParameters.parse, help="JSON: run_seed, name, images")
    parser.add_argument(
        "--planned", nargs=2, metavar=("MANIFEST", "DIGEST"), help="a user's files as they were planned"
    )
    parser.add_argument("--output", required=True, type=Path, help="the prepared set (.safetensors)")


def run(arguments: argparse.Namespace) -> None:
    """Prepare the set."""
    parameters: ImagesParameters = arguments.parameters
    asked = (parameters.name, parameters.images, parameters.run_seed)
    image_set = load_image_set(*asked)
    check_unchanged(image_files(*asked), arguments.planned)
    write_image_set(arguments.output, image_set, {**parameters.notes(), "data": image_set.sha256})
    height, width, channels = image_set.train_images.shape[1:]
    print(
        f"{parameters.name}: {len(image_set.train_images)} training and {len(image_set.test_images)} test images, "
        f"{height}x{width}x{channels}, {len(image_set.classes)} classes, SHA-256 {image_set.sha256[:12]}"
    )
