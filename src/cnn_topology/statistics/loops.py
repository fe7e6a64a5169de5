"""The loops of one cloud (weights paper, method, steps 5, 8 and 9): density filter, barcode, test, verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import real, whole
from cnn_topology.clouds.density import densest_points, neighbour_count
from cnn_topology.clouds.filters import layer_filters
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.plan.base import as_tuple
from cnn_topology.plan.clouds import DEAD_LAYER, MOST_POINTS, Centre, Filtering, Significance
from cnn_topology.plan.config_errors import checked
from cnn_topology.statistics.nulls import CloudName, NullDraws, checked_name, draws_of_null, loop_statistics
from cnn_topology.statistics.significance import (
    bar_p_values,
    bobrowski_skraba,
    critical_value,
    rank_p_value,
    significant_bars,
    two_sided_p_value,
    verdict,
)
from cnn_topology.topology.persistence import Barcode, barcode

# Of a dead layer, of which at most one filter is left.
NO_BARS = Barcode(np.empty(0, np.int8), np.empty(0), np.empty(0), 2, points=0, covering_radius=0.0, engine="none")


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
    p_two_sided : float
        Of the longest bar, whether it is longer or shorter than the null's.
    significant_bars : int
    """

    draws: int
    median: float
    upper: float
    critical: float
    p_longest: float
    p_ratio: float
    p_two_sided: float
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
    also : dict of str to NullTest
        Against further nulls, which decide nothing.
    verdict : str
        One of `statistics.significance.VERDICTS`.
    """

    kept: np.ndarray = field(repr=False)
    barcode: Barcode = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    longest: float
    second: float
    longest_bar: tuple[float, float]
    p_bobrowski_skraba: float
    tests: dict[str, NullTest]
    verdict: str
    also: dict[str, NullTest] = field(default_factory=dict)

    def against(self, null: str) -> NullTest | None:
        """Return the test against a null, whether it decides or not.

        Parameters
        ----------
        null : str
            Its name, such as ``"lowpass"``.

        Returns
        -------
        NullTest or None
            None where the cloud was not tested against it.
        """
        return self.tests.get(null, self.also.get(null))

    @property
    def ratio(self) -> float:
        """Longest over second longest H1 bar: infinite where there is one bar, NaN where there is none."""
        if self.second:
            return self.longest / self.second
        return float("inf" if self.longest else "nan")

    @property
    def p_longest(self) -> float | None:
        """The largest p-value of the longest bar over the nulls that decide; None where the cloud is not tested."""
        return max((test.p_longest for test in self.tests.values()), default=None)

    @property
    def p_ratio(self) -> float | None:
        """Return the same of the largest death / birth."""
        return max((test.p_ratio for test in self.tests.values()), default=None)

    @property
    def significant_bars(self) -> int | None:
        """Number of H1 bars that are significant under every null; None where the cloud is not tested."""
        return min((test.significant_bars for test in self.tests.values()), default=None)


def loops(
    filters: np.ndarray,
    k: int | float = 0.03125,
    p: float = 0.3,
    *,
    draws: int = 199,
    seed: int = 0,
    nulls: Sequence[str] = ("sphere", "permuted"),
    also: Sequence[str] = (),
    alpha: float = 0.01,
    landmarks: int = MOST_POINTS,
    centre: Centre = "filter",
    cloud: CloudName = ("", "", 0),
    threads: int = 1,
) -> CloudLoops:
    """Find the loops of a layer's filters and test them against clouds of noise, as a run does.

    The filters are centred and normalized, rho(k, p) keeps the densest of them, and the H1 bars of what is kept are
    compared with those of random clouds of the same size that went through the same steps. Expect a second for a
    layer of some hundred filters and some minutes for 6,400; the time grows with `draws`, and falls with `threads`.

    Parameters
    ----------
    filters : ndarray, shape (out, in, k, k) or (points, k^2)
        The weight of a convolution, or filters, such as those of several networks pooled. Filters that are normalized
        already stay as they are.
    k : int or float
        Neighbour of the density filter: a count, or, as a float between 0 and 1, a share of the filters.
    p : float
        Fraction of the filters that the density filter keeps, in (0, 1].
    draws : int
        Random clouds of each null; the smallest p-value is 1 / (draws + 1).
    seed : int
        Seed of the draws. The result is the same for the same seed and `cloud`.
    nulls : sequence of {'sphere', 'permuted', 'covariance', 'lowpass', 'block'}
        Random filters: uniform on the sphere; the layer's own with the entries of each shuffled; Gaussian with
        the second moments of the layer's own; patches of a Gaussian field as smooth as the layer's own; the layer's
        own shuffled in one way in each output channel. A loop must be significant under every null listed.
    also : sequence of str
        Further nulls to compare with, without a say in the verdict.
    alpha : float
        Level of the tests, familywise over the bars.
    landmarks : int
        Clouds that keep more points are cut to so many max-min landmarks.
    centre : {'filter', 'coordinate'}
        Subtract each filter's own mean (the paper), or each coordinate's mean over the cloud.
    cloud : tuple of (str, str, int)
        Population, layer and step of a run. With these, and the run's `seed`, the draws and all numbers are those of
        the run's row in the table `loops`.
    threads : int
        Random clouds made at once; their number changes no result.

    Returns
    -------
    CloudLoops
        With `verdict`, `longest` and `second` (lengths of the two longest H1 bars), `p_longest`, `significant_bars`,
        `tests` by null and the whole `barcode`. `kept` are the filters that the density filter keeps, as numbers of
        those that are not constant. A cloud that keeps fewer than 50 filters, or with k above a tenth of them, has
        the verdict ``too few filters`` and no p-values.

    Raises
    ------
    InputError
        If the filters have another shape or NaN or infinite entries, a parameter is out of its range, there is no null
        of a name, or there are too few draws for p-values of alpha.

    See Also
    --------
    barcode : The bars of any cloud of points, without a test.

    Notes
    -----
    Weights paper, method, steps 5, 8 and 9. The paper reads loops off barcodes by eye; the tests are ours.

    Examples
    --------
    A layer of 600 filters, of which a third are noisy edges in all directions: the primary circle.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.tile([-1, 0, 1], 3), np.repeat([-1, 0, 1], 3)
    >>> angle = rng.uniform(0, 2 * np.pi, 200)
    >>> edges = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y)
    >>> filters = rng.standard_normal((600, 9))
    >>> filters[:200] = edges + 0.2 * filters[:200]
    >>> loops = ct.loops(filters.reshape(60, 10, 3, 3), k=20, p=0.3, draws=99)
    >>> loops.verdict, loops.significant_bars, loops.p_longest
    ('one loop', 1, 0.01)
    >>> loops.longest > 3 * loops.second
    True
    >>> ct.loops(rng.standard_normal((600, 9)), k=20, p=0.3, draws=99).verdict
    'no loop'
    """
    layer, seed, cloud = layer_filters(filters, centre), whole(seed, "seed"), checked_name(cloud)
    nulls, also = as_tuple(nulls), as_tuple(also)
    points = layer.points
    significance = checked(Significance, nulls=nulls, draws=draws, alpha=alpha)
    count = neighbour_count(k, p, len(points))
    filtering = Filtering(k=count, p=real(p, "p"), landmarks=whole(landmarks, "landmarks", 10))
    drawn: dict[str, NullDraws] = {}
    if not filtering.untested(len(points)):
        for name in dict.fromkeys([*significance.nulls, *also]):
            of_filterings = draws_of_null(name, layer, [filtering], significance.draws, seed, cloud, (), threads)
            drawn[name] = of_filterings[filtering]
    deciding: dict[str, NullDraws] = {name: null for name, null in drawn.items() if name in significance.nulls}
    distances = neighbour_distances(points, [count], threads)[:, 0]
    others = {name: null for name, null in drawn.items() if name not in deciding}
    return cloud_loops(points, distances, filtering, deciding, significance, others)


def cloud_loops(
    points: Float[np.ndarray, "points entries"],
    distances: Float[np.ndarray, " points"],
    filtering: Filtering,
    nulls: Mapping[str, NullDraws],
    significance: Significance,
    also: Mapping[str, NullDraws] | None = None,
) -> CloudLoops:
    """Find and test the loops of a cloud; of one with too few points they are found, but not tested.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Normalized filters of a layer.
    distances : ndarray, shape (points,)
        Distance of each to its k-th neighbour, k that of `filtering`.
    filtering : Filtering
        Density filter and landmarks.
    nulls : mapping of str to NullDraws
        Draws under the same filtering, by name of the null. Not used where the cloud is `untested`.
    significance : Significance
        Level and ratio of the verdict, from the config.
    also : mapping of str to NullDraws, optional
        Draws of further nulls, which decide nothing.

    Returns
    -------
    CloudLoops
    """
    without_test = filtering.untested(len(points))
    if without_test == DEAD_LAYER:
        kept, bars = np.arange(len(points)), NO_BARS
    else:
        kept = densest_points(distances, filtering.p)
        bars = barcode(points[kept], landmarks=filtering.landmarks)
    lengths = bars.lengths(1)
    longest, second, largest_ratio = loop_statistics(bars)
    finite = bars.in_dimension(1)
    finite = finite[np.isfinite(finite[:, 1])]
    longest_bar = (float(finite[0, 0]), float(finite[0, 1])) if len(finite) else (np.nan, np.nan)
    if without_test:
        unknown = np.full(len(bars.birth), np.nan)
        return CloudLoops(kept, bars, unknown, longest, second, longest_bar, np.nan, tests={}, verdict=without_test)

    def tested(null: NullDraws) -> NullTest:
        return NullTest(
            draws=len(null),
            median=float(np.median(null.longest)),
            upper=float(np.quantile(null.longest, 0.95)),
            critical=critical_value(null.longest, significance.alpha),
            p_longest=rank_p_value(longest, null.longest),
            p_ratio=rank_p_value(largest_ratio, null.largest_ratio),
            p_two_sided=two_sided_p_value(longest, null.longest),
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
        verdict=verdict(lengths, [null.longest for null in nulls.values()], significance.alpha),
        also={name: tested(null) for name, null in (also or {}).items()},
    )
