"""A network of a user's own through the commands of the activations half: a layout of VGG, with layers by name."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from job_runs import run_job

from cnn_topology.activations.cloud_file import read_cloud
from cnn_topology.data.image_set import ImageSet, read_image_set, write_image_set
from cnn_topology.errors import InputError
from cnn_topology.networks.modules import make_module
from cnn_topology.networks.recorded import network_of
from cnn_topology.plan.activation_graphs import ActivationMapperParameters, GraphPlan
from cnn_topology.plan.activation_parameters import (
    ActivationParameters,
    ExamplePixelParameters,
    ExtractionParameters,
    LayerDistanceParameters,
    ResNetParameters,
)
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.images import UNLABELLED
from cnn_topology.plan.layer_comparisons import comparisons
from cnn_topology.runs.recorded import with_recorded
from cnn_topology.storage.tables import read_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.registry import GRAPH_ROWS

CODE = """
from torch import nn
from torchvision.models.vgg import make_layers


class Net(nn.Module):
    def __init__(self, widths, classes):
        super().__init__()
        self.features = make_layers(widths, batch_norm=True)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(8 * 8 * 8, 12), nn.ReLU(), nn.Linear(12, classes))

    def forward(self, x):
        return self.classifier(self.features(x))
"""
LAYERS = ["features.0", "features.2", "features.4", "classifier.1"]
CONFIG = {
    "version": 2,
    "name": "own",
    "images": {"things": {"kind": "npz", "path": "x.npz", "shape": [16, 16, 3]}},
    "modules": {
        "vgg": {
            "images": "things",
            "module": "vgg_of_a_user:Net",
            "arguments": {"widths": [6, "M", 8], "classes": 2},
            "layers": LAYERS,
            "normalization": {"mean": [0.5] * 3, "sd": [0.25] * 3},
            "checkpoints": ["a.pt", "b.pt"],
        }
    },
    "activation_clouds": {
        "top": {"population": "vgg", "n_images": 20, "split": "train"},
        "all": {"population": "vgg", "n_images": 20, "split": "train", "sampling": "full", "tensor": "relu"},
        "random": {"population": "vgg", "n_images": 20, "split": "train", "sampling": "random", "members": [0]},
    },
    "activation_mapper": {"graphs": {"clouds": ["random"], "intervals": 3, "label_shuffles": 19, "eps": 1.0}},
    "layer_distances": {"clouds": ["top"], "measures": ["linear_cka"]},
}
# Whether a tensor is changed in place after it was recorded: the ReLU of make_layers works so.
RELU = {"features.0": False, "features.2": True, "features.4": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images, two networks with weights of their own, and all clouds of both."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "vgg_of_a_user.py").write_text(CODE)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (30, 16, 16, 3)).astype(np.uint8)
    images[1::2, :, 8:] //= 4
    labels = np.arange(30) % 2
    write_image_set(folder / "images", ImageSet("things", images, labels, images[:10], labels[:10], ("a", "b")))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        section = parse_config({**CONFIG, "activation_clouds": {}, "activation_mapper": {}}).modules["vgg"]
        plain = section.model_copy(update={"checkpoints": ()})
        for seed, name in enumerate("ab"):
            network = make_module(plain, seed)
            network(torch.zeros(1, 3, 16, 16))
            torch.save({f"module.{key}": tensor for key, tensor in network.state_dict().items()}, f"{name}.pt")
        plan = Plan(with_recorded(parse_config(CONFIG)))
        for number, name in enumerate("ab"):
            inputs = {"images": folder / "images", "checkpoint": [Path(f"{name}.pt")], "others": []}
            outputs = {"weights": folder / f"w{number}", "log_table": folder / f"log{number}"}
            assert run_job(ResNetParameters.of(plan, "vgg", number), inputs, outputs, resume=str(folder / "r")) == 0
        for cloud in CONFIG["activation_clouds"]:
            networks = plan.activation_networks(cloud)
            parameters = ExtractionParameters.of(plan, (cloud,), networks)
            inputs = {"images": folder / "images", "weights": [folder / f"w{n}" for n in networks], "masks": []}
            paths = [folder / f"{cloud}-{n}-{layer}" for n in networks for layer in LAYERS]
            accuracy = [folder / f"{cloud}-{n}-accuracy" for n in networks]
            assert run_job(parameters, inputs, {"clouds": paths, "accuracy": accuracy}) == 0
    return folder, plan


def outputs(folder, ids):
    """Return the output of each layer of the first network for some images, by the network's own forward pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        section = parse_config({**CONFIG, "activation_clouds": {}, "activation_mapper": {}}).modules["vgg"]
        network = make_module(section, 0)
    made = {}
    for name in LAYERS:
        network.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: made.update({name: out.clone()})
        )
    pixels = read_image_set(folder / "images").train_images[ids]
    with torch.no_grad():
        network(torch.from_numpy(((pixels / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2).astype(np.float32)))
    return {name: out if out.ndim == 4 else out[:, :, None, None] for name, out in made.items()}


@pytest.mark.parametrize("layer", LAYERS)
def test_clouds_are_the_outputs_of_the_layers(folder, layer):
    folder, _ = folder
    whole, top = (read_cloud(folder / f"{cloud}-0-{layer}") for cloud in ("all", "top"))
    out = outputs(folder, np.unique(whole.ids))[layer]
    vectors = out.flatten(2).permute(0, 2, 1).numpy()
    order = np.lexsort((whole.positions, whole.ids))
    expected = np.maximum(vectors, 0).reshape(-1, vectors.shape[2])
    np.testing.assert_allclose(whole.points[order], expected, atol=1e-5)
    assert (whole.origin.tensor, top.origin.tensor) == ("relu", "output")
    longest = np.linalg.norm(vectors, axis=2).argmax(1)
    order = np.argsort(top.ids)
    np.testing.assert_array_equal(top.positions[order], longest)
    np.testing.assert_allclose(top.points[order], vectors[np.arange(20), longest], atol=1e-5)


def test_the_accuracy_is_that_of_the_scores(folder):
    folder, _ = folder
    rows = read_table(folder / "log0").to_pylist()
    images = read_image_set(folder / "images")
    accuracy = read_table(folder / "top-0-accuracy").to_pandas().set_index("class_name")["accuracy"]
    assert (rows[0]["seed"], rows[0]["train_examples"]) == (-1, 0)
    assert 0 <= rows[0]["test_accuracy"] <= 1
    assert 0 <= accuracy["all"] <= 1
    assert len(images.test_labels) == rows[0]["test_examples"]


def test_the_other_half_takes_these_clouds(folder):
    folder, plan = folder
    compared = comparisons(plan)["top"]
    assert [layer.name for layer in compared.layers] == LAYERS
    (pairs,) = compared.blocks(4)
    clouds = [folder / f"top-{n}-{layer}" for n in (0, 1) for layer in LAYERS]
    inputs = {"clouds": clouds, "barcodes": []}
    parameters = LayerDistanceParameters.of(plan, compared, pairs)
    assert run_job(parameters, inputs, {"network_pairs": folder / "pairs"}, threads=1) == 0
    for row in read_table(folder / "pairs").to_pylist():
        values = np.reshape(row["values"], (4, 4))
        assert (np.abs(np.diag(values) - 1) < 1e-6).all() == (row["network_a"] == row["network_b"])
    (job,) = GraphPlan(plan).jobs.values()
    tables = {row.table_name: folder / f"graph-{row.table_name}" for row in GRAPH_ROWS}
    inputs = {"clouds": [folder / f"random-0-{layer}" for layer in LAYERS], "clean": []}
    assert run_job(ActivationMapperParameters.of(plan, job), inputs, tables) == 0
    assert set(read_table(tables["purity"]).to_pandas()["layer"]) == set(LAYERS)
    pixels = {"example_pixels": folder / "examples"}
    assert run_job(ExamplePixelParameters.of(plan, "vgg"), {"images": folder / "images"}, pixels) == 0


def test_jobs_run_again_when_the_code_or_the_layers_change(folder):
    _, plan = folder
    section = plan.config.modules["vgg"]
    assert section.recorded.code == ("vgg_of_a_user.py",)
    assert ActivationParameters.of(plan, "top").layout.recorded == section.recorded


@pytest.mark.parametrize(
    ("cloud", "words"),
    [
        ({"tensor": "conv"}, r"activation_clouds\.top\.tensor is conv, but layers of `modules` have `output`"),
        ({"mode": "published"}, r"activation_clouds\.top: mode: published"),
        ({"sampling": "foreground"}, r"activation_clouds\.top: sampling foreground"),
        ({"layers": ["features.1"]}, r"unknown layer of vgg in activation_clouds\.top\.layers: 'features\.1'"),
    ],
)
def test_what_only_residual_networks_have_is_refused(folder, monkeypatch, cloud, words):
    folder, _ = folder
    monkeypatch.chdir(folder)
    clouds = {"top": {"population": "vgg", "n_images": 20, "split": "train", **cloud}}
    with pytest.raises(InputError, match=words):
        with_recorded(
            parse_config({**CONFIG, "activation_clouds": clouds, "activation_mapper": {}, "layer_distances": None})
        )


# What works in plain memory order alone, tensors without axes or with five, and an import when it runs.
VIEWS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 3, 3)
        self.last = nn.Linear(3 * 10 * 8, 1)
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("shift", torch.tensor(0.5))
        self.volume = nn.Parameter(torch.ones(1, 1, 1, 1, 1))

    def forward(self, x):
        import helper_of_a_user

        out = self.first(x * helper_of_a_user.SIGN)
        return self.last(out.view(len(out), -1)) * self.scale + self.shift + self.volume.view(1)
