"""What the README shows works as it stands."""

import re
from pathlib import Path

import torch
import torchvision
import yaml
from safetensors.torch import save_file

from cnn_topology.cli import VERBS
from cnn_topology.figures.registry import figure_specs
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.files import check_files
from cnn_topology.plan.names import RunFolder

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_no_package_imports_one_that_stands_further_down():
    source = Path(__file__).parents[2] / "src/cnn_topology"
    order = re.findall(r"`(\w+)`", README.split("none of which imports one further down:")[1].split("`workflow")[0])
    assert sorted(order) == sorted(path.parent.name for path in source.glob("*/__init__.py"))
    for package in order:
        below = order[order.index(package) + 1 :]
        for path in (source / package).glob("*.py"):
            upward = re.findall(rf"cnn_topology\.({'|'.join(below)})\b", _code(path)) if below else []
            assert not upward, f"{path} imports {upward}"


def _code(path):
    """The imports of a module, those inside functions too."""
    return "\n".join(re.findall(r"^ *(?:from|import) .*$", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_examples_in_python_run_as_they_stand(capsys, tmp_path, monkeypatch):
    look, example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(look, {"model": torchvision.models.resnet18(num_classes=2).layer1})
    assert (tmp_path / "resnet20.html").is_file()
    given = {}
    exec(example, given)
    verdict, cka = capsys.readouterr().out.splitlines()
    assert verdict == "no loop"
    assert 0 < float(cka) < 1
    assert len(given["dense"]) == len(given["residual"]) == round(0.3 * 64 * 16)


def test_the_example_of_a_config_is_planned_with_both_papers_parts(tmp_path, monkeypatch):
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    config = parse_config(yaml.safe_load(example))
    (tmp_path / "leaves").mkdir()
    (tmp_path / "spectra.npz").touch()
    kernels = {"conv1.weight": torch.zeros(200, 4, 3, 3)}
    save_file(kernels, "run1.safetensors")
    torch.save(kernels, "run2.pt")
    torch.save(torchvision.models.resnet18().state_dict(), "resnet18.pth")
    plan = Plan(config)
    check_files(config, RunFolder(config.name))
    assert {clouds.population for clouds in plan.layer_clouds} == {"spectral", "vgg16", "mine"}
    assert len(plan.resnet_layers("yours")) == 17
    tables = {name for spec in figure_specs(plan).values() for name in spec.tables}
    assert {"barcodes", "purity", "layer_distances"} <= tables


def test_every_verb_that_the_readme_names_exists():
    named = set(re.findall(r"cnn-topology ([a-z][a-z-]*)", README)) - {"is", "resolves"}
    assert named <= set(VERBS), named - set(VERBS)
