"""`cnn-topology dynamics`: onset of a layer's loop over training, the loop followed, and its bar against accuracy."""

import numpy as np
import pandas as pd

from cnn_topology.analysis.loop_dynamics import accuracy_correlations, loop_tracks, onset_row, random_stream
from cnn_topology.plan.generalization_parameters import DynamicsParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.statistics.dynamics import (
    resampled_networks,
)
from cnn_topology.statistics.significance import TOO_FEW
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.generalization import CorrelationRow
from cnn_topology.tables.loops import CLOUD, LoopRow, SignificanceRow
from cnn_topology.tables.training import TrainingRow


def run(job: Job) -> None:
    """Follow the loop of one layer."""
    parameters = job.parameters(DynamicsParameters)
    loops, significance, training = (
        pd.concat([read_table(path, row.schema).to_pandas() for path in job.inputs(row.table_name)])
        for row in (LoopRow, SignificanceRow, TrainingRow)
    )
    headlines = loops[loops["headline"]].sort_values("step")
    critical = headlines[CLOUD].merge(significance, on=CLOUD).groupby("step")["null_critical"].max()
    networks = np.sort(training["network"].unique())
    drawn = resampled_networks(len(networks), parameters.draws, random_stream(parameters, "resampled networks"))
    tracks, longest = loop_tracks(parameters, job.inputs("clouds"), headlines, critical, networks, drawn)
    inputs = ("clouds", "loops", "significance", "training")
    notes = parameters.notes(read_notes(path) for name in inputs for path in job.inputs(name))
    limits = np.array([track.critical_resampled for track in tracks], dtype=float)
    found = onset_row(parameters, headlines, critical, longest, limits, len(networks))
    write_table(job.output("onset"), OnsetRow.table([found]), OnsetRow.schema, notes)
    write_table(job.output("loop_tracks"), LoopTrackRow.table(tracks), LoopTrackRow.schema, notes)
    rows = accuracy_correlations(parameters, headlines, longest, training, networks, drawn)
    write_table(job.output("correlations"), CorrelationRow.table(rows), CorrelationRow.schema, notes)
    if found.snapshots:
        ends = f"95 % interval {found.low} to {found.high}, {found.lasting:.0%} of draws last"
        print(f"onset {found.onset}, {ends}")
    else:
        print(f"{TOO_FEW} for a test at every snapshot: no onset")
