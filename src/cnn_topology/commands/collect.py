"""`cnn-topology collect`: join the parts of tables."""

import argparse
from pathlib import Path

from cnn_topology.errors import unknown
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.registry import TABLES
from cnn_topology.tables.rows import joined


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--tables", required=True, nargs="+", type=Path, help="the tables, named as such; small ones also as .csv"
    )
    parser.add_argument(
        "--folder", required=True, type=Path, help="where their parts lie, each in the folder of its table"
    )
    parser.add_argument(
        "--parts", required=True, nargs="*", help="names of the parts there, the same for all; none: no rows"
    )


def run(arguments: argparse.Namespace) -> None:
    """Join the parts."""
    for output in arguments.tables:
        name = output.stem
        if name not in TABLES:
            raise unknown(f"table {output}", name, TABLES)
        parts = [arguments.folder / name / part for part in arguments.parts]
        schema = TABLES[name].schema
        table = joined([read_table(path, schema) for path in parts], schema)
        write_finished_table(output, table, schema, combined_notes(read_notes(path) for path in parts))
        print(f"{name}: {table.num_rows} rows from {len(parts)} parts")
