"""Null models of filter clouds, passed through the same density filter, landmarks and persistence as the real cloud.

Matching matters: the density filter alone lifts the longest H1 bar of pure noise (from 0.27 to 0.36 for the densest
tenth of 5,000 points at k = 15), so that an unfiltered null would find loops in noise. Each draw has its own seed,
made from what it is: draws can be computed in any order and in any batches.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from cnn_topology.clouds.density import density_filter
from cnn_topology.clouds.filters import centre_and_normalize
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.plan.seeds import derive_seed
from cnn_topology.topology.persistence import Barcode, barcode

Centre = Literal["filter", "coordinate"]


class Filtering(NamedTuple):
    """What becomes of a cloud before persistence: rho(k, p), then at most `landmarks` max-min points (None: all)."""

    k: int
    p: float
    landmarks: int | None = None


@dataclass(frozen=True)
class NullDraws:
    """Statistics of the H1 bars of each draw of a null.

    Attributes
    ----------
    longest, second : ndarray, shape (draws,)
        Lengths of the longest and the second longest bar; 0 where there is none.
    largest_ratio : ndarray, shape (draws,)
        Largest death / birth of a bar; 1 where there is none.
    """

    longest: np.ndarray
    second: np.ndarray
    largest_ratio: np.ndarray

    def __len__(self) -> int:
        return len(self.longest)


def sphere_null_cloud(
    points: int, rng: np.random.Generator, centre: Centre = "filter"
) -> Float[np.ndarray, "points 9"]:
    """Draw Gaussian filters, centred and normalized: uniform on the 7-sphere for ``centre='filter'``."""
    return centre_and_normalize(rng.standard_normal((points, 9)), centre)[0]


def permuted_null_cloud(
    filters: Float[np.ndarray, "points 9"], rng: np.random.Generator, centre: Centre = "filter"
) -> Float[np.ndarray, "kept 9"]:
    """Shuffle the nine entries of each filter independently, then centre and normalize.

    The null keeps the values of every filter and destroys their arrangement in the plane.

    Parameters
    ----------
    filters : ndarray, shape (points, 9)
        The layer's filters. Runs pass them normalized; for ``centre='filter'`` the cloud is the same without.
    """
    return centre_and_normalize(rng.permuted(filters, axis=1), centre)[0]


def filtered_barcodes(
    points: Float[np.ndarray, "points 9"], filterings: Sequence[Filtering], field: int = 2, threads: int = 1
) -> list[Barcode]:
    """Compute the barcode of one cloud under each filtering; the neighbours are searched once for all of them.

    Parameters
    ----------
    points : ndarray, shape (points, 9)
        Normalized filters.
    filterings : sequence of Filtering
    field : int
        p of the coefficients Z/p.
    threads : int
        Threads of the neighbour search.

    Returns
    -------
    list of Barcode
        Dimensions 0 and 1, one per filtering.

    Raises
    ------
    InputError
        If a k is not below the number of points or a p lies outside (0, 1].
    """
    ks = sorted({filtering.k for filtering in filterings})
    distances = dict(zip(ks, neighbour_distances(points, ks, threads).T, strict=True))
    return [
        barcode(points[density_filter(distances[k], p)], max_dimension=1, field=field, landmarks=landmarks)
        for k, p, landmarks in filterings
    ]


def null_draws(
    make_cloud: Callable[[np.random.Generator], np.ndarray],
    filterings: Sequence[Filtering],
    draws: Iterable[int],
    identity: tuple[str | int | float, ...],
    threads: int = 1,
) -> dict[Filtering, NullDraws]:
    """Draw clouds of a null model and compute the statistics of their H1 bars under each filtering.

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
    threads : int
        Threads of the neighbour search.

    Returns
    -------
    dict of Filtering to NullDraws
        In the order of `draws`.
    """
    rows: dict[Filtering, list[tuple[float, float, float]]] = {filtering: [] for filtering in filterings}
    for draw in draws:
        cloud = make_cloud(np.random.default_rng(derive_seed(*identity, draw)))
        barcodes = filtered_barcodes(cloud, list(rows), threads=threads)
        for filtering, bars in zip(rows, barcodes, strict=True):
            rows[filtering].append(loop_statistics(bars))
    return {
        filtering: NullDraws(*np.array(found, dtype=np.float64).reshape(-1, 3).T) for filtering, found in rows.items()
    }


def loop_statistics(bars: Barcode) -> tuple[float, float, float]:
    """Give the longest and second longest H1 bar and the largest death / birth, as `NullDraws` holds them."""
    longest, second = [*bars.lengths(1)[:2], 0.0, 0.0][:2]
    finite = bars.in_dimension(1)
    finite = finite[np.isfinite(finite[:, 1])]
    return float(longest), float(second), float(np.max(finite[:, 1] / finite[:, 0], initial=1.0))
