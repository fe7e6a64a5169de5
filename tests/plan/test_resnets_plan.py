"""Residual networks and clouds of activations in a config: the papers' settings, the layers, what is refused."""

import copy
import re

import pytest

from cnn_topology.data.sources import embedded_digits
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_graphs import GraphPlan
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.images import EmbeddedDigits, size_of
from cnn_topology.plan.resnets import MapperResNets, PHResNets, resnet_layers

CONFIG = {
    "version": 2,
    "name": "nets",
    "images": {"cifar10": {"kind": "cifar10"}, "digits": {"kind": "digits", "shape": [32, 32, 1]}},
    "resnets": {
        "ph": {"images": "cifar10", "variant": "ph", "networks": 3},
        "mapper": {"images": "cifar10", "variant": "mapper"},
    },
    "activation_clouds": {
        "top": {"population": "ph"},
        "fg_5": {"population": "mapper", "sampling": "foreground", "top": 5, "split": "train", "mode": "published"},
    },
}


@pytest.fixture
def config():
    return copy.deepcopy(CONFIG)


def test_recipes_are_those_of_the_paper_by_default():
    ph, mapper = PHResNets(images="x", variant="ph").recipe, MapperResNets(images="x", variant="mapper").recipe
    assert (ph.epochs, ph.batch_size, ph.learning_rate, ph.peak_epoch) == (24, 1024, 1.0, 5)
    assert (ph.momentum, ph.weight_decay, ph.flip, ph.translate, ph.cutout) == (0.9, 5e-4, True, 2, 8)
    assert (mapper.epochs, mapper.batch_size, mapper.learning_rate, mapper.milestones) == (350, 128, 0.1, (150, 250))
    assert (mapper.decay_factor, mapper.momentum, mapper.weight_decay, mapper.translate) == (0.1, 0.9, 5e-4, 4)
    assert mapper.selection == "last"


def test_layers_are_the_seventeen_convolutions_with_their_shapes():
    layers = resnet_layers(PHResNets(images="x", variant="ph"), (32, 32, 3))
    names = [layer.name for layer in layers]
    assert names[:4] == ["conv1", "block_seq.0.0.conv1", "block_seq.0.0.conv2", "block_seq.0.1.conv1"]
    assert names[-1] == "block_seq.3.1.conv2"
    assert [layer.depth for layer in layers] == list(range(1, 18))
    assert [layer.channels for layer in layers] == [64] * 5 + [128] * 4 + [256] * 4 + [512] * 4
    assert [layer.height for layer in layers] == [32] * 5 + [16] * 4 + [8] * 4 + [4] * 4


def test_layer_numbers_of_the_mapper_half_lead_to_its_batch_norms():
    # Numbers count the 16 block convolutions, so the stem has depth 1 and layer n of the paper has depth n + 1.
    layers = resnet_layers(MapperResNets(images="x", variant="mapper"), (32, 32, 3))
    paper = {16: "layer4.1.bn2", 15: "layer4.1.bn1", 14: "layer4.0.bn2", 13: "layer4.0.bn1", 12: "layer3.1.bn2"}
    assert {number: layers[number].name for number in paper} == paper
    assert (layers[8].name, layers[4].name) == ("layer2.1.bn2", "layer1.1.bn2")


@pytest.mark.parametrize("name", ["ph", "mapper"])
def test_a_batch_larger_than_the_training_set_is_refused_unless_nothing_is_trained(config, name):
    config["images"]["cifar10"]["train"] = config["activation_clouds"]["fg_5"]["n_images"] = 100
    config["resnets"]["ph" if name == "mapper" else "mapper"]["recipe"] = {"batch_size": 100}
    with pytest.raises(
        InputError, match=rf"resnets\.{name}\.recipe\.batch_size is .*, but 100 .* batch of at most 100"
    ):
        parse_config(config)
    config["resnets"][name] |= {"networks": 1, "checkpoints": ["a.pt"]}
    parse_config(config)


@pytest.mark.parametrize(
    ("images", "split", "most", "way"),
    [
        ({"kind": "mnist"}, "test", 10_000, "ask for at most 10000"),
        ({"kind": "svhn"}, "test", 26_032, "ask for at most 26032"),
        ({"kind": "cifar10"}, "train", 50_000, "ask for at most 50000"),
        ({"kind": "digits"}, "test", 359, "ask for at most 359"),
        ({"kind": "digits", "test_fraction": 0.5}, "train", 899, "ask for at most 899"),
        ({"kind": "printed", "rendered_test": 80}, "test", 80, "raise images.set.rendered_test, or ask for at most 80"),
        ({"kind": "npz", "path": "x.npz", "test": 70}, "test", 70, "raise images.set.test, or ask for at most 70"),
        ({"kind": "npz", "path": "x.npz"}, "test", None, ""),
    ],
)
def test_more_images_than_a_set_is_known_to_have_are_refused_before_the_run(config, images, split, most, way):
    config["images"]["set"] = {**images, "shape": [32, 32, 1]}
    config["resnets"]["own"] = {"images": "set", "variant": "ph", "normalization": "set", "recipe": {"batch_size": 30}}
    cloud = config["activation_clouds"]["own"] = {"population": "own", "split": split, "n_images": most or 9_999_999}
    parse_config(config)
    if most is not None:
        cloud["n_images"] += 1
        with pytest.raises(InputError) as refused:
            parse_config(config)
        assert str(refused.value) == (
            f"config: activation_clouds.own.n_images is {most + 1}, but images.set has {most} {split} images: {way}"
        )


