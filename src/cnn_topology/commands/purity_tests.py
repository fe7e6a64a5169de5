"""`cnn-topology purity-tests`: the acceptance tests on purity of mapper graphs of activations."""

import argparse
from pathlib import Path

from cnn_topology.plan.activation_graphs import PurityTestParameters
from cnn_topology.statistics.purity import purity_tests
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.purity import PurityDrawRow, PurityRow, PurityTestRow
from cnn_topology.tables.training import ResnetAccuracyRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=PurityTestParameters.parse, help="JSON: the run")
    parser.add_argument("--purity", required=True, type=Path, help="the table purity")
    parser.add_argument("--draws", required=True, type=Path, help="the table purity_draws")
    parser.add_argument("--accuracy", required=True, type=Path, help="the table resnet_accuracy")
    parser.add_argument("--output", required=True, type=Path, help="the table purity_tests (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Run the tests."""
    parameters: PurityTestParameters = arguments.parameters
    found = purity_tests(
        read_table(arguments.purity, PurityRow.schema).to_pandas(),
        read_table(arguments.draws, PurityDrawRow.schema).to_pandas(),
        read_table(arguments.accuracy, ResnetAccuracyRow.schema).to_pandas(),
    )
    table = PurityTestRow.table(PurityTestRow(**row) for row in found)
    upstream = map(read_notes, (arguments.purity, arguments.draws, arguments.accuracy))
    write_finished_table(arguments.output, table, PurityTestRow.schema, parameters.notes(upstream))
    print(f"{table.num_rows} rows")
