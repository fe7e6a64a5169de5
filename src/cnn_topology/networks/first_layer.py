"""Filters of a fixed first layer, and angular features of the input (weights paper, E14 to E16; weights.md 6 and 7)."""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float

from cnn_topology.networks.patches import edge_patch, klein_filter, random_filters
from cnn_topology.networks.pooling import neighbours
from cnn_topology.plan.populations import Architecture, FixedFirstLayer
from cnn_topology.seeds import derive_seed


def frozen_parameters(architecture: Architecture) -> tuple[str, ...]:
    """Name the parameters that training leaves as they are."""
    first = architecture.first_layer
    if not isinstance(first, FixedFirstLayer):
        return ()
    return ("conv1.weight", "conv1.bias") if first.bias == "zero" else ("conv1.weight",)


def fixed_filters(
    first: FixedFirstLayer, filters: int, channels: int, seed: int
) -> Float[np.ndarray, "filters channels 3 3"]:
    """Return the weights of a fixed first layer.

    Parameters
    ----------
    first : FixedFirstLayer
        With `norm` as a number: `matched_to` is resolved before.
    filters, channels : int
        Output and input channels. Every input channel gets the same filter: the layer sees their sum, and each 3x3
        slice is the filter.
    seed : int
        Seed of the network; only `fixed_random` depends on it.

    Returns
    -------
    ndarray, shape (filters, channels, 3, 3)
        Slices of mean Euclidean norm ``first.norm``.
    """
    if first.kind == "fixed_circle":
        patches = edge_patch(2 * np.pi * np.arange(filters) / filters)
    elif first.kind == "fixed_klein":
        side = math.isqrt(filters)
        steps = np.arange(side) / side
        patches = klein_filter(
            *(angle.ravel() for angle in np.meshgrid(np.pi * steps, 2 * np.pi * steps, indexing="ij"))
        )
    else:
        patches = random_filters(filters, np.random.default_rng(derive_seed(seed, "fixed filters")))
    patches = patches * (first.norm / np.linalg.norm(patches, axis=1).mean())
    return np.repeat(patches.reshape(filters, 1, 3, 3), channels, axis=1)


def mean_filter_norm(weight: Float[np.ndarray, "networks out in 3 3"]) -> float:
    """Return the mean Euclidean norm of the 3x3 slices of a layer, over all networks and channels."""
    return float(np.linalg.norm(weight.astype(np.float64), axis=(-2, -1)).mean())


def angular_features(x: torch.Tensor, angles: int, filters: str = "edges") -> torch.Tensor:
    """Append the responses of each input channel to edges at equally spaced angles (E15).

    q_theta at a pixel is the sum over its 3x3 neighbourhood of pixel times edge, the unit edge of angle
    theta = 2 pi k / `angles`; outside the image are zeros.

    Parameters
    ----------
    x : Tensor
        (..., height, width, channels).
    angles : int
        Number of angles; 0 leaves the input as it is.
    filters : {'edges', 'random'}
        `random`: as a control, so many random mean-zero unit filters in the place of the edges.

    Returns
    -------
    Tensor
        (..., height, width, channels * (1 + angles)): the input, then all angles of the first channel, and so on.
    """
    if not angles:
        return x
    responses = torch.stack(neighbours(x), dim=-1) @ _feature_filters(angles, filters, x.dtype, x.device)
    return torch.cat([x, responses.flatten(-2)], dim=-1)


@lru_cache(maxsize=16)
def _feature_filters(angles: int, filters: str, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Return the filters as columns (9, angles); kept, since a CUDA graph cannot copy them from the host."""
    if filters == "edges":
        patches = edge_patch(2 * np.pi * np.arange(angles) / angles)
    else:
        patches = random_filters(angles, np.random.default_rng(derive_seed("feature filters", angles)))
    return torch.from_numpy(patches.T.copy()).to(device, dtype)