def test_the_known_sizes_of_the_digits_are_those_of_the_file():
    for fraction in (0.01, 0.2, 0.37, 0.99):
        found, known = embedded_digits("d", fraction, 1), EmbeddedDigits(kind="digits", test_fraction=fraction)
        sizes = (len(found.train_images), len(found.test_images))
        assert sizes == (size_of(known, "train"), size_of(known, "test"))


def test_milestones_after_the_last_epoch_are_refused(config):
    config["resnets"]["mapper"]["recipe"] = {"epochs": 200}
    with pytest.raises(
        InputError, match=r"resnets\.mapper\.recipe: milestones .*150, 250.*: 250 lies after .* \(= 200\)"
    ):
        parse_config(config)
    config["resnets"]["mapper"]["recipe"]["milestones"] = [150, 200]
    parse_config(config)


def test_odd_images_are_halved_as_a_convolution_of_stride_two_halves_them():
    layers = resnet_layers(PHResNets(images="x", variant="ph"), (27, 30, 3))
    assert [(layer.height, layer.width) for layer in layers[::4]] == [(27, 30), (27, 30), (14, 15), (7, 8), (4, 4)]


def test_the_stem_of_imagenet_halves_twice_before_the_first_block():
    section = MapperResNets(images="x", variant="mapper", stem="imagenet")
    heights = [layer.height for layer in resnet_layers(section, (224, 224, 3))]
    assert heights == [112] + [56] * 4 + [28] * 4 + [14] * 4 + [7] * 4


def test_a_plan_lists_networks_and_layers_of_each_cloud(config):
    config["activation_clouds"]["top"]["members"] = [2, 0]
    config["activation_clouds"]["top"]["layers"] = ["block_seq.3.1.conv2", "conv1"]
    plan = Plan(parse_config(config))
    assert plan.activation_networks("top") == (0, 2)
    assert [layer.name for layer in plan.activation_layers("top")] == ["conv1", "block_seq.3.1.conv2"]
    assert len(plan.activation_layers("fg_5")) == 17


def test_the_tensor_is_the_papers_unless_asked_otherwise(config):
    clouds = parse_config(config).activation_clouds
    assert clouds["top"].tensor_used("ph") == "conv"
    assert clouds["fg_5"].tensor_used("mapper") == "bn"
    assert clouds["top"].model_copy(update={"sampling": "random"}).tensor_used("mapper") == "relu"
    assert clouds["top"].model_copy(update={"tensor": "relu"}).tensor_used("ph") == "relu"


