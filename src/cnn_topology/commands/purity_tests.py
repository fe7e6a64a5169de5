"""`cnn-topology purity-tests`: the acceptance tests on purity of mapper graphs of activations."""

from cnn_topology.plan.activation_graphs import PurityTestParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.statistics.purity import purity_tests
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.purity import PurityDrawRow, PurityRow, PurityTestRow
from cnn_topology.tables.training import ResnetAccuracyRow


def run(job: Job) -> None:
    """Run the tests."""
    parameters = job.parameters(PurityTestParameters)
    found = purity_tests(
        read_table(job.input("purity"), PurityRow.schema).to_pandas(),
        read_table(job.input("draws"), PurityDrawRow.schema).to_pandas(),
        read_table(job.input("accuracy"), ResnetAccuracyRow.schema).to_pandas(),
    )
    table = PurityTestRow.table(PurityTestRow(**row) for row in found)
    upstream = [read_notes(job.input(name)) for name in ("purity", "draws", "accuracy")]
    write_finished_table(job.output("purity_tests"), table, PurityTestRow.schema, parameters.notes(upstream))
    print(f"{table.num_rows} rows")
