"""The commands of the activations paper, one after the other, on images small enough to check everything by hand."""

import copy
import json
import shutil

import numpy as np
import pytest
import torch
from job_runs import run_job

from cnn_topology.activations.cloud_file import read_cloud
from cnn_topology.activations.influence import influences, position_weights
from cnn_topology.activations.mask_file import read_masks
from cnn_topology.data.image_set import ImageSet, read_image_set, write_image_set
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.activation_parameters import (
    ActivationParameters,
    ExamplePixelParameters,
    ExtractionParameters,
    MaskParameters,
    ResNetParameters,
)
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.storage.manifest import content_digest, renewed, write_manifest
from cnn_topology.storage.tables import read_table
from cnn_topology.storage.tensors import read_metadata, read_tensors, write_tensors
from cnn_topology.tables.images import ExamplePixelRow, MaskRow, ModeRow
from cnn_topology.tables.training import ResnetAccuracyRow

SIDE = 16
MASKED = {"population": "nets", "n_images": 12, "split": "train"}
CONFIG = {
    "version": 2,
    "name": "small",
    "seed": 3,
    "images": {"things": {"kind": "npz", "path": "x.npz", "shape": [SIDE, SIDE, 3]}},
    "resnets": {
        "nets": {
            "images": "things",
            "variant": "mapper",
            "widths": [4, 6],
            "blocks": [1, 1],
            "normalization": "set",
            "recipe": {"epochs": 2, "batch_size": 10, "milestones": [1], "precision": "float32"},
        }
    },
    "activation_clouds": {
        "top": {"population": "nets", "n_images": 9, "tensor": "conv"},
        "full": {**MASKED, "sampling": "full", "max_points": 1000},
        "random": {**MASKED, "sampling": "random", "mode": "published"},
        "fg": {**MASKED, "sampling": "foreground", "top": 3},
        "fg_published": {**MASKED, "sampling": "foreground", "top": 3, "mode": "published"},
        "noisy": {**MASKED, "sampling": "full", "sigma": 2.0, "layers": ["layer2.0.bn2"]},
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images with an object, but for some that are blank; a trained network; masks; all clouds."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    images = rng.integers(100, 130, (24, SIDE, SIDE, 3)).astype(np.uint8)
    for place, image in enumerate(images):
        image[3:9, 4 : 8 + place % 4] = [230, 20, 20 + 200 * (place % 2)]
    images[::3] = 7
    labels = np.arange(24) % 2
    write_image_set(folder / "images", ImageSet("things", images, labels, images[::-1].copy(), 1 - labels, ("a", "b")))
    plan = Plan(parse_config(CONFIG))
    images = {"images": folder / "images"}
    assert train(plan, folder, folder, 0) == 0
    tables = {f"{name}_table": folder / f"{name}.parquet" for name in ("masks", "modes")}
    masks = {"masks": folder / "masks", **tables}
    assert run_job(MaskParameters.of(plan, "nets", "train", 12), images, masks) == 0
    for cloud in CONFIG["activation_clouds"]:
        layers = ActivationParameters.of(plan, cloud).layers
        paths, accuracy = [folder / cloud / layer for layer in layers], folder / cloud / "accuracy"
        assert draw(plan, folder, (cloud,), (0,), [folder / "w"], paths, [accuracy]) == 0
    pixels = {"example_pixels": folder / "examples"}
    assert run_job(ExamplePixelParameters.of(plan, "nets"), images, pixels) == 0
    return folder


def train(plan, folder, place, network, checkpoints=(), **others):
    """Train a network, or take its weights, with the images of a folder."""
    inputs = {"images": folder / "images", "checkpoint": checkpoints, "others": []}
    outputs = {"weights": place / f"w{network or ''}", "log_table": place / "log"}
    parameters = ResNetParameters.of(plan, "nets", network)
    return run_job(parameters, inputs, outputs, resume=str(place / "r"), **others)


def draw(plan, folder, names, networks, weights, clouds, accuracy):
    """Draw some clouds of some networks from the images of a folder, with its masks where clouds need them."""
    parameters = ExtractionParameters.of(plan, names, networks)
    masks = [folder / "masks"] if any(block.clouds.masked for block in parameters.clouds) else []
    inputs = {"images": folder / "images", "weights": weights, "masks": masks}
    return run_job(parameters, inputs, {"clouds": clouds, "accuracy": accuracy})


def tensor_of(folder, module, cloud, relu):
    """Return the whole output of a module for the images of a cloud, (images, positions, channels), and their ids."""
    tensors, metadata = read_tensors(folder / "w")
    plan = Plan(parse_config(CONFIG))
    network = make_resnet(plan.config.resnets["nets"], 3, 2, 0).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    ids = np.unique(cloud.ids)
    images = read_image_set(folder / "images")
    pixels = (images.test_images if cloud.origin.drawn.split == "test" else images.train_images)[ids]
    batch = (pixels / 255 - json.loads(metadata["mean"])) / json.loads(metadata["sd"])
    found = []
    network.get_submodule(module).register_forward_hook(lambda _m, _i, out: found.append(out))
    with torch.no_grad():
        network(torch.from_numpy(batch.transpose(0, 3, 1, 2).astype(np.float32)))
    whole = found[0].flatten(2).permute(0, 2, 1).numpy()
    return np.maximum(whole, 0) if relu else whole, ids


@pytest.mark.parametrize(
    ("name", "layer", "module", "relu"),
    [
        ("top", "layer1.0.bn2", "layer1.0.conv2", False),
        ("full", "layer2.0.bn1", "layer2.0.bn1", True),
        ("full", "layer2.0.bn2", "layer2.0.bn2", True),
        ("random", "layer2.0.bn2", "layer2.0.total", True),
        ("fg", "layer1.0.bn2", "layer1.0.bn2", False),
        ("fg_published", "layer1.0.bn2", "layer1.0.total", False),
    ],
)
def test_every_point_is_the_vector_that_its_ids_name(folder, name, layer, module, relu):
    cloud = read_cloud(folder / name / layer)
    whole, ids = tensor_of(folder, module, cloud, relu)
    expected = whole[np.searchsorted(ids, cloud.ids), cloud.positions]
    assert np.allclose(cloud.points, expected, atol=1e-4)
    labels = read_image_set(folder / "images")
    labels = labels.test_labels if cloud.origin.drawn.split == "test" else labels.train_labels
    assert cloud.labels.tolist() == labels[cloud.ids].tolist()


def test_origin_and_notes_say_where_a_cloud_comes_from(folder):
    cloud, notes = read_cloud(folder / "fg/bn1"), read_metadata(folder / "fg/bn1")
    origin, weights = cloud.origin, read_metadata(folder / "w")
    assert (origin.layer.name, origin.layer.depth, origin.tensor, origin.drawn.top) == ("bn1", 1, "bn", 3)
    assert (origin.layer.height, origin.layer.width, origin.layer.channels) == (SIDE, SIDE, 4)
    assert (origin.weights, str(origin.seed)) == (weights["sha256"], weights["network_seed"])
    assert notes["data"] == weights["data"] == read_metadata(folder / "images").get("data", "")
    assert len(notes["config"]) == 12


def test_full_clouds_hold_all_positions_or_as_many_as_asked_for(folder):
    assert len(read_cloud(folder / "full/bn1").points) == 1000
    small = read_cloud(folder / "full/layer2.0.bn2")
    assert len(small.points) == 12 * 64
    assert len(np.unique(small.ids * 64 + small.positions)) == 12 * 64


def test_blank_images_are_left_out_where_corrected_and_counted_in_both_modes(folder):
    corrected, published = (read_cloud(folder / f"{name}/bn1") for name in ("fg", "fg_published"))
    everyone = np.unique(published.ids)
    masks = read_masks(folder / "masks", "corrected", "foreground", everyone)
    empty = ~masks.any((1, 2))
    assert 0 < empty.sum() < 12
    assert corrected.origin.empty_masks == empty.sum()
    assert np.unique(corrected.ids).tolist() == everyone[~empty].tolist()
    assert len(published.ids) == 12 * 3
    assert (corrected.origin.images, published.origin.images) == (12, 12)
    table = read_table(folder / "masks.parquet", MaskRow.schema).to_pandas()
    assert table[table["mode"] == "corrected"]["empty_foreground"].sum() == empty.sum()


def test_foreground_positions_are_the_heaviest_of_their_image(folder):
    cloud = read_cloud(folder / "fg/layer2.0.bn1")
    section = Plan(parse_config(CONFIG)).config.resnets["nets"]
    ids = np.unique(read_cloud(folder / "fg_published/bn1").ids)
    masks = read_masks(folder / "masks", "corrected", "foreground", ids)
    weights = position_weights(influences(section, (SIDE, SIDE, 3), False)["layer2.0.bn1"], masks)
    for image in np.unique(cloud.ids):
        row = weights[np.searchsorted(ids, image)]
        taken = row[cloud.positions[cloud.ids == image]]
        assert np.sort(taken) == pytest.approx(np.sort(row)[-3:])


def test_modes_are_compared_layer_by_layer_against_chance(folder):
    modes = read_table(folder / "modes.parquet", ModeRow.schema).to_pandas()
    assert set(modes["layer"]) == {"bn1", "layer1.0.bn1", "layer1.0.bn2", "layer2.0.bn1", "layer2.0.bn2"}
    assert modes["agreement"].between(0, 1).all()
    assert (modes["chance"] == modes["top"] / np.where(modes["depth"] > 3, 64, 256)).all()


def test_accuracy_is_by_class_and_falls_with_noise_at_the_same_images(folder):
    clean, noisy = (
        read_table(folder / name / "accuracy", ResnetAccuracyRow.schema).to_pandas() for name in ("full", "noisy")
    )
    assert clean["class_name"].tolist() == ["all", "a", "b"]
    assert clean["examples"].tolist() == [12, 6, 6]
    assert clean["accuracy"][0] == pytest.approx(clean["accuracy"][1:].mean())
    assert (noisy["sigma"] == 2.0).all()
    whole = read_cloud(folder / "noisy/layer2.0.bn2")
    assert not np.allclose(whole.points, read_cloud(folder / "full/layer2.0.bn2").points)


def test_example_pixels_hold_images_noise_masks_and_weights(folder):
    table = read_table(folder / "examples", ExamplePixelRow.schema).to_pandas()
    images = table[(table["panel"] == "image") & (table["sigma"] == 0)]
    assert images.groupby("image").size().tolist() == [SIDE * SIDE] * 2
    source = read_image_set(folder / "images").train_images
    for image, rows in images.groupby("image"):
        assert np.array_equal(rows[["red", "green", "blue"]].to_numpy().reshape(SIDE, SIDE, 3), source[image])
    assert set(table[table["panel"] == "weight"]["layer"]) == {"bn1", "layer1.0.bn2", "layer2.0.bn2"}
    assert set(table[table["panel"] == "foreground"]["mode"]) == {"published", "corrected"}
    assert set(table["sigma"]) == {0.0, 2.0}
    assert table["value"].max() <= 1


def test_too_many_images_and_wrong_weights_are_refused_by_name(folder, capsys):
    config = json.loads(json.dumps(CONFIG))
    config["activation_clouds"]["top"]["n_images"] = 25
    files = [folder / "w"], [folder / f"x{i}" for i in range(5)], [folder / "x"]
    assert draw(Plan(parse_config(config)), folder, ("top",), (0,), *files) == 2
    assert "activation_clouds.top.n_images is 25, but the split has 24 images" in capsys.readouterr().err
    config["resnets"]["nets"]["widths"] = [4, 8]
    config["activation_clouds"]["top"]["n_images"] = 5
    assert draw(Plan(parse_config(config)), folder, ("top",), (0,), *files) == 2
    assert "'layer2.0.conv1.weight' has shape (6, 4, 3, 3), expected (8, 4, 3, 3)" in capsys.readouterr().err


@pytest.mark.parametrize("cloud", ["top", "fg", "noisy"])
def test_networks_that_share_a_job_leave_the_bytes_that_each_leaves_alone(folder, tmp_path, cloud):
    config = {**CONFIG, "resnets": {"nets": {**CONFIG["resnets"]["nets"], "networks": 2}}}
    plan = Plan(parse_config(config))
    assert train(plan, folder, tmp_path, 1) == 0
    weights = [folder / "w", tmp_path / "w1"]
    parameters = ActivationParameters.of(plan, cloud)

    def drawn(name, networks):
        paths = [tmp_path / name / f"{n}-{file}" for n in networks for file in (*parameters.layers, "accuracy")]
        files = ([p for p in paths if p.name.endswith("accuracy") == last] for last in (False, True))
        assert draw(plan, folder, (cloud,), networks, [weights[n] for n in networks], *files) == 0
        return {path.name: path.read_bytes() for path in paths}

    together = drawn("together", (0, 1))
    assert together == {**drawn("first", (0,)), **drawn("second", (1,))}
    layer = parameters.layers[-1]
    assert together[f"0-{layer}"] != together[f"1-{layer}"]


def test_clouds_that_share_a_job_leave_the_bytes_that_each_leaves_alone(folder, tmp_path):
    plan = Plan(parse_config(CONFIG))

    def drawn(name, clouds):
        blocks = [ActivationParameters.of(plan, cloud) for cloud in clouds]
        paths = [tmp_path / name / f"{block.cloud}-{layer}" for block in blocks for layer in block.layers]
        tables = [tmp_path / name / f"{cloud}-accuracy" for cloud in clouds]
        assert draw(plan, folder, clouds, (0,), [folder / "w"], paths, tables) == 0
        return {path.name: path.read_bytes() for path in (*paths, *tables)}

    alike = ("full", "random", "fg", "fg_published", "noisy")
    assert drawn("together", alike) == {k: v for cloud in alike for k, v in drawn(cloud, (cloud,)).items()}


def test_clouds_share_a_job_only_with_those_of_the_same_images_and_networks():
    config = {**CONFIG, "jobs": {"clouds_per_job": 3, "networks_per_job": 2}}
    config["resnets"] = {"nets": {**CONFIG["resnets"]["nets"], "networks": 3}}
    config["activation_clouds"] = {**CONFIG["activation_clouds"], "last": {**MASKED, "members": [2]}}
    blocks = list(Plan(parse_config(config)).extraction_blocks())
    for networks in ((0, 1), (2,)):
        of_these = [clouds for clouds, block in blocks if block == networks and clouds != ("last",)]
        assert of_these == [("top",), ("full", "random", "fg"), ("fg_published", "noisy")]
    assert (("last",), (2,)) in blocks
    assert len(blocks) == 7


def test_a_dead_network_is_named_among_those_of_its_job(folder, tmp_path, capsys):
    config = {**CONFIG, "resnets": {"nets": {**CONFIG["resnets"]["nets"], "networks": 2}}}
    plan = Plan(parse_config(config))
    tensors, metadata = read_tensors(folder / "w")
    dead = {name: np.zeros_like(array) for name, array in tensors.items()}
    write_tensors(tmp_path / "w1", dead, {k: v for k, v in metadata.items() if k != "sha256"})
    layers = ActivationParameters.of(plan, "top").layers
    paths = [tmp_path / f"{number}-{layer}" for number in (0, 1) for layer in layers]
    files = [folder / "w", tmp_path / "w1"], paths, [tmp_path / "a0", tmp_path / "a1"]
    assert draw(plan, folder, ("top",), (0, 1), *files) == 2
    assert "nets 1, cloud top: layer " in capsys.readouterr().err


def test_a_checkpoint_of_other_content_than_was_planned_is_refused(folder, tmp_path, capsys):
    checkpoint = tmp_path / "own.safetensors"
    shutil.copy(folder / "w", checkpoint)
    known = renewed({str(checkpoint): checkpoint}, {})
    write_manifest(tmp_path / "manifest.json", known)
    config = copy.deepcopy(CONFIG)
    config["resnets"]["nets"]["checkpoints"] = [str(checkpoint)]
    plan = Plan(parse_config(config))
    for digest, status in ((content_digest(known), 0), ("of-other-content", 2)):
        planned = [str(tmp_path / "manifest.json"), digest]
        assert train(plan, folder, tmp_path, 0, [checkpoint], planned=planned) == status
    assert f"{checkpoint}: changed after" in capsys.readouterr().err
