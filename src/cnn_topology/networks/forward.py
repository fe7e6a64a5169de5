"""Class scores of one network, or of a stack of networks at once (weights paper, sections 2.1 and 2.2).

M: convolution 3x3, ReLU, 2x2 maximum pool, repeated; dense, ReLU; dropout; class scores. C: convolution 3x3, ReLU,
3x3/2 pool, normalization; from the second convolution on, ReLU, normalization, 3x3/2 pool (`tutorial`) or ReLU,
2x2/1 pool, normalization (`gut`). Images are (..., height, width, channels) throughout, as they lie in memory.
"""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F

from cnn_topology.networks.first_layer import angular_features
from cnn_topology.networks.pooling import dense_pool, local_response_norm, neighbours, relu_pool, same_pool
from cnn_topology.plan.populations import Architecture, layers_of

Parameters = Mapping[str, torch.Tensor]
Affine = Callable[[torch.Tensor, str], torch.Tensor]

# Up to so many input channels a convolution runs as a product with unfolded patches on the CPU too: oneDNN is slow
# there (measured, 1 channel to 64 filters, 128 images of 28x28, bfloat16: 12 ms as a convolution, 4 ms unfolded).
FEW_CHANNELS = 4


def forward(
    architecture: Architecture, parameters: Parameters, images: torch.Tensor, dropout: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute the class scores of one network.

    Parameters
    ----------
    architecture : Architecture
        Layers.
    parameters : mapping of str to Tensor
        As `init_parameters` names them, all of the type of `images`.
    images : Tensor
        (batch, height, width, channels), normalized.
    dropout : Tensor, optional
        (batch, units before the scores): 0 for a dropped unit, 1 / (1 - rate) for a kept one. Absent: none dropped.

    Returns
    -------
    Tensor
        (batch, classes), before the softmax.
    """

    def convolve(x: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        if x.shape[-1] <= FEW_CHANNELS and x.device.type == "cpu":
            # The bias as one more row, against a column of ones: its gradient comes with the product. The matrix lies
            # row by row, or autograd takes a product that is seven times slower in float32.
            columns = torch.cat([*neighbours(x), torch.ones_like(x[..., :1])], dim=-1)
            return columns @ torch.cat([_as_matrix(weight), bias[None]])
        weight = weight.contiguous(memory_format=torch.channels_last)
        return F.conv2d(x.movedim(-1, 1), weight, bias, padding=1).movedim(1, -1)

    def dense(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])

    return _run(architecture, images, len(parameters["scores.bias"]), convolve, dense, dropout)


def forward_stacked(
    architecture: Architecture, parameters: Parameters, images: torch.Tensor, dropout: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute the class scores of a stack of networks, each on its own batch.

    Convolutions are batched matrix products over unfolded patches, which GPUs run well; grouped convolutions, which
    `vmap` makes, they do not. Not measured on a GPU yet.

    Parameters
    ----------
    architecture : Architecture
        Layers.
    parameters : mapping of str to Tensor
        As for `forward`, with a leading axis over networks.
    images : Tensor
        (networks, batch, height, width, channels), normalized.
    dropout : Tensor, optional
        (networks, batch, units before the scores).

    Returns
    -------
    Tensor
        (networks, batch, classes), before the softmax.
    """

    def convolve(x: torch.Tensor, name: str) -> torch.Tensor:
        columns = torch.cat(neighbours(x), dim=-1)
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        scores = torch.baddbmm(bias[:, None], columns.flatten(1, -2), _as_matrix(weight))
        return scores.view(*columns.shape[:-1], -1)

    def dense(x: torch.Tensor, name: str) -> torch.Tensor:
        return torch.baddbmm(parameters[f"{name}.bias"][:, None], x, parameters[f"{name}.weight"].mT)

    return _run(architecture, images, parameters["scores.bias"].shape[-1], convolve, dense, dropout)


def _run(
    architecture: Architecture,
    x: torch.Tensor,
    classes: int,
    convolve: Affine,
    dense: Affine,
    dropout: torch.Tensor | None,
) -> torch.Tensor:
    height, width, channels = x.shape[-3:]
    layers = layers_of(architecture, (height, width, channels), classes)
    x = angular_features(x, architecture.angular_features, architecture.feature_filters)
    for layer in layers:
        if layer.kind == "convolution":
            x = _after_convolution(architecture, layer.depth, layer.pooled, convolve(x, layer.name))
    # Flattened as PyTorch does, channel by channel: weights can be exchanged with a plain torch.nn.Sequential.
    x = x.movedim(-1, -3).flatten(-3)
    for layer in layers[len(architecture.convolutions) : -1]:
        x = F.relu(dense(x, layer.name))
    if dropout is not None:
        x = x * dropout
    return dense(x, "scores")


def _after_convolution(architecture: Architecture, depth: int, pooled: bool, x: torch.Tensor) -> torch.Tensor:
    if architecture.family == "M":
        return relu_pool(x) if pooled else F.relu(x)
    x = F.relu(x)
    if not pooled:
        return local_response_norm(x)
    if depth == 1:
        return local_response_norm(same_pool(x))
    if architecture.norm_order == "gut":
        return local_response_norm(dense_pool(x))
    return same_pool(local_response_norm(x))


def _as_matrix(weight: torch.Tensor) -> torch.Tensor:
    """Turn convolution weights (..., out, in, 3, 3) into (..., 9 in, out), rows in the order of `neighbours`."""
    return weight.movedim(-4, -1).movedim(-4, -2).flatten(-4, -2)
