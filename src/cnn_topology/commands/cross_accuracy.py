"""`cnn-topology cross-accuracy`: accuracy of networks trained on one image set and tested on another (E13)."""

from cnn_topology.analysis.accuracy import cross_accuracy
from cnn_topology.plan.generalization_parameters import CrossAccuracyParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.training import CrossAccuracyRow, TrainingRow


def run(job: Job) -> None:
    """Average the last step of every population."""
    parameters = job.parameters(CrossAccuracyParameters)
    training = read_table(job.input("training"), TrainingRow.schema).to_pandas()
    table = cross_accuracy(training, parameters.trained_on)
    notes = parameters.notes([read_notes(job.input("training"))])
    write_finished_table(job.output("cross_accuracy"), table, CrossAccuracyRow.schema, notes)
    print(table.to_pandas().to_string(index=False))
