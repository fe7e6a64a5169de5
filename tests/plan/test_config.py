"""The config: what is refused, and that the error shows the way out."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from config_page import json_schema, key_reference

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig, parse_config, read_config
from cnn_topology.plan.expand import Plan

ROOT = Path(__file__).parents[2]
INFINITY = float("inf")
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_config_is_valid(path):
    plan = Plan(read_config(path))
    assert plan.config.name == path.stem
    assert plan.shards or plan.config.resnets
    assert plan.layer_clouds or plan.config.activation_clouds


def test_key_reference_and_schema_are_in_step_with_the_models():
    assert (ROOT / "config/README.md").read_text() == key_reference(), "run `make reference`"
    assert (ROOT / "workflow/schemas/config.schema.json").read_text() == json_schema(), "run `make reference`"


def test_every_key_is_described():
    undescribed = [line for line in key_reference().splitlines() if line.startswith("| `") and "|  |" in line]
    assert not undescribed


def test_every_key_is_read():
    """A job sees its parameters and nothing else of a config: a key that no code reads changes nothing."""
    schema = RunConfig.model_json_schema()
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.smk")]
    read = "".join(path.read_text(encoding="utf-8") for path in files)
    keys = {key for section in (schema, *schema["$defs"].values()) for key in section.get("properties", ())}
    assert {"k", "p", "side"} <= keys
    assert {key for key in keys if not re.search(rf"\.{key}\b", read)} == set()


def _set(config, path, value):
    *parents, last = path
    for key in parents:
        config = config[key]
    config[last] = value


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["popultions"], {}, "unknown key at the top level: 'popultions' (did you mean 'populations'?)"),
        (["populations", "a", "recipe", "lerning_rate"], 1, "'lerning_rate' (did you mean 'learning_rate'?)"),
        (["images", "digits", "sid"], 1, "unknown key in images.digits: 'sid'"),
        (["images", "digits", "kind"], "dgits", "unknown kind in images.digits: 'dgits' (did you mean 'digits'?)"),
        (["images", "digits"], {"shape": [8, 8, 1]}, "images.digits: `kind` is required"),
        (["populations", "a", "images"], "digit", "unknown image set in populations.a.images: 'digit' (did you mean"),
        (["populations", "a", "cross_test"], ["svhn"], "unknown image set in populations.a.cross_test: 'svhn'"),
        (
            ["populations", "a", "cross_test"],
            ["digits"],
            "populations.a: cross_test names digits, the networks' own images, which they are tested on anyway",
        ),
        (["clouds", 0, "densities", 0, "p"], 0, "clouds[0].densities[0].p = 0: should be greater than 0"),
        (["clouds", 0, "densities", 0, "p"], 1.5, "clouds[0].densities[0].p = 1.5: should be less than or equal"),
        (["mapper", "resolutoin"], 30, "unknown key in mapper: 'resolutoin' (did you mean 'resolution'?)"),
        (["mapper", "gain"], 0.5, "mapper.gain = 0.5: should be greater than or equal to 1"),
        (["mapper", "gap_from_zero"], "always", "mapper.gap_from_zero"),
        (["mapper"], None, None),
        (["clouds", 0, "densities", 0, "k"], 1.5, "clouds[0].densities[0].k = 1.5: expected a whole number from 1"),
        (["clouds", 0, "layers"], [], "clouds[0].layers: expected at least one item"),
        (["clouds", 0, "populations"], [], "clouds[0].populations: expected at least one item"),
        (["clouds", 0, "steps"], [], "clouds[0].steps: expected at least one item"),
        (["clouds", 0, "densities"], [], "clouds[0].densities: expected at least one item"),
        (["clouds"], None, "clouds = null: expected a list, as [a, b]"),
        (["name"], 2024, "name = 2024: expected a text; put quotes around it"),
        (["name"], "my run", 'name = "my run": expected letters, digits, _ and - only'),
        (["version"], 3, "version is 3; this program reads version 2"),
        (["version"], None, "version is None"),
        (["significance", "alpha"], 0.001, "ask for at least 999 draws"),
        (["name"], "../escape", 'name = "../escape"'),
        (["populations", "a", "snapshots", "iterations"], [13], "13 lies after the last iteration, 12"),
        (["populations", "a", "recipe", "weight_decay"], INFINITY, "weight_decay = Infinity: should be a finite"),
        (
            ["populations", "a", "architecture", "initialization"],
            {"bias": float("nan")},
            "populations.a.architecture.initialization.bias = NaN: should be a finite number",
        ),
        (["clouds", 0, "densities", 0, "k"], INFINITY, "densities[0].k = Infinity: expected a whole number from 1"),
        (["images", "digits", "train"], 1439, "images.digits.train is 1439, but the set has 1438 train images: leave"),
        (["images", "digits", "test"], 360, "images.digits.test is 360, but the set has 359 test images: leave"),
        (
            ["populations", "a", "recipe", "batch_size"],
            1439,
            "batch_size is 1439, but 1438 training images of images.digits",
        ),
        (["populations", "a", "recipe", "crop"], 6, "go together"),
        (
            ["populations", "a", "recipe"],
            {"augmentation": "crop_flip", "crop": 9, "iterations": 12},
            "populations.a.recipe.crop = 9: images.digits has images of 8x8 pixels; use a smaller crop",
        ),
        (
            ["images", "digits", "train"],
            31,
            "populations.a.recipe.batch_size is 32, but 31 training images of images.digits are used: use a",
        ),
        (
            ["populations", "a", "recipe", "train_images"],
            20,
            "populations.a.recipe.batch_size is 32, but 20 training images",
        ),
        (
            ["generalization", "grids", "grid", "vary"],
            {"train_images": [32, 20]},
            "batch_size is 32, but 20 training images",
        ),
        (["images", "digits", "train"], 32, None),
        (
            ["populations", "a", "architecture", "first_layer"],
            {"kind": "fixed_circle", "matched_to": "b"},
            "unknown population in populations.a.architecture.first_layer.matched_to: 'b'",
        ),
        (
            ["populations", "a", "architecture", "first_layer"],
            {"kind": "fixed_circle", "matched_to": "a"},
            "the first layer of a is fixed; name a population that learns it",
        ),
    ],
)
def test_bad_config_is_refused_with_key_value_and_way_out(tiny, path, value, expected):
    _set(tiny, path, value)
    if expected is None:
        parse_config(tiny)
        return
    with pytest.raises(InputError) as refused:
        parse_config(tiny, "my.yaml")
    assert expected in str(refused.value)
    assert str(refused.value).startswith("my.yaml: ")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("clouds", "null", "clouds = null: expected a list, or 'all'"),
        ("clouds", "{a: 1}", "clouds: expected a list, or 'all', found keys"),
        ("clouds", "[]", "clouds: expected at least one item"),
        ("clouds", "[3]", "clouds[0] = 3: expected a text; put quotes around it"),
        ("eps", "null", "eps = null: expected a number above 0, or 'elbow' or 'published'"),
        ("eps", "0", "eps = 0: expected a number above 0, or 'elbow' or 'published'"),
        ("overlap", "1.0", "overlap = 1.0: expected a number from 0 to below 1 (0.25 for 25 %), or 'published'"),
        ("overlap", "25%", "overlap = 25%: expected a number from 0 to below 1 (0.25 for 25 %), or 'published'"),
    ],
)
def test_a_value_that_is_refused_is_told_with_the_word_that_is_taken_too(tiny, tmp_path, key, value, expected):
    path = tmp_path / "c.yaml"
    path.write_text(f"{yaml.safe_dump(tiny)}\nactivation_mapper:\n  g:\n    {key}: {value}\n")
    with pytest.raises(InputError) as refused:
        read_config(path)
    assert re.fullmatch(rf"{path}: line \d+: activation_mapper\.g\.{re.escape(expected)}", str(refused.value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (".inf", "a = .inf: should be a finite number"),
        ("[1, {b: .nan}]", "a[1].b = .nan: should be a finite number"),
        ("2020-01-01", "a = 2020-01-01: expected * write it as text, in quotes"),
        ("{list: [2020-01-01]}", "a.list[0] = 2020-01-01: expected * write it as text, in quotes"),
        ("!!set {x, y}", "a: expected * write it as text, in quotes"),
    ],
)
def test_an_argument_of_a_module_that_json_does_not_hold_is_named_as_the_file_has_it(tiny, tmp_path, value, expected):
    module = f"module: a:B\n    images: digits\n    normalization: set\n    arguments:\n      a: {value}\n"
    path = tmp_path / "c.yaml"
    path.write_text(f"{yaml.safe_dump(tiny)}\nmodules:\n  m:\n    {module}")
    with pytest.raises(InputError) as refused:
        read_config(path)
    words = re.escape(expected).replace(r"\*", ".*")
    assert re.fullmatch(rf"{path}: line \d+: modules\.m\.arguments\.{words}", str(refused.value))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            ["clouds", 0, "layers"],
            ["conv3"],
            "unknown convolution layer of a in clouds[0].layers: 'conv3' (did you mean",
        ),
        (["clouds", 0, "layers"], ["dense1"], "valid: conv1, conv2"),
        (["clouds", 0, "populations"], ["b"], "unknown population in clouds[0].populations: 'b'"),
        (["clouds", 0, "steps"], [3], "keeps no snapshot at step 3; it keeps [0, 4, 12]"),
        (
            ["clouds", 0, "densities", 0, "k"],
            30,
            "k = 30 of rho(k = 30, p = 0.6) must be below the number of points, 30",
        ),
    ],
)
def test_impossible_cloud_is_refused_before_anything_runs(tiny, path, value, expected):
    _set(tiny, path, value)
    with pytest.raises(InputError) as refused:
        Plan(parse_config(tiny))
    assert expected in str(refused.value)


ONE_RESNET = {"nets": {"variant": "ph", "images": "digits", "normalization": "set", "recipe": {"batch_size": 32}}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["populations", "a", "cross_test"], "printed"),
        (["clouds", 0, "populations"], "a"),
        (["clouds", 0, "layers"], "conv1"),
        (["clouds", 0, "steps"], 0),
        (["clouds", 0, "densities"], {"k": 0.2, "p": 0.6}),
        (["significance", "nulls"], "sphere"),
        (["mapper", "sweep"], {"resolution": 20}),
        (["generalization", "populations"], "a"),
        (["generalization", "layers"], "conv1"),
        (["generalization", "grids", "grid", "vary", "dropout"], 0.5),
        (["resnets", "nets", "checkpoints"], "a.pt"),
        (["activation_clouds", "top", "members"], 0),
        (["activation_clouds", "top", "layers"], "conv1"),
        (["activation_mapper", "graphs", "clouds"], "top"),
        (["layer_distances", "clouds"], "top"),
        (["layer_distances", "measures"], "linear_cka"),
        (["layer_distances", "components", "members"], 0),
        (["figures"], "evolution"),
    ],
)
def test_what_is_listed_twice_is_refused_where_it_stands(tiny, path, value):
    tiny["images"]["printed"] = {"kind": "printed"}
    tiny["generalization"]["grids"]["grid"]["networks"] = 4
    tiny |= {"resnets": copy.deepcopy(ONE_RESNET), "activation_clouds": {"top": {"population": "nets", "n_images": 20}}}
    tiny |= {"activation_mapper": {"graphs": {}}, "layer_distances": {"clouds": ["top"], "components": {}}}
    _set(tiny, path, [value])
    parse_config(tiny)
    _set(tiny, path, [value, copy.deepcopy(value)])
    with pytest.raises(InputError) as refused:
        parse_config(tiny)
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    assert str(refused.value) == f"config: {where[1:]}: {json.dumps(value)} is listed twice; list it once"


def test_one_file_under_two_paths_is_listed_twice(tiny):
    tiny["resnets"] = {"nets": {**ONE_RESNET["nets"], "checkpoints": ["nets/a.pt", "./nets//a.pt"]}}
    with pytest.raises(InputError, match=r'resnets\.nets\.checkpoints: "nets/a\.pt" is listed twice'):
        parse_config(tiny)


def test_files_that_are_no_config_are_refused_by_name(tmp_path):
    for content, expected in [
        (None, "no such config"),
        ("a: [", "not valid YAML"),
        ("- 1", "found a list"),
        ("", "found"),
    ]:
        path = tmp_path / "run.yaml"
        if content is not None:
            path.write_text(content)
        with pytest.raises(InputError, match=expected) as refused:
            read_config(path)
        assert "run.yaml" in str(refused.value)


def test_reading_a_config_equals_parsing_it(tiny, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(tiny))
    assert read_config(path) == parse_config(tiny)
