"""Networks that others trained in the plan: their layers from tables or headers, and every file that is refused."""

import json
import os
import pickle
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from torchvision.models import get_model

from cnn_topology.checks import SIDES
from cnn_topology.errors import InputError
from cnn_topology.plan.checkpoints import (
    FilesCheckpoint,
    checkpoint_layers,
    chosen_layers,
    layer_name,
    layer_names,
    torchvision_shapes,
)
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.storage.weight_files import array_shapes


def weights() -> dict[str, torch.Tensor]:
    """Return the convolutions of a small network, in the order of its layers, which is not that of their names."""
    torch.manual_seed(0)
    return {
        "features.0.weight": torch.randn(8, 3, 3, 3),
        "features.0.bias": torch.randn(8),
        "features.2.weight": torch.randn(6, 8, 3, 3),
        "stem/conv_W": torch.randn(4, 3, 13, 13),
        "features.10.weight": torch.randn(4, 6, 3, 3),
        "steps": torch.zeros(4, 4, 3, 3, dtype=torch.int64),
    }


def write(folder: Path, suffix: str, tensors: dict[str, torch.Tensor] | None = None) -> Path:
    path, tensors = folder / f"net{suffix}", tensors or weights()
    if suffix == ".npz":
        np.savez_compressed(path, **{name: tensor.numpy() for name, tensor in tensors.items()})
    elif suffix == ".safetensors":
        save_file(tensors, path)
    elif suffix == ".th":
        torch.save({"state_dict": tensors, "best": 0.5}, path, _use_new_zipfile_serialization=False)
    else:
        torch.save(tensors, path)
    return path


def config(path: Path, **cloud: object) -> dict:
    return {
        "version": 2,
        "name": "files",
        "checkpoints": {"mine": {"kind": "files", "files": [str(path)]}},
        "clouds": [{"layers": "all", "densities": [{"k": 3, "p": 0.5}], **cloud}],
    }


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".pt", ".pth", ".th"])
def test_layers_are_found_by_name_in_every_form_of_file(suffix: str, tmp_path: Path) -> None:
    clouds = Plan(parse_config(config(write(tmp_path, suffix)))).layer_clouds
    found = [(c.layer.name, c.layer.tensor, c.layer.depth, c.points) for c in clouds]
    assert found == [
        ("features-0", "features.0.weight", 1, 24),
        ("features-2", "features.2.weight", 2, 48),
        ("features-10", "features.10.weight", 3, 24),
    ]


@pytest.mark.parametrize("model", ["vgg16", "vgg19", "resnet18", "googlenet"])
def test_the_table_of_torchvision_models_is_theirs(model: str) -> None:
    options = {} if model.startswith("resnet") else {"init_weights": False}
    with torch.device("meta"):
        state = get_model(model, weights=None, **options).state_dict()
    convolutions = {name: tuple(t.shape) for name, t in state.items() if t.ndim == 4 and not name.startswith("aux")}
    assert list(torchvision_shapes(model).items()) == list(convolutions.items())


def test_kernels_of_torchvision_models_are_analysed_as_those_of_files_are() -> None:
    section = {"checkpoints": {"net": {"kind": "torchvision", "model": "resnet18"}}}
    layers = Plan(parse_config({"version": 2, "name": "net", **section})).layers("net")
    assert [layer.weight for layer in layers] == [
        layer.weight for layer in chosen_layers(torchvision_shapes("resnet18")).layers
    ]
    assert (layers[0].name, layers[0].depth, layers[0].side) == ("conv1", 1, 7)


def test_pages_and_docstrings_state_the_sides_that_are_analysed() -> None:
    stated = {}
    project = Path(__file__).parents[2]
    for path in [project / "README.md", *(project / "docs").rglob("*.md"), *(project / "src").rglob("*.py")]:
        for text in re.findall(r"kernels (?:of |\()(\d+)x\1 to (\d+)x\2", path.read_text(encoding="utf-8")):
            stated[path.name, *map(int, text)] = None
    assert len({name for name, *_ in stated}) > 4
    assert {(least, most) for _, least, most in stated} == {(SIDES[0], SIDES[-1])}


