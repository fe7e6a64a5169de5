"""Several files of one network or of several, and several networks or other things in one file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from two_convolutions import DEEP, STEM, layers, npz, saved, tensors

from cnn_topology.errors import InputError
from cnn_topology.networks.checkpoints import read_checkpoint
from cnn_topology.networks.weights import read_weights
from cnn_topology.plan.checkpoints import FilesCheckpoint, checkpoint_layers
from cnn_topology.storage.weight_files import files_of


@pytest.mark.parametrize("first", [0, 1])
def test_files_of_different_depth_are_refused_in_either_order(first: int, tmp_path: Path) -> None:
    deeper = {**tensors(1), "conv3.weight": torch.ones(4, 6, 3, 3)}
    pair = [saved(tmp_path / "a.pt", tensors()), saved(tmp_path / "b.pt", deeper)]
    with pytest.raises(InputError, match=r"a.pt has no weight 'conv3.weight', which .*b.pt has.*`layers`"):
        layers(pair[first], pair[1 - first])
    assert layers(pair[first], pair[1 - first], layers=(STEM,)) == [STEM]
    pointwise = {**tensors(1), "conv3.weight": torch.ones(4, 6, 1, 1)}
    with pytest.raises(InputError, match=r"a.pt has no weight 'conv3.weight'"):
        layers(pair[0], saved(tmp_path / "c.pt", pointwise))


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_a_network_in_several_files_is_read_by_their_index(suffix: str, tmp_path: Path) -> None:
    parts = {STEM: tmp_path / f"model-00001-of-00002{suffix}", DEEP: tmp_path / f"model-00002-of-00002{suffix}"}
    for name, part in parts.items():
        content = {name: tensors()[name]}
        save_file(content, part, metadata={"format": "pt"}) if suffix == ".safetensors" else saved(part, content)
    for part in parts.values():
        with pytest.raises(InputError, match=rf"{part.name}: one of the 2 files of a network"):
            layers(part)
    with pytest.raises(InputError, match="one of the 2 files"):
        read_checkpoint(parts[DEEP])
    index = tmp_path / f"model{suffix}.index.json"
    index.write_text(json.dumps({"weight_map": {name: part.name for name, part in parts.items()}}))
    with pytest.raises(InputError, match=rf"{parts[STEM].name}: .* their index instead, .*index.json"):
        layers(parts[STEM])
    assert layers(index) == [STEM, DEEP]
    for name, weight in read_weights(index, {STEM: (8, 3, 3, 3), DEEP: (6, 8, 3, 3)}).items():
        np.testing.assert_array_equal(weight, tensors()[name].numpy())
    # A change of a part counts as one of the network's.
    assert FilesCheckpoint(kind="files", files=str(index)).parts == (str(index), *map(str, parts.values()))
    for name in ("../model-00001-of-00002", "/etc/passwd"):
        index.write_text(json.dumps({"weight_map": {STEM: name}}))
        with pytest.raises(InputError, match="beside their index"):
            layers(index)
    index.write_text(json.dumps({"weight_map": {"other.weight": parts[STEM].name}}))
    with pytest.raises(InputError, match=r"lacks other\.weight"):
        layers(index)
    for text in ("{", "{}", json.dumps({"weight_map": [DEEP]})):
        index.write_text(text)
        with pytest.raises(InputError, match=r"index\.json"):
            layers(index)


def index_of(path: Path, **parts: str) -> Path:
    path.write_text(json.dumps({"weight_map": parts}))
    return path


def test_an_index_that_names_an_index_is_refused(tmp_path: Path) -> None:
    index = index_of(tmp_path / "net.index.json", conv="net.index.json")
    with pytest.raises(InputError, match=r"net\.index\.json: names net\.index\.json, which is an index too"):
        layers(index)
    # Twice as many files are read at each further level: these few would take hours.
    for level in range(60):
        names = [index_of(tmp_path / f"{level}{side}", a=f"{level + 1}a", b=f"{level + 1}b") for side in "ab"]
    assert files_of(names[0]) == [names[0], tmp_path / "60a", tmp_path / "60b"]
    with pytest.raises(InputError, match=r"names 1a, which is an index too"):
        layers(tmp_path / "0a")


@pytest.mark.parametrize("first", ["said", "unsaid"])
def test_the_order_of_axes_is_that_of_the_file_of_an_index_that_says_it(first: str, tmp_path: Path) -> None:
    shape = (64, 3, 3, 3)  # fits two orders
    for name, notes in {"said": {"format": "pt"}, "unsaid": None}.items():
        save_file({name: torch.ones(shape)}, tmp_path / f"{name}.safetensors", metadata=notes)
    parts = {name: f"{name}.safetensors" for name in sorted(("said", "unsaid"), key=lambda name: name != first)}
    assert layers(index_of(tmp_path / "net.index.json", **parts)) == [*parts]
    with pytest.raises(InputError, match="`layout`"):
        layers(index_of(tmp_path / "net.index.json", unsaid=parts["unsaid"]))


def test_a_header_whose_length_begins_as_a_text_does_is_no_index(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file({STEM: torch.ones(8, 5, 3, 3)}, path, metadata={"format": "pt"})
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    longer = (0x7B20).to_bytes(8, "little")  # a blank, a brace and zeros
    path.write_bytes(longer + content[8 : 8 + size].ljust(0x7B20) + content[8 + size :])
    assert files_of(path) == [path]
    assert layers(path) == [STEM]


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ({"model": tensors(), "ema": tensors(1)}, "under model and under ema"),
        ({"state_dict": tensors(), "state_dict_ema": tensors(1)}, "under state_dict and under state_dict_ema"),
        ({"model": tensors(), "ema": {"decay": 0.9, "shadow": tensors(1)}}, "under model and under ema.shadow"),
        ({"net": tensors(), "history": [tensors(1), tensors(2)]}, "under net and under history.0 and under history.1"),
        ({**tensors(), "best": tensors(1)}, "under its top and under best"),
        ({"optimal": tensors(), "last": tensors(1)}, "under optimal and under last"),
        ({"folds": {0: tensors(), 1: tensors(1)}}, "under folds.0 and under folds.1"),
    ],
)
def test_of_several_networks_in_a_file_one_must_be_named(content: dict, places: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", content)
    for reader in (layers, read_checkpoint):
        with pytest.raises(InputError, match=rf"net.pt: holds kernels {places}: .*`entry`"):
            reader(path)
    entry = places.split("under ")[-1]
    network = content
    for key in entry.split("."):
        network = network[int(key) if key.isdecimal() else key]
    assert layers(path, entry=entry) == [STEM, DEEP]
    used = read_weights(path, {DEEP: (6, 8, 3, 3)}, entry)[DEEP]
    np.testing.assert_array_equal(used, network[DEEP].numpy())


@pytest.mark.parametrize(
    "more",
    [
        {"optimizer": {"state": {0: {"exp_avg": torch.ones(8, 3, 3, 3)}}, "param_groups": [{"lr": 0.1}]}},
        {"epoch": torch.tensor(3), "accuracy": torch.tensor(0.9)},
        {"mean": torch.ones(3), "metrics": {"loss": torch.tensor(0.1)}},
        {"opt": {"state": [{"grad_avg": torch.ones(8, 3, 3, 3)}], "hypers": [{"lr": 0.1}]}},  # fastai
        {"moments": {"state": {STEM: {"exp_avg": torch.ones(8, 3, 3, 3)}}, "param_groups": [{"lr": 0.1}]}},  # FSDP
        {"ema": {"decay": 0.9, "shadow_params": [torch.ones(8, 3, 3, 3)]}},
    ],
)
def test_what_training_leaves_beside_the_weights_is_passed_over(more: dict, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", {**more, "model": tensors()})
    assert layers(path) == [STEM, DEEP]
    np.testing.assert_array_equal(read_weights(path, {DEEP: (6, 8, 3, 3)})[DEEP], tensors()[DEEP].numpy())


def test_kernels_of_other_numbers_are_not_left_out_unsaid(tmp_path: Path) -> None:
    quantized = {STEM: tensors()[STEM], DEEP: tensors()[DEEP].to(torch.int8)}
    save_file(quantized, tmp_path / "net.safetensors", metadata={"format": "pt"})
    np.savez(tmp_path / "net.npz", a=np.ones((8, 4, 3, 3)), b=np.ones((8, 4, 3, 3), np.float16).view("V2"))
    complex_ = saved(tmp_path / "net.pt", {**tensors(), "conv3.weight": torch.ones(4, 6, 3, 3, dtype=torch.complex64)})
    for path, words in (
        (tmp_path / "net.safetensors", "conv2.weight holds numbers of the type i1"),
        (tmp_path / "net.npz", "b holds numbers of the type V2"),
        (complex_, "conv3.weight holds numbers of the type Complex"),
    ):
        with pytest.raises(InputError, match=words):
            layers(path)


def test_three_dimensional_kernels_are_listed_among_those_left_out(tmp_path: Path) -> None:
    state = {**tensors(), "video.weight": torch.ones(4, 3, 3, 3, 3), "flat.weight": torch.ones(4, 3, 1, 3, 3)}
    path = saved(tmp_path / "net.pt", state)
    there = checkpoint_layers("mine", FilesCheckpoint(kind="files", files=(str(path),)))
    assert list(there.others) == ["video.weight"]
    assert "3x3x3" in there.others["video.weight"]
    # The spatial half of a convolution in space and time.
    assert (there.layers[-1].tensor, there.layers[-1].weight) == ("flat.weight", (4, 3, 3, 3))
    with pytest.raises(InputError, match=r"net\.npz: .*it has: 3x3x3"):
        layers(npz(tmp_path / "net.npz", a=(8, 3, 3, 3, 3)))