"""


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    """Gray images without labels, and a network for them whose code is edited after its clouds are drawn."""
    folder = tmp_path_factory.mktemp("views")
    (folder / "views_of_a_user.py").write_text(VIEWS)
    (folder / "helper_of_a_user.py").write_text("SIGN = -1\n")
    images = np.random.default_rng(0).integers(0, 255, (20, 12, 10, 1)).astype(np.uint8)
    labels = np.zeros(20, np.int64)
    write_image_set(folder / "images", ImageSet("things", images, labels, images, labels, UNLABELLED))
    things = {"kind": "npz", "path": "x.npz", "shape": [12, 10, 1], "labels": False}
    section = {"images": "things", "module": "views_of_a_user:Net", "normalization": "set", "layers": ["first", "last"]}
    clouds = {"noisy": {"population": "net", "n_images": 9, "sigma": 0.1}}
    config = {"version": 2, "name": "own", "images": {"things": things}, "modules": {"net": section}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        plan = Plan(with_recorded(parse_config({**config, "activation_clouds": clouds})))
        for weights in ("first", "again", "edited"):
            if weights == "edited":
                (folder / "views_of_a_user.py").write_text(VIEWS.replace("+ self.shift", "- self.shift"))
            patch.delitem(sys.modules, "helper_of_a_user")  # a job is a process of its own
            inputs = {"images": folder / "images", "checkpoint": [], "others": []}
            outputs = {"weights": folder / weights, "log_table": folder / f"{weights}-log"}
            assert run_job(ResNetParameters.of(plan, "net", 0), inputs, outputs, resume=str(folder / "r")) == 0
        patch.delitem(sys.modules, "helper_of_a_user")
        inputs = {"images": folder / "images", "weights": [folder / "first"], "masks": []}
        outputs = {"clouds": [folder / "conv", folder / "linear"], "accuracy": [folder / "accuracy"]}
        assert run_job(ExtractionParameters.of(plan, ("noisy",), (0,)), inputs, outputs) == 0
    return folder, plan


def test_a_module_runs_in_its_jobs_as_it_does_at_the_start(views):
    folder, plan = views
    assert plan.config.modules["net"].recorded.code == ("helper_of_a_user.py", "views_of_a_user.py")
    assert read_cloud(folder / "conv").points.shape == (9, 3)
    assert read_cloud(folder / "linear").points.shape == (9, 1)


def test_one_output_is_no_accuracy_of_images_without_labels(views):
    folder, _ = views
    assert np.isnan(read_table(folder / "first-log").to_pylist()[0]["test_accuracy"])
    assert np.isnan(read_table(folder / "accuracy").to_pandas()["accuracy"]).all()


def test_weights_have_other_bytes_after_an_edit_of_the_code_and_no_others(views):
    folder, _ = views
    first, again, edited = ((folder / name).read_bytes() for name in ("first", "again", "edited"))
    assert first == again
    assert first != edited
    assert read_metadata(folder / "first")["config"] != read_metadata(folder / "edited")["config"]


def test_weights_that_do_not_fit_a_module_name_its_keys(views, monkeypatch):
    folder, plan = views
    monkeypatch.chdir(folder)
    tensors = {"first.weight": np.ones((3, 1, 3, 3), np.float32)}
    with pytest.raises(InputError, match=r"no tensor .*`arguments`"):
        network_of(plan.config.modules["net"], tensors, 1, 1, folder / "w")
