"""`cnn-topology improvements`: learning speed and accuracy of populations compared with a plain one."""

from cnn_topology.plan.parameters import ImprovementParameters
from cnn_topology.runs.job import Job
from cnn_topology.statistics.improvements import comparisons, measures
from cnn_topology.tables.findings import ComparisonRow, ImprovementRow
from cnn_topology.tables.training import TrainingRow


def run(job: Job) -> None:
    """Measure and compare."""
    parameters = job.parameters(ImprovementParameters)
    training = job.read_rows(TrainingRow).to_pandas()
    measured: list[ImprovementRow] = []
    compared: list[ComparisonRow] = []
    for name, group in parameters.groups.items():
        rows = measures(training, name, group, parameters.images[name])
        measured += rows
        compared += comparisons(ImprovementRow.table(rows).to_pandas(), name, group, parameters.run_seed)
    notes = job.notes(parameters)
    job.write_rows(ImprovementRow, measured, notes, finished=True)
    job.write_rows(ComparisonRow, compared, notes, finished=True)
