"""What the filters of one network are like: its own loops, and the plain weight statistics that stand beside them.

The weights paper pools networks and holds the longest bar of the pool against accuracy (E11). Whether topology says
anything about a single network beyond the norm of its weights and their distribution is asked here; the statistics are
those that predict accuracy well without any topology (Unterthiner et al., *Predicting neural network accuracy from
weights*, arXiv:2002.11448: mean, variance and percentiles of each layer), with the norms of Jiang et al. (2020).
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from cnn_topology.clouds.density import density_filter
from cnn_topology.clouds.filters import centre_and_normalize, spatial_filters
from cnn_topology.plan.clouds import Density
from cnn_topology.topology.klein import NEAR, circle_coverage, edge_angles, klein_coordinates
from cnn_topology.topology.persistence import barcode

# Arcs of the primary circle: the 16 directions of *Topological approaches to deep learning* (weights.md, section 6).
DIRECTIONS = 16


class LoopSummary(NamedTuple):
    """The loops of one network's own cloud.

    Attributes
    ----------
    points, kept : int
        Filters of the layer, and those that the density filter keeps.
    bars : int
        Finite H1 bars.
    longest, second : float
        The two longest; 0 where there is none.
    ratio : float
        Longest over second; NaN without a second.
    total_persistence : float
        Sum of the lengths of all finite H1 bars (p = 1).
    coverage : float
        Share of 16 arcs of the primary circle that hold a kept filter within `NEAR` of it.
    mean_residual : float
        Mean distance of the kept filters to the Klein bottle.
    """

    points: int
    kept: int
    bars: int
    longest: float
    second: float
    ratio: float
    total_persistence: float
    coverage: float
    mean_residual: float


class WeightStatistics(NamedTuple):
    """Statistics of one layer's weights that know nothing of topology.

    Attributes
    ----------
    frobenius : float
        Root of the sum of squares.
    distance : float
        Frobenius distance from initialization.
    spectral : float
        Largest singular value of the (out, in * 9) matrix.
    mean, sd, kurtosis : float
        Of all entries; the kurtosis is the excess over the normal distribution's.
    minimum, lower, median, upper, maximum : float
        Percentiles 0, 25, 50, 75 and 100.
    """

    frobenius: float
    distance: float
    spectral: float
    mean: float
    sd: float
    kurtosis: float
    minimum: float
    lower: float
    median: float
    upper: float
    maximum: float


TOPOLOGICAL = ("longest", "second", "ratio", "total_persistence", "coverage", "mean_residual")
BASELINES = WeightStatistics._fields
PREDICTORS = (*TOPOLOGICAL, *BASELINES)
OUTCOMES = ("test_accuracy", "gap", "cross_accuracy")
# What a grid varies.
HYPERPARAMETERS = (WIDTH := "width", "dropout", "learning_rate", "label_noise", "train_images")


def loop_summary(weight: Float[np.ndarray, "out in 3 3"], density: Density) -> LoopSummary:
    """Summarize the loops of one network's layer, not pooled with any other.

    Parameters
    ----------
    weight : ndarray, shape (out, in, 3, 3)
        Finite.
    density : Density
        k as a fraction of the number of filters; a constant filter is left out first.

    Returns
    -------
    LoopSummary
    """
    points = centre_and_normalize(spatial_filters(weight)[0])[0]
    kept = points[density_filter(points, density.k, density.p)]
    lengths = barcode(kept).lengths(1)
    longest, second = [*lengths[:2], 0.0, 0.0][:2]
    theta, distance = edge_angles(kept)
    return LoopSummary(
        points=len(points),
        kept=len(kept),
        bars=len(lengths),
        longest=float(longest),
        second=float(second),
        ratio=float(longest / second) if second else float("nan"),
        total_persistence=float(lengths.sum()),
        coverage=circle_coverage(theta[distance <= NEAR], DIRECTIONS),
        mean_residual=float(klein_coordinates(kept)[2].mean()),
    )


def weight_statistics(weight: Float[np.ndarray, "out ..."], initial: Float[np.ndarray, "out ..."]) -> WeightStatistics:
    """Compute the plain statistics of one network's layer.

    Parameters
    ----------
    weight, initial : ndarray, shape (out, in, 3, 3) or (out, in)
        Now and before training.

    Returns
    -------
    WeightStatistics
    """
    now = weight.astype(np.float64)
    mean, sd = now.mean(), now.std()
    quantiles = np.quantile(now, [0, 0.25, 0.5, 0.75, 1])
    return WeightStatistics(
        frobenius=float(np.linalg.norm(now)),
        distance=float(np.linalg.norm(now - initial)),
        spectral=float(np.linalg.norm(now.reshape(len(now), -1), ord=2)),
        mean=float(mean),
        sd=float(sd),
        kurtosis=float(((now - mean) ** 4).mean() / sd**4 - 3) if sd else float("nan"),
        **dict(zip(("minimum", "lower", "median", "upper", "maximum"), map(float, quantiles), strict=True)),
    )


def outcomes(log: pd.DataFrame, images: str) -> dict[str, Any]:
    """Return what one network has learned at one step.

    Parameters
    ----------
    log : DataFrame
        The rows of `training` of this network and step.
    images : str
        The set it is trained on.

    Returns
    -------
    dict of str to float
        Loss and accuracy on training and test images, `gap` and `cross_accuracy` of the table `generalization`.
    """
    own = log[log["images"] == images]
    others = log[(log["images"] != images) & (log["split"] == "test")]
    found = {
        f"{split}_{what}": float(own.loc[own["split"] == split, what].iloc[0])
        for split in ("train", "test")
        for what in ("loss", "accuracy")
    }
    return {
        **found,
        "gap": found["train_accuracy"] - found["test_accuracy"],
        "cross_accuracy": float(others["accuracy"].mean()) if len(others) else float("nan"),
    }
