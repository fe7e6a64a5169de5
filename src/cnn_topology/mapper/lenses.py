"""Lenses: the functions from points to one or two numbers whose range a mapper graph covers.

The weights paper covers the plane of the first two principal components of the filters (method, step 6; which cloud
the components are taken from is not stated: here the centred cloud in its own units). The activations paper covers
the l2 norm of an activation, scaled to [0, 1] (released code of the mapper experiments).
"""

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import SQUARED_IN_FLOAT64, check_extent, finite_points, whole
from cnn_topology.clouds.plane import principal_coordinates
from cnn_topology.errors import InputError

# A spread below this part of the scale of its cloud is rounding, not data: weights and activations are float32, whose
# rounding is 6e-8 of their size and a few times that after centring and normalization.
ROUNDING = 1e-6


class NoVariance(InputError):
    """A lens or a metric has zero variance on a cloud: no cover can tell its points apart, so there is no graph."""


def checked_points(points: np.ndarray) -> np.ndarray:
    """Return a cloud, or the values of lenses, in float32 or float64, without a copy if they are so already.

    Parameters
    ----------
    points : array_like, shape (points, coordinates)

    Returns
    -------
    ndarray, shape (points, coordinates)

    Raises
    ------
    InputError
        If it is not a matrix of finite real numbers, at least one of each, whose squares float64 holds.
    """
    cloud = finite_points(points)
    if not cloud.size:
        raise InputError(
            f"a mapper graph needs an array (points, coordinates) with at least one of each; got shape {cloud.shape}"
        )
    check_extent(cloud, SQUARED_IN_FLOAT64)
    return cloud


def pca_lens(
    points: Float[np.ndarray, "points coordinates"], components: int = 2
) -> Float[np.ndarray, "points lenses"]:
    """Project a cloud to its first principal components.

    The cloud is centred, not scaled; see `principal_coordinates`.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
    components : int
        1 or 2 in the papers; at most the number of coordinates.

    Returns
    -------
    ndarray of float64, shape (points, components)
        In the units of the cloud; column j has the j-th largest variance.

    Raises
    ------
    NoVariance
        If the cloud has fewer directions with any variance than components asked for.
    """
    cloud, components = checked_points(points), whole(components, "components", 1)
    if not 1 <= components <= cloud.shape[1]:
        raise InputError(
            f"components = {components} must lie from 1 to {cloud.shape[1]}, the number of coordinates of the cloud"
        )
    lens, centre = principal_coordinates(cloud, components), cloud.mean(axis=0, dtype=np.float64)
    spread = lens.std(axis=0)
    scale = np.maximum(np.abs(centre).max(), np.abs(cloud - centre).max())
    for number, size in enumerate(spread, start=1):
        if size <= ROUNDING * scale:
            raise NoVariance(
                f"lens PCA-{number} has zero variance: the {len(cloud)} points "
                + ("coincide" if number == 1 else f"vary in {number - 1} direction{'s' * (number > 2)} only")
                + (", so no cover can tell them apart" if number == 1 else f", the lens takes {components}")
            )
    return lens


def norm_lens(points: Float[np.ndarray, "points coordinates"]) -> Float[np.ndarray, "points 1"]:
    """Compute the l2 norm of each point, scaled so that the smallest is 0 and the largest 1.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)

    Returns
    -------
    ndarray of float64, shape (points, 1)

    Raises
    ------
    NoVariance
        If all norms are equal, as after a normalization to unit length.
    """
    cloud = checked_points(points)
    norms = np.sqrt(np.einsum("nc,nc->n", cloud, cloud, dtype=np.float64))
    low, high = norms.min(), norms.max()
    if high - low <= ROUNDING * high:
        raise NoVariance(
            f"the l2 lens has zero variance: all {len(cloud)} points have norm {high:.6g}; use the cloud before it "
            "was normalized, or the PCA lens"
        )
    return ((norms - low) / (high - low))[:, None]
