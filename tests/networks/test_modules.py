"""Torch modules of a user's own: which layers are recorded in which order, and what is refused by its key."""

import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from cnn_topology.errors import InputError
from cnn_topology.networks.modules import look_at, make_module
from cnn_topology.networks.recorded import network_of_file
from cnn_topology.plan.recorded import ModuleNetworks

# Layers in the order of their definition that are called in another one.
CODE = """
from functools import partial
from shutil import rmtree

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torchvision.models.vgg import make_layers


class Net(nn.Module):
    def __init__(self, wide=4, classes=3):
        super().__init__()
        self.head = nn.Linear(wide, classes)
        self.second = nn.Conv2d(wide, wide, 3, stride=2, padding=1)
        self.first = nn.Conv2d(3, wide, 3)
        self.idle = nn.Conv2d(3, wide, 3)
        self.act = nn.ReLU(inplace=True)
        self.pair = Pair()

    @classmethod
    def called(cls):
        return cls(3)

    def forward(self, x):
        x = self.second(self.act(self.act(self.first(x))))
        return self.head(self.pair(x)[0].mean((2, 3)))


class Pair(nn.Module):
    def forward(self, x):
        return x, x.flatten(2)


def decoder(form=None):
    network = nn.Sequential(nn.ConvTranspose2d(3, 8, 3), nn.Conv2d(8, 4, 3))
    if form == "prune":
        prune.random_unstructured(network[1], "weight", 0.5)
    elif form:
        getattr(parametrizations, form)(network[1])
    return network


def fourier():
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    network.register_parameter("modes", nn.Parameter(torch.randn(4, 4, dtype=torch.complex64)))
    return network


def vgg():
    return nn.Sequential(make_layers([4, "M", 6, "M"]), nn.Flatten(), nn.Linear(36, 2))


def lazy():
    return nn.LazyLinear(3)


def wrong():
    return 3


small, Other = partial(Net, wide=2), dict
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Work in a folder with a package of networks; return its name, which is new: Python loads a module once."""
    name = f"own_{tmp_path.name.rpartition('_')[2]}{abs(hash(tmp_path)) % 10_000}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "nets.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return f"{name}.nets"


def section(module: str, **others: object) -> ModuleNetworks:
    return ModuleNetworks(images="x", module=module, normalization="set", **others)


def shapes(module: str, **others: object) -> dict[str, tuple[int, ...]]:
    seen = look_at(section(module, **others), (10, 12, 3))
    assert [layer.depth for layer in seen.layers] == list(range(1, len(seen.layers) + 1))
    return {layer.name: (layer.channels, layer.height, layer.width) for layer in seen.layers}


def test_layers_are_the_convolutions_in_the_order_of_their_calls(own):
    assert shapes(f"{own}:Net", arguments={"wide": 5}) == {"first": (5, 8, 10), "second": (5, 4, 5)}


def test_layers_by_name_and_pattern_and_linear_ones_have_one_position(own):
    assert shapes(f"{own}:Net", layers=("head", "sec*")) == {"second": (4, 4, 5), "head": (3, 1, 1)}
    found = shapes(f"{own}:vgg", layers=("0.*", "1"))  # a pattern takes modules without parts
    assert list(found) == ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "1"]
    assert (found["0.0"], found["0.5"], found["1"]) == ((4, 10, 12), (6, 2, 3), (36, 1, 1))


def test_layers_of_installed_networks_are_found(own):
    small = {"num_classes": 3, "width_mult": 0.25}
    found = shapes("torchvision.models:mobilenet_v2", arguments=small)
    assert (len(found), found["features.0.0"]) == (52, (8, 5, 6))


def test_a_seed_decides_the_weights_and_no_draw_of_others(own):
    one = make_module(section(f"{own}:Net"), 1).first.weight
    torch.manual_seed(3)
    two, other, drawn = make_module(section(f"{own}:Net"), 1), make_module(section(f"{own}:Net"), 2), torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(one, two.first.weight)
    assert not torch.equal(one, other.first.weight)
    assert torch.equal(drawn, torch.rand(1))
    assert not one.requires_grad or not two.training


def test_the_code_of_the_folder_is_named_and_that_of_packages_is_not(own):
    package = own.removesuffix(".nets")
    assert look_at(section(f"{own}:Net"), (10, 12, 3)).code == (f"{package}/__init__.py", f"{package}/nets.py")


