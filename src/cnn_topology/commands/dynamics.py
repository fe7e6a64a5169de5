"""`cnn-topology dynamics`: onset of a layer's loop over training, the loop followed, and its bar against accuracy."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from cnn_topology.analysis.loop_dynamics import accuracy_correlations, loop_tracks, onset_row, random_stream
from cnn_topology.plan.generalization_parameters import DynamicsParameters
from cnn_topology.statistics.dynamics import (
    resampled_networks,
)
from cnn_topology.statistics.significance import TOO_FEW
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.generalization import CorrelationRow
from cnn_topology.tables.loops import CLOUD, LoopRow, SignificanceRow
from cnn_topology.tables.training import TrainingRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters", required=True, type=DynamicsParameters.parse, help="JSON: layer, density, draws"
    )
    for name, help_text in {
        "clouds": "the layer's clouds, all blocks of steps",
        "loops": "the parts of the table loops for these",
        "significance": "the parts of the table significance for these",
        "training": "the training logs of the population",
    }.items():
        parser.add_argument(f"--{name}", required=True, nargs="+", type=Path, help=help_text)
    for name in ("onset", "loop_tracks", "correlations"):
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, required=True, type=Path, help=f"this layer's part of the table {name}")


def run(arguments: argparse.Namespace) -> None:
    """Follow the loop of one layer."""
    parameters: DynamicsParameters = arguments.parameters
    loops, significance, training = (
        pd.concat([read_table(path, row.schema).to_pandas() for path in paths])
        for paths, row in (
            (arguments.loops, LoopRow),
            (arguments.significance, SignificanceRow),
            (arguments.training, TrainingRow),
        )
    )
    headlines = loops[loops["headline"]].sort_values("step")
    critical = headlines[CLOUD].merge(significance, on=CLOUD).groupby("step")["null_critical"].max()
    networks = np.sort(training["network"].unique())
    drawn = resampled_networks(len(networks), parameters.draws, random_stream(parameters, "resampled networks"))
    tracks, longest = loop_tracks(parameters, arguments.clouds, headlines, critical, networks, drawn)
    inputs = [*arguments.clouds, *arguments.loops, *arguments.significance, *arguments.training]
    notes = parameters.notes(map(read_notes, inputs))
    limits = np.array([track.critical_resampled for track in tracks], dtype=float)
    found = onset_row(parameters, headlines, critical, longest, limits, len(networks))
    write_table(arguments.onset, OnsetRow.table([found]), OnsetRow.schema, notes)
    write_table(arguments.loop_tracks, LoopTrackRow.table(tracks), LoopTrackRow.schema, notes)
    rows = accuracy_correlations(parameters, headlines, longest, training, networks, drawn)
    write_table(arguments.correlations, CorrelationRow.table(rows), CorrelationRow.schema, notes)
    if found.snapshots:
        ends = f"95 % interval {found.low} to {found.high}, {found.lasting:.0%} of draws last"
        print(f"onset {found.onset}, {ends}")
    else:
        print(f"{TOO_FEW} for a test at every snapshot: no onset")
