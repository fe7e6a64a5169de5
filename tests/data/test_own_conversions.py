"""Images and labels in other forms than are read: whoever follows the refusal word by word gets the right images."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.sources import load_image_set
from cnn_topology.errors import InputError
from cnn_topology.plan.images import FolderImages, NpzImages

RANDOM = np.random.default_rng(0)
# Test images of another range than training images: each converted by its own range would differ in brightness.
TRUTH = {
    "x_train": RANDOM.permutation(np.arange(9 * 5 * 4 * 3) % 256).astype(np.uint8).reshape(9, 5, 4, 3),
    "y_train": np.array([0, 1, 2, 0, 1, 2, 0, 1, 2]),
    "x_test": RANDOM.integers(40, 200, (3, 5, 4, 3), dtype=np.uint8),
    "y_test": np.array([2, 1, 0]),
}


def changed(kind, change):
    """Change the images (`x`) or the labels (`y`) of both splits."""
    return {key: change(value) if key.startswith(kind) else value for key, value in TRUTH.items()}


def load(path, arrays, **keys):
    np.savez(path, **arrays)
    return load_image_set("own", NpzImages(kind="npz", path=str(path), shape=(5, 4, 3), **keys), seed=0)


def followed(message, arrays):
    """Do what a refusal asks for; return the arrays, and the keys of the config that it names."""
    keys, after = {}, dict(arrays)
    parts = re.split(r"key ([xy]_\w+): ", message)
    for key, text in zip(parts[1::2], parts[2::2], strict=True):
        splits = [f"{key[0]}_train", f"{key[0]}_test"] if "for y_train and y_test" in text else [key]
        names = {}
        for code in re.findall("`(.*?)`", text):
            if code.startswith("classes: "):
                keys.update(yaml.safe_load(code))
            elif code.startswith("names = "):
                names["names"] = eval(code.removeprefix("names = "), {"numpy": np, **arrays})
            elif code != "classes":
                for split in splits:
                    after[split] = eval(code, {"numpy": np, key[0]: arrays[split], **names})
    return after, keys


def as_told(path: Path, arrays: dict[str, np.ndarray], rounds: int) -> ImageSet:
    """Load arrays, following so many refusals."""
    keys: dict[str, list[str]] = {}
    for _ in range(rounds):
        with pytest.raises(InputError) as refused:
            load(path, arrays, **keys)
        arrays, keys = followed(str(refused.value), arrays)
    return load(path, arrays, **keys)


PIXELS = {
    "floats up to 1": lambda x: x / 255,
    "half floats up to 1": lambda x: (x / 255).astype(np.float16),
    "floats up to 255": lambda x: x.astype(np.float32),
    "floats up to 255 with fractions": lambda x: x + np.where(x < 255, 0.25, 0),
    "floats around 0": lambda x: x / 127.5 - 1,
    "standardized": lambda x: ((x - 120.7) / 60.3).astype(np.float32),
    "integers": lambda x: x.astype(np.int64),
    "signed bytes": lambda x: (x.astype(int) - 128).astype(np.int8),
    "10 bits": lambda x: np.rint(x * (1023 / 255)).astype(np.uint16),
    "12 bits": lambda x: np.rint(x * (4095 / 255)).astype(np.int32),
    "16 bits": lambda x: x.astype(np.uint16) * 257,
    "channels first": lambda x: x.transpose(0, 3, 1, 2),
    "images last": lambda x: np.moveaxis(x, 0, -1),
    "an opaque channel": lambda x: np.concatenate([x, np.full_like(x[..., :1], 255)], axis=-1),
}


@pytest.mark.parametrize("form", PIXELS)
def test_the_advice_on_pixels_gives_the_right_images(tmp_path, form):
    read = as_told(tmp_path / "own.npz", changed("x", PIXELS[form]), rounds=1)
    np.testing.assert_array_equal(read.train_images, TRUTH["x_train"])
    np.testing.assert_array_equal(read.test_images, TRUTH["x_test"])


def test_two_advices_one_after_the_other(tmp_path):
    arrays = changed("x", lambda x: (x / 255).transpose(0, 3, 1, 2))
    with pytest.raises(InputError, match="4 problems"):
        load(tmp_path / "own.npz", arrays)
    arrays = {key: value.transpose(0, 2, 3, 1) if key.startswith("x") else value for key, value in arrays.items()}
    read = as_told(tmp_path / "own.npz", arrays, rounds=1)
    np.testing.assert_array_equal(read.train_images, TRUTH["x_train"])


@pytest.mark.parametrize(
    ("kind", "most"),
    [("uint8", 1), ("bool", 1), ("int8", 1), ("uint8", 9), ("int8", 9), ("uint8", 15), ("uint8", 16), ("float64", 16)],
)
def test_few_levels_are_not_taken_as_nearly_black(tmp_path, kind, most):
    levels = {
        "x_train": (RANDOM.permutation(np.arange(9 * 60) % (most + 1))).reshape(9, 5, 4, 3),
        "x_test": RANDOM.integers(0, max(most, 2), (3, 5, 4, 3)),  # of more than one level none is white
    }
    arrays = {**TRUTH, **{key: value.astype(kind) for key, value in levels.items()}}
    read = as_told(tmp_path / "own.npz", arrays, rounds=1)
    np.testing.assert_array_equal(read.train_images, np.rint(levels["x_train"] * (255 / most)))
    np.testing.assert_array_equal(read.test_images, np.rint(levels["x_test"] * (255 / most)))


def test_one_split_of_0_and_1_and_one_of_bytes(tmp_path):
    mask = TRUTH["x_test"] > 120
    read = as_told(tmp_path / "own.npz", {**TRUTH, "x_test": mask.astype(np.uint8)}, rounds=1)
    np.testing.assert_array_equal(read.train_images, TRUTH["x_train"])
    np.testing.assert_array_equal(read.test_images, 255 * mask)


def test_black_images_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"key x_test: pixels are uint8, from 0 to 0; .*black"):
        load(tmp_path / "own.npz", {**TRUTH, "x_test": 0 * TRUTH["x_test"]})


NAMES = np.array(["oak", "ash", "elm"])
OTHERS = ("0", "1", "2")
LABELS = {
    "one-hot floats": (lambda y: np.eye(3)[y], 1, OTHERS),
    "one-hot integers": (lambda y: np.eye(3, dtype=int)[y], 1, OTHERS),
    "one-hot bool": (lambda y: np.eye(3, dtype=bool)[y], 1, OTHERS),
    "one-hot with an axis": (lambda y: np.eye(3)[y][:, :, np.newaxis], 1, OTHERS),
    "a column": (lambda y: y[:, np.newaxis], 1, OTHERS),
    "a row": (lambda y: y[np.newaxis], 1, OTHERS),
    "a column of floats": (lambda y: y[:, np.newaxis].astype(float), 2, OTHERS),
    "floats": (lambda y: y.astype(float), 1, OTHERS),
    "from 1": (lambda y: y + 1, 1, OTHERS),
    "from 1, bytes": (lambda y: (y + 1).astype(np.uint8), 1, OTHERS),
    "floats from 1": (lambda y: y + 1.0, 2, OTHERS),
    "digits as text": (lambda y: y.astype(str), 1, OTHERS),
    "around 0": (lambda y: y - 1, 1, OTHERS),
    "with gaps": (lambda y: y * 5, 1, OTHERS),
}


@pytest.mark.parametrize("form", LABELS)
def test_the_advice_on_labels_gives_the_right_classes(tmp_path, form):
    change, rounds, classes = LABELS[form]
    read = as_told(tmp_path / "own.npz", changed("y", change), rounds)
    assert read.train_labels.tolist() == TRUTH["y_train"].tolist()
    assert read.test_labels.tolist() == TRUTH["y_test"].tolist()
    assert read.classes == classes


@pytest.mark.parametrize("kind", ["U", "S"])
def test_the_advice_on_text_keeps_the_names(tmp_path, kind):
    arrays = changed("y", lambda y: NAMES[y].astype(kind))
    read = as_told(tmp_path / "own.npz", arrays, rounds=1)
    assert read.classes == ("ash", "elm", "oak")
    assert [read.classes[label] for label in read.train_labels] == NAMES[TRUTH["y_train"]].tolist()
    assert [read.classes[label] for label in read.test_labels] == NAMES[TRUTH["y_test"]].tolist()


def test_a_name_of_the_test_images_alone_shifts_no_other(tmp_path):
    arrays = {**TRUTH, "y_train": NAMES[TRUTH["y_train"]], "y_test": np.array(["oak", "beech", "ash"])}
    read = as_told(tmp_path / "own.npz", arrays, rounds=1)
    assert read.classes == ("ash", "beech", "elm", "oak")
    assert [read.classes[label] for label in read.train_labels] == arrays["y_train"].tolist()
    assert [read.classes[label] for label in read.test_labels] == arrays["y_test"].tolist()


def test_labels_from_1_do_not_need_an_empty_class(tmp_path):
    arrays = changed("y", lambda y: y + 1)
    with pytest.raises(InputError) as refused:
        load(tmp_path / "own.npz", arrays, classes=("oak", "ash", "elm"))
    arrays, _ = followed(str(refused.value), arrays)
    read = load(tmp_path / "own.npz", arrays, classes=("oak", "ash", "elm"))
    assert read.train_labels.tolist() == TRUTH["y_train"].tolist()


def test_the_advice_on_missing_values_on_flat_images_and_on_objects(tmp_path):
    holes = TRUTH["x_train"].astype(np.float32)
    holes[0, 0, 0] = np.nan
    arrays = {**changed("x", lambda x: x.astype(np.float32)), "x_train": holes}
    with pytest.raises(InputError, match=r"key x_train: .*Replace NaN"):
        load(tmp_path / "own.npz", arrays)
    read = as_told(tmp_path / "own.npz", {**arrays, "x_train": np.nan_to_num(holes)}, rounds=1)
    np.testing.assert_array_equal(read.train_images[0, 0, 0], 0)
    np.testing.assert_array_equal(read.test_images, TRUTH["x_test"])
    with pytest.raises(InputError, match=r"x\.reshape\(len\(x\), height, width, channels\)"):
        load(tmp_path / "own.npz", changed("x", lambda x: x.reshape(len(x), -1)))
    height, width, channels = 5, 4, 3
    again = changed("x", lambda x: x.reshape(len(x), -1).reshape(len(x), height, width, channels))
    np.testing.assert_array_equal(load(tmp_path / "own.npz", again).train_images, TRUTH["x_train"])
    objects = changed("y", lambda y: NAMES[y].astype(object))
    with pytest.raises(InputError, match=r"Python objects: .*`y\.astype\(str\)`"):
        load(tmp_path / "own.npz", objects)
    plain = {key: y.astype(str) if key.startswith("y") else y for key, y in objects.items()}
    assert as_told(tmp_path / "own.npz", plain, rounds=1).classes == ("ash", "elm", "oak")


def test_the_advice_on_missing_keys_gives_the_right_images(tmp_path):
    others = {
        f"{split}_{what}": TRUTH[f"{what[0].replace('i', 'x').replace('l', 'y')}_{split}"]
        for split in ("train", "test")
        for what in ("images", "labels")
    }
    with pytest.raises(InputError, match="keys x_train, y_train, x_test, y_test are missing; it holds train_images"):
        load(tmp_path / "own.npz", others)
    named = dict(zip(("x_train", "y_train", "x_test", "y_test"), others.values(), strict=True))
    np.testing.assert_array_equal(load(tmp_path / "own.npz", named).test_images, TRUTH["x_test"])


@pytest.mark.parametrize("rows", [np.ones((9, 3)), np.full((9, 3), 1 / 3), np.zeros((9, 3))])
def test_several_classes_of_an_image_are_no_one_hot(tmp_path, rows):
    with pytest.raises(InputError, match=r"key y_train: shape \(9, 3\)") as refused:
        load(tmp_path / "own.npz", {**TRUTH, "y_train": rows})
    assert "argmax" not in str(refused.value)


@pytest.fixture
def folder(tmp_path):
    """Write the images of `TRUTH`, gray, by class; return what `train` must then be."""
    for split in ("train", "test"):
        for number, (image, label) in enumerate(zip(TRUTH[f"x_{split}"], TRUTH[f"y_{split}"], strict=True)):
            (tmp_path / split / str(label)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0]).save(tmp_path / split / str(label) / f"{number}.png")
    return tmp_path


def load_folder(path):
    return load_image_set("own", FolderImages(kind="folder", path=str(path), shape=(5, 4, 1)), seed=0)


def rewrite(folder, change):
    """Save each image as `change` makes it of its pixels."""
    for file in sorted(folder.glob("*/*/*.png")):
        Image.fromarray(change(np.asarray(Image.open(file)))).save(file)


@pytest.mark.parametrize("most", [1, 15])
def test_the_advice_on_dark_files_gives_the_right_images(folder, most):
    rewrite(folder, lambda x: np.rint(x * (most / 255)).astype(np.uint8))
    with pytest.raises(InputError, match=rf"train: no pixel is above {most}") as refused:
        load_folder(folder)
    (code,) = set(re.findall("`(.*?)`", str(refused.value)))
    levels = [np.asarray(Image.open(file)) for file in sorted(folder.glob("train/*/*.png"))]
    rewrite(folder, lambda x: eval(code, {"numpy": np, "x": x}))
    np.testing.assert_array_equal(load_folder(folder).train_images[..., 0], [np.rint(x * (255 / most)) for x in levels])


def test_the_advice_on_files_of_16_bits_gives_the_right_images(folder):
    truth = load_folder(folder)
    rewrite(folder, lambda x: x.astype(np.uint16) * 257)
    with pytest.raises(InputError, match=r"12 problems: .*0\.png: pixels are uint16") as refused:
        load_folder(folder)
    (code,) = set(re.findall("`(.*?)`", str(refused.value)))
    rewrite(folder, lambda x: eval(code, {"numpy": np, "x": x}))
    assert load_folder(folder).sha256 == truth.sha256


def test_the_advice_on_transparent_files_gives_an_image_on_white(folder):
    file = folder / "train" / "0" / "0.png"
    Image.fromarray(np.full((5, 4, 4), [0, 0, 0, 100], np.uint8)).save(file)
    with pytest.raises(InputError, match=r"0\.png: .*transparent") as refused:
        load_folder(folder)
    (code,) = re.findall("`(.*?)`", str(refused.value))
    eval(code, {"Image": Image, "image": Image.open(file)}).save(file)
    assert (load_folder(folder).train_images[0] == 155).all()
