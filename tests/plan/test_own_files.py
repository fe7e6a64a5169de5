"""Images and weights of a user's own that are not there are named before anything runs."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from cnn_topology.cli import main
from cnn_topology.errors import InputError
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.files import COMPARED_FIRST, COUNTER, check_files, tensor_shapes
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.resnets import MapperResNets, PHResNets

NETS = {"variant": "ph", "images": "own", "widths": [4], "blocks": [1], "stem": "cifar", "shortcut": "pad"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, as a run does."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(path: str = "own.npz", kind: str = "npz", checkpoints: tuple[str, ...] = ()) -> dict:
    return {
        "version": 2,
        "name": "own",
        "images": {"own": {"kind": kind, "path": path, "shape": [8, 8, 3]}},
        "resnets": {"nets": {**NETS, "checkpoints": list(checkpoints)}},
        "activation_clouds": {"top": {"population": "nets", "layers": "all"}},
    }


def save(path: Path, **other: tuple[int, ...]) -> None:
    """Write the weights of `NETS`, some tensors of another shape."""
    network = make_resnet(PHResNets(**NETS), 3, 10, 0).state_dict()
    shapes = {**{name: tuple(tensor.shape) for name, tensor in network.items()}, **other}
    np.savez(path, **{name: np.zeros(shape, np.float32) for name, shape in shapes.items()})


def check(content: dict) -> None:
    check_files(parse_config(content), RunFolder("own"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (config(), r"images\.own\.path = own\.npz: no such file in .*, where relative paths begin: correct the path"),
        (config("pictures", "folder"), r"images\.own\.path = pictures: no such folder"),
        (config("/nowhere/own.npz"), r"images\.own\.path = /nowhere/own\.npz: no such file: correct"),
        (config(checkpoints=("a.pt", "b.pt")), r"no such file in .* \(2 more of this config are missing too\): "),
    ],
)
def test_what_is_missing_is_named_by_its_key_with_the_way_out(here: Path, content: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check(content)


def test_a_missing_checkpoint_is_named_by_its_place_in_the_list(here: Path) -> None:
    (here / "own.npz").touch()
    save(here / "a.npz")
    check(config(checkpoints=("a.npz",)))
    with pytest.raises(InputError, match=r"resnets\.nets\.checkpoints\[1\] = b\.pt: no such file.*leave `checkpoints`"):
        check(config(checkpoints=("a.npz", "b.pt")))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {"conv1.weight": (4, 3, 7, 7)},
            r"'conv1.weight' has shape \(4, 3, 7, 7\), expected \(4, 3, 3, 3\); .*`stem: imag",
        ),
        ({"linear.weight": (9, 5)}, r"'linear.weight' has shape \(9, 5\), expected \(any, 4\); .*`n_classes: 9`"),
        ({"extra.weight": (2,)}, "the network has no tensor 'extra.weight'"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_their_header(here: Path, other: dict, words: str) -> None:
    (here / "own.npz").touch()
    save(here / "a.npz", **other)
    with pytest.raises(InputError, match=r"resnets\.nets\.checkpoints\[0\] = a\.npz: does not fit .*" + words):
        check(config(checkpoints=("a.npz",)))


def test_a_copy_or_a_link_is_no_second_network(here: Path) -> None:
    (here / "own.npz").touch()
    save(here / "a.npz")
    whole = (here / "a.npz").read_bytes()
    for name, other in (("a.npz", b"a"), ("b.npz", b"b"), ("c.npz", b"a")):  # a zip may begin with anything
        (here / name).write_bytes(bytes(COMPARED_FIRST) + other + whole)
    (here / "d.npz").symlink_to("b.npz")
    check(config(checkpoints=("a.npz", "b.npz")))
    for third, twin in (("c.npz", "a.npz"), ("d.npz", "b.npz")):
        with pytest.raises(InputError, match=rf"resnets\.nets\.checkpoints: {twin} and {third} are the same, .* once"):
            check(config(checkpoints=("a.npz", "b.npz", third)))


def test_classes_that_the_config_states_are_those_of_the_scores(here: Path) -> None:
    (here / "own.npz").touch()
    save(here / "a.npz")  # with 10 scores
    content = config(checkpoints=("a.npz",))
    content["images"]["own"]["classes"] = ["oak", "ash"]
    with pytest.raises(InputError, match=r"'linear.weight' has shape \(10, 4\), expected \(2, 4\)"):
        check(content)
    content["resnets"]["nets"]["n_classes"] = 10
    check(content)


@pytest.mark.parametrize("variant", ["ph", "mapper"])
@pytest.mark.parametrize("shortcut", ["pad", "projection"])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_expected_tensors_are_those_of_the_network(variant: str, shortcut: str, stem: str) -> None:
    kind = {"ph": PHResNets, "mapper": MapperResNets}[variant]
    section = kind(images="x", variant=variant, widths=(4, 6, 6), blocks=(2, 1, 2), shortcut=shortcut, stem=stem)
    state = make_resnet(section, 3, 7, 0).state_dict()
    there = {name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(COUNTER)}
    assert list(tensor_shapes(section, 3, 7).items()) == list(there.items())


def test_a_file_is_no_folder_and_a_folder_no_file(here: Path) -> None:
    (here / "file").touch()
    (here / "folder").mkdir()
    with pytest.raises(InputError, match="file: no such folder"):
        check(config("file", "folder"))
    with pytest.raises(InputError, match="folder: no such file"):
        check(config("folder"))


def test_images_of_other_classes_to_test_on_are_refused_with_the_key_that_names_them(here: Path) -> None:
    for name in ("oak", "ash", ".hidden"):
        (here / "leaves/train" / name).mkdir(parents=True)
    (here / "spectra.npz").touch()
    content = {
        "version": 2,
        "name": "own",
        "images": {
            "leaves": {"kind": "folder", "path": "leaves", "shape": [8, 8, 1]},
            "spectra": {"kind": "npz", "path": "spectra.npz", "shape": [8, 8, 1], "classes": ["a", "b"]},
        },
        "populations": {"p": {"images": "spectra", "cross_test": ["leaves"]}},
    }
    words = r"populations\.p\.cross_test: leaves has the classes ash, oak, the networks .* a, b of spectra; .*`classes`"
    with pytest.raises(InputError, match=words):
        check(content)
    content["populations"]["p"] = {"images": "leaves", "cross_test": ["spectra"]}
    with pytest.raises(InputError, match=r"spectra has the classes a, b.* ash, oak of leaves"):
        check(content)
    for classes in (["ash", "oak"], None):  # of an .npz without names only its labels can tell
        content["images"]["spectra"]["classes"] = classes
        check(content)


@pytest.mark.parametrize("names", [("val/oak",), ("train/oak", "Train/oak")])
def test_a_folder_of_images_that_cannot_be_read_is_named_as_such_beside_weights_too(here: Path, names) -> None:
    for name in names:
        (here / "leaves" / name).mkdir(parents=True)
    save(here / "a.npz")
    with pytest.raises(InputError, match=r"^images\.own\.path = leaves: "):
        check(config("leaves", "folder", checkpoints=("a.npz",)))


def test_images_that_the_run_holds_already_are_not_looked_for(here: Path) -> None:
    prepared = Path(RunFolder("own").images("own"))
    prepared.parent.mkdir(parents=True)
    prepared.touch()
    check(config())


def test_plan_says_it_before_a_run_starts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "own.yaml").write_text(yaml.safe_dump(config(checkpoints=("a.pt",))))
    assert main(["plan", "--configfile", "own.yaml"]) == 2
    said = capsys.readouterr().err
    assert f"cnn-topology plan: {here}/own.yaml: line " in said
    assert "images.own.path = own.npz: no such file" in said
    (here / "own.npz").touch()
    assert main(["plan", "--configfile", "own.yaml"]) == 2
    assert "resnets.nets.checkpoints[0] = a.pt: no such file" in capsys.readouterr().err
