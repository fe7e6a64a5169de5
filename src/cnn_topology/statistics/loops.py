"""The loops of one cloud (weights paper, method, steps 5, 8 and 9): density filter, barcode, test, verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cnn_topology.clouds.density import density_filter
from cnn_topology.plan.clouds import Significance, kept_points, too_few
from cnn_topology.statistics.nulls import Filtering, NullDraws, loop_statistics
from cnn_topology.statistics.significance import (
    TOO_FEW,
    bar_p_values,
    bobrowski_skraba,
    critical_value,
    rank_p_value,
    significant_bars,
    verdict,
)
from cnn_topology.topology.persistence import Barcode, barcode


@dataclass(frozen=True)
class NullTest:
    """One cloud against one null.

    Attributes
    ----------
    draws : int
    median, upper : float
        Median and 95 % quantile of the null's longest H1 bar.
    critical : float
        What a bar must exceed at the level of the run, familywise over the bars of the cloud.
    p_longest, p_ratio : float
        Rank p-values of the longest bar and of the largest death / birth.
    significant_bars : int
    """

    draws: int
    median: float
    upper: float
    critical: float
    p_longest: float
    p_ratio: float
    significant_bars: int


@dataclass(frozen=True)
class CloudLoops:
    """What became of one cloud: the points kept, their barcode, and its tests.

    Attributes
    ----------
    kept : ndarray of int, shape (kept,)
        Indices of the points that the density filter keeps, ascending.
    barcode : Barcode
        Dimensions 0 and 1 over Z/2.
    p_values : ndarray, shape (bars,)
        Per bar, in the order of the barcode: the largest familywise p-value over the nulls; 1 in dimension 0. NaN
        where the cloud is not tested.
    longest, second : float
        Lengths of the two longest H1 bars; 0 where there is none.
    longest_bar : (float, float)
        Birth and death of the longest; NaN where there is none.
    p_bobrowski_skraba : float
        The smallest p-value of the universal null, which needs no draws; 1 where there is no bar, NaN where the cloud
        is not tested.
    tests : dict of str to NullTest
        By name of the null; all of them decide. Empty where the cloud has too few points to be tested.
    covariance : NullTest, optional
        Against the covariance null, which decides nothing here.
    verdict : str
        One of `statistics.significance.VERDICTS`.
    """

    kept: np.ndarray
    barcode: Barcode
    p_values: np.ndarray
    longest: float
    second: float
    longest_bar: tuple[float, float]
    p_bobrowski_skraba: float
    tests: dict[str, NullTest]
    verdict: str
    covariance: NullTest | None = None

    @property
    def significant_bars(self) -> int | None:
        """Number of H1 bars that are significant under every null; None where the cloud is not tested."""
        return min((test.significant_bars for test in self.tests.values()), default=None)


def is_tested(points: int, filtering: Filtering) -> bool:
    """Whether the loops of a cloud are tested under a filtering: whether it has enough points for that.

    Parameters
    ----------
    points : int
        Number of points, before the density filter.
    filtering : Filtering

    Returns
    -------
    bool
    """
    return not too_few(filtering.k, kept_points(filtering.p, points), points)


def cloud_loops(
    points: Float[np.ndarray, "points 9"],
    distances: Float[np.ndarray, " points"],
    filtering: Filtering,
    nulls: Mapping[str, NullDraws],
    significance: Significance,
    covariance: NullDraws | None = None,
) -> CloudLoops:
    """Find and test the loops of a cloud; of one with too few points they are found, but not tested.

    Parameters
    ----------
    points : ndarray, shape (points, 9)
        Normalized filters of a layer.
    distances : ndarray, shape (points,)
        Distance of each to its k-th neighbour, k that of `filtering`.
    filtering : Filtering
        Density filter and landmarks.
    nulls : mapping of str to NullDraws
        Draws under the same filtering, by name of the null. Not used where `is_tested` is false.
    significance : Significance
        Level and ratio of the verdict, from the config.
    covariance : NullDraws, optional
        Draws of the covariance null, to be reported beside.

    Returns
    -------
    CloudLoops
    """
    kept = density_filter(distances, filtering.p)
    bars = barcode(points[kept], landmarks=filtering.landmarks)
    lengths = bars.lengths(1)
    longest, second, largest_ratio = loop_statistics(bars)
    finite = bars.in_dimension(1)
    finite = finite[np.isfinite(finite[:, 1])]
    longest_bar = (float(finite[0, 0]), float(finite[0, 1])) if len(finite) else (np.nan, np.nan)
    if not is_tested(len(points), filtering):
        untested = np.full(len(bars.birth), np.nan)
        return CloudLoops(kept, bars, untested, longest, second, longest_bar, np.nan, tests={}, verdict=TOO_FEW)

    def tested(null: NullDraws) -> NullTest:
        return NullTest(
            draws=len(null),
            median=float(np.median(null.longest)),
            upper=float(np.quantile(null.longest, 0.95)),
            critical=critical_value(null.longest, significance.alpha),
            p_longest=rank_p_value(longest, null.longest),
            p_ratio=rank_p_value(largest_ratio, null.largest_ratio),
            significant_bars=significant_bars(lengths, null.longest, significance.alpha),
        )

    tests = {name: tested(null) for name, null in nulls.items()}
    p_values = np.ones(len(bars.birth))
    loops = (bars.dimension == 1) & np.isfinite(bars.death)
    p_values[loops] = np.max(
        [bar_p_values((bars.death - bars.birth)[loops], null.longest) for null in nulls.values()], axis=0
    )
    return CloudLoops(
        kept=kept,
        barcode=bars,
        p_values=p_values,
        longest=longest,
        second=second,
        longest_bar=longest_bar,
        p_bobrowski_skraba=float(np.min(bobrowski_skraba(finite), initial=1.0)),
        tests=tests,
        verdict=verdict(
            lengths,
            [null.longest for null in nulls.values()],
            significance.alpha,
            significance.one_circle_ratio,
        ),
        covariance=tests.get("covariance", tested(covariance) if covariance is not None else None),
    )
