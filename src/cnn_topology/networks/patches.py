"""Closed forms of the 3x3 patches that serve both as filters of a fixed layer and as models of learned filters.

A patch is nine values on the grid {-1, 0, 1}^2, row by row from the top; x grows to the right and y upwards. The
models that only the topology of filters needs are in `cnn_topology.topology.patches`.
"""

import numpy as np
from jaxtyping import Float

X: Float[np.ndarray, " 9"] = np.tile([-1.0, 0.0, 1.0], 3)
Y: Float[np.ndarray, " 9"] = np.repeat([1.0, 0.0, -1.0], 3)


def unit(patches: Float[np.ndarray, "*batch 9"]) -> Float[np.ndarray, "*batch 9"]:
    """Centre each patch over its nine values and divide it by its norm."""
    centred = patches - patches.mean(axis=-1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=-1, keepdims=True)


def edge_patch(theta: Float[np.ndarray, "*batch"] | float) -> Float[np.ndarray, "*batch 9"]:
    """Return the edge x cos(theta) + y sin(theta), of unit norm: for theta in [0, 2 pi) the primary circle."""
    angle = np.asarray(theta, dtype=np.float64)[..., None]
    return (np.cos(angle) * X + np.sin(angle) * Y) / 6**0.5


def klein_filter(
    theta1: Float[np.ndarray, "*batch"] | float, theta2: Float[np.ndarray, "*batch"] | float
) -> Float[np.ndarray, "*batch 9"]:
    """Return the Klein filter of topological convolutional layers (arXiv 2101.05778), neither centred nor normalized.

    The integral over each cell of a 3x3 partition of [-1, 1]^2 of sin(theta2) t + cos(theta2) (2 t^2 - 1) with
    t = cos(theta1) x + sin(theta1) y. Centred and normalized it lies on the bottle of
    `cnn_topology.topology.patches.klein_patch`, at the same theta1 and another theta2.
    """
    first, second = np.asarray(theta1, dtype=np.float64)[..., None], np.asarray(theta2, dtype=np.float64)[..., None]
    slope = np.cos(first) * X + np.sin(first) * Y
    return 8 / 27 * np.sin(second) * slope + np.cos(second) * (32 / 81 * slope**2 - 100 / 243)


def random_filters(points: int, rng: np.random.Generator) -> Float[np.ndarray, "points 9"]:
    """Draw filters uniformly from the 7-sphere of mean-zero unit patches: Gaussian, centred, normalized."""
    return unit(rng.standard_normal((points, 9)))
