"""The plane in which a cloud spreads most (weights paper, method, step 6: the lenses PCA-1 and PCA-2)."""

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import SQUARED_IN_FLOAT64, check_extent, finite_points


def principal_coordinates(
    points: Float[np.ndarray, "points coordinates"], components: int = 2
) -> Float[np.ndarray, "points components"]:
    """Return the coordinates of centred points along the first principal axes.

    Where two variances are nearly equal, as for a cloud all around a circle, any rotation of their plane serves as
    well and small changes of the cloud may turn it.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        At least `components` coordinates.
    components : int

    Returns
    -------
    ndarray of float64, shape (points, components)
        The larger spread first. Of the two directions of each axis the one whose largest entry is positive is taken,
        so that the same cloud gives the same picture.
    """
    points = finite_points(points)
    check_extent(points, SQUARED_IN_FLOAT64)
    centred = points - points.mean(axis=0, dtype=np.float64)
    # Eigenvectors of the small covariance matrix: exact enough for a picture at any number of points.
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :components]
    largest = np.abs(axes).argmax(axis=0)
    return centred @ (axes * np.where(axes[largest, range(components)] < 0, -1.0, 1.0))
