"""`cnn-topology checkpoint`: make a snapshot of networks that others trained."""

import json
from pathlib import Path

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.networks.copies import COPIES, FIXED_FILTERS, first_copies, is_fixed
from cnn_topology.networks.pretrained import torchvision_file
from cnn_topology.networks.weights import read_weights
from cnn_topology.plan.checkpoints import TorchvisionCheckpoint
from cnn_topology.plan.parameters import CheckpointParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.atomic import file_checksum
from cnn_topology.storage.manifest import check_unchanged
from cnn_topology.training.snapshots import write_snapshot


def run(job: Job) -> None:
    """Import the networks."""
    parameters = job.parameters(CheckpointParameters)
    section, where = parameters.checkpoint, f"checkpoints.{parameters.population}"
    shapes = {tensor: parameters.shapes[layer] for layer, tensor in parameters.tensors.items()}
    try:
        if isinstance(section, TorchvisionCheckpoint):
            files, entry = [torchvision_file(section.model, Path(section.folder))], None
        else:
            files, entry = list(map(Path, section.files)), section.entry
        networks = [read_weights(file, shapes, entry) for file in files]
        check_unchanged({str(file): file for file in files}, job.planned)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    stacked = {
        f"{layer}.weight": np.stack([network[tensor] for network in networks])
        for layer, tensor in parameters.tensors.items()
    }
    del networks
    _refuse_copies(where, files, dict(zip(parameters.tensors.values(), stacked.values(), strict=True)))
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
    write_snapshot(job.output("snapshot"), stacked, metadata)
    filters = sum(int(np.prod(shape[:2])) for shape in shapes.values())
    print(f"{parameters.population}: {len(files)} networks, {len(shapes)} layers, {filters:,} 3x3 filters each")


def _refuse_copies(where: str, files: list[Path], weights: dict[str, np.ndarray]) -> None:
    """Refuse a network or a layer that comes twice, and layers of fixed filters."""
    pair = first_copies(weights.values())
    if pair:
        one, two = pair
        raise InputError(
            f"{where}.files: {files[one]} and {files[two]} hold the same kernels {COPIES}; list each network once"
        )
    alike: dict[tuple[int, ...], list[str]] = {}
    for tensor, stack in weights.items():
        alike.setdefault(stack.shape[1:], []).append(tensor)
    for position, file in enumerate(files):
        for tensors in alike.values():
            pair = first_copies([np.stack([weights[tensor][position] for tensor in tensors])])
            if pair:
                one, two = pair
                raise InputError(
                    f"{where}: {file}: {tensors[one]} and {tensors[two]} hold the same kernels {COPIES}; state one by "
                    "`layers`"
                )
        for tensor, stack in weights.items():
            if is_fixed(stack[position].reshape(-1, 9)):
                raise InputError(
                    f"{where}: {file}: the filters of {tensor} are copies of at most {FIXED_FILTERS}, as a "
                    "blur's are that is not trained; state the layers of trained weights by `layers`"
                )
