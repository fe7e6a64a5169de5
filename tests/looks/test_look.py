"""A look at networks without a config: files, modules and arrays as people have them, and a run's own numbers."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from layers_looked_at import circle, noise, saved

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
