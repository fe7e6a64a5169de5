"""A look at networks without a config: files, modules and arrays as people have them, and a run's own numbers."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn
from torch.ao import quantization
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

import cnn_topology as ct
from cnn_topology.cli import main
from cnn_topology.errors import InputError
from cnn_topology.looks import look as looks
from cnn_topology.looks.layers import describe
from cnn_topology.looks.sources import open_source
from cnn_topology.plan.config import parse_config
from cnn_topology.statistics.significance import DEAD_LAYER, NO_LOOP, ONE_LOOP, TOO_FEW
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.look import LookRow
from cnn_topology.tables.loops import LoopRow

ROOT = Path(__file__).parents[2]


def circle(channels: int, seed: int = 0, side: int = 3) -> np.ndarray:
    """Return a layer (channels, 10, side, side) of which a third are noisy edges in all directions."""
    rng = np.random.default_rng(seed)
    x, y = np.tile(np.linspace(-1, 1, side), side), np.repeat(np.linspace(-1, 1, side), side)
    filters = rng.standard_normal((channels * 10, side**2))
    angle = rng.uniform(0, 2 * np.pi, len(filters) // 3)
    edges = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y)
    filters[: len(angle)] = edges + 0.2 * filters[: len(angle)]
    return rng.permutation(filters).reshape(channels, 10, side, side).astype(np.float32)


def noise(channels: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, 10, 3, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Return a network with a circle, a layer of noise, one of few filters, a dead one, and another kernel."""
    few, dead = noise(4, 2), np.ones((8, 4, 3, 3), dtype=np.float32)
    return {
        "module.stem.weight": np.random.default_rng(5).standard_normal((16, 3, 1, 7)).astype(np.float32),
        "module.layer1.conv.weight": circle(25),
        "module.layer2.conv.weight": noise(25),
        "module.layer3.conv.weight": few,
        "module.layer4.conv.weight": dead,
        "module.layer5.depthwise.weight": circle(25, 6, side=5).reshape(250, 1, 5, 5),
    }


def saved(weights: dict[str, np.ndarray], path: Path) -> Path:
    torch.save({name: torch.from_numpy(array) for name, array in weights.items()}, path)
    return path


@pytest.fixture(scope="module")
def look(weights) -> looks.Look:
    """Return the finished look at that network."""
    return ct.look(weights)


def test_each_layer_has_a_row_and_what_cannot_be_tested_says_so(look):
    table = look.table.set_index("layer")
    assert list(table.index) == [*(f"layer{n}.conv" for n in (1, 2, 3, 4)), "layer5.depthwise"]
    assert table["verdict"].tolist() == [ONE_LOOP, NO_LOOP, TOO_FEW, DEAD_LAYER, ONE_LOOP]
    assert table["filters"].tolist() == [250, 250, 40, 32, 250]
    assert table["kernel_side"].tolist() == [3, 3, 3, 3, 5]
    assert table["constant"].tolist() == [0, 0, 0, 32, 0]
    assert table.loc["layer1.conv", "p"] == 0.005
    assert table.loc["layer1.conv", "longest"] > table.loc["layer1.conv", "needed"]
    # Three layers are tested, of which two have the least p-value.
    assert table.loc["layer1.conv", "q"] == pytest.approx(0.0075)
    assert table.loc[["layer3.conv", "layer4.conv"], ["p", "q"]].isna().all(axis=None)
    # What may explain a loop is asked where there is one.
    assert table.loc["layer1.conv", ["p_covariance", "p_lowpass", "p_block"]].notna().all()
    assert table["p_covariance"].notna().tolist() == [True, True, False, False, True]
    assert table["p_lowpass"].notna().tolist() == [True, False, False, False, True]
    # A depthwise layer has one filter an output channel.
    assert table["p_block"].notna().tolist() == [True, False, False, False, False]
    assert look.finished
    assert any("1x7" in other for other in look.source.others)
    assert table["circle"].dropna().tolist() == ["primary", "primary"]
    lines = [describe(layer) for layer in look.layers]
    assert "250 filters" in lines[0]
    assert "k = 1" not in lines[2]
    assert "p = 0.3 keeps 12 of 40" in lines[2]
    assert "0 of 32 filters (32 constant)" in lines[3]
    longer = int((table["p_lowpass"] <= 0.01).sum())
    (smooth,) = [line for line in look.sentences if "smoothness" in line]
    numbers = re.fullmatch(r"In (\d+) of (\d+) .* the other (\d+) smoothness.*", smooth)
    assert [int(number) for number in numbers.groups()] == [longer, 2, 2 - longer]


