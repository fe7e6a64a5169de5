"""`cnn-topology checkpoint`: make a snapshot of networks that others trained."""

import json
from pathlib import Path

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.networks.copies import refuse_copies
from cnn_topology.networks.pretrained import torchvision_file
from cnn_topology.networks.weights import check_finite, read_weights
from cnn_topology.plan.checkpoints import TorchvisionCheckpoint, plain_name
from cnn_topology.plan.parameters import CheckpointParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.atomic import file_checksum
from cnn_topology.storage.manifest import check_unchanged
from cnn_topology.storage.tensors import write_tensors


def run(job: Job) -> None:
    """Import the networks."""
    parameters = job.parameters(CheckpointParameters)
    section, where = parameters.checkpoint, f"checkpoints.{parameters.population}"
    shapes = {tensor: parameters.shapes[layer] for layer, tensor in parameters.tensors.items()}
    try:
        if isinstance(section, TorchvisionCheckpoint):
            files = parts = [torchvision_file(section.model, Path(section.folder))]
            networks = [read_weights(file, shapes) for file in files]
        else:
            files, parts = list(map(Path, section.files)), list(map(Path, section.parts))
            networks = [read_weights(file, shapes, section.entry, section.layout) for file in files]
        for file, network in zip(files, networks, strict=True):
            for tensor, values in network.items():
                check_finite(file, tensor, values, f", or leave its layer out: `exclude: [{plain_name(tensor)}]`")
        check_unchanged({str(file): file for file in parts}, job.planned)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    stacked = {
        f"{layer}.weight": np.stack([network[tensor] for network in networks])
        for layer, tensor in parameters.tensors.items()
    }
    del networks
    refuse_copies(where, files, dict(zip(parameters.tensors.values(), stacked.values(), strict=True)))
    digests = [file_checksum(file) for file in parts]
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
    write_tensors(job.output("snapshot"), stacked, metadata)
    print(f"{len(files)} networks, {len(shapes)} layers")
