"""`cnn-topology cross-accuracy`: accuracy of networks trained on one image set and tested on another (E13)."""

import argparse
from pathlib import Path

from cnn_topology.analysis.accuracy import cross_accuracy
from cnn_topology.plan.generalization_parameters import CrossAccuracyParameters
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.training import CrossAccuracyRow, TrainingRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters",
        required=True,
        type=CrossAccuracyParameters.parse,
        help="JSON: what each population is trained on",
    )
    parser.add_argument("--training", required=True, type=Path, help="the table training (.parquet)")
    parser.add_argument("--output", required=True, type=Path, help="one row per population and test set (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Average the last step of every population."""
    parameters: CrossAccuracyParameters = arguments.parameters
    training = read_table(arguments.training, TrainingRow.schema).to_pandas()
    table = cross_accuracy(training, parameters.trained_on)
    notes = parameters.notes([read_notes(arguments.training)])
    write_finished_table(arguments.output, table, CrossAccuracyRow.schema, notes)
    print(table.to_pandas().to_string(index=False))
