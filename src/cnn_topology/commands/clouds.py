"""`cnn-topology clouds`: gather the filters of a layer over all networks of a population, for a block of steps."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from cnn_topology.clouds.filters import centre_and_normalize, norms_and_means, spatial_filters
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.plan.clouds import LEAST_ALIVE, neighbours_left
from cnn_topology.plan.parameters import CloudParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.tables import write_table
from cnn_topology.tables.filters import CloudFilterRow, cloud_schema, neighbour_column
from cnn_topology.tables.row import joined
from cnn_topology.training.snapshots import read_snapshot


def run(job: Job) -> None:
    """Gather the clouds."""
    parameters = job.parameters(CloudParameters)
    snapshots = job.inputs("snapshots")
    shards = len(snapshots) // len(parameters.steps)
    steps = []
    for number, step in enumerate(parameters.steps):
        paths = snapshots[number * shards : (number + 1) * shards]
        filters, ids = _filters_of(paths, parameters.weights)
        if not len(filters):
            print(
                f"warning: populations.{parameters.population}.recipe: by step {step} every network had failed (a loss "
                "infinite or not a number): no cloud of this step; lower learning_rate"
            )
            continue
        points, kept = centre_and_normalize(filters, parameters.centre)
        # A constant filter has a row too, of zeros: whoever reads the cloud knows how many there are.
        coordinates, distances = np.zeros(filters.shape), np.full((len(filters), len(parameters.neighbours)), np.nan)
        coordinates[kept] = points
        if len(points) >= LEAST_ALIVE:
            ks = [neighbours_left(k, len(points)) for k in parameters.neighbours]
            distances[kept] = neighbour_distances(points, ks, job.threads)
        network, out_channel, in_channel = ids.T
        norms, means = norms_and_means(filters, parameters.centre)
        cloud = CloudFilterRow.columns(
            step=step,
            network=network,
            out_channel=out_channel,
            in_channel=in_channel,
            norm=norms,
            mean_entry=means,
            coordinates=coordinates,
        )
        for k, distance in zip(parameters.neighbours, distances.T, strict=True):
            cloud = cloud.append_column(neighbour_column(k), pa.array(distance))
        steps.append(cloud)
        if not kept.all():
            print(f"step {step}: {np.sum(~kept)} of {len(kept)} filters are constant and in no cloud")
        print(f"step {step}: {len(points)} filters of {len(np.unique(ids[kept, 0]))} networks")
    schema = cloud_schema(parameters.neighbours)
    write_table(job.output("clouds"), joined(steps, schema), schema, job.notes(parameters))


def _filters_of(paths: list[Path], layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one layer of all shards: filters (points, entries) and ids (points, 3), without the networks that failed."""
    filters, ids = [], []
    for path in paths:
        snapshot = read_snapshot(path, [f"{layer}.weight"])
        whole = ~np.array(snapshot.failed)
        points, where = spatial_filters(snapshot.tensors[f"{layer}.weight"][whole], stacked=True)
        where[:, 0] = np.array(snapshot.networks)[whole][where[:, 0]]
        filters.append(points)
        ids.append(where)
    return np.concatenate(filters), np.concatenate(ids)
