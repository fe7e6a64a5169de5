"""`cnn-topology purity-tests`: the acceptance tests on purity of mapper graphs of activations."""

from cnn_topology.plan.activation_graphs import PurityTestParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.runs.job_tables import notes_of, read_rows, write_rows
from cnn_topology.statistics.purity import purity_tests
from cnn_topology.tables.purity import PurityDrawRow, PurityRow, PurityTestRow
from cnn_topology.tables.training import ResnetAccuracyRow


def run(job: Job) -> None:
    """Run the tests."""
    parameters = job.parameters(PurityTestParameters)
    tables = {"purity": PurityRow, "draws": PurityDrawRow, "accuracy": ResnetAccuracyRow}
    rows = list(purity_tests(*(read_rows(job, row_type, name).to_pandas() for name, row_type in tables.items())))
    write_rows(job, PurityTestRow, rows, notes_of(job, parameters), finished=True)
    print(f"{len(rows)} rows")
