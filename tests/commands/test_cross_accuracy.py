"""`cnn-topology cross-accuracy`: means and intervals of networks on each set they are tested on."""

import numpy as np
import pandas as pd
import pytest

from cnn_topology.statistics.improvements import cross_accuracy


def log_of(accuracies, images="own", step=10):
    row = {"population": "a", "split": "test", "images": images, "step": step}
    return [{**row, "failed": np.isnan(accuracy), "accuracy": accuracy} for accuracy in accuracies]


def test_the_last_step_counts_without_failed_networks_and_the_own_set_comes_first():
    rows = [*log_of([0.1, 0.1], step=5), *log_of([0.2, 0.4], "another"), *log_of([0.6, 0.8, np.nan])]
    found = cross_accuracy(pd.DataFrame(rows), {"a": "own"}).to_pandas()
    assert list(found["tested_on"]) == ["own", "another"]
    assert list(found["networks"]) == [2, 2]
    assert list(found["mean"]) == pytest.approx([0.7, 0.3])


def test_an_interval_of_accuracies_stays_among_them():
    found = cross_accuracy(pd.DataFrame(log_of([0.5, 0.99])), {"a": "own"}).to_pandas().iloc[0]
    assert (found["low"], found["high"]) == (0.0, 1.0)
    alone = cross_accuracy(pd.DataFrame(log_of([0.5])), {"a": "own"}).to_pandas().iloc[0]
    assert np.isnan([alone["low"], alone["high"]]).all()
