"""Activations at chosen positions: against the tensors of the network itself, with and without noise."""

import numpy as np
import pytest
import torch

from cnn_topology.activations import extraction
from cnn_topology.activations.extraction import Images, extract, hook_point
from cnn_topology.activations.noise import noise_of
from cnn_topology.activations.positions import Chosen
from cnn_topology.errors import InputError
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.resnets import PHResNets, resnet_layers

SECTION = PHResNets(images="x", variant="ph", widths=[4, 6], blocks=[1, 1])
LAYERS = {layer.name: layer for layer in resnet_layers(SECTION, (8, 8, 3))}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    network = make_resnet(SECTION, 3, 10, 0)
    network(torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(0)))  # batch norms that do something
    return network.eval()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(extraction, "BATCH", 7)


def images(count=20, sigma=0.0):
    pixels = np.random.default_rng(1).integers(0, 256, (3 * count, 8, 8, 3)).astype(np.uint8)
    return Images(pixels, 3 * np.arange(count), sigma, 5)


def looked_at():
    return images().pixels[images().ids]


def normalized(batch):
    return batch.float().permute(0, 3, 1, 2) / 64 - 2


def output(network, module, batch):
    found = []
    handle = network.get_submodule(module).register_forward_hook(lambda _m, _i, out: found.append(out))
    with torch.no_grad():
        network(batch)
    handle.remove()
    return found[0]


def run(network, wanted, rectified=False, **changed):
    parts = {}
    looked_at = images(**changed)
    sink = lambda name, rows: parts.setdefault(name, []).append(rows)  # noqa: E731
    positions, predictions = extract(network, normalized, looked_at, wanted, rectified, sink, 10, CPU)
    return {name: np.concatenate(rows) for name, rows in parts.items()}, positions, predictions


def test_top_points_are_the_vectors_of_the_largest_norm(network):
    names = ("conv1", "block_seq.1.0.conv2")
    points, positions, predictions = run(network, {name: (name, None) for name in names})
    batch = normalized(torch.from_numpy(looked_at()))
    for name in names:
        flat = output(network, name, batch).flatten(2)
        best = flat.norm(dim=1).argmax(1)
        assert positions[name].tolist() == best.tolist()
        assert np.allclose(points[name], flat[torch.arange(20), :, best], atol=1e-5)
    with torch.no_grad():
        assert predictions.tolist() == network(batch).argmax(1).tolist()


def test_the_first_of_equal_norms_is_taken(network):
    with torch.no_grad():
        positions = run(make_flat(network), {"conv1": ("conv1", None)})[1]
    # A convolution of constant images is constant but for the border of a padded image.
    assert set(positions["conv1"].tolist()) <= {0, 1, 6, 7, 8, 9}


def make_flat(network):
    flat = make_resnet(SECTION, 3, 10, 0).eval()
    flat.conv1.weight.data.zero_()
    flat.conv1.weight.data[:, :, 1, 1] = 1.0
    flat.register_forward_pre_hook(
        lambda _m, inputs: (torch.ones_like(inputs[0]) * torch.arange(1, len(inputs[0]) + 1)[:, None, None, None],)
    )
    return flat


def test_chosen_points_come_in_their_order_across_batches(network):
    rng = np.random.default_rng(2)
    flat = np.sort(rng.choice(20 * 16, 50, replace=True))
    chosen = Chosen(*np.divmod(flat, 16))
    module = hook_point(LAYERS["block_seq.1.0.conv1"], "bn", False)
    points, _, _ = run(network, {"a": (module, chosen)}, rectified=True)
    whole = output(network, "block_seq.1.0.bn1", normalized(torch.from_numpy(looked_at()))).relu().flatten(2)
    assert np.allclose(points["a"], whole[chosen.places, :, chosen.positions], atol=1e-5)
    assert points["a"].dtype == np.float32


@pytest.mark.parametrize(
    ("name", "tensor", "residual", "module"),
    [
        ("block_seq.0.0.conv2", "conv", True, "block_seq.0.0.conv2"),
        ("block_seq.0.0.conv2", "bn", False, "block_seq.0.0.bn2"),
        ("block_seq.0.0.conv2", "bn", True, "block_seq.0.0.total"),
        ("block_seq.0.0.conv1", "bn", True, "block_seq.0.0.bn1"),
        ("conv1", "relu", True, "bn1"),
    ],
)
def test_the_hook_sits_where_tensor_and_shortcut_ask_for(name, tensor, residual, module):
    assert hook_point(LAYERS[name], tensor, residual) == module


def test_noise_belongs_to_its_image_and_scales_with_sigma(network):
    ids = np.array([2, 7, 9])
    some = noise_of(ids, (8, 8, 3), 0.5, 5)
    assert some.shape == (3, 3, 8, 8)
    assert np.array_equal(noise_of(np.array([7]), (8, 8, 3), 0.5, 5)[0], some[1])
    assert np.allclose(noise_of(ids, (8, 8, 3), 1.0, 5), 2 * some)
    assert np.abs(noise_of(np.arange(100), (8, 8, 3), 1.0, 5).std() - 1) < 0.02
    everywhere = Chosen(np.arange(20), np.full(20, 9))
    points, _, _ = run(network, {"conv1": ("conv1", everywhere)}, sigma=0.3)
    batch = normalized(torch.from_numpy(looked_at()))
    noisy = batch + torch.from_numpy(noise_of(images().ids, (8, 8, 3), 0.3, 5))
    assert np.allclose(points["conv1"], output(network, "conv1", noisy).flatten(2)[:, :, 9], atol=1e-5)


def test_a_dead_layer_and_a_failed_network_are_refused_by_name(network):
    dead = make_resnet(SECTION, 3, 10, 0).eval()
    dead.bn1.bias.data.fill_(-1e6)
    with pytest.raises(InputError, match="layer bn1: all points are the same, every feature is constant"):
        run(dead, {"bn1": ("bn1", None)}, rectified=True)
    dead.bn1.bias.data.fill_(float("nan"))
    with pytest.raises(InputError, match="layer bn1: an activation is NaN or infinite"):
        run(dead, {"bn1": ("bn1", None)})
