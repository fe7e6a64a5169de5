"""`cnn-topology purity-tests`: the acceptance tests on purity of mapper graphs of activations."""

from cnn_topology.plan.activation_graphs import PurityTestParameters
from cnn_topology.runs.job import Job
from cnn_topology.statistics.purity import purity_tests
from cnn_topology.tables.purity import PurityDrawRow, PurityRow, PurityTestRow
from cnn_topology.tables.training import ResnetAccuracyRow


def run(job: Job) -> None:
    """Run the tests."""
    parameters = job.parameters(PurityTestParameters)
    tables = {"purity": PurityRow, "draws": PurityDrawRow, "accuracy": ResnetAccuracyRow}
    rows = list(purity_tests(*(job.read_rows(row_type, name).to_pandas() for name, row_type in tables.items())))
    job.write_rows(PurityTestRow, rows, job.notes(parameters), finished=True)
