"""`cnn-topology collect`: join the parts of tables."""

from cnn_topology.errors import unknown
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.registry import TABLES
from cnn_topology.tables.rows import joined


def run(job: Job) -> None:
    """Join the parts."""
    for output in job.outputs("tables"):
        name = output.stem
        if name not in TABLES:
            raise unknown(f"table {output}", name, TABLES)
        parts = job.inputs(name)
        schema = TABLES[name].schema
        table = joined([read_table(path, schema) for path in parts], schema)
        write_finished_table(output, table, schema, combined_notes(read_notes(path) for path in parts))
        print(f"{name}: {table.num_rows} rows from {len(parts)} parts")
