"""`cnn-topology collect`: join the parts of tables."""

from cnn_topology.analysis.whole_tables import completed
from cnn_topology.errors import check_known
from cnn_topology.runs.job import Job
from cnn_topology.storage.notes import combined_notes
from cnn_topology.storage.tables import write_finished_table
from cnn_topology.tables.registry import TABLES


def run(job: Job) -> None:
    """Join the parts."""
    for output in job.outputs("tables"):
        name = output.stem
        check_known(f"table {output}", name, TABLES)
        table = completed(name, job.read_rows(TABLES[name]))
        write_finished_table(output, table, table.schema, combined_notes(job.upstream(name)))
        print(f"{name}: {table.num_rows} rows from {len(job.inputs(name))} parts")
