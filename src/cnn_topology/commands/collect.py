"""`cnn-topology collect`: join the parts of a table."""

import argparse
from pathlib import Path

from cnn_topology.plan.lineage import combined_notes
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.rows import joined
from cnn_topology.tables.schemas import TABLES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("table", choices=sorted(TABLES), help="which table")
    parser.add_argument("--parts", required=True, nargs="*", type=Path, help="the parts (.parquet); none: no rows")
    parser.add_argument("--output", required=True, type=Path, help="the table (.parquet); small ones also as .csv")


def run(arguments: argparse.Namespace) -> None:
    """Join the parts."""
    schema = TABLES[arguments.table]
    parts = arguments.parts
    table = joined([read_table(path, schema) for path in parts], schema)
    write_finished_table(arguments.output, table, schema, combined_notes(read_notes(path) for path in parts))
    print(f"{arguments.table}: {table.num_rows} rows from {len(parts)} parts")
