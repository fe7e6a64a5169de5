"""`cnn-topology cross-accuracy`: accuracy of networks trained on one image set and tested on another (E13)."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from cnn_topology.plan.generalization_parameters import CrossAccuracyParameters
from cnn_topology.statistics.intervals import mean_interval
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


def cross_accuracy(training: pd.DataFrame, trained_on: dict[str, str]) -> pa.Table:
    """Average test accuracy at the last step over the networks that did not fail.

    Parameters
    ----------
    training : DataFrame
        The table `training`.
    trained_on : dict of str to str
        Populations, and the image set of each.

    Returns
    -------
    pyarrow.Table
        Rows of `cross_accuracy`; the population's own test images first.
    """
    rows = []
    for population, own in trained_on.items():
        log = training[(training["population"] == population) & (training["split"] == "test")]
        last = log[(log["step"] == log["step"].max()) & ~log["failed"]]
        for images in sorted(last["images"].unique(), key=lambda name: (name != own, name)):
            accuracy = last.loc[last["images"] == images, "accuracy"].to_numpy()
            low, high = np.clip(mean_interval(accuracy), 0, 1)  # of an accuracy, which its mean is too
            rows.append(
                CrossAccuracyRow(
                    population=population,
                    trained_on=own,
                    tested_on=images,
                    step=last["step"].iloc[0],
                    networks=len(accuracy),
                    mean=accuracy.mean(),
                    low=low,
                    high=high,
                )
            )
    return CrossAccuracyRow.table(rows)
