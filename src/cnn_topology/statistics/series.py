"""Two curves over training compared with each other: the longest bar of the pooled cloud and mean accuracy (E11).

Both rise while a network learns, so their correlation says little: two rising curves always correlate. Beside it stands
what is left of it when the training step is held fixed (the logarithm of 1 + step, since snapshots are spaced so), and
the correlation of the changes from each snapshot to the next.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.statistics.coefficients import partial_pearson, pearson, spearman
from cnn_topology.statistics.intervals import percentile_interval


class SeriesCorrelation(NamedTuple):
    """A correlation over snapshots, what is held fixed, and its 95 % interval over resampled networks."""

    method: str
    given: str
    statistic: float
    low: float
    high: float


def correlated_series(
    longest: Float[np.ndarray, " steps"],
    drawn_longest: Float[np.ndarray, "steps draws"],
    outcome: Float[np.ndarray, "networks steps"],
    steps: Int[np.ndarray, " steps"],
    drawn: Int[np.ndarray, "draws networks"],
) -> list[SeriesCorrelation]:
    """Correlate the longest bar with the mean outcome over snapshots.

    Parameters
    ----------
    longest : ndarray, shape (steps,)
        Of the pooled cloud.
    drawn_longest : ndarray, shape (steps, draws)
        Of the cloud of resampled networks.
    outcome : ndarray, shape (networks, steps)
        NaN for a network that failed; it is left out of every mean.
    steps : ndarray, shape (steps,)
    drawn : ndarray, shape (draws, networks)
        Which networks each draw holds.

    Returns
    -------
    list of SeriesCorrelation
        Pearson and Spearman, plain; partial given the step; of changes. NaN where there are too few snapshots.
    """
    mean = np.nanmean(outcome, axis=0)
    time = np.log1p(steps)[:, None]
    found = []
    for method, given, compute in _measures(time):
        values = []
        for number, chosen in enumerate(drawn):
            there = outcome[chosen]
            there = there[np.isfinite(there).all(axis=1)]
            if len(there):
                values.append(compute(drawn_longest[:, number], there.mean(axis=0)))
        interval = percentile_interval(np.array(values, dtype=float), share=0.0)
        found.append(SeriesCorrelation(method, given, compute(longest, mean), *interval))
    return found


def z_scores(values: Float[np.ndarray, " steps"]) -> Float[np.ndarray, " steps"]:
    """Standardize a series over its snapshots; zeros where it does not vary.

    Parameters
    ----------
    values : ndarray, shape (steps,)

    Returns
    -------
    ndarray, shape (steps,)
    """
    spread = values.std()
    return (values - values.mean()) / spread if spread else np.zeros_like(values)


Measure = Callable[[np.ndarray, np.ndarray], float]


def _measures(time: np.ndarray) -> list[tuple[str, str, Measure]]:
    def changes(x: np.ndarray, y: np.ndarray) -> float:
        return float(pearson(np.diff(x)[:, None], np.diff(y))[0]) if len(x) > 3 else float("nan")

    return [
        ("pearson", "", lambda x, y: float(pearson(x[:, None], y)[0])),
        ("spearman", "", lambda x, y: float(spearman(x[:, None], y)[0])),
        ("partial_pearson", "log(1 + step)", lambda x, y: float(partial_pearson(x[:, None], y, time)[0])),
        ("pearson_of_changes", "", changes),
    ]
