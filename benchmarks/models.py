"""Random layers of known shape: what the decision on a cloud is tried on (verdicts, power and false positives).

A layer of a model is drawn point by point, with noise, and part of it may be random filters. Those without a shape of
their own (`SHAPELESS`) have what makes noise look like a loop: smoothness, two strong axes, clusters, filters of one
output channel that are alike.
"""

import numpy as np
from jaxtyping import Float

from cnn_topology.errors import unknown
from cnn_topology.networks.patches import X, Y, random_filters, unit
from cnn_topology.topology.models import SHAPES as CONTROLS
from cnn_topology.topology.models import Draw
from cnn_topology.topology.patches import noisy

# Filters of an output channel that are alike, and how much of each is the channel's own: mean squared cosines within
# channels are then about 2.7 times those between them.
CHANNEL, ALIKE = 16, 0.68
# Standard deviation along the two strong axes, where it is 1 along the others.
STRONG = 2.0
CLUSTERS, CLUSTER_NOISE = 8, 0.3
# Orthonormal patches that the torus turns in.
_AXES = unit(np.stack([X, Y, X * Y, X**2 - Y**2]))


def _torus(points: int, rng: np.random.Generator) -> np.ndarray:
    turns = [part(angle) for angle in rng.uniform(0, 2 * np.pi, (2, points)) for part in (np.cos, np.sin)]
    return unit(np.stack(turns, axis=1) @ _AXES)


def _smooth(points: int, rng: np.random.Generator) -> np.ndarray:
    """Draw patches of a Gaussian random field whose autocorrelation falls to 1 / sqrt(e) at a distance of a pixel."""
    place = np.stack([X, Y], axis=1)
    squared = ((place[:, None] - place[None]) ** 2).sum(axis=2)
    return unit(rng.standard_normal((points, 9)) @ np.linalg.cholesky(np.exp(-squared / 2) + 1e-9 * np.eye(9)).T)


def _elliptical(points: int, rng: np.random.Generator) -> np.ndarray:
    axes = np.linalg.qr(rng.standard_normal((9, 9)))[0]
    return unit(rng.standard_normal((points, 9)) * np.where(np.arange(9) < 2, STRONG, 1.0) @ axes.T)


def _clusters(points: int, rng: np.random.Generator) -> np.ndarray:
    centres = random_filters(CLUSTERS, rng)[rng.integers(0, CLUSTERS, points)]
    return noisy(centres, CLUSTER_NOISE, rng)


def _dependent(points: int, rng: np.random.Generator) -> np.ndarray:
    channels = rng.standard_normal((-(-points // CHANNEL), 9))
    common = np.repeat(channels, CHANNEL, axis=0)[:points]
    return unit(ALIKE * common + rng.standard_normal((points, 9)))


SHAPES: dict[str, Draw] = {**CONTROLS, "torus": _torus}
SHAPELESS: dict[str, Draw] = {
    "noise": random_filters,
    "smooth noise": _smooth,
    "two strong axes": _elliptical,
    "clusters": _clusters,
    "dependent filters": _dependent,
}


def draw_model(
    model: str, points: int, rng: np.random.Generator, noise: float = 0.0, share: float = 1.0
) -> Float[np.ndarray, "points 9"]:
    """Draw the normalized filters of a layer of known shape.

    Parameters
    ----------
    model : str
        A name of `SHAPES` or `SHAPELESS`.
    points : int
        Number of filters.
    rng : numpy.random.Generator
    noise : float
        Norm of the isotropic noise that each filter of a shape gets before it is normalized again.
    share : float
        Share of the filters that are of the shape; the others are random.

    Returns
    -------
    ndarray, shape (points, 9)

    Raises
    ------
    InputError
        If there is no such model.
    """
    if model in SHAPELESS:
        return SHAPELESS[model](points, rng)
    if model not in SHAPES:
        raise unknown("model", model, [*SHAPES, *SHAPELESS])
    shaped = round(share * points)
    filters = noisy(SHAPES[model](shaped, rng), noise, rng)
    return filters if shaped == points else np.concatenate([filters, random_filters(points - shaped, rng)])
