"""Accuracy of populations, as rows of a table."""

import numpy as np
import pandas as pd
import pyarrow as pa

from cnn_topology.statistics.intervals import mean_interval
from cnn_topology.tables.training import CrossAccuracyRow


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
