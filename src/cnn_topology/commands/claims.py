"""`cnn-topology claims`: test the claims of the papers by the tables of a run."""

import argparse
from pathlib import Path

from cnn_topology.claims.activations import ACTIVATIONS_CLAIMS
from cnn_topology.claims.framework import evaluate
from cnn_topology.claims.weights import WEIGHTS_CLAIMS
from cnn_topology.plan.findings import ClaimParameters
from cnn_topology.storage.tables import read_notes, write_finished_table
from cnn_topology.tables.findings import ClaimRow
from cnn_topology.tables.registry import read_tables

PAPERS = {"weights": WEIGHTS_CLAIMS, "activations": ACTIVATIONS_CLAIMS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=ClaimParameters.parse, help="JSON: facts of the run")
    parser.add_argument("--tables", nargs="*", default=[], type=Path, help="the tables of the run that claims read")
    parser.add_argument("--output", required=True, type=Path, help="one row per claim and subject (.parquet, .csv)")


def run(arguments: argparse.Namespace) -> None:
    """Test all claims."""
    parameters: ClaimParameters = arguments.parameters
    tables = {name: table.to_pandas() for name, table in read_tables(arguments.tables).items()}
    rows = [row for paper, claims in PAPERS.items() for row in evaluate(paper, claims, tables, parameters.facts)]
    notes = parameters.notes(map(read_notes, arguments.tables))
    write_finished_table(arguments.output, ClaimRow.table(rows), ClaimRow.schema, notes)
    for row in rows:
        print(f"{row.paper} {row.claim}: {row.verdict}" + (f" ({row.reason})" if row.reason else ""))