def test_points_of_vgg16_are_those_of_the_paper() -> None:
    section = {"checkpoints": {"vgg16": {"kind": "torchvision", "model": "vgg16"}}}
    clouds = [{"layers": "all", "densities": [{"k": 200, "p": 0.3}], "on_too_few": "skip"}]
    plan = Plan(parse_config({"version": 2, "name": "vgg", **section, "clouds": clouds}))
    points = {c.layer.name: c.points for c in plan.layer_clouds}
    assert points == {
        "conv1_2": 4_096, "conv2_1": 8_192, "conv2_2": 16_384, "conv3_1": 32_768, "conv3_2": 65_536, "conv3_3": 65_536,
        "conv4_1": 131_072, "conv4_2": 262_144, "conv4_3": 262_144, "conv5_1": 262_144, "conv5_2": 262_144,
        "conv5_3": 262_144,
    }  # fmt: skip
    assert plan.layer_clouds[0].layer.depth == 2
    assert plan.remarks == [
        "clouds[0].densities[0] for vgg16, conv1_1 is left out: k = 200 is not below its 192 filters"
    ]


def test_too_few_filters_are_refused_skipped_or_k_is_capped(tmp_path: Path) -> None:
    path = write(tmp_path, ".pt")
    densities = [{"k": 30, "p": 0.5}]
    with pytest.raises(InputError, match=r"mine, features-0: k = 30 .* must be below the number of points, 24"):
        Plan(parse_config(config(path, densities=densities)))
    skipped = Plan(parse_config(config(path, densities=densities, on_too_few="skip")))
    assert [c.layer.name for c in skipped.layer_clouds] == ["features-2"]
    capped = Plan(parse_config(config(path, densities=densities, on_too_few="cap")))
    assert [c.headline.neighbours(c.points) for c in capped.layer_clouds] == [2, 5, 2]
    assert {c.headline.k for c in capped.layer_clouds} == {0.1}, "a share: filters may be constant"
    assert any("features-2: k = 30 capped at 5, a tenth of its 48 filters" in line for line in capped.remarks)
    with pytest.raises(InputError, match="every layer was left out"):
        Plan(parse_config(config(path, densities=[{"k": 99, "p": 0.5}], on_too_few="skip")))


def test_other_kernels_are_told_when_all_layers_are_asked_for_and_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, ".npz")
    assert any("stem/conv_W" in line and "13x13" in line for line in Plan(parse_config(config(path))).remarks)
    for name in ("stem/conv_W", "stem-conv_W"):
        with pytest.raises(InputError, match="stem/conv_W: 13x13 kernels, and only square kernels of 3x3 to 11x11"):
            Plan(parse_config(config(path, layers=[name])))


def test_a_layer_goes_by_either_name_and_an_unknown_one_gets_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, ".pt")
    plan = Plan(parse_config(config(path, layers=["features.2.weight", "features-0", "features.10"])))
    assert [c.layer.name for c in plan.layer_clouds] == ["features-2", "features-0", "features-10"]
    with pytest.raises(InputError, match=r"'features-1'.*did you mean 'features\.10'"):
        Plan(parse_config(config(path, layers=["features-1"])))


def test_stated_layers_set_the_depth_and_must_be_there(tmp_path: Path) -> None:
    path = str(write(tmp_path, ".npz"))
    order = ("features.10.weight", "features.0.weight")
    layers = checkpoint_layers("mine", FilesCheckpoint(kind="files", files=(path,), layers=order)).layers
    assert [(layer.tensor, layer.depth) for layer in layers] == [(order[0], 1), (order[1], 2)]
    with pytest.raises(InputError, match=r"unknown layer: 'features.1.weight' \(did you mean"):
        checkpoint_layers("mine", FilesCheckpoint(kind="files", files=(path,), layers=("features.1.weight",)))
    with pytest.raises(InputError, match=r"13x13 kernels, .* the layers are features.0"):
        checkpoint_layers("mine", FilesCheckpoint(kind="files", files=(path,), layers=("stem/conv_W",)))


