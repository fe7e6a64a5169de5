"""`cnn-topology networks`: loops, weight statistics and accuracy of each single network of some snapshots."""

import numpy as np
import pandas as pd

from cnn_topology.analysis.single_networks import network_row
from cnn_topology.plan.generalization_parameters import NetworksParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.generalization import GeneralizationRow
from cnn_topology.tables.training import TrainingRow
from cnn_topology.training.snapshots import read_snapshot


def run(job: Job) -> None:
    """Analyse every network of every snapshot."""
    parameters = job.parameters(NetworksParameters)
    training = pd.concat([read_table(path, TrainingRow.schema).to_pandas() for path in job.inputs("training")])
    initial, snapshots = job.inputs("initial"), job.inputs("snapshots")
    rows: list[GeneralizationRow] = []
    place = 0
    for member in parameters.members:
        here = slice(place, place + member.shards)
        place = here.stop
        log = training[(training["population"] == member.population) & (training["step"] == member.step)]
        before = len(rows)
        for first, last in zip(initial[here], snapshots[here], strict=True):
            start, now = (read_snapshot(path, [f"{parameters.layer}.weight"]) for path in (first, last))
            alive = np.flatnonzero(~np.array(now.failed)).tolist()
            rows += [network_row(parameters, member, start, now, number, log) for number in alive]
        count = len(rows) - before
        print(f"{member.population}, {parameters.layer}, step {member.step}: {count} networks", flush=True)
    inputs = [read_metadata(path) for path in (*initial, *snapshots)]
    notes = parameters.notes([*inputs, *map(read_notes, job.inputs("training"))])
    write_table(job.output("generalization"), GeneralizationRow.table(rows), GeneralizationRow.schema, notes)
