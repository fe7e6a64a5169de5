"""The two residual networks: known sizes, names of the released code, formulas; checkpoints that fit or not."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from cnn_topology.errors import InputError
from cnn_topology.networks.checkpoints import load_checkpoint, read_checkpoint
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.resnets import MapperResNets, PHResNets, own_names, resnet_layers

SMALL = {"images": "x", "widths": [4, 6, 8, 10]}


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_sizes_are_those_of_the_known_networks():
    # 11,173,962: the CIFAR ResNet-18 with projections; without its three of them 173,824 fewer.
    assert parameters(make_resnet(MapperResNets(images="x", variant="mapper"), 3, 10, 0)) == 11_173_962
    assert parameters(make_resnet(PHResNets(images="x", variant="ph"), 3, 10, 0)) == 11_000_138


def test_the_cifar_resnet_20_is_a_layout_of_the_mapper_variant():
    # He et al. (2016) give 0.27 million parameters.
    section = MapperResNets(images="x", variant="mapper", widths=[16, 32, 64], blocks=[3, 3, 3], shortcut="pad")
    assert parameters(make_resnet(section, 3, 10, 0)) == 269_722


IMAGENET = MapperResNets(variant="mapper", stem="imagenet", **SMALL)


@pytest.mark.parametrize(
    "section", [PHResNets(variant="ph", **SMALL), MapperResNets(variant="mapper", **SMALL), IMAGENET]
)
@pytest.mark.parametrize("shape", [(32, 32, 3), (15, 18, 1)])
def test_the_planned_layers_are_the_modules_and_their_output_shapes(section, shape):
    network = make_resnet(section, shape[2], 5, 0).eval()
    found, modules = {}, dict(network.named_modules())
    layers = resnet_layers(section, shape)
    for layer in layers:
        for name in (layer.convolution, layer.norm):
            modules[name].register_forward_hook(lambda _m, _i, out, name=name: found.update({name: out.shape[1:]}))
    assert network(torch.zeros(2, shape[2], *shape[:2])).shape == (2, 5)
    for layer in layers:
        expected = (layer.channels, layer.height, layer.width)
        assert tuple(found[layer.convolution]) == tuple(found[layer.norm]) == expected
    wide = [name for name, m in modules.items() if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)]
    assert wide == [layer.convolution for layer in layers]


def test_names_are_those_of_the_released_code():
    ph = make_resnet(PHResNets(variant="ph", **SMALL), 3, 10, 0).state_dict()
    mapper = make_resnet(MapperResNets(variant="mapper", **SMALL), 3, 10, 0).state_dict()
    assert {"block_seq.3.1.conv2.weight", "block_seq.0.0.bn1.running_var", "linear.weight", "bn1.bias"} <= set(ph)
    assert not [name for name in ph if "shortcut" in name]
    assert {"layer4.1.bn2.weight", "layer2.0.shortcut.0.weight", "layer2.0.shortcut.1.bias"} <= set(mapper)
    assert not [name for name in mapper if name.startswith("layer1") and "shortcut" in name]


def test_a_block_is_its_formula_with_either_shortcut():
    x = torch.randn(2, 4, 9, 9, generator=torch.Generator().manual_seed(1))
    for section in (PHResNets(variant="ph", **SMALL), MapperResNets(variant="mapper", **SMALL)):
        block = dict(make_resnet(section, 3, 10, 3).eval().named_modules())[
            "block_seq.1.0" if section.variant == "ph" else "layer2.0"
        ]
        weights = dict(block.named_parameters())
        norm = 1 / (1 + 1e-5) ** 0.5  # batch norm before training: variance 1, mean 0
        inner = functional.relu(functional.conv2d(x, weights["conv1.weight"], stride=2, padding=1) * norm)
        path = functional.conv2d(inner, weights["conv2.weight"], padding=1) * norm
        if section.variant == "ph":
            around = torch.zeros(2, 6, 5, 5)
            around[:, 1:5] = x[:, :, ::2, ::2]
        else:
            around = functional.conv2d(x, weights["shortcut.0.weight"], stride=2) * norm
        assert torch.allclose(block(x), functional.relu(path + around), atol=1e-5)


def test_torchvision_weights_give_torchvision_activations(tmp_path):
    theirs = torchvision.models.resnet18().eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    section = MapperResNets(images="x", variant="mapper", stem="imagenet", n_classes=1000, checkpoints=["w.pth"])
    ours = make_resnet(section, 3, 1000, 0).eval()
    tensors = read_checkpoint(tmp_path / "w.pth", partial(own_names, variant="mapper"))
    load_checkpoint(ours, tensors, tmp_path / "w.pth")
    batch, found = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)), []
    for network in (theirs, ours):
        network.layer4[1].bn2.register_forward_hook(lambda _m, _i, out: found.append(out.clone()))
    assert torch.allclose(theirs(batch), ours(batch), atol=1e-4)
    assert torch.allclose(*found, atol=1e-4)


def test_a_seed_decides_the_weights_and_leaves_the_global_generator_alone():
    section = PHResNets(variant="ph", **SMALL)
    torch.manual_seed(3)
    one, two, other = (make_resnet(section, 3, 10, seed).state_dict() for seed in (1, 1, 2))
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["conv1.weight"], other["conv1.weight"])


@pytest.fixture
def network():
    return make_resnet(PHResNets(variant="ph", **SMALL), 3, 10, 0)


@pytest.mark.parametrize("form", ["w.safetensors", "w.npz", "bare.pt", "wrapped.pth", "parallel.ckpt"])
def test_weights_come_back_from_each_form_of_file(tmp_path, network, form):
    other = make_resnet(PHResNets(variant="ph", **SMALL), 3, 10, 1).state_dict()
    other["bn1.num_batches_tracked"] += 7
    path = tmp_path / form
    match form:
        case "w.safetensors":
            save_file(other, path)
        case "w.npz":
            np.savez(path, **{name: tensor.numpy() for name, tensor in other.items()})
        case "bare.pt":
            torch.save(other, path)
        case "wrapped.pth":
            torch.save({"model_state_dict": other, "epoch": 3, "kind": torch.bfloat16}, path)
        case "parallel.ckpt":
            torch.save({"net": {f"module.{name}": tensor for name, tensor in other.items()}, "acc": 0.5}, path)
    load_checkpoint(network, read_checkpoint(path, partial(own_names, variant="ph")), path)
    assert all(torch.equal(tensor, other[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda w: w.pop("block_seq.1.0.bn1.weight"),
            r"has no tensor 'block_seq.1.0.bn1.weight'; nearest there: 'bl\S+; correct .variant.",
        ),
        (
            lambda w: w.update({"bn1.bias": torch.zeros(5)}),
            r"'bn1.bias' has shape \(5,\), expected \(4,\); correct `variant`",
        ),
        (lambda w: w.update({"block_seq.9.bias": torch.zeros(5)}), r"the network has no tensor 'block_seq.9.bias'"),
        (lambda w: w["linear.bias"].fill_(float("nan")), r"linear.bias: 10 of 10 values are NaN or infinite"),
    ],
)
def test_a_checkpoint_that_does_not_fit_names_the_first_tensor(tmp_path, network, change, message):
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    change(weights)
    with pytest.raises(InputError, match=r"w\.pt: .*" + message):
        load_checkpoint(network, weights, tmp_path / "w.pt")


def test_weights_without_batch_counters_are_taken(tmp_path, network):
    weights = {name: t for name, t in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    load_checkpoint(network, weights, tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"no weights at all", "not one of the kinds of files"),
        (pickle.dumps(eval), "refused, and nothing of it was executed"),
        ({"epoch": 3}, "holds no arrays by name"),
    ],
)
def test_a_file_without_weights_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "w.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(InputError, match=r"w\.pt: (" + message + ")"):
        read_checkpoint(path)