def test_code_is_that_of_the_module_alone_and_whatever_it_imports(own, tmp_path):
    package = own.removesuffix(".nets")
    net = "from torch import nn\n\n\ndef net():\n    {}\n    return nn.Sequential(nn.Conv2d(3, 4, 3))\n"
    texts = {
        "shared": "import importlib\n\nimportlib.import_module(__package__ + '.unnamed')\n",
        "unnamed": "",
        "late": "x = 1\n",
        "one": f"from . import shared\n{net.format('pass')}",
        "two": f"import {package}.shared\n{net.format('from .late import x')}",
    }
    (tmp_path / f"{package}_three.py").write_text(net.format("pass"))
    for name, text in texts.items():
        (tmp_path / package / f"{name}.py").write_text(text)
    shared = {"__init__", "shared", "unnamed"}
    for name, others in (("one", shared), ("two", {*shared, "late"}), ("one", shared)):
        code = look_at(section(f"{package}.{name}:net"), (10, 12, 3)).code
        assert set(code) == {f"{package}/{other}.py" for other in {name, *others}}
    assert look_at(section(f"{package}_three:net"), (10, 12, 3)).code == (f"{package}_three.py",)


def test_what_starts_the_run_is_no_code_of_a_module(own, tmp_path, monkeypatch):
    package = own.removesuffix(".nets")
    for name, file in (("snakemake_logger_plugin_own", "plugin.py"), ("started", ".venv/bin/snakemake")):
        program = ModuleType(name)
        program.__file__ = str(tmp_path / file)
        monkeypatch.setitem(sys.modules, name, program)
    assert look_at(section(f"{own}:Net"), (10, 12, 3)).code == (f"{package}/__init__.py", f"{package}/nets.py")


@pytest.mark.parametrize("name", ["small", "Net.called"])
def test_a_module_is_made_by_what_is_written_in_python_for_it(own, name):
    assert shapes(f"{own}:{name}")["first"][1:] == (8, 10)


@pytest.mark.parametrize(
    ("module", "others"),
    [
        ("os:mkdir", {"arguments": {"path": "made"}}),
        ("pathlib:Path.mkdir", {"arguments": {"self": "made"}}),
        ("torch:os.mkdir", {"arguments": {"path": "made"}}),
        ("{}:rmtree", {"arguments": {"path": "kept"}}),
        ("{}:Other", {}),
    ],
)
def test_nothing_is_called_that_makes_no_networks(own, tmp_path, module, others):
    (tmp_path / "kept").mkdir()
    with pytest.raises(InputError, match=r"^module = .*: (is of type|\w+ belongs to Python)"):
        look_at(section(module.format(own), **others), (10, 12, 3))
    assert (tmp_path / "kept").is_dir()
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(("name", "file"), [("this", None), ("antigravity", "raise OSError"), ("profile", CODE)])
def test_a_module_of_python_is_refused_before_it_runs(own, tmp_path, name, file, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, name, raising=False)
    if file:  # a user's own of that name
        (tmp_path / f"{name}.py").write_text(file)
    with pytest.raises(InputError, match=rf"^module = {name}:Net: {name} belongs to Python.*rename it"):
        look_at(section(f"{name}:Net"), (10, 12, 3))
    assert name not in sys.modules
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"sizes": {1: 64}}, r"arguments\.sizes.*valid string"),
        ({"t": [float("inf")]}, r"arguments\.t.*finite number"),
        ({"t": {"day": date(2026, 1, 1)}}, r"arguments\.t\.dict\.day.*valid JSON"),
    ],
)
def test_arguments_that_jobs_would_not_get_are_refused(value, words):
    with pytest.raises(ValueError, match=f"(?s){words}"):
        section("a:B", arguments=value)
    section("a:B", arguments={"a": [1, 2.5, "x", None, True, {"b": []}]})


