"""`cnn-topology cross-accuracy`: accuracy of networks trained on one image set and tested on another (E13)."""

from cnn_topology.plan.generalization_parameters import CrossAccuracyParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.runs.job_tables import notes_of, read_rows, write_rows
from cnn_topology.statistics.improvements import cross_accuracy
from cnn_topology.tables.training import CrossAccuracyRow, TrainingRow


def run(job: Job) -> None:
    """Average the last step of every population."""
    parameters = job.parameters(CrossAccuracyParameters)
    table = cross_accuracy(read_rows(job, TrainingRow).to_pandas(), parameters.trained_on)
    write_rows(job, CrossAccuracyRow, table, notes_of(job, parameters), finished=True)
    print(table.to_pandas().to_string(index=False))
