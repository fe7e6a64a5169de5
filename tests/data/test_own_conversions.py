"""Images and labels in other forms than are read: the line that a refusal states makes the right images of them."""

import re

import numpy as np
import pytest
from PIL import Image

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
NAMES = np.array(["ash", "elm", "oak"])


def changed(kind, change):
    """Change the images (`x`) or the labels (`y`) of both splits."""
    return {key: change(value) if key.startswith(kind) else value for key, value in TRUTH.items()}


def load(path, arrays, **keys):
    np.savez(path, **arrays)
    return load_image_set("own", NpzImages(kind="npz", path=str(path), shape=(5, 4, 3), **keys), seed=0)


def lines(message):
    """Return the lines of NumPy in a refusal, each once."""
    return list(dict.fromkeys(re.findall("`(.*?)`", message)))


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        (lambda x: x / 255, 0, 1),
        (lambda x: x / 127.5 - 1, -1, 1),
        (lambda x: (x.astype(int) - 128).astype(np.int8), -128, 127),
        (lambda x: x.astype(np.uint16) * 257, 0, 65_535),
        (lambda x: (x > 120).astype(np.uint8), 0, 1),
    ],
)
def test_the_line_on_pixels_gives_the_right_images(tmp_path, change, low, high):
    arrays = changed("x", change)
    with pytest.raises(InputError, match=r"2 problems: .*key x_train: pixels are .*key x_test: pixels are") as refused:
        load(tmp_path / "own.npz", arrays)
    (code,) = (line for line in lines(str(refused.value)) if "rint" in line)
    numbers = {"numpy": np, "low": low, "high": high}
    read = load(tmp_path / "own.npz", {key: eval(code, {**numbers, "x": x}) if key[0] == "x" else x
                                       for key, x in arrays.items()})  # fmt: skip
    mask = TRUTH["x_train"] if high > 1 or change(np.array([100.0])) != 0 else 255 * (TRUTH["x_train"] > 120)
    np.testing.assert_array_equal(read.train_images, mask)


def test_black_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="key x_test: pixels are uint8, from 0 to 0"):
        load(tmp_path / "own.npz", {**TRUTH, "x_test": 0 * TRUTH["x_test"]})


def test_the_lines_on_labels_give_the_right_classes(tmp_path):
    one_hot = changed("y", lambda y: np.eye(3)[y])
    with pytest.raises(InputError, match="key y_train: labels are float64 of shape") as refused:
        load(tmp_path / "own.npz", one_hot)
    argmax = lines(str(refused.value))[0]
    plain = {key: eval(argmax, {"y": y}) if key[0] == "y" else y for key, y in one_hot.items()}
    assert load(tmp_path / "own.npz", plain).train_labels.tolist() == TRUTH["y_train"].tolist()


@pytest.mark.parametrize("kind", ["U", "S"])
def test_names_that_the_test_images_alone_have_shift_no_other(tmp_path, kind):
    arrays = changed("y", lambda y: NAMES[y].astype(kind))
    arrays["y_test"] = np.array(["oak", "beech", "ash"]).astype(kind)
    with pytest.raises(InputError, match="key y_train: labels are ") as refused:
        load(tmp_path / "own.npz", arrays)
    code = [line for line in lines(str(refused.value)) if "names" in line]
    names = eval(code[0].removeprefix("names = "), {"numpy": np, **arrays})
    numbered = {
        key: eval(code[1], {"numpy": np, "names": names, "y": y}) if key[0] == "y" else y for key, y in arrays.items()
    }
    read = load(tmp_path / "own.npz", numbered, classes=tuple(names.astype(str).tolist()))
    assert read.classes == ("ash", "beech", "elm", "oak")
    assert [read.classes[label] for label in read.train_labels] == arrays["y_train"].astype(str).tolist()
    assert [read.classes[label] for label in read.test_labels] == arrays["y_test"].astype(str).tolist()


@pytest.fixture
def folder(tmp_path):
    """Write the images of `TRUTH`, gray, by class."""
    for split in ("train", "test"):
        for number, (image, label) in enumerate(zip(TRUTH[f"x_{split}"], TRUTH[f"y_{split}"], strict=True)):
            (tmp_path / split / str(label)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0]).save(tmp_path / split / str(label) / f"{number}.png")
    return tmp_path


def load_folder(path):
    return load_image_set("own", FolderImages(kind="folder", path=str(path), shape=(5, 4, 1)), seed=0)


@pytest.mark.parametrize(
    ("change", "high", "words"),
    [
        (lambda x: np.rint(x / 17).astype(np.uint8), 15, r"2 problems: .*train: no pixel is above 15"),
        (lambda x: x.astype(np.uint16) * 257, 65_535, r"12 problems: .*0\.png: pixels are uint16"),
    ],
)
def test_the_line_on_files_gives_the_right_images(folder, change, high, words):
    truth, files = load_folder(folder), sorted(folder.glob("*/*/*.png"))
    for file in files:
        Image.fromarray(change(np.asarray(Image.open(file)))).save(file)
    with pytest.raises(InputError, match=words) as refused:
        load_folder(folder)
    code = lines(str(refused.value))[2]
    for file in files:
        x = np.asarray(Image.open(file))
        Image.fromarray(eval(code, {"numpy": np, "x": x, "low": 0, "high": high})).save(file)
    assert np.abs(load_folder(folder).train_images.astype(int) - truth.train_images).max() <= 255 / min(high, 510)


def test_the_advice_on_transparent_files_gives_an_image_on_white(folder):
    file = folder / "train" / "0" / "0.png"
    Image.fromarray(np.full((5, 4, 4), [0, 0, 0, 100], np.uint8)).save(file)
    with pytest.raises(InputError, match=r"0\.png: .*transparent") as refused:
        load_folder(folder)
    (code,) = re.findall("`(.*?)`", str(refused.value))
    eval(code, {"Image": Image, "image": Image.open(file)}).save(file)
    assert (load_folder(folder).train_images[0] == 155).all()
