"""`cnn-topology networks`: loops, weight statistics and accuracy of each single network of some snapshots."""

import numpy as np

from cnn_topology.analysis.single_networks import network_row, pooled_rows
from cnn_topology.plan.parameters import NetworksParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.generalization import GeneralizationRow
from cnn_topology.tables.training import TrainingRow
from cnn_topology.training.snapshots import read_snapshot


def run(job: Job) -> None:
    """Analyse every network of every snapshot."""
    parameters = job.parameters(NetworksParameters)
    training = job.read_rows(TrainingRow).to_pandas()
    initial, snapshots = job.inputs("initial"), job.inputs("snapshots")
    rows: list[GeneralizationRow] = []
    place = 0
    for member in parameters.members:
        here = slice(place, place + member.shards)
        place = here.stop
        log = training[(training["population"] == member.population) & (training["step"] == member.step)]
        print(f"{member.population}, {parameters.layer}, step {member.step}", flush=True)
        before, weights = len(rows), []
        for first, last in zip(initial[here], snapshots[here], strict=True):
            start, now = (read_snapshot(path, [f"{parameters.layer}.weight"]) for path in (first, last))
            alive = np.flatnonzero(~np.array(now.failed)).tolist()
            rows += [network_row(parameters, member, start, now, number, log) for number in alive]
            weights += [now.tensors[f"{parameters.layer}.weight"][number] for number in alive]
        if parameters.is_grid:
            rows += pooled_rows(rows[before:], weights, parameters.density)
    job.write_rows(GeneralizationRow, rows, job.notes(parameters))