def test_several_networks_are_pooled_and_share_their_architecture(tmp_path: Path) -> None:
    paths = [write(tmp_path, ".pt"), write(tmp_path, ".npz")]
    settings = config(paths[0])
    settings["checkpoints"]["mine"]["files"] = list(map(str, paths))
    plan = Plan(parse_config(settings))
    assert [c.points for c in plan.layer_clouds] == [48, 96, 48]
    assert plan.networks("mine") == 2
    other = {**weights(), "features.2.weight": torch.randn(5, 8, 3, 3)}
    write(tmp_path, ".npz", other)
    with pytest.raises(InputError, match=r"features.2.weight has the shape \(5, 8, 3, 3\) in .*npz and \(6, 8, 3, 3\)"):
        Plan(parse_config(settings))
    del other["features.2.weight"]
    write(tmp_path, ".npz", other)
    with pytest.raises(InputError, match=r"net.npz has no weight 'features.2.weight', which .*net.pt has;"):
        Plan(parse_config(settings))
    write(tmp_path, ".npz", {**other, "feature.2.weight": torch.randn(6, 8, 3, 3)})
    with pytest.raises(
        InputError, match=r"'features.2.weight', which \S+pt has \(did you mean 'feature.2.weight'\?\);"
    ):
        Plan(parse_config(settings))


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("form", ["zip", "legacy", "bare", "hidden"])
def test_a_pickle_that_wants_to_run_code_is_refused_and_runs_nothing(form: str, tmp_path: Path) -> None:
    path, marker = tmp_path / "evil.pt", tmp_path / "ran"
    if form == "bare":
        path.write_bytes(pickle.dumps(Evil(marker)))
    elif form == "hidden":
        torch.save({**weights(), "extra": {"deep": [Evil(marker)]}}, path)
    else:
        torch.save(Evil(marker), path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(InputError, match=r"refused, and nothing of it was executed: .* holds (posix|os|nt).system"):
        Plan(parse_config(config(path)))
    assert not marker.exists()
    # It does run where it may.
    torch.load(path, weights_only=False) if form != "bare" else pickle.loads(path.read_bytes())
    assert marker.exists()


def test_a_whole_pickled_model_is_read_as_inert(tmp_path: Path) -> None:
    path, model = tmp_path / "model.pt", torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save(model, path)
    shapes = array_shapes(path)
    assert shapes == {name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if tensor.ndim}


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".pt"])
def test_a_file_cut_short_is_named(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path, suffix)
    whole = path.read_bytes()
    for part in (0, 5, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:part])
        with pytest.raises(
            InputError, match=rf"checkpoints.mine: .*net{suffix}: (cut short|empty|not one of the kinds)"
        ):
            Plan(parse_config(config(path)))


def test_files_that_are_no_weights_are_refused(tmp_path: Path) -> None:
    for name, content, message in (
        ("weights.h5", b"HDF", "not one of the kinds of files"),
        ("list.pt", None, "holds no arrays by name, but list"),
        ("numbers.pth", None, "holds no arrays by name"),
        ("text.npz", b"hello", "not one of the kinds of files"),
        ("header.safetensors", struct.pack("<Q", 10**12) + b"{}", "a header of 1000000000000 bytes"),
        ("header.safetensors", struct.pack("<Q", 7) + b"{1,2,3}", "no file of its kind"),
    ):
        path = tmp_path / name
        if content is None:
            torch.save([1] if name == "list.pt" else {"epoch": 3}, path)
        else:
            path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            array_shapes(path)
    with pytest.raises(InputError, match="no such file"):
        array_shapes(tmp_path / "absent.npz")


def test_without_square_kernels_it_says_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path, ".npz", {"a": torch.randn(4, 3, 1, 1), "b": torch.randn(4), "c": torch.randn(4, 3, 3, 1)})
    with pytest.raises(InputError, match=r"square kernels of 3x3 to 11x11 \(it has: 1x1, 3x1\)$"):
        Plan(parse_config(config(path)))


def test_the_entry_with_the_weights_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "ema.pt"
    ema = {"ema": {"net": weights()}, "optimizer": {"moment": torch.randn(8, 3, 3, 3)}}
    torch.save(ema, path)
    assert "features.0.weight" in array_shapes(path)  # an optimizer is no network
    torch.save({**ema, "generator": weights()}, path)
    with pytest.raises(InputError, match=r"under ema\.net and under generator: .*`entry`"):
        array_shapes(path)
    assert "features.0.weight" in array_shapes(path, "ema.net")
    assert "features.0.weight" in array_shapes(path, "ema")
    with pytest.raises(InputError, match=r"did you mean 'ema\.net'"):
        array_shapes(path, "ema.nett")


def test_names_of_checkpoints_and_populations_do_not_meet(tiny: dict) -> None:
    tiny["checkpoints"] = {"a": {"kind": "torchvision", "model": "vgg16"}}
    with pytest.raises(InputError, match=r"checkpoints.a: populations has networks of that name too"):
        parse_config(tiny)
    tiny["checkpoints"] = {"b": {"kind": "torchvision", "model": "vgg17"}}
    with pytest.raises(InputError, match=r"checkpoints.b.model"):
        parse_config(tiny)