def test_too_few_draws_for_two_sided_tests_and_too_large_a_k_are_named():
    look = ct.look({"conv.weight": noise(4)}, draws=99, k=30)
    said = " ".join(look.sentences)
    assert "draws = 99" in said
    assert "199" in said
    assert "k = 30 is more than a tenth of 40" in said
    assert "0 layers" not in said
    assert not any("draws" in line for line in ct.look({"conv.weight": noise(4)}).sentences)


def test_the_forecast_does_not_count_what_is_compiled_at_first(monkeypatch):
    lines: list[str] = []

    def stopped(*_):
        raise KeyboardInterrupt

    def slow(*arguments):
        time.sleep(0.2)
        return first_look(*arguments)

    first_look = looks.first_look
    monkeypatch.setattr(looks, "tested", stopped)
    ct.look({"conv.weight": circle(40)}, report=lines.append)
    monkeypatch.setattr(looks, "first_look", slow)
    ct.look({"conv.weight": circle(40)}, report=lines.append)
    assert lines[0] == lines[1]


def test_a_run_with_the_config_that_a_look_writes_has_the_same_numbers(weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(weights, tmp_path / "net.pt")
    assert main(["look", "net.pt", "--config", "run.yaml", "--seed", "7", "--draws", "99"]) == 0
    target = "results/net/tables/loops.parquet"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    done = subprocess.run(
        [*command, "--quiet", "all", "--configfile", "run.yaml", "--", target],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    of_run = read_table(tmp_path / target, LoopRow.schema).to_pandas()
    of_look = read_table(tmp_path / "net-look/tables/loops.parquet", LoopRow.schema).to_pandas()
    assert of_run["verdict"].tolist() == [ONE_LOOP, NO_LOOP, TOO_FEW, DEAD_LAYER, ONE_LOOP]
    assert of_run["constant"].tolist() == [0, 0, 0, 32, 0]
    assert of_run.sort_values("depth").to_json() == of_look.sort_values("depth").to_json()


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


def test_a_larger_layer_is_sampled_and_the_sample_is_recorded():
    sampled = ct.look({"conv.weight": circle(40)}, sample=200, draws=99)
    row = sampled.table.iloc[0]
    assert (row["filters"], row["points"]) == (400, 200)
    again = ct.look({"conv.weight": circle(40)}, sample=200, draws=99)
    assert sampled.table.equals(again.table)
    assert "200" in looks.Look._repr_html_(sampled)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"p": 2}, r"^p = 2: "),
        ({"k": 0}, r"^k = 0: "),
        ({"draws": np.int64(20)}, r"^draws = 20 .* 99 draws"),
        ({"sample": 3}, r"^sample = 3: .* 50 filters"),
        ({"seed": "x"}, r'^seed = "x": '),
    ],
)
def test_a_wrong_argument_is_named_as_the_caller_wrote_it(wrong, named):
    with pytest.raises(InputError, match=named):
        ct.look({"conv.weight": noise(20)}, **wrong)


def test_the_number_of_threads_changes_no_number(tmp_path):
    files = [str(tmp_path / f"net{seed}.npz") for seed in range(3)]
    for seed, file in enumerate(files):
        np.savez(file, **{"circle.weight": circle(10, seed), "noise.weight": noise(10, seed)})
    one, three = (ct.look(files, draws=99, threads=threads) for threads in (1, 3))
    assert one.layers[0].tables["loops"]["verdict_stability"].to_pylist() != [None]
    for layer, other in zip(one.layers, three.layers, strict=True):
        assert layer.tables == other.tables
    with pytest.raises(InputError, match="threads = 0"):
        ct.look(files, threads=0)


