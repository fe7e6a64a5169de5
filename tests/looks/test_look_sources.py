"""What can be looked at: modules, arrays and files in every form, by the weights that the network uses."""

import os

import numpy as np
import pytest
import torch
from layers_looked_at import noise, saved
from torch import nn
from torch.ao import quantization
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

import cnn_topology as ct
from cnn_topology.cli import main
from cnn_topology.errors import InputError
from cnn_topology.looks.sources import open_source


@pytest.mark.parametrize("form", ["path", "state dictionary", "module", "tensors of another precision"])
def test_every_form_of_one_network_gives_the_same_filters(form, tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Conv2d(4, 4, 1))
    torch.save(network.state_dict(), tmp_path / "net.pth")
    if form == "tensors of another precision":
        network = network.to(torch.bfloat16)
    source = {"path": tmp_path / "net.pth", "module": network}.get(form, network.state_dict())
    opened = open_source(source)
    assert [layer.name for layer in opened.layers] == ["0", "2"]
    for layer, convolution in zip(opened.layers, (network[0], network[2]), strict=True):
        assert np.array_equal(layer.weight[0], convolution.weight.detach().float().numpy())


def test_a_module_is_looked_at_by_the_weights_it_uses():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3))
    prune.random_unstructured(network[0], "weight", amount=0.5)

    class Doubled(nn.Module):
        def forward(self, weight):
            return 2 * weight

    parametrize.register_parametrization(network[1], "weight", Doubled())
    first, second = open_source(network).layers
    assert np.array_equal(first.weight[0], (network[0].weight_orig * network[0].weight_mask).detach().numpy())
    assert np.array_equal(second.weight[0], 2 * network[1].parametrizations.weight.original.detach().numpy())


def two_layers(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)).eval()


