"""Clouds of activations that know their samples: two of them are compared only row by row on the same samples.

Every measure of similarity between layers pairs row i of one cloud with row i of the other. Rows of other samples, or
in another order, give a plausible and meaningless number, so a cloud carries the ids of its samples.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped
from scipy.spatial.distance import pdist

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.checks import real_array, set_fields, unmasked
from cnn_topology.errors import InputError


@dataclass(frozen=True, eq=False)
class SampledCloud:
    """The activations of one layer on N samples, one row each.

    Attributes
    ----------
    points : ndarray of float64, shape (N, features)
        Finite.
    ids : ndarray, shape (N,)
        Stable ids of the samples (image ids), each once.

    Raises
    ------
    InputError
        If the shapes do not fit, a coordinate is NaN or infinite, or an id comes twice.

    Notes
    -----
    Activations paper, comparison of layers: all layers are looked at on the same images.

    Examples
    --------
    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> cloud = ct.SampledCloud(np.array([[1.0, 2.0], [3.0, 4.0]]), ids=np.array([17, 42]))
    >>> cloud.points.shape, cloud.ids.tolist()
    ((2, 2), [17, 42])
    """

    points: Float[np.ndarray, "samples features"]
    ids: Shaped[np.ndarray, " samples"]

    def __post_init__(self) -> None:
        points = np.asarray(real_array(self.points, "a cloud"), dtype=np.float64)
        ids = unmasked(self.ids, "the ids of a cloud")
        set_fields(self, points=points, ids=ids)
        if points.ndim != 2 or 0 in points.shape:
            raise InputError(f"a cloud has shape {points.shape}; expected (samples, features), one of each at least")
        if ids.shape != points.shape[:1]:
            raise InputError(f"a cloud of {len(points)} samples has ids of shape {ids.shape}; expected one id per row")
        bad = ~np.isfinite(points).all(axis=1)
        if bad.any():
            raise InputError(
                f"{bad.sum()} of {len(points)} samples have NaN or infinite activations, the first with id "
                f"{ids[bad][0]}: leave the failed network or those samples out"
            )
        try:
            known, counts = np.unique(ids, return_counts=True)
        except TypeError as error:
            raise InputError(f"the ids of a cloud are of several types ({error}): take numbers, or texts") from None
        if len(known) < len(ids):
            raise InputError(f"sample id {known[counts > 1][0]} comes {counts.max()} times in one cloud; expected once")


def constant_features(points: Float[np.ndarray, "samples features"]) -> Shaped[np.ndarray, " constant"]:
    """List the features that have one value on all samples; they carry nothing that a measure could compare.

    Parameters
    ----------
    points : ndarray, shape (samples, features)

    Returns
    -------
    ndarray of int64, shape (constant,)
        Their columns.
    """
    return np.flatnonzero((points == points[0]).all(axis=0))


def check_same_samples(first: SampledCloud, second: SampledCloud) -> None:
    """Refuse two clouds unless they hold the same samples in the same order.

    Parameters
    ----------
    first, second : SampledCloud

    Raises
    ------
    InputError
        If they differ in number, ids or order.
    """
    if np.array_equal(first.ids, second.ids):
        return
    if np.array_equal(np.sort(first.ids), np.sort(second.ids)):
        raise InputError(f"two clouds hold the same {len(first.ids)} samples in another order: sort both by their ids")
    raise InputError(
        f"two clouds hold {len(first.ids)} and {len(second.ids)} samples, which are not the same: extract both layers "
        "from the same images"
    )


def sampled(cloud: ActivationCloud) -> SampledCloud:
    """Return a cloud with one point per image in the form that measures take.

    Parameters
    ----------
    cloud : ActivationCloud

    Returns
    -------
    SampledCloud

    Raises
    ------
    InputError
        If an image comes twice, or all channels are constant: then there is nothing to compare.
    """
    origin = cloud.origin
    where = f"{origin.population} {origin.network}, layer {origin.layer.name}, cloud {origin.cloud}"
    constant = constant_features(cloud.points)
    if len(constant) == cloud.points.shape[1]:
        raise InputError(
            f"{where}: all {len(constant)} channels are constant over its {len(cloud.points)} images, so the layer is "
            f"dead; leave the network out by activation_clouds.{origin.cloud}.members, or train longer"
        )
    if len(constant):
        print(f"{where}: {len(constant)} of {cloud.points.shape[1]} channels are constant", flush=True)
    try:
        return SampledCloud(cloud.points, cloud.ids)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def median_distance(points: np.ndarray) -> float:
    """Compute the median Euclidean distance between two points of a cloud; 0 for one point.

    Parameters
    ----------
    points : ndarray, shape (points, features)

    Returns
    -------
    float
    """
    return float(np.median(pdist(points))) if len(points) > 1 else 0.0


def scaled_bars(bars: np.ndarray, median: float, where: str) -> np.ndarray:
    """Divide bars by the median distance of their cloud.

    Parameters
    ----------
    bars : ndarray, shape (bars, 2)
    median : float
        From `median_distance`.
    where : str
        Which cloud it is, for the message.

    Returns
    -------
    ndarray, shape (bars, 2)

    Raises
    ------
    InputError
        If it is 0: more than half of the pairs of points coincide.
    """
    if median == 0:
        raise InputError(
            f"{where}: the median distance between points is 0, so nothing can be divided by it; leave the measure "
            "scaled_sliced_wasserstein out"
        )
    return bars / median