def test_what_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    """The longest loop is tested first; Ctrl-C comes at the second layer, and the next look tests the others alone."""
    network = {"noise.weight": noise(20), "circle.weight": circle(20), "other.weight": noise(20, 3)}
    calls: list[str] = []
    original = looks.tested

    def stopping(layer, settings, threads):
        calls.append(layer.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(layer, settings, threads)

    monkeypatch.setattr(looks, "tested", stopping)
    first = ct.look(network, folder=tmp_path, draws=99)
    assert calls[0] == "circle"
    assert first.interrupted
    assert not first.finished
    assert first.table["q"].isna().all()  # no q-value before all layers are tested
    second = ct.look(network, folder=tmp_path, draws=99)
    assert "circle" not in calls[2:]
    assert second.finished
    monkeypatch.undo()
    assert second.table.equals(ct.look(network, draws=99).table)
    cut = next(tmp_path.glob("parts/*circle*/loops.parquet"))
    cut.write_bytes(cut.read_bytes()[:100])
    assert ct.look(network, folder=tmp_path, draws=99).table.equals(second.table)


def test_command_writes_tables_and_a_page_that_shows_hostile_names_as_text(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = "<img src=x onerror=alert(1)> $a_$ 你好"
    saved({f"{hostile}.weight": circle(20), "plain.weight": noise(10)}, tmp_path / "net.pt")
    saved({f"{hostile}.weight": noise(20, 3), "plain.weight": noise(10, 4)}, tmp_path / "untrained.pt")
    assert main(["look", "net.pt", "--compare", "untrained.pt"]) == 0
    page = (tmp_path / "net-look/index.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "http" not in page.replace("http-equiv", "")
    assert 0 < page.index(">verdict<") < page.index(">longest loop<")  # within the width of a phone
    rows = read_table(tmp_path / "net-look/tables/look.parquet", LookRow.schema).to_pylist()
    assert [row["layer"] for row in rows] == [hostile, "plain"]
    assert rows[0]["verdict"] == ONE_LOOP
    printed = capsys.readouterr().out
    assert "net-look/index.html" in printed
    assert "verdict (untrained)" in printed


def test_a_layer_is_drawn_with_its_name_and_an_untested_one_is_refused(look):
    figure = look.layer("layer1.conv").plot()
    assert any("layer1.conv" in text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))
    with pytest.raises(InputError, match=DEAD_LAYER):
        look.layer("layer4.conv").plot()
    with pytest.raises(InputError, match=r"layer1\.conv"):
        look.layer("layer1.con")


def test_config_of_a_look_names_files_entry_and_layers(weights, tmp_path):
    torch.save({"ema": {name: torch.from_numpy(array) for name, array in weights.items()}}, tmp_path / "net.pt")
    look = ct.look(tmp_path / "net.pt", entry="ema", layers="layer3*")  # whose few filters are not tested
    config = yaml.safe_load(json.dumps(look.config()))
    assert config["checkpoints"]["net"] == {
        "kind": "files",
        "files": [str(tmp_path / "net.pt")],
        "entry": "ema",
        "layers": ["module.layer3.conv.weight"],
    }
    assert parse_config(config).name == "net"
    with pytest.raises(InputError, match="files"):
        ct.look(weights, layers="layer3*").config()


def test_numbers_of_numpy_are_numbers():
    weights = {"conv.weight": circle(40)}
    plain = ct.look(weights, k=8, p=0.5, draws=99, seed=1, sample=0)
    of_numpy = ct.look(
        weights, k=np.int64(8), p=np.float32(0.5), draws=np.int16(99), seed=np.uint8(1), sample=np.int64(0)
    )
    assert of_numpy.table.equals(plain.table)


def test_masked_weights_are_refused_and_not_read_under_their_mask():
    with pytest.raises(InputError, match="masked"):
        ct.look({"conv.weight": np.ma.masked_greater(noise(60), 2)}, draws=99)


@pytest.mark.parametrize("odd", [{"layout": "OIHW"}, {"step": "3"}, {"step": 1.5}, {"step": -1}])
def test_odd_arguments_of_a_look_are_refused_by_name(odd, tmp_path):
    np.savez(tmp_path / "net.npz", **{"0.weight": noise(60)})
    for source in ({"0.weight": noise(60)}, tmp_path / "net.npz"):
        with pytest.raises(InputError, match=next(iter(odd))):
            ct.look(source, draws=99, **odd)


def test_layers_may_be_numbers(tmp_path):
    np.savez(tmp_path / "net.npz", **{"0.weight": noise(60), "2.weight": noise(60, 2)})
    for source in ({"0.weight": noise(60), "2.weight": noise(60, 2)}, tmp_path / "net.npz"):
        assert [layer.name for layer in open_source(source, layers=[2]).layers] == ["2"]


def test_a_look_at_no_files_is_refused():
    with pytest.raises(InputError, match="files"):
        ct.look_at_steps([])
