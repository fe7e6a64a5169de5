"""The plane in which a cloud spreads most (weights paper, method, step 6: the lenses PCA-1 and PCA-2)."""

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import SQUARED_IN_FLOAT64, check_extent, finite_points


def principal_plane(points: Float[np.ndarray, "points coordinates"]) -> Float[np.ndarray, "points 2"]:
    """Return the coordinates of centred points along the first two principal axes.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        At least two coordinates.

    Returns
    -------
    ndarray, shape (points, 2)
        The larger spread first. Of the two directions of each axis the one whose largest entry is positive is taken,
        so that the same cloud gives the same picture.
    """
    points = finite_points(points)
    check_extent(points, SQUARED_IN_FLOAT64)
    centred = points - points.mean(axis=0)
    # Eigenvectors of the small covariance matrix: exact enough for a picture at any number of points.
    axes = np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]
    largest = np.abs(axes).argmax(axis=0)
    return centred @ (axes * np.sign(axes[largest, [0, 1]]))
