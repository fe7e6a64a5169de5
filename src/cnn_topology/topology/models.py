"""Patches drawn at random from the models of the papers: a circle, three circles, the Klein bottle."""

from collections.abc import Callable

import numpy as np

from cnn_topology.networks.patches import edge_patch
from cnn_topology.topology.patches import klein_patch, secondary_patch

Draw = Callable[[int, np.random.Generator], np.ndarray]


def _angles(points: int, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0, 2 * np.pi, points)


def _three_circles(points: int, rng: np.random.Generator) -> np.ndarray:
    third = points // 3
    circles = [edge_patch(_angles(points - 2 * third, rng))]
    circles += [secondary_patch(direction, _angles(third, rng)) for direction in ("vertical", "horizontal")]
    return np.concatenate(circles)


SHAPES: dict[str, Draw] = {
    "primary circle": lambda points, rng: edge_patch(_angles(points, rng)),
    "three circles": _three_circles,
    "Klein bottle": lambda points, rng: klein_patch(_angles(points, rng) / 2, _angles(points, rng)),
}
