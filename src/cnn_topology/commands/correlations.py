"""`cnn-topology correlations`: topology and weight statistics of single networks against what these have learned."""

from cnn_topology.analysis.single_networks import correlations
from cnn_topology.plan.generalization_parameters import CorrelationParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.runs.job_tables import notes_of, read_rows, write_rows
from cnn_topology.tables.generalization import CorrelationRow, GeneralizationRow


def run(job: Job) -> None:
    """Correlate within every group."""
    parameters = job.parameters(CorrelationParameters)
    rows = list(correlations(read_rows(job, GeneralizationRow).to_pandas(), parameters))
    write_rows(job, CorrelationRow, rows, notes_of(job, parameters))
    print(f"{len(rows)} correlations")
