"""Null models of filter clouds, passed through the same density filter, landmarks and persistence as the real cloud.

Matching matters: the density filter alone lifts the longest H1 bar of pure noise (from 0.27 to 0.36 for the densest
tenth of 5,000 points at k = 15), so that an unfiltered null would find loops in noise. Each draw has its own seed,
made from what it is: draws can be computed in any order and in any batches.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import whole
from cnn_topology.clouds.density import kept_sets
from cnn_topology.clouds.filters import LayerFilters
from cnn_topology.clouds.threads import mapped
from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import Centre, Filtering
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.null_clouds import MakeCloud, null_cloud, sphere_null_cloud
from cnn_topology.topology.circles import near_circles
from cnn_topology.topology.persistence import Barcode, barcode

# Population, layer and step: what a cloud of filters is of.
CloudName = tuple[str, str, int]


def checked_name(cloud: Any) -> CloudName:
    """Return the name of a cloud in Python's own types, as seeds are made of it: an integer of NumPy would make others.

    Parameters
    ----------
    cloud : tuple of (str, str, int)
        Population, layer and step.

    Returns
    -------
    tuple of (str, str, int)

    Raises
    ------
    InputError
        If it is not (population, layer, step).
    """
    if not (isinstance(cloud, tuple | list) and len(cloud) == 3 and all(isinstance(text, str) for text in cloud[:2])):
        raise InputError(f"cloud = {cloud!r} must be (population, layer, step): two texts and a whole number")
    return str(cloud[0]), str(cloud[1]), whole(cloud[2], "step of cloud")


@dataclass(frozen=True)
class NullDraws:
    """Statistics of each draw of a null.

    Attributes
    ----------
    longest, second : ndarray, shape (draws,)
        Lengths of the longest and the second longest H1 bar; 0 where there is none.
    largest_ratio : ndarray, shape (draws,)
        Largest death / birth of an H1 bar; 1 where there is none.
    near, coverage : ndarray, shape (draws, circles), optional
        Number of filters nearest to each circle of `CIRCLES`, and the part of it they cover.
    """

    longest: np.ndarray
    second: np.ndarray
    largest_ratio: np.ndarray
    near: np.ndarray | None = None
    coverage: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.longest)


def draws_of_null(
    name: str,
    layer: LayerFilters,
    filterings: Sequence[Filtering],
    draws: int,
    run_seed: int,
    cloud: CloudName,
    circled: Collection[Filtering] = (),
    threads: int = 1,
) -> dict[Filtering, NullDraws]:
    """Draw a null for a layer's cloud.

    Parameters
    ----------
    name : {'sphere', 'permuted', 'covariance', 'lowpass', 'block'}
    layer : LayerFilters
        Of the sphere null their number and that of their entries count.
    filterings : sequence of Filtering
    draws : int
    run_seed : int
    cloud : tuple of (str, str, int)
        Population, layer and step, which are part of the seed of each draw of a null that is made of the layer's own
        filters.
    circled : collection of Filtering
    threads : int
        Both as for `null_draws`.

    Returns
    -------
    dict of Filtering to NullDraws

    Raises
    ------
    InputError
        If there is no null of that name, or it needs what is not known of the layer.
    """
    if name == "sphere":
        points, entries = layer.points.shape
        return sphere_draws(points, entries, filterings, draws, run_seed, layer.centre, threads)
    identity = (run_seed, "null", name, *cloud)
    return null_draws(null_cloud(name, layer), filterings, range(draws), identity, circled, threads)


def sphere_draws(
    points: int,
    entries: int,
    filterings: Sequence[Filtering],
    draws: int,
    run_seed: int,
    centre: Centre = "filter",
    threads: int = 1,
) -> dict[Filtering, NullDraws]:
    """Draw the sphere null for clouds of one size.

    Parameters
    ----------
    points, entries : int
        Number of filters of a cloud, and of the entries of each.
    filterings : sequence of Filtering
    draws : int
    run_seed : int
        The draws are the same for all clouds of this size that share it.
    centre : {'filter', 'coordinate'}
        How filters are centred.
    threads : int
        As for `null_draws`.

    Returns
    -------
    dict of Filtering to NullDraws
    """
    identity = (run_seed, "null", "sphere", points, centre)
    make_cloud = partial(sphere_null_cloud, points, centre=centre, entries=entries)
    return null_draws(make_cloud, filterings, range(draws), identity, threads=threads)


def filtered_clouds(
    points: Float[np.ndarray, "points entries"], filterings: Sequence[Filtering]
) -> list[Float[np.ndarray, "kept entries"]]:
    """Return what rho(k, p) of each filtering keeps of a cloud.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Normalized filters.
    filterings : sequence of Filtering

    Returns
    -------
    list of ndarray, each of shape (kept, entries)
        In the order of `filterings`.

    Raises
    ------
    InputError
        If a k is not below the number of points or a p lies outside (0, 1].
    """
    return [points[kept] for kept in kept_sets(points, [(of.neighbours(len(points)), of.p) for of in filterings])]


def null_draws(
    make_cloud: MakeCloud,
    filterings: Sequence[Filtering],
    draws: Iterable[int],
    identity: tuple[str | int | float, ...],
    circled: Collection[Filtering] = (),
    threads: int = 1,
) -> dict[Filtering, NullDraws]:
    """Draw clouds of a null model and compute the statistics of what each filtering keeps of them.

    Parameters
    ----------
    make_cloud : callable
        Takes a random generator and gives a cloud of as many normalized filters as the real one has.
    filterings : sequence of Filtering
        Those of the real cloud. All are applied to the same drawn clouds.
    draws : iterable of int
        Numbers of the draws, such as ``range(199)``.
    identity : tuple
        What these draws are of, for `derive_seed`: draw i has the seed ``derive_seed(*identity, i)``.
    circled : collection of Filtering
        Those under which filters near the named circles are counted too.
    threads : int
        Draws made at once; their number changes no result.

    Returns
    -------
    dict of Filtering to NullDraws
        In the order of `draws`.
    """

    def drawn(draw: int) -> list[list[Any]]:
        """Return the values of a draw under each filtering, in the order of the attributes of `NullDraws`."""
        cloud = make_cloud(np.random.default_rng(derive_seed(*identity, draw)))
        found = []
        for filtering, kept in zip(filterings, filtered_clouds(cloud, filterings), strict=True):
            values: list[Any] = [*loop_statistics(barcode(kept, landmarks=filtering.landmarks))]
            if filtering in circled:
                near = near_circles(kept)
                values += near.counts(), near.coverage()
            found.append(values)
        return found

    of_filterings = zip(*mapped(drawn, draws, threads), strict=True)
    return {
        filtering: NullDraws(*(np.array(values, dtype=float) for values in zip(*rows, strict=True)))
        for filtering, rows in zip(filterings, of_filterings, strict=True)
    }


def loop_statistics(bars: Barcode) -> tuple[float, float, float]:
    """Compute the longest and second longest H1 bar and the largest death / birth.

    Parameters
    ----------
    bars : Barcode

    Returns
    -------
    longest, second, largest_ratio : float
        As `NullDraws` holds them: 0, 0 and 1 where there is no bar.
    """
    longest, second = [*bars.lengths(1)[:2], 0.0, 0.0][:2]
    finite = bars.in_dimension(1)
    finite = finite[np.isfinite(finite[:, 1])]
    return float(longest), float(second), float(np.max(finite[:, 1] / finite[:, 0], initial=1.0))
