"""`cnn-topology summary`: say in a few lines what a run found."""

import argparse
from pathlib import Path

from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes
from cnn_topology.summary.lines import summary_lines
from cnn_topology.tables.registry import read_tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--tables", required=True, nargs="+", type=Path, help="the tables of the run, named as such: what there is"
    )
    parser.add_argument("--left-out", nargs="*", default=[], help="what was asked for and cannot be analysed, in words")
    parser.add_argument("--output", type=Path, help="also write it here (.txt)")


def run(arguments: argparse.Namespace) -> None:
    """Write the summary."""
    tables = read_tables(arguments.tables)
    notes = combined_notes(map(read_notes, arguments.tables))
    text = "\n".join(summary_lines(tables, notes, arguments.left_out)) + "\n"
    if arguments.output:
        with atomic_path(arguments.output) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(text, end="")
