"""`cnn-topology improvements`: learning speed and accuracy of populations compared with a plain one."""

import argparse
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cnn_topology.plan.parameters import ImprovementParameters
from cnn_topology.statistics.improvements import comparisons, measures
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.finding_schemas import COMPARISONS, IMPROVEMENTS
from cnn_topology.tables.schemas import TRAINING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=ImprovementParameters.parse, help="JSON: groups")
    parser.add_argument("--training", required=True, type=Path, help="the training table")
    parser.add_argument("--improvements", required=True, type=Path, help="one row per network and metric (.parquet)")
    parser.add_argument("--comparisons", required=True, type=Path, help="one row per comparison (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Measure and compare."""
    parameters: ImprovementParameters = arguments.parameters
    training = read_table(arguments.training, TRAINING).to_pandas()
    measured, compared = [], []
    for name, group in parameters.groups.items():
        rows = measures(training, name, group, parameters.images[name])
        measured += rows
        compared += comparisons(pd.DataFrame(rows, columns=IMPROVEMENTS.names), name, group, parameters.run_seed)
    notes = parameters.notes([read_notes(arguments.training)])
    for path, rows, schema in (
        (arguments.improvements, measured, IMPROVEMENTS),
        (arguments.comparisons, compared, COMPARISONS),
    ):
        write_finished_table(path, pa.Table.from_pylist(rows, schema=schema), schema, notes)
    for row in compared:
        print(
            f"{row['group']}: {row['population']} against {row['against']}, {row['metric']} on {row['images']}: "
            f"{row['effect']} {row['estimate']:.3g} ({row['low']:.3g} to {row['high']:.3g}), "
            f"Holm p = {row['p_holm']:.3g}"
        )