def test_published_clouds_alone_repeat_the_defects_of_the_released_code(config):
    clouds = parse_config(config).activation_clouds
    assert (clouds["fg_5"].published, clouds["top"].published) == (True, False)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("resnets", "ph", "images"), "cifar", r"unknown image set in resnets\.ph\.images: 'cifar' \(did you mean"),
        (
            ("resnets", "ph", "variant"),
            "hp",
            r"unknown variant in resnets\.ph: 'hp' \(did you mean 'ph'\?\); valid: mapper, ph",
        ),
        (("resnets", "ph", "width"), [8], r"unknown key in resnets\.ph: 'width' \(did you mean 'widths'\?\)"),
        (("resnets", "ph", "blocks"), [2, 2], r"resnets\.ph: widths has 4 stages and blocks has 2"),
        (("resnets", "ph", "widths"), [8, 4, 4, 4], r"resnets\.ph on images\.cifar10: .*found 8 then 4"),
        (("resnets", "ph", "normalization"), {"mean": [123.7], "sd": [0.2]}, r"normalization.*mean.*123\.7"),
        (("resnets", "ph", "normalization"), {"mean": [0.4], "sd": [58.4]}, r"normalization.*sd.*58\.4"),
        (("resnets", "ph", "images"), "digits", r"normalization gives 3 means .* 1 channels; use normalization: set"),
        (("resnets", "ph", "checkpoints"), ["a.pt"], r"networks is 3, but checkpoints names 1 files"),
        (("resnets", "ph", "recipe"), {"epochs": 3}, r"recipe: peak_epoch \(= 5\) must lie before"),
        (("resnets", "ph", "recipe"), {"epoch": 30}, r"unknown key in resnets\.ph\.recipe: 'epoch' \(did you mean"),
        (
            ("activation_clouds", "top", "population"),
            "hp",
            r"unknown population in activation_clouds\.top\.population: 'hp'",
        ),
        (("activation_clouds", "top", "layers"), ["conv2"], r"unknown layer of ph .*'conv2' \(did you mean 'conv1'\?"),
        (("activation_clouds", "top", "layers"), ["Conv 1"], r"'Conv 1' \(did you mean 'conv1'\?"),
        (
            ("activation_clouds", "top", "layers"),
            "conv1",
            r"^config: \S+top\.layers = \"conv1\": expected a list, or 'all'$",
        ),
        (
            ("activation_clouds", "top", "layers"),
            [3],
            r"^config: \S+top\.layers\[0\] = 3: expected a text; put quotes around it$",
        ),
        (("activation_clouds", "top", "members"), [3], r"ph has the networks 0 to 2, found 3"),
        (("activation_clouds", "top", "top"), 5, r"`top` is for sampling foreground or background, not for top-l2"),
        (("resnets", "ph", "n_classes"), 1000, r"resnets\.ph\.n_classes is for checkpoints"),
        (
            ("resnets", "mapper", "stem"),
            "imagenet",
            r"fg_5: sampling foreground .* stem: cifar, and mapper has stem: imagenet; use random, full or top-l2$",
        ),
        (("activation_clouds", "fg_5", "top"), 17, r"top is 17, but layer4.0.bn1 has 16 positions"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(config, place, value, message):
    section = config
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    with pytest.raises(InputError, match=message):
        Plan(parse_config(config))


@pytest.mark.parametrize("networks", [True, 1.0, "1"])
def test_a_number_of_networks_is_a_whole_number_beside_their_checkpoints_too(config, networks):
    config["resnets"]["ph"] |= {"checkpoints": ["a.pt"], "networks": networks}
    with pytest.raises(InputError, match=r"resnets\.ph\.networks = \S+ expected a whole number"):
        parse_config(config)


def test_a_name_of_two_populations_is_refused(config, tiny):
    config["images"] |= tiny["images"]
    config["populations"] = {"ph": tiny["populations"]["a"]}
    with pytest.raises(InputError, match=r"resnets\.ph: populations has networks of that name too; rename one"):
        parse_config(config)


@pytest.mark.parametrize("shape", [[32, 32, 1], [48, 32, 3]])
def test_masks_need_square_images_in_colour(config, shape):
    config["images"]["cifar10"]["shape"] = shape
    for networks in config["resnets"].values():
        networks["normalization"] = "set"
    words = rf"has shape {re.escape(str(shape))}: state shape: \[32, 32, 3\] there"
    with pytest.raises(
        InputError, match=rf"activation_clouds\.fg_5: .*square images in colour; images\.cifar10 {words}"
    ):
        parse_config(config)
    config["images"]["cifar10"]["shape"] = [32, 32, 3]
    parse_config(config)


def test_masks_need_a_residual_network_and_no_other_shape_of_its_images(config):
    config["modules"] = {"own": {"module": "a:B", "images": "digits", "normalization": "set"}}
    config["activation_clouds"]["fg_5"] = {"population": "own", "sampling": "foreground", "n_images": 9}
    with pytest.raises(
        InputError, match=r"fg_5: .*by a residual network .*, and own is a module; use random"
    ) as refused:
        parse_config(config)
    assert "shape" not in str(refused.value)


def test_checkpoints_count_the_networks(config):
    config["resnets"]["mapper"]["checkpoints"] = ["a.pt", "b.pt"]
    assert parse_config(config).resnets["mapper"].networks == 2


def test_a_run_needs_networks_of_one_kind(config):
    config["resnets"], config["activation_clouds"] = {}, {}
    with pytest.raises(InputError, match="a run needs `populations`"):
        parse_config(config)


def test_images_without_labels_are_for_activations_of_given_networks_alone(config, tiny):
    config["images"]["photos"] = {"kind": "folder", "path": "photos", "shape": [32, 32, 3], "labels": False}
    del config["activation_clouds"]["fg_5"]
    net = {"images": "photos", "variant": "ph", "checkpoints": ["a.pt"]}
    config["resnets"] = {"ph": net}
    parse_config(config)
    graphs = {"activation_mapper": {"graphs": {}}}
    with pytest.raises(
        InputError, match=r"activation_mapper\.graphs, cloud top: purity needs .* images\.photos has `la"
    ):
        GraphPlan(Plan(parse_config({**config, **graphs})))
    with pytest.raises(InputError, match=r"resnets\.ph is trained, and needs images with classes"):
        parse_config({**config, "resnets": {"ph": {"images": "photos", "variant": "ph"}}})
    population = {"a": {**tiny["populations"]["a"], "images": "photos"}}
    with pytest.raises(InputError, match=r"populations\.a\.images needs images with classes"):
        parse_config({**config, "populations": population})
