"""`cnn-topology measure-tests`: what the measures say about the layers, and the tests of the measures."""

import argparse
from pathlib import Path

import pyarrow as pa

from cnn_topology.analysis.layer_comparison import layer_tables
from cnn_topology.plan.layer_parameters import MeasureTestParameters
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.layers import ComponentCurveRow, NetworkPairRow
from cnn_topology.tables.registry import MEASURE_ROWS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=MeasureTestParameters.parse, help="JSON: draws")
    parser.add_argument("--pairs", required=True, nargs="+", type=Path, help="all that `layer-distances` wrote")
    parser.add_argument("--curves", nargs="*", default=[], type=Path, help="all that `component-sensitivity` wrote")
    for name in (row.table_name for row in MEASURE_ROWS):
        parser.add_argument(f"--{name.replace('_', '-')}", required=True, type=Path, help=f"the table {name}")


def run(arguments: argparse.Namespace) -> None:
    """Gather the values of every cloud and measure, and test them."""
    parameters: MeasureTestParameters = arguments.parameters
    pairs = pa.concat_tables([read_table(path, NetworkPairRow.schema) for path in arguments.pairs])
    curves = ComponentCurveRow.table([])
    if arguments.curves:
        curves = pa.concat_tables([read_table(path, ComponentCurveRow.schema) for path in arguments.curves])
    tables = layer_tables(pairs, curves, parameters)
    notes = combined_notes(read_notes(path) for path in [*arguments.pairs, *arguments.curves])
    for row_type in MEASURE_ROWS:
        name = row_type.table_name
        write_finished_table(getattr(arguments, name), tables[name], row_type.schema, notes)
    for row in tables["measure_tests"].to_pylist():
        print("{population}, {cloud}, {measure}, {test}: {statistic:.3f} ({low:.3f} to {high:.3f})".format(**row))
