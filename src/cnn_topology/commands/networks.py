"""`cnn-topology networks`: loops, weight statistics and accuracy of each single network of some snapshots."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cnn_topology.plan.generalization_parameters import Member, NetworksParameters
from cnn_topology.statistics.networks import HYPERPARAMETERS, loop_summary, outcomes, weight_statistics
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
        found = _networks(parameters, member, arguments.initial[here], arguments.snapshots[here])
        rows += [
            GeneralizationRow(**row, **outcomes(log[log["network"] == row["network"]], member.images)) for row in found
        ]
        print(f"{member.population}, {parameters.layer}, step {member.step}: {len(found)} networks", flush=True)
    inputs = [read_metadata(path) for path in (*arguments.initial, *arguments.snapshots)]
    notes = parameters.notes([*inputs, *map(read_notes, arguments.training)])
    write_table(arguments.output, GeneralizationRow.table(rows), GeneralizationRow.schema, notes)


def _networks(
    parameters: NetworksParameters, member: Member, initial: Sequence[Path], snapshots: Sequence[Path]
) -> list[dict[str, Any]]:
    """Summarize the layer of every network of one population at one step; those that failed are left out."""
    name = f"{parameters.layer}.weight"
    rows = []
    for before, now in zip(initial, snapshots, strict=True):
        start, snapshot = read_snapshot(before, [name]), read_snapshot(now, [name])
        for place in np.flatnonzero(~np.array(snapshot.failed)):
            weight = snapshot.tensors[name][place]
            rows.append(
                {
                    "group_name": parameters.group,
                    "is_grid": parameters.is_grid,
                    "population": member.population,
                    "layer": parameters.layer,
                    "depth": member.depth,
                    "network": snapshot.networks[place],
                    "seed": snapshot.seeds[place],
                    "step": member.step,
                    **{key: getattr(member, key) for key in HYPERPARAMETERS},
                    "density_k_given": float(parameters.density.k),
                    "density_p": parameters.density.p,
                    **loop_summary(weight, parameters.density)._asdict(),
                    **weight_statistics(weight, start.tensors[name][place])._asdict(),
                }
            )
    return rows