@pytest.mark.parametrize(
    "form", [weight_norm, spectral_norm, lambda part: prune.random_unstructured(part, "weight", 0.5)]
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_module_is_looked_at_by_the_weights_that_were_loaded_last(form):
    first, second = two_layers(0), two_layers(1)
    for network in (first, second):
        form(network[1])
    second.load_state_dict(first.state_dict())
    stale = second[1].weight.detach().numpy().copy()
    read = open_source(second).layers[1].weight[0]
    second(torch.zeros(1, 3, 9, 9))  # which computes the weight anew
    np.testing.assert_allclose(read, second[1].weight.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert not np.allclose(read, stale)


def test_a_look_at_a_module_in_training_does_not_change_it():
    network = parametrizations.spectral_norm(nn.Conv2d(8, 4, 3)).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    open_source(network)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_module_is_looked_at_by_the_weights_that_it_rounds():
    network = two_layers()
    network[1].weight_fake_quant = quantization.default_weight_fake_quant()  # as prepare_qat does
    rounded = network[1].weight_fake_quant(network[1].weight)
    assert not torch.equal(rounded, network[1].weight)
    np.testing.assert_allclose(open_source(network).layers[1].weight[0], rounded.detach().numpy(), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_tensors_of_any_form_are_read_by_their_values():
    dense = torch.from_numpy(noise(4)) * (torch.from_numpy(noise(4)) > 0)
    quantized = torch.quantize_per_tensor(dense, 0.1, 0, torch.qint8)
    layers = open_source({"a.weight": dense.to_sparse(), "b.weight": torch.randn(4, 10, 3, 3)}).layers
    assert np.array_equal(layers[0].weight[0], dense.numpy())
    (layer,) = open_source({"a.weight": quantized}).layers
    assert np.array_equal(layer.weight[0], quantized.dequantize().numpy())


def test_arrays_in_lists_are_not_left_out_unsaid():
    arrays = [(noise(4, 1), np.ones(4)), (noise(4, 2), np.ones(4))]
    opened = open_source({"convs": arrays, "head": [noise(4, 3)]})
    assert [layer.name for layer in opened.layers] == ["convs.0.0", "convs.1.0", "head.0"]
    assert "convs.0.0, convs.1.0" in open_source({"convs": arrays, "head": {"w": noise(4, 3)}}).others[0]
    with pytest.raises(InputError, match="under its top and under convs"):
        open_source({"convs": [noise(4, 1)], "w": noise(4, 2)})


def test_kernels_of_a_module_by_another_name_are_named():
    network = two_layers()
    network[1] = nn.ParameterDict({"kernel": torch.randn(4, 8, 3, 3)})
    opened = open_source(network)
    assert [layer.name for layer in opened.layers] == ["0"]
    assert "1.kernel" in opened.others[0]


def test_a_transposed_convolution_that_a_module_has_twice_is_looked_at_once():
    up = nn.ConvTranspose2d(8, 5, 3)
    opened = open_source(nn.ModuleDict({"a": up, "b": up, "c": nn.Conv2d(3, 4, 3)}))
    assert [layer.name for layer in opened.layers] == ["a", "c"]
    assert opened.layers[0].weight.shape == (1, 5, 8, 3, 3)


def test_layers_whose_short_names_agree_keep_their_long_ones():
    names = ["model.a.weight", "a.weight", "module.b.weight"]
    opened = open_source({name: noise(4, number) for number, name in enumerate(names)})
    assert [layer.name for layer in opened.layers] == ["model.a", "a", "b"]


@pytest.mark.parametrize("form", ["lazy", "meta"])
def test_a_module_without_values_is_refused(form):
    with torch.device("meta" if form == "meta" else "cpu"):
        network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LazyConv2d(4, 3) if form == "lazy" else nn.Conv2d(8, 4, 3))
    with pytest.raises(InputError, match=rf"Sequential: .*{form}"):
        open_source(network)


def test_several_files_are_pooled_and_a_copy_is_refused(tmp_path):
    for number in range(2):
        saved({"conv.weight": noise(4, number)}, tmp_path / f"net{number}.pt")
    opened = open_source([tmp_path / "net*.pt"])
    assert opened.networks == 2
    assert opened.layers[0].weight.shape == (2, 4, 10, 3, 3)
    saved({"conv.weight": noise(4, 0)}, tmp_path / "net2.pt")
    with pytest.raises(InputError, match=r"net2\.pt holds the same kernels as .*net0\.pt"):
        open_source([tmp_path / "net*.pt"])


def test_a_file_whose_name_is_no_utf8_has_a_page_and_tables(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = os.fsdecode(b"caf\xe9.npz")
    np.savez(path, **{"conv.weight": noise(4)})  # too few filters for a test
    assert main(["look", path]) == 0
    assert "index.html" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / r"caf\xe9-look").iterdir()} >= {"index.html"}


def test_a_layer_with_the_kernels_of_another_is_looked_at_once():
    one, dead = noise(4), np.ones((4, 3, 3, 3), dtype=np.float32)
    opened = open_source({"a.weight": one, "b.weight": noise(4, 2), "c.weight": 2 * one, "d.weight": dead})
    assert [layer.name for layer in opened.layers] == ["a", "b", "d"]
    assert len(opened.others) == 1
    assert opened.others[0].startswith("c.weight")


@pytest.mark.parametrize("pattern", ["layer1*", "module.layer1.conv.weight", "layer1.conv", "module-layer1"])
def test_a_layer_is_chosen_by_any_form_of_its_name(weights, pattern, tmp_path):
    path = saved(weights, tmp_path / "net.pt")
    for source in (weights, path):
        assert [layer.name for layer in open_source(source, layers=[pattern]).layers] == ["layer1.conv"]


@pytest.mark.parametrize(
    ("source", "options", "named"),
    [
        ({"a.weight": np.zeros((4, 3, 1, 1))}, {}, ["3x3", "1x1"]),
        ({"a.weight": noise(4)}, {"layers": ["b*"]}, ["b*", "valid: a"]),
        ({"a.weight": np.full((4, 3, 3, 3), np.nan)}, {}, ["a.weight", "108 of 108", "NaN"]),
        ({"a.weight": noise(20)}, {"k": 1.5}, ["k"]),
        ({"a.weight": noise(20)}, {"draws": 3}, ["draws = 3"]),
        ({"a.weight": noise(20)}, {"draws": 50}, ["draws = 50", "alpha = 0.01", "99"]),
        ({"a.weight": noise(20)}, {"sample": 5}, ["sample", "5"]),
        (17, {}, ["int"]),
        ("nowhere.pt", {}, ["nowhere.pt"]),
        ("nowhere*.pt", {}, ["nowhere*.pt"]),
    ],
)
def test_what_cannot_be_looked_at_is_refused_by_name(source, options, named):
    with pytest.raises(InputError) as refused:
        ct.look(source, **options)
    assert all(name in str(refused.value) for name in named)


@pytest.mark.parametrize("networks", [1, 2])
def test_a_layer_with_values_that_are_no_numbers_is_named_and_the_others_are_looked_at(networks, tmp_path):
    paths = []
    for number in range(networks):
        bad = noise(4, number)
        bad[0, 0, 0, 0] = (np.inf, np.nan)[number]
        paths.append(tmp_path / f"net{number}.npz")
        np.savez(paths[-1], **{"a.weight": bad, "b.weight": noise(8, number)})
    for source in (paths, dict(np.load(paths[0]))):
        there = open_source(source)
        assert [layer.name for layer in there.layers] == ["b"]
        assert len(there.others) == 1
        assert all(part in there.others[0] for part in ("a.weight", "NaN"))
