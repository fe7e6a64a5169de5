"""The networks do what plain PyTorch does with the same weights, alone and stacked."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnn_topology.networks.forward import forward, forward_stacked
from cnn_topology.networks.initialization import init_parameters
from cnn_topology.plan.populations import Architecture, Initialization, layers_of

ARCHITECTURES = {
    "M": Architecture(convolutions=(6, 4), dense=(8,)),
    "M of depth 4, one dense layer left out": Architecture(convolutions=(3, 4, 5, 6), dense=()),
    "C of the tutorial": Architecture(family="C", convolutions=(12, 5, 4), dense=(9, 8)),
    "C of gut": Architecture(family="C", convolutions=(12, 5), dense=(8,), norm_order="gut"),
}


def plain_m(parameters: dict[str, torch.Tensor]) -> nn.Sequential:
    """Write M(64, 32, 64) of the paper as everybody would."""
    network = nn.Sequential(
        nn.Conv2d(1, 64, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 32, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    with torch.no_grad():
        for mine, value in zip(network.parameters(), parameters.values(), strict=True):
            mine.copy_(value)
    return network


def same_padded_pool(x: torch.Tensor) -> torch.Tensor:
    """3x3/2 pool of TensorFlow, padding "SAME": the total padding max((ceil(n/2) - 1) * 2 + 3 - n, 0), less before."""
    padding: list[int] = []
    for side in (x.shape[-1], x.shape[-2]):
        total = max((-(-side // 2) - 1) * 2 + 3 - side, 0)
        padding += [total // 2, total - total // 2]
    return F.max_pool2d(F.pad(x, padding, value=float("-inf")), 3, 2)


def lrn_of_tensorflow(x: torch.Tensor) -> torch.Tensor:
    """Sum over 4 channels to each side as the documentation of tf.nn.local_response_normalization states it."""
    out = torch.empty_like(x)
    for channel in range(x.shape[1]):
        near = x[:, max(0, channel - 4) : channel + 5]
        out[:, channel] = x[:, channel] / (1 + 0.001 / 9 * near.square().sum(dim=1)) ** 0.75
    return out


def plain_c(parameters: dict[str, torch.Tensor], x: torch.Tensor, gut: bool) -> torch.Tensor:
    x = F.relu(F.conv2d(x, parameters["conv1.weight"], parameters["conv1.bias"], padding=1))
    x = lrn_of_tensorflow(same_padded_pool(x))
    x = F.relu(F.conv2d(x, parameters["conv2.weight"], parameters["conv2.bias"], padding=1))
    x = lrn_of_tensorflow(F.max_pool2d(x, 2, 1)) if gut else same_padded_pool(lrn_of_tensorflow(x))
    x = F.relu(F.linear(x.flatten(1), parameters["dense1.weight"], parameters["dense1.bias"]))
    return F.linear(x, parameters["scores.weight"], parameters["scores.bias"])


def test_m_gives_the_scores_of_plain_pytorch() -> None:
    parameters = init_parameters(Architecture(), (28, 28, 1), 10, seed=3)
    images = torch.rand(5, 28, 28, 1, generator=torch.Generator().manual_seed(0))
    expected = plain_m(parameters)(images.movedim(-1, 1))
    torch.testing.assert_close(forward(Architecture(), parameters, images), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("order", ["tutorial", "gut"])
@pytest.mark.parametrize("side", [23, 24])
def test_c_gives_the_scores_of_the_tensorflow_tutorial(order: str, side: int) -> None:
    # Large weights: the normalization must matter for the test to see it.
    start = Initialization(convolution_sd=3.0)
    architecture = Architecture(family="C", convolutions=(12, 11), dense=(7,), norm_order=order, initialization=start)
    parameters = init_parameters(architecture, (side, side, 3), 10, seed=3)
    parameters = {name: value.double() for name, value in parameters.items()}
    images = torch.rand(3, side, side, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = plain_c(parameters, images.movedim(-1, 1), gut=order == "gut")
    torch.testing.assert_close(forward(architecture, parameters, images), expected)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
@pytest.mark.parametrize("shape", [(12, 12, 1), (13, 11, 3), (12, 13, 5)])
def test_stacked_networks_give_the_scores_of_each_alone(
    architecture: Architecture, shape: tuple[int, int, int]
) -> None:
    generator = torch.Generator().manual_seed(0)
    alone = [init_parameters(architecture, shape, 10, seed) for seed in range(3)]
    alone = [{name: value.double() for name, value in each.items()} for each in alone]
    stacked = {name: torch.stack([each[name] for each in alone]) for name in alone[0]}
    images = torch.rand(3, 4, *shape, dtype=torch.float64, generator=generator)
    units = layers_of(architecture, shape)[-1].weight[1]
    dropout = 2.0 * (torch.rand(3, 4, units, generator=generator) < 0.5)
    for masks in (None, dropout):
        expected = [
            forward(architecture, each, x, None if masks is None else masks[i])
            for i, (each, x) in enumerate(zip(alone, images, strict=True))
        ]
        torch.testing.assert_close(forward_stacked(architecture, stacked, images, masks), torch.stack(expected))


def test_dropout_acts_on_what_enters_the_scores() -> None:
    architecture = ARCHITECTURES["M"]
    parameters = init_parameters(architecture, (12, 12, 1), 10, seed=3)
    images = torch.rand(2, 12, 12, 1)
    scores = forward(architecture, parameters, images, torch.zeros(2, 8))
    torch.testing.assert_close(scores, parameters["scores.bias"].expand(2, 10))