def test_all_populations_includes_checkpoints(tiny: dict, tmp_path: Path) -> None:
    tiny["checkpoints"] = config(write(tmp_path, ".pt"))["checkpoints"]
    tiny["clouds"] = [{"layers": "all", "steps": "last", "densities": [{"k": 3, "p": 0.5}]}]
    plan = Plan(parse_config(tiny))
    assert list(dict.fromkeys(c.population for c in plan.layer_clouds)) == ["a", "mine"]
    assert "mine" not in {shard.population for shard in plan.shards}
    assert [c.pretrained for c in plan.layer_clouds] == [False, False, True, True, True]


def test_claims_of_the_papers_are_not_listed_for_files_of_which_nobody_claimed_anything(tmp_path: Path) -> None:
    settings = config(write(tmp_path, ".pt"))
    assert not Plan(parse_config(settings)).has_claims
    settings["checkpoints"]["vgg"] = {"kind": "torchvision", "model": "vgg16"}
    assert Plan(parse_config(settings)).has_claims


def test_names_of_layers_are_safe_in_paths() -> None:
    assert layer_name("layer1.0.conv2.weight") == "layer1-0-conv2"
    assert layer_name("inception3a.branch2.1.conv.weight") == "inception3a-branch2-1"
    assert layer_name("../../etc/passwd") == "etc-passwd"
    assert layer_name("conv2/3x3_reduce W") == "conv2-3x3_reduce-W"
    assert layer_name("///") == "layer"
    assert layer_name("module._orig_mod.model.stem.weight") == "stem"
    assert layer_name("layers/conv2d_1/vars/0") == "layers-conv2d_1"


def test_equal_short_names_are_told_apart() -> None:
    for tensors in (
        ["a.conv.weight", "a.weight", "module.a.weight"],
        ["卷积.weight", "層.weight", "слой.weight"],
        [f"{'deep.' * 60}{end}.weight" for end in ("one", "two")],
        [f"{start}{'.deep' * 60}.weight" for start in ("one", "two", "three")],
    ):
        names = layer_names(tensors)
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", name) for name in names)
    assert layer_names(["a.conv.weight", "b.weight"]) == ["a", "b"]
    assert layer_names(["a.conv.weight", "a.weight"]) == ["a-conv", "a"]


def test_files_may_be_one_path_a_pattern_or_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("b.pt", "a.pt", "[1].pt"):
        (tmp_path / name).touch()

    def files(given: object) -> tuple[str, ...]:
        return tuple(Path(file).name for file in FilesCheckpoint(kind="files", files=given).files)

    assert files("~/b.pt") == ("b.pt",)
    assert files(["~/?.pt"]) == ("a.pt", "b.pt")
    assert files(str(tmp_path / "[1].pt")) == ("[1].pt",)
    assert files(str(tmp_path / "none*.pt")) == ("none*.pt",)
    with pytest.raises(ValidationError):
        files("")


def test_layers_are_chosen_and_left_out_by_patterns(tmp_path: Path) -> None:
    path = str(write(tmp_path, ".pt", {f"module.{name}": tensor for name, tensor in weights().items()}))

    def chosen(**keys: object) -> list[str]:
        return [
            layer.name for layer in checkpoint_layers("mine", FilesCheckpoint(kind="files", files=path, **keys)).layers
        ]

    assert chosen() == ["features-0", "features-2", "features-10"]
    assert chosen(layers="features.1*") == ["features-10"]
    assert chosen(layers=["module.features.2*", "features-0"]) == ["features-2", "features-0"]
    assert chosen(exclude="*2") == ["features-0", "features-10"]
    for keys in ({"exclude": "*"}, {"exclude": "layer*"}, {"layers": "stem*"}):
        with pytest.raises(InputError, match=path):
            chosen(**keys)


def test_reading_headers_needs_no_large_library(tmp_path: Path) -> None:
    path = write(tmp_path, ".pt")
    code = (
        "import json, sys\nfrom cnn_topology.plan.config import parse_config\n"
        "from cnn_topology.plan.expand import Plan\n"
        f"Plan(parse_config(json.loads({json.dumps(json.dumps(config(path)))})))\n"
        "print([m for m in ('torch', 'pandas', 'safetensors', 'scipy', 'h5py', 'onnx') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
