"""Images without what a claim is about: phases scrambled, labels shuffled, or noise with the set's own spectrum (ours).

A loop that networks form on such images too says nothing of edges, or nothing of the task.
"""

from dataclasses import replace
from typing import assert_never

import numpy as np
from jaxtyping import Float, UInt8

from cnn_topology.data.image_set import ImageSet
from cnn_topology.plan.images import SPLITS, ImageControl
from cnn_topology.seeds import derive_seed

# Sums of many waves leave the range of pixels, so that contrast is lowered until so few pixels of a set are cut off.
CUT_OFF = 0.001


def controlled(images: ImageSet, control: ImageControl, seed: int) -> ImageSet:
    """Return the control of an image set.

    Parameters
    ----------
    images : ImageSet
        In the shape and with the numbers of images that networks see.
    control : {'phases scrambled', 'labels shuffled', 'pink noise'}
    seed : int
        With the name of the set, the split and the number of an image it decides every random choice.

    Returns
    -------
    ImageSet
    """
    match control:
        case "labels shuffled":
            train, test = (
                _random(seed, images.name, control, split).permutation(images.split(split)[1]) for split in SPLITS
            )
            return replace(images, train_labels=train, test_labels=test)
        case "phases scrambled":
            amplitudes = None
        case "pink noise":
            amplitudes = _amplitudes(images.train_images)
        case _:
            assert_never(control)
    made = {}
    for split in SPLITS:
        pixels = images.split(split)[0]
        made[split] = np.empty(pixels.shape, dtype=np.float32)
        for number, image in enumerate(pixels):
            waves = _noise(image.shape[:2], _random(seed, images.name, control, split, number))
            made[split][number] = _scrambled(image, waves) if amplitudes is None else _field(amplitudes, waves)
    low, high = np.quantile(made["train"], [CUT_OFF / 2, 1 - CUT_OFF / 2])
    scale = min(1.0, 255 / (high - low)) if high > low else 1.0
    shift = np.clip(0.0, -scale * low, 255 - scale * high)
    train, test = (_pixels(scale * made[split] + shift) for split in SPLITS)
    return replace(images, train_images=train, test_images=test)


def _random(seed: int, *what: str | int) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, "images", "control", *what))


def _amplitudes(
    pixels: UInt8[np.ndarray, "images height width channels"],
) -> Float[np.ndarray, "height width channels"]:
    """Compute the root of the mean power of each wave over images."""
    power = np.zeros(pixels.shape[1:])
    for image in pixels:
        power += np.abs(np.fft.fft2(image.astype(np.float64), axes=(0, 1))) ** 2
    return np.sqrt(power / len(pixels))


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return the waves of white noise, of mean square 1, with their sum real; the mean of the image is left alone."""
    waves = np.fft.fft2(rng.standard_normal(shape)) / np.sqrt(np.prod(shape))
    waves[0, 0] = 1.0
    return waves


def _scrambled(
    image: UInt8[np.ndarray, "height width channels"], waves: np.ndarray
) -> Float[np.ndarray, "height width channels"]:
    """Add random phases to those of an image, the same in all channels: the amplitude of every wave stays."""
    turns = waves / np.maximum(np.abs(waves), 1e-12)
    return np.fft.ifft2(np.fft.fft2(image.astype(np.float64), axes=(0, 1)) * turns[..., None], axes=(0, 1)).real


def _field(
    amplitudes: Float[np.ndarray, "height width channels"], waves: np.ndarray
) -> Float[np.ndarray, "height width channels"]:
    """Draw a Gaussian field with given amplitudes, the same in all channels."""
    return np.fft.ifft2(waves[..., None] * amplitudes, axes=(0, 1)).real


def _pixels(
    values: Float[np.ndarray, "images height width channels"],
) -> UInt8[np.ndarray, "images height width channels"]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
