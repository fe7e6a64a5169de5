"""`cnn-topology cross-accuracy`: accuracy of networks trained on one image set and tested on another (E13)."""

from cnn_topology.plan.parameters import CrossAccuracyParameters
from cnn_topology.runs.job import Job
from cnn_topology.statistics.improvements import cross_accuracy
from cnn_topology.tables.training import CrossAccuracyRow, TrainingRow


def run(job: Job) -> None:
    """Average the last step of every population."""
    parameters = job.parameters(CrossAccuracyParameters)
    table = cross_accuracy(job.read_rows(TrainingRow).to_pandas(), parameters.trained_on)
    job.write_rows(CrossAccuracyRow, table, job.notes(parameters), finished=True)
