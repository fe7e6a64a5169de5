"""When a loop sets in over training, with an interval over networks, and whether it stays the same loop (E4, E8).

Onset is the first snapshot from which on the longest H1 bar of the pooled cloud exceeds the critical value of every
null at every later snapshot. Its interval comes from resampling networks: each draw makes the pooled cloud anew, passes
it through density filter and persistence at every snapshot and reads the onset against nulls that are resampled
alike, since a draw holds some networks twice: its cloud is sparser, and the bars of noise have other lengths (5 %
longer for 12 networks of 64 filters).

Two snapshots share a loop if (1) at both the loop of the longest bar winds once around the primary circle: projected on
the plane of x and y it has degree 1 or -1 there, so both are the generator of one circle; and (2) the filters kept at
both hold their places on that circle, by the circular correlation of their edge angles.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from cnn_topology.clouds.density import density_filter
from cnn_topology.clouds.threads import mapped
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import Centre, Filtering
from cnn_topology.statistics.circular import circular_correlation, kuiper, turn
from cnn_topology.statistics.intervals import ENDS, percentile_interval
from cnn_topology.statistics.significance import onset
from cnn_topology.topology.circles import ARCS
from cnn_topology.topology.klein import NEAR, circle_coverage, edge_angles
from cnn_topology.topology.landmarks import landmarks_maxmin
from cnn_topology.topology.persistence import barcode
from cnn_topology.topology.representative_loop import representative_loop

RULE = (
    "first snapshot from which on the longest H1 bar exceeds the critical value of every null at every later snapshot"
)


def resampled_networks(networks: int, draws: int, rng: np.random.Generator) -> Int[np.ndarray, "draws networks"]:
    """Draw networks with replacement, as many as there are.

    Parameters
    ----------
    networks, draws : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (draws, networks)
        From 0 to networks - 1.
    """
    return rng.integers(networks, size=(draws, networks))


def resampled_bars(
    points: Float[np.ndarray, "points entries"],
    network: Int[np.ndarray, " points"],
    filtering: Filtering,
    drawn: Int[np.ndarray, "draws networks"],
    threads: int = 1,
) -> list[Float[np.ndarray, " bars"]]:
    """Compute the H1 bars of the pooled cloud of resampled networks.

    A draw holds about 63 % of the networks, some several times. Its cloud is sparser than that of as many different
    networks, and a circle has a shorter bar (for a noisy one of 12 x 64 filters the median is 1.08 for 1.14).

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        All filters of one snapshot, before the density filter.
    network : ndarray of int, shape (points,)
        Which network each belongs to, a value of `drawn`; one that failed has no point.
    filtering : Filtering
        Density filter and landmarks. A network drawn m times counts m times, also as a neighbour of itself.
    drawn : ndarray of int, shape (draws, networks)
        From `resampled_networks`.
    threads : int
        Draws made at once; their number changes no result.

    Returns
    -------
    list of ndarray, each of shape (bars,)
        Lengths of the bars of each draw, the longest first; none where there is no cloud.
    """
    order = np.argsort(network, kind="stable")
    bounds = np.searchsorted(network[order], np.arange(drawn.max() + 2))

    def bars(chosen: np.ndarray) -> np.ndarray:
        rows = np.concatenate([order[bounds[i] : bounds[i + 1]] for i in chosen])
        try:
            kept = rows[density_filter(points[rows], filtering.k, filtering.p)]
        except InputError:
            return np.empty(0)
        # Duplicates change no bar.
        return barcode(points[np.unique(kept)], landmarks=filtering.landmarks).lengths(1)

    return mapped(bars, drawn, threads)


def resampled_longest(
    points: Float[np.ndarray, "points entries"],
    network: Int[np.ndarray, " points"],
    filtering: Filtering,
    drawn: Int[np.ndarray, "draws networks"],
) -> Float[np.ndarray, " draws"]:
    """Compute the longest H1 bar of the pooled cloud of resampled networks.

    Parameters
    ----------
    points, network, filtering, drawn
        As `resampled_bars`.

    Returns
    -------
    ndarray, shape (draws,)
        0 where there is no bar or no cloud.
    """
    return np.array([float(np.max(bars, initial=0.0)) for bars in resampled_bars(points, network, filtering, drawn)])


def longest_interval(longest: float, drawn: Float[np.ndarray, " draws"]) -> tuple[float, float]:
    """Compute the 95 % interval of a cloud's longest bar over networks: the draws' spread, laid about the bar itself.

    The draws' own quantiles lie too low, since their clouds are sparser: of simulated clouds of 12 networks around the
    primary circle they hold the typical bar in 32 of 100 cases, these ends in 92.

    Parameters
    ----------
    longest : float
        Of the cloud of all networks, each once.
    drawn : ndarray, shape (draws,)
        From `resampled_longest`.

    Returns
    -------
    low, high : float
        `longest` plus the quantiles of the draws less their median; not below 0.
    """
    low, middle, high = np.quantile(drawn, [ENDS[0], 0.5, ENDS[1]])
    return max(0.0, float(longest + low - middle)), float(longest + high - middle)


def resampled_null(
    make_cloud: Callable[[np.random.Generator], np.ndarray],
    network: Int[np.ndarray, " points"],
    filtering: Filtering,
    drawn: Int[np.ndarray, "draws networks"],
    rng: np.random.Generator,
    threads: int = 1,
) -> Float[np.ndarray, " draws"]:
    """Compute the longest H1 bar of a null's clouds, resampled as the layer's own; a cloud of its own for each draw.

    Parameters
    ----------
    make_cloud : callable
        Takes a random generator and gives a cloud of as many filters as the layer has, in its order.
    network, filtering, drawn
        As `resampled_longest`.
    rng : numpy.random.Generator
    threads : int
        As for `resampled_bars`.

    Returns
    -------
    ndarray, shape (draws,)
    """

    def longest(draw: tuple[np.ndarray, np.ndarray]) -> float:
        cloud, chosen = draw
        return float(resampled_longest(cloud, network, filtering, chosen[None])[0])

    return np.array(mapped(longest, ((make_cloud(rng), chosen) for chosen in drawn), threads))


def onset_interval(
    steps: Sequence[int], longest: Float[np.ndarray, "steps draws"], critical: Float[np.ndarray, " steps"]
) -> tuple[int | None, int | None, float]:
    """Compute the 95 % interval of the onset over draws.

    Parameters
    ----------
    steps : sequence of int
    longest : ndarray, shape (steps, draws)
        From `resampled_longest`.
    critical : ndarray, shape (steps,)
        The largest critical value of the nulls, resampled alike.

    Returns
    -------
    low, high : int or None
        Snapshots; None where the quantile is a draw without a lasting loop: later than the last snapshot.
    lasting : float
        Share of draws with a lasting loop.
    """
    onsets = [onset(steps, column.tolist()) for column in (longest > critical[:, None]).T]
    ranks = np.sort([np.inf if step is None else step for step in onsets])
    low, high = np.quantile(ranks, ENDS, method="inverted_cdf")
    lasting = float(np.isfinite(ranks).mean())
    return *(int(value) if np.isfinite(value) else None for value in (low, high)), lasting  # type: ignore[return-value]


class Winding(NamedTuple):
    """The loop of the longest bar: how often it winds around the primary circle, and over how many filters."""

    degree: int
    vertices: int


def winding(points: Float[np.ndarray, "points entries"], landmarks: int) -> Winding | None:
    """Count how often the loop of the longest H1 bar winds around the primary circle.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        The filters kept.
    landmarks : int
        Above so many, max-min landmarks stand for them, as in the barcode.

    Returns
    -------
    Winding or None
        The degree without its sign, which is a choice of direction; None where there is no bar. It is 0 also where a
        step of the loop turns by more than a quarter: such a loop passes the centre of the plane of x and y, as the
        secondary circles do, and there a winding is chance.
    """
    cloud = points[landmarks_maxmin(points, landmarks)[0]] if len(points) > landmarks else points
    if not len(barcode(cloud).lengths(1)):
        return None
    loop = representative_loop(cloud).vertices
    theta, _ = edge_angles(cloud[loop])
    turns = turn(np.roll(theta, -1), theta)
    around = round(turns.sum() / (2 * np.pi)) if np.abs(turns).max() <= np.pi / 2 else 0
    return Winding(abs(around), len(loop))


def resampled_correlation(
    a: Float[np.ndarray, " points"],
    b: Float[np.ndarray, " points"],
    network: Int[np.ndarray, " points"],
    drawn: Int[np.ndarray, "draws networks"],
) -> tuple[float, float]:
    """Compute the 95 % interval of the circular correlation over resampled networks; NaN where most draws have none.

    Parameters
    ----------
    a, b : ndarray, shape (points,)
        Angles in radians.
    network : ndarray of int, shape (points,)
        Which network each pair belongs to.
    drawn : ndarray of int, shape (draws, networks)
        From `resampled_networks`.

    Returns
    -------
    low, high : float
    """
    members = [np.flatnonzero(network == i) for i in range(drawn.max() + 1)]
    found = []
    for chosen in drawn:
        rows = np.concatenate([members[i] for i in chosen])
        found.append(circular_correlation(a[rows], b[rows]))
    return percentile_interval(np.array(found))


class Coverage(NamedTuple):
    """How much of the primary circle the kept filters cover.

    Attributes
    ----------
    near : int
        Kept filters within `NEAR` of the circle.
    coverage : float
        Share of 36 arcs that hold one of them.
    even : float
        What as many angles, thrown at random on the circle, would cover on average.
    random : float
        What as many uniformly random filters as are kept would cover on average.
    """

    near: int
    coverage: float
    even: float
    random: float


def primary_coverage(points: Float[np.ndarray, "points entries"], centre: Centre = "filter") -> Coverage:
    """Measure how much of the primary circle some filters cover, against two levels of chance.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Filters that the density filter keeps, normalized.
    centre : {'filter', 'coordinate'}
        How the layer's filters were centred: by filter they have mean 0, by coordinate not.

    Returns
    -------
    Coverage
    """
    theta, distance = edge_angles(points)
    near = distance <= NEAR
    dimension = points.shape[1] - (centre == "filter")
    # On the sphere in R^d the squared length of a projection on a plane follows Beta(1, (d - 2) / 2).
    by_chance = (1 - (1 - NEAR**2 / 2) ** 2) ** (dimension / 2 - 1)
    return Coverage(
        near=int(near.sum()),
        coverage=circle_coverage(theta[near], ARCS),
        even=float(1 - (1 - 1 / ARCS) ** near.sum()),
        random=float(1 - (1 - by_chance / ARCS) ** len(points)),
    )


class Track(NamedTuple):
    """What became of the filters of one snapshot at a later one.

    Attributes
    ----------
    both : int
        Filters kept at both.
    stay : float
        Share of those kept before that are still kept; about p if the density filter chose anew.
    correlation, low, high : float
        Circular correlation of the edge angles of the filters kept at both, with its interval over networks.
    turn : float
        Median angle that these turned by, radians.
    kuiper : float
        Distance of the distributions of edge angles, kept filters of either snapshot.
    """

    both: int
    stay: float
    correlation: float
    low: float
    high: float
    turn: float
    kuiper: float


def track(
    angles: tuple[Float[np.ndarray, " filters"], Float[np.ndarray, " filters"]],
    kept: tuple[Bool[np.ndarray, " filters"], Bool[np.ndarray, " filters"]],
    network: Int[np.ndarray, " filters"],
    drawn: Int[np.ndarray, "draws networks"],
) -> Track:
    """Follow filters from one snapshot to a later one.

    Parameters
    ----------
    angles, kept : pairs of ndarray, shape (filters,)
        Edge angle of each filter, and whether it is kept: before, now. The same filters in the same order.
    network : ndarray of int, shape (filters,)
        A value of `drawn`.
    drawn : ndarray of int, shape (draws, networks)

    Returns
    -------
    Track
    """
    (before, now), (was, is_kept) = angles, kept
    both = was & is_kept
    low, high = resampled_correlation(before[both], now[both], network[both], drawn)
    return Track(
        both=int(both.sum()),
        stay=float(both.sum() / was.sum()) if was.any() else float("nan"),
        correlation=circular_correlation(before[both], now[both]),
        low=low,
        high=high,
        turn=float(np.median(np.abs(turn(now[both], before[both])))) if both.any() else float("nan"),
        kuiper=kuiper(before[was], now[is_kept]),
    )
