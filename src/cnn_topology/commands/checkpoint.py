"""`cnn-topology checkpoint`: make a snapshot of networks that others trained."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.networks.pretrained import torchvision_file
from cnn_topology.networks.weights import read_weights
from cnn_topology.plan.checkpoints import TorchvisionCheckpoint
from cnn_topology.plan.parameters import CheckpointParameters
from cnn_topology.storage.atomic import file_checksum
from cnn_topology.training.snapshots import write_snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=CheckpointParameters.parse, help="JSON: files and layers")
    parser.add_argument("--output", required=True, type=Path, help="the snapshot (.safetensors)")


def run(arguments: argparse.Namespace) -> None:
    """Import the networks."""
    parameters: CheckpointParameters = arguments.parameters
    section, where = parameters.checkpoint, f"checkpoints.{parameters.population}"
    shapes = {tensor: parameters.shapes[layer] for layer, tensor in parameters.tensors.items()}
    try:
        if isinstance(section, TorchvisionCheckpoint):
            files, entry = [torchvision_file(section.model, Path(section.folder))], None
        else:
            files, entry = list(map(Path, section.files)), section.entry
        networks = [read_weights(file, shapes, entry) for file in files]
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    _refuse_twins(where, files, networks)
    stacked = {
        f"{layer}.weight": np.stack([network[tensor] for network in networks])
        for layer, tensor in parameters.tensors.items()
    }
    digests = [file_checksum(file) for file in files]
    metadata = {
        **parameters.notes([{"config": digest, "data": digest} for digest in digests]),
        "population": parameters.population,
        "shard": "0",
        "networks": json.dumps(list(range(len(files)))),
        # Nothing was drawn here: the networks came as they are.
        "seeds": json.dumps([-1] * len(files)),
        "failed": json.dumps([False] * len(files)),
        "step": "0",
        "tensors": json.dumps(parameters.tensors),
    }
    write_snapshot(arguments.output, stacked, metadata)
    filters = sum(int(np.prod(shape[:2])) for shape in shapes.values())
    print(f"{parameters.population}: {len(files)} networks, {len(shapes)} layers, {filters:,} 3x3 filters each")


def _refuse_twins(where: str, files: list[Path], networks: list[dict[str, np.ndarray]]) -> None:
    """Refuse a network that comes twice: its filters lie in pairs, which the density filter takes for structure."""
    known: dict[bytes, Path] = {}
    for file, network in zip(files, networks, strict=True):
        content = b"".join(network[name].tobytes() for name in sorted(network))
        twin = known.setdefault(hashlib.sha256(content).digest(), file)
        if twin is not file:
            raise InputError(f"{where}.files: {twin} and {file} hold the same kernels; list each network once")
