"""Equally spaced points of patches of known shape."""

import numpy as np

from cnn_topology.topology.patches import edge_patch, klein_patch, line_patch, secondary_patch


def _around(points: int) -> np.ndarray:
    return 2 * np.pi * np.arange(points) / points


def primary_circle(points: int, side: int = 3) -> np.ndarray:
    """Return equally spaced points of the primary circle."""
    return edge_patch(_around(points), side)


def quadratic_circle(points: int, side: int = 3) -> np.ndarray:
    """Return equally spaced points of the quadratic circle, each line once."""
    return line_patch(_around(points) / 2, side)


def three_circles(points: int, side: int = 3) -> np.ndarray:
    """Return the three-circle model: equally spaced points of the primary and of both secondary circles."""
    angles = _around(points)
    return np.concatenate(
        [
            edge_patch(angles, side),
            secondary_patch("vertical", angles, side),
            secondary_patch("horizontal", angles, side),
        ]
    )


def klein_bottle(around: int, across: int, side: int = 3) -> np.ndarray:
    """Return a grid of points of the Klein bottle: theta1 in [0, pi) by theta2 in [0, 2 pi)."""
    first, second = np.meshgrid(_around(around) / 2, _around(across), indexing="ij")
    return klein_patch(first.ravel(), second.ravel(), side)