@pytest.mark.parametrize(
    ("module", "others", "words"),
    [
        ("nowhere.nets:Net", {}, r"^module = nowhere.nets:Net: .*ModuleNotFoundError"),
        ("{}:Nett", {}, r"^module = .*unknown name in .*: 'Nett' \(did you mean 'Net'\?\); valid: Net, Pair"),
        ("{}:wrong", {}, r"^module = .*: makes an object of type int, and a torch.nn.Module"),
        ("{}:lazy", {}, r"^module = .*: has lazy layers"),
        ("{}:nn", {}, r"^module = .*: is of type module and not called; name a class"),
        ("{}:Net", {"arguments": {"width": 3}}, r"^arguments = \{'width': 3\}: .*TypeError: .*'width'"),
        ("{}:Net", {"layers": ("third",)}, r"^layers: unknown layer of .*: 'third'.*; valid: act, first, head, idle"),
        ("{}:Net", {"layers": ("first", "idle")}, r"^layers: idle of .*: not called"),
        ("{}:Net", {"layers": ("act",)}, r"^layers: act is called 2 times in one pass, and its output is not one"),
        ("{}:Net", {"layers": ("pair",)}, r"^layers: the output of pair for 2 images is of type tuple;"),
        ("torch.nn:Flatten", {}, r"^module = torch.nn:Flatten: has no two-dimensional convolutions; state `layers`"),
        (
            "torchvision.models:inception_v3",
            {"arguments": {"init_weights": False}},
            r"cannot be run on images of 10x12x3",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(own, module, others, words):
    with pytest.raises(InputError, match=words):
        look_at(section(module.format(own), **others), (10, 12, 3))


def test_an_output_of_tokens_is_no_layer(own, tmp_path):
    (tmp_path / own.replace(".nets", "") / "tokens.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.tokens = nn.Flatten(2)\n\n    def forward(self, x):\n        return self.tokens(x)\n"
    )
    with pytest.raises(InputError, match=r"layers: the output of tokens for 2 images is \(2, 3, 120\)"):
        look_at(section(own.replace("nets", "tokens:Net"), layers=("tokens",)), (10, 12, 3))


@pytest.mark.parametrize(
    ("layer", "forward", "words"),
    [
        ("nn.LayerNorm(3)", "self.odd(x.permute(0, 2, 3, 1))", r"odd is \(2, 10, 12, 3\), and \(2, 20, 12, 3\)"),
        ("nn.LayerNorm(3)", "self.odd(x.permute(0, 2, 3, 1)).reshape(len(x), 360) @ torch.ones(360, 2)", "channels"),
        ("nn.ReLU()", "self.odd(nn.functional.dropout(x))", "odd differs between two passes"),
        ("nn.Identity()", "self.odd(x + 1j)", r"odd .* is of type torch\.complex64"),
    ],
)
def test_what_is_no_output_of_channels_at_positions_is_refused(own, tmp_path, layer, forward, words):
    """Of channels last the height was taken for the channels; a dropout that is always on drew other activations."""
    (tmp_path / own.replace(".nets", "") / "odd.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        f"        super().__init__()\n        self.odd = {layer}\n\n"
        f"    def forward(self, x):\n        return {forward}\n"
    )
    with pytest.raises(InputError, match=words):
        look_at(section(own.replace("nets", "odd:Net"), layers=("odd",)), (10, 12, 3))


def test_weights_of_a_file_come_with_what_stands_in_front_of_their_names(own, tmp_path):
    of = section(f"{own}:Net", checkpoints=("w.pt",))
    trained = make_module(of, 5)
    state = {f"module.backbone.{name}": tensor for name, tensor in trained.state_dict().items()}
    torch.save({"state_dict": {**state, "module.head.weight": torch.zeros(2)}}, tmp_path / "w.pt")
    look_at(of, (10, 12, 3))
    network = network_of_file(of, 3, 3, tmp_path / "w.pt")
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in trained.state_dict().items())


@pytest.mark.parametrize("form", [None, "weight_norm", "spectral_norm", "prune"])
def test_a_module_takes_the_arrays_that_it_computes_its_weights_from(form, own, tmp_path):
    of = section(f"{own}:decoder", arguments={"form": form}, checkpoints=("w.pt",))
    trained = make_module(of, 5)
    torch.save({f"module.{name}": tensor for name, tensor in trained.state_dict().items()}, tmp_path / "w.pt")
    look_at(of, (10, 12, 3))
    images = torch.rand(2, 3, 10, 12)
    assert torch.equal(network_of_file(of, 3, 3, tmp_path / "w.pt")(images), trained(images))


def test_complex_weights_do_not_stay_as_they_were_drawn(own, tmp_path):
    of = section(f"{own}:fourier", checkpoints=("w.pt",))
    torch.save(make_module(of, 5).state_dict(), tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"w\.pt: .*no tensor 'modes'"):
        look_at(of, (10, 12, 3))


def test_weights_that_do_not_fit_are_refused_before_the_run(own, tmp_path):
    torch.save(nn.Conv2d(3, 4, 3).state_dict(), tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"^checkpoints = w\.pt: .*no tensor 'head.weight'.*`arguments`"):
        look_at(section(f"{own}:Net", checkpoints=("w.pt",)), (10, 12, 3))
