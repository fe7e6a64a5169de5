"""What the README and the pages of `docs/` show works as it stands."""

import re
from pathlib import Path

import pytest
import torch
import torchvision
import yaml

import cnn_topology as ct
from cnn_topology.cli import VERBS, main
from cnn_topology.figures.registry import figure_specs
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.files import check_files
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.recorded import with_recorded

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOW_TO = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/howto").glob("*.md"))}


# A network of a user's own, as the page has it.
NETS = """
from torch import nn


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, width, 3, stride=4), nn.ReLU())
        self.classifier = nn.Sequential(nn.Linear(width, 10))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))
"""


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_examples_in_python_run_as_they_stand(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (look,) = blocks(HOW_TO["own-network"], "python")
    exec(look, {"model": torch.nn.Sequential(torchvision.models.resnet.BasicBlock(16, 16))})
    assert (tmp_path / "resnet20.html").is_file()
    (example,) = blocks(README, "python")
    given = {}
    exec(example, given)
    verdict, cka = capsys.readouterr().out.splitlines()
    assert verdict == "no loop"
    assert 0 < float(cka) < 1
    assert len(given["dense"]) == len(given["residual"]) == round(0.3 * 64 * 16)


def test_the_examples_of_a_config_are_planned_with_both_papers_parts(tmp_path, monkeypatch):
    parts = [yaml.safe_load(text) for page in HOW_TO.values() for text in blocks(page, "yaml")]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaves").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "spectra.npz").touch()
    (tmp_path / "runs").mkdir()
    for name in ("net1.pt", "net2.pt"):
        kernels = {"conv1.weight": torch.zeros(200, 4, 3, 3), "head.weight": torch.zeros(8, 200, 3, 3)}
        torch.save(kernels, tmp_path / "runs" / name)
    torch.save(torchvision.models.resnet18().state_dict(), "resnet18.pth")
    (tmp_path / "mypackage").mkdir()
    (tmp_path / "mypackage" / "nets.py").write_text(NETS)
    exec(NETS, own := {})
    torch.save(own["Net"](width=32).state_dict(), "net.pt")
    content = {"version": 2, "name": "mine"}
    for part in parts:
        for key, value in part.items():
            content[key] = {**content.get(key, {}), **value} if isinstance(value, dict) else value
    config = with_recorded(parse_config(content))
    plan = Plan(config)
    check_files(config, RunFolder(config.name))
    assert {clouds.population for clouds in plan.layer_clouds} == {"spectral", "vgg16", "mine"}
    assert len(plan.recorded_layers("yours")) == 17
    assert [layer.name for layer in plan.recorded_layers("net")] == ["features.0", "features.1", "classifier.0"]
    tables = {name for spec in figure_specs(plan).values() for name in spec.tables}
    assert {"barcodes", "purity", "layer_distances"} <= tables


def test_the_command_tells_its_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.split() == ["cnn-topology", ct.__version__]


def test_every_verb_that_a_page_names_exists():
    pages = [README, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))]
    named = {verb for page in pages for verb in re.findall(r"cnn-topology ([a-z][a-z-]*)", page)} - {"is", "trains"}
    assert named <= set(VERBS), named - set(VERBS)
