"""The layout of a residual network follows from its file, whatever wrappers put in front of the names."""

from pathlib import Path

import pytest
import torch

from cnn_topology.errors import InputError
from cnn_topology.networks.recorded import network_of_file
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.files import check_files
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.resnets import LAYOUT, MapperResNets, PHResNets

KINDS = {"ph": PHResNets, "mapper": MapperResNets}
LAYOUTS = [
    {"widths": (4, 6), "blocks": (1, 2), "shortcut": "projection", "stem": "imagenet"},
    {"widths": (4, 4, 8), "blocks": (2, 1, 1), "shortcut": "pad", "stem": "cifar"},
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.npz").touch()


def weights(variant: str, layout: dict) -> dict[str, torch.Tensor]:
    return make_resnet(KINDS[variant](variant=variant, images="own", **layout), 3, 10, 0).state_dict()


def as_torchvision(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = {name: name.replace("shortcut", "downsample").replace("linear", "fc") for name in state}
    return {names[name]: tensor for name, tensor in state.items()}


def read(variant: str, labels: bool = True, **others: object) -> PHResNets | MapperResNets:
    networks = {"variant": variant, "images": "own", "checkpoints": "w.pt", **others}
    images = {"own": {"kind": "npz", "path": "own.npz", "shape": [8, 8, 3], "labels": labels}}
    config = parse_config({"version": 2, "name": "own", "images": images, "resnets": {"nets": networks}})
    check_files(config, RunFolder("own"))
    return config.resnets["nets"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("variant", list(KINDS))
@pytest.mark.parametrize("front", ["", "module.", "model.encoder."])
def test_the_layout_follows_from_the_file(variant: str, layout: dict, front: str) -> None:
    state = as_torchvision(weights("mapper", layout))
    torch.save({"state_dict": {front + name: tensor for name, tensor in state.items()}}, "w.pt")
    section = read(variant)
    assert section.model_dump(include=set(LAYOUT)) == layout
    network = network_of_file(section, 3, 10, Path("w.pt"))
    last = network.get_submodule("block_seq.1.0" if variant == "ph" else "layer2.0").conv2.weight
    assert torch.equal(last, state["layer2.0.conv2.weight"])


def test_what_the_config_states_is_compared_with_the_file() -> None:
    torch.save(weights("mapper", LAYOUTS[0]), "w.pt")
    with pytest.raises(
        InputError, match=r"resnets\.nets\.checkpoints\[0\] = w\.pt: .*expected \(8, 3, 7, 7\); .*`widths`"
    ):
        read("mapper", widths=[8, 6])


def test_scores_are_stated_where_images_have_no_labels() -> None:
    torch.save(weights("mapper", LAYOUTS[0]), "w.pt")
    with pytest.raises(InputError, match=r"checkpoints\[0\] = w\.pt: .*'linear.weight'.*`n_classes: 10`"):
        read("mapper", labels=False)
    assert read("mapper", labels=False, n_classes=10).n_classes == 10


def test_a_network_without_its_last_layer_has_no_class_scores() -> None:
    state = {f"backbone.{name}": t for name, t in weights("mapper", LAYOUTS[1]).items() if "linear" not in name}
    torch.save({**state, "projector.weight": torch.zeros(3, 8)}, "w.pt")
    network = network_of_file(read("mapper"), 3, 10, Path("w.pt"))
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 0)
    torch.save({name: t for name, t in weights("mapper", LAYOUTS[1]).items() if name != "linear.bias"}, "w.pt")
    with pytest.raises(InputError, match=r"no tensor 'linear\.bias'"):  # half a layer is a mistake
        read("mapper")


def test_of_two_networks_in_a_file_entry_names_one() -> None:
    both = {f"{part}.{name}": t + (part == "k") for part in "qk" for name, t in weights("ph", LAYOUTS[0]).items()}
    torch.save(both, "w.pt")
    with pytest.raises(InputError, match=r"w\.pt: holds 2 networks, k, q: state which by `entry`"):
        read("ph")
    network = network_of_file(read("ph", entry="k"), 3, 10, Path("w.pt"))
    assert torch.equal(network.conv1.weight, both["k.conv1.weight"])


def test_bottlenecks_are_sent_to_modules() -> None:
    state = weights("mapper", LAYOUTS[0])
    torch.save({**state, "layer1.0.conv3.weight": torch.zeros(16, 4, 1, 1)}, "w.pt")
    with pytest.raises(InputError, match=r"no tensor 'layer1\.0\.conv3\.weight'.*`modules`"):
        read("mapper")
