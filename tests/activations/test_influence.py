"""Influence of pixels on positions: against the real network with constant weights, and closed cases."""

import numpy as np
import pytest
import torch
from torch import nn

from cnn_topology.activations.influence import influences, position_weights
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.resnets import MapperResNets, PHResNets, resnet_layers

SMALL = {"images": "x", "widths": [4, 6, 8], "blocks": [2, 1, 2]}
MAPPER, PAD = MapperResNets(variant="mapper", **SMALL), PHResNets(variant="ph", **SMALL)


def by_the_network(section, side, published):
    """Feed one-pixel images to the network itself: weights 0.001, batch norms that do nothing, hooks."""
    network = make_resnet(section, 3, 10, 0).double().eval()
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Conv2d):
            module.weight.data.fill_(0.001)
        if isinstance(module, nn.BatchNorm2d):
            network.get_submodule(name.rpartition(".")[0])._modules[name.rpartition(".")[2]] = nn.Identity()
    lit = torch.eye(side * side, dtype=torch.float64).reshape(-1, 1, side, side).expand(-1, 3, -1, -1)
    found = {}
    for layer in resnet_layers(section, (side, side, 3)):
        second = published and layer.convolution.endswith(".conv2")
        module = layer.convolution.removesuffix(".conv2") + ".total" if second else layer.convolution
        take = lambda _m, _i, out, name=layer.name: found.update({name: torch.linalg.vector_norm(out, dim=1)})  # noqa: E731
        network.get_submodule(module).register_forward_hook(take)
    with torch.no_grad():
        network(lit)
    return {name: norms.flatten(1).T.numpy() for name, norms in found.items()}


@pytest.mark.parametrize("section", [MAPPER, PAD, MAPPER.model_copy(update={"widths": (4, 4, 8)})])
@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("side", [8, 9])
def test_influences_are_those_of_the_constant_network(section, published, side):
    ours, theirs = influences(section, (side, side, 3), published), by_the_network(section, side, published)
    assert list(ours) == list(theirs)
    for name in ours:
        assert np.allclose(ours[name], theirs[name], rtol=1e-10, atol=0), name


def test_a_position_of_the_first_layer_sees_its_nine_neighbours():
    influence = influences(MAPPER, (6, 6, 3), published=False)["bn1"].reshape(6, 6, 6, 6)
    # 0.001 * 3 channels, in each of 4 output channels: norm 0.003 * 2.
    expected = np.zeros((6, 6))
    expected[1:4, 2:5] = 0.006
    assert np.allclose(influence[2, 3], expected)


def test_weights_are_norms_over_the_pixels_of_the_mask():
    rng = np.random.default_rng(0)
    influence, masks = rng.random((5, 12)), rng.random((7, 3, 4)) < 0.5
    masks[3] = False
    weights = position_weights(influence, masks)
    expected = [[np.linalg.norm(influence[p][mask.ravel()]) for p in range(5)] for mask in masks]
    assert np.allclose(weights, expected)
    assert (weights[3] == 0).all()
