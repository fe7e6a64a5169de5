"""Closed forms of the patches that serve both as filters of a fixed layer and as models of learned filters.

A patch of side k is k^2 values on an even grid of [-1, 1]^2, row by row from the top; x grows to the right and y
upwards. Filters of a fixed layer have side 3, the grid {-1, 0, 1}^2. The models that only the topology of filters needs
are in `cnn_topology.topology.patches`.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Grid(NamedTuple):
    """The functions x and y on the points of a patch, and the squared norms of what is made of them.

    With s_n the sum of the n-th powers of the k coordinates of a side, `slope` is |x|^2 = k s_2, `square` that of the
    centred x^2, k s_4 - s_2^2, and `product` |x y|^2 = s_2^2. x, y, x y and the centred x^2 and y^2 are orthogonal.
    """

    x: np.ndarray
    y: np.ndarray
    slope: float
    square: float
    product: float


@lru_cache
def grid(side: int) -> Grid:
    """Return the grid of patches of a side."""
    at = np.linspace(-1, 1, side)
    second, fourth = float(np.sum(at**2)), float(np.sum(at**4))
    x, y = np.tile(at, side), np.repeat(at[::-1], side)
    return Grid(x, y, side * second, side * fourth - second**2, second**2)


def side_of(patches: np.ndarray) -> int:
    """Return the side of square patches by the number of their values; 0 if they are no such patches."""
    side = math.isqrt(patches.shape[-1])
    return side if side >= 3 and side**2 == patches.shape[-1] else 0


X, Y = grid(3).x, grid(3).y


def unit(patches: Float[np.ndarray, "*batch entries"]) -> Float[np.ndarray, "*batch entries"]:
    """Centre each patch over its nine values and divide it by its norm."""
    centred = patches - patches.mean(axis=-1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=-1, keepdims=True)


def edge_patch(theta: Float[np.ndarray, "*batch"] | float, side: int = 3) -> Float[np.ndarray, "*batch entries"]:
    """Return the edge x cos(theta) + y sin(theta), of unit norm: for theta in [0, 2 pi) the primary circle."""
    angle, of = np.asarray(theta, dtype=np.float64)[..., None], grid(side)
    return (np.cos(angle) * of.x + np.sin(angle) * of.y) / of.slope**0.5


def klein_filter(
    theta1: Float[np.ndarray, "*batch"] | float, theta2: Float[np.ndarray, "*batch"] | float
) -> Float[np.ndarray, "*batch entries"]:
    """Return the Klein filter of topological convolutional layers (arXiv 2101.05778), neither centred nor normalized.

    The integral over each cell of a 3x3 partition of [-1, 1]^2 of sin(theta2) t + cos(theta2) (2 t^2 - 1) with
    t = cos(theta1) x + sin(theta1) y. Centred and normalized it lies on the bottle of
    `cnn_topology.topology.patches.klein_patch`, at the same theta1 and another theta2.
    """
    first, second = np.asarray(theta1, dtype=np.float64)[..., None], np.asarray(theta2, dtype=np.float64)[..., None]
    slope = np.cos(first) * X + np.sin(first) * Y
    return 8 / 27 * np.sin(second) * slope + np.cos(second) * (32 / 81 * slope**2 - 100 / 243)


def random_filters(points: int, rng: np.random.Generator, side: int = 3) -> Float[np.ndarray, "points entries"]:
    """Draw filters uniformly from the sphere of mean-zero unit patches: Gaussian, centred, normalized."""
    return unit(rng.standard_normal((points, side**2)))
