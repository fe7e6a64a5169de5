"""`cnn-topology dynamics`: onset of a layer's loop over training, the loop followed, and its bar against accuracy."""

from cnn_topology.analysis.loop_dynamics import loop_dynamics
from cnn_topology.plan.parameters import DynamicsParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.generalization import CorrelationRow
from cnn_topology.tables.loops import LoopRow, SignificanceRow
from cnn_topology.tables.training import TrainingRow


def run(job: Job) -> None:
    """Follow the loop of one layer."""
    parameters = job.parameters(DynamicsParameters)
    tables = (job.read_rows(row).to_pandas() for row in (LoopRow, SignificanceRow, TrainingRow))
    onset, tracks, correlations = loop_dynamics(parameters, map(read_table, job.inputs("clouds")), *tables)
    notes = job.notes(parameters)
    job.write_rows(OnsetRow, [onset], notes)
    job.write_rows(LoopTrackRow, tracks, notes)
    job.write_rows(CorrelationRow, correlations, notes)
