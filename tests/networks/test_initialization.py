"""Weights begin as the config says, from the network's own seed."""

import math

import torch

from cnn_topology.networks.initialization import init_parameters
from cnn_topology.plan.populations import Architecture, Initialization, layers_of

SHAPE = (28, 28, 1)


def test_truncated_normal_stays_within_two_deviations_and_has_its_known_spread() -> None:
    start = Initialization(convolution_sd=0.05, dense_sd=0.2, bias=0.1)
    parameters = init_parameters(Architecture(initialization=start), SHAPE, 10, seed=1)
    # A normal distribution cut at two standard deviations has 0.8796 of the deviation left.
    for name, sd in (("conv2.weight", 0.05), ("dense1.weight", 0.2)):
        assert parameters[name].abs().max() <= 2 * sd
        assert math.isclose(parameters[name].std().item(), 0.8796 * sd, rel_tol=0.02)
    assert all((value == 0.1).all() for name, value in parameters.items() if name.endswith("bias"))


def test_pytorch_start_has_the_bounds_and_spread_of_pytorch() -> None:
    architecture = Architecture(initialization=Initialization(kind="pytorch"))
    parameters = init_parameters(architecture, SHAPE, 10, seed=1)
    torch.manual_seed(0)
    plain = {"conv2": torch.nn.Conv2d(64, 32, 3), "dense1": torch.nn.Linear(32 * 7 * 7, 64)}
    for name, module in plain.items():
        bound = 1 / math.sqrt(module.weight[0].numel())
        for mine, theirs in ((parameters[f"{name}.weight"], module.weight), (parameters[f"{name}.bias"], module.bias)):
            assert mine.abs().max() <= bound
            assert math.isclose(mine.abs().max().item(), theirs.abs().max().item(), rel_tol=0.25)
        assert math.isclose(parameters[f"{name}.weight"].std().item(), module.weight.std().item(), rel_tol=0.02)


def test_parameters_follow_the_layers_and_the_seed() -> None:
    architecture = Architecture(family="C", convolutions=(4, 5, 6), dense=(7, 8))
    first, again, other = (init_parameters(architecture, (24, 24, 3), 10, seed) for seed in (1, 1, 2))
    shapes = {layer.name: layer.weight for layer in layers_of(architecture, (24, 24, 3))}
    assert [name.removesuffix(".weight") for name in first][::2] == list(shapes)
    for name, shape in shapes.items():
        assert tuple(first[f"{name}.weight"].shape) == shape
        assert tuple(first[f"{name}.bias"].shape) == shape[:1]
        assert torch.equal(first[f"{name}.weight"], again[f"{name}.weight"])
        assert not torch.equal(first[f"{name}.weight"], other[f"{name}.weight"])
