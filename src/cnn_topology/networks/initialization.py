"""Weights before training (weights paper, section 2; unknown U10): truncated normal, or PyTorch's default."""

import math

import numpy as np
import torch

from cnn_topology.networks.first_layer import fixed_filters
from cnn_topology.plan.populations import Architecture, FixedFirstLayer, Layer, layers_of


def init_parameters(
    architecture: Architecture, shape: tuple[int, int, int], classes: int, seed: int
) -> dict[str, torch.Tensor]:
    """Draw the parameters of one network.

    Parameters
    ----------
    architecture : Architecture
        Layers and initialization.
    shape : (int, int, int)
        Height, width and channels of what enters the first layer (after the crop).
    classes : int
        Number of class scores.
    seed : int
        Seed of this network; the numbers come from numpy, so they are the same on every device.

    Returns
    -------
    dict of str to Tensor
        ``conv1.weight`` (out, in, 3, 3), ``conv1.bias`` (out,), ..., ``dense1.weight`` (out, in), ...,
        ``scores.weight``, ``scores.bias``; float32, in the order of the layers.
    """
    rng = np.random.default_rng(seed)
    parameters: dict[str, torch.Tensor] = {}
    for layer in layers_of(architecture, shape, classes):
        weight, bias = _draw(architecture, layer, rng)
        parameters[f"{layer.name}.weight"] = torch.from_numpy(weight.astype(np.float32))
        parameters[f"{layer.name}.bias"] = torch.from_numpy(bias.astype(np.float32))
    first = architecture.first_layer
    if isinstance(first, FixedFirstLayer):
        # Its place in the stream was drawn all the same: the other layers begin as they do beside a learned one.
        filters, channels = parameters["conv1.weight"].shape[:2]
        parameters["conv1.weight"] = torch.from_numpy(fixed_filters(first, filters, channels, seed).astype(np.float32))
        if first.bias == "zero":
            parameters["conv1.bias"].zero_()
    return parameters


def _draw(architecture: Architecture, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    start, outputs = architecture.initialization, layer.weight[0]
    if start.kind == "pytorch":
        # kaiming_uniform_(a = sqrt 5) and the bias of torch.nn.Conv2d and Linear: both uniform in +-1/sqrt(fan_in).
        bound = 1 / math.sqrt(math.prod(layer.weight[1:]))
        return rng.uniform(-bound, bound, layer.weight), rng.uniform(-bound, bound, outputs)
    sd = start.convolution_sd if layer.kind == "convolution" else start.dense_sd
    return sd * _truncated_normal(layer.weight, rng), np.full(outputs, start.bias)


def _truncated_normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw standard normal numbers and draw those beyond two standard deviations anew, as TensorFlow does."""
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values
