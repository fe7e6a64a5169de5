"""`cnn-topology train`: train one shard of a population and keep its snapshots."""

import sys
from pathlib import Path

import numpy as np

from cnn_topology.data.image_set import read_image_set
from cnn_topology.errors import InputError
from cnn_topology.networks.first_layer import mean_filter_norm
from cnn_topology.plan.parameters import TrainParameters
from cnn_topology.plan.populations import FixedFirstLayer
from cnn_topology.runs.job import Job
from cnn_topology.training.snapshots import read_snapshot
from cnn_topology.training.train import TrainingJob, train_shard


def run(job: Job) -> None:
    """Train the shard."""
    parameters = job.parameters(TrainParameters)
    train_shard(
        TrainingJob(
            shard=_with_norm(parameters, job.inputs("matched")),
            image_set=read_image_set(job.input("images")),
            cross_test={
                name: read_image_set(path)
                for name, path in zip(parameters.cross_test, job.inputs("cross_test"), strict=True)
            },
            snapshots=job.outputs("snapshots"),
            log_path=job.output("log_table"),
            resume_folder=job.resume,
            threads=job.threads,
            notes=job.notes(parameters),
        )
    )


def _with_norm(parameters: TrainParameters, matched: list[Path]) -> TrainParameters:
    """Put the mean norm of a trained population's filters in the place of its name."""
    first = parameters.architecture.first_layer
    if not isinstance(first, FixedFirstLayer) or first.matched_to is None:
        return parameters
    snapshots = [read_snapshot(path, ["conv1.weight"]) for path in matched]
    weights = [shot.tensors["conv1.weight"][~np.array(shot.failed)] for shot in snapshots]
    if not any(map(len, weights)):
        raise InputError(
            f"first_layer.matched_to: every network of {first.matched_to} had failed; give `norm` a number"
        )
    norm = mean_filter_norm(np.concatenate(weights))
    print(f"first layer: mean norm {norm:.4f}, as the trained filters of {first.matched_to}", file=sys.stderr)
    layer = FixedFirstLayer(kind=first.kind, norm=norm, bias=first.bias)
    return parameters.model_copy(
        update={"architecture": parameters.architecture.model_copy(update={"first_layer": layer})}
    )
