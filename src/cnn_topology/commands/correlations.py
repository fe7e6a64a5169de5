"""`cnn-topology correlations`: topology and weight statistics of single networks against what these have learned."""

from cnn_topology.analysis.single_networks import correlations
from cnn_topology.plan.parameters import CorrelationParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.generalization import CorrelationRow, GeneralizationRow


def run(job: Job) -> None:
    """Correlate within every group."""
    parameters = job.parameters(CorrelationParameters)
    rows = list(correlations(job.read_rows(GeneralizationRow).to_pandas(), parameters))
    job.write_rows(CorrelationRow, rows, job.notes(parameters))
