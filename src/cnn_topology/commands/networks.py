"""`cnn-topology networks`: loops, weight statistics and accuracy of each single network of some snapshots."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from cnn_topology.analysis.single_networks import network_row
from cnn_topology.plan.generalization_parameters import NetworksParameters
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.generalization import GeneralizationRow
from cnn_topology.tables.training import TrainingRow
from cnn_topology.training.snapshots import read_snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters", required=True, type=NetworksParameters.parse, help="JSON: layer, populations and steps"
    )
    parser.add_argument(
        "--initial", required=True, nargs="+", type=Path, help="all shards of each population at step 0, in order"
    )
    parser.add_argument(
        "--snapshots", required=True, nargs="+", type=Path, help="all shards of each population at its step, in order"
    )
    parser.add_argument("--training", required=True, nargs="+", type=Path, help="the training logs of all shards")
    parser.add_argument("--output", required=True, type=Path, help="one row per network and step (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Analyse every network of every snapshot."""
    parameters: NetworksParameters = arguments.parameters
    training = pd.concat([read_table(path, TrainingRow.schema).to_pandas() for path in arguments.training])
    rows: list[GeneralizationRow] = []
    place = 0
    for member in parameters.members:
        here = slice(place, place + member.shards)
        place = here.stop
        log = training[(training["population"] == member.population) & (training["step"] == member.step)]
        before = len(rows)
        for first, last in zip(arguments.initial[here], arguments.snapshots[here], strict=True):
            start, now = (read_snapshot(path, [f"{parameters.layer}.weight"]) for path in (first, last))
            alive = np.flatnonzero(~np.array(now.failed)).tolist()
            rows += [network_row(parameters, member, start, now, number, log) for number in alive]
        count = len(rows) - before
        print(f"{member.population}, {parameters.layer}, step {member.step}: {count} networks", flush=True)
    inputs = [read_metadata(path) for path in (*arguments.initial, *arguments.snapshots)]
    notes = parameters.notes([*inputs, *map(read_notes, arguments.training)])
    write_table(arguments.output, GeneralizationRow.table(rows), GeneralizationRow.schema, notes)
