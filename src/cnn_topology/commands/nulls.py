"""`cnn-topology nulls`: draw the sphere null for clouds of one size, under every density filter that meets it."""

import numpy as np

from cnn_topology.plan.parameters import NullParameters
from cnn_topology.runs.job import Job
from cnn_topology.statistics.nulls import sphere_draws
from cnn_topology.tables.loops import NullRow, filtering_key


def run(job: Job) -> None:
    """Draw the null."""
    parameters = job.parameters(NullParameters)
    tables = []
    for centre in sorted(parameters.filterings):
        filterings = parameters.filterings[centre]
        size = parameters.points, parameters.side**2
        drawn_by = sphere_draws(*size, filterings, parameters.draws, parameters.run_seed, centre)
        for filtering, drawn in drawn_by.items():
            table = NullRow.columns(
                null_name="sphere",
                points=parameters.points,
                kernel_side=parameters.side,
                **vars(filtering_key(filtering, parameters.points)),
                centre=centre,
                draw=np.arange(len(drawn)),
                longest=drawn.longest,
                second=drawn.second,
                largest_ratio=drawn.largest_ratio,
            )
            tables.append(table)
    job.write_rows(NullRow, tables, parameters.notes())
