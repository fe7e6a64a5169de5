"""Controls of image sets: what each keeps of the images, and what it destroys."""

import numpy as np
import pytest

from cnn_topology.data.controls import controlled
from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.sources import load_image_set
from cnn_topology.plan.findings import _image_set
from cnn_topology.plan.images import EmbeddedDigits, MnistSample, paper_set


def waves(pixels):
    return np.fft.fft2(pixels.astype(float), axes=(1, 2))


@pytest.fixture(scope="module")
def bars():
    """Return images of smooth contrast with an upright edge each, in colour, that fill a part of the range."""
    rng = np.random.default_rng(0)
    place = rng.integers(3, 9, size=(40, 1, 1, 1))
    pixels = 100 + 30 * (np.arange(12)[None, None, :, None] > place) + rng.integers(0, 4, size=(40, 12, 12, 3))
    labels = np.arange(40) % 4
    return ImageSet(
        "bars",
        *(array[:30] for array in (pixels.astype(np.uint8), labels)),
        pixels[30:].astype(np.uint8),
        labels[30:],
        ("a", "b", "c", "d"),
    )


def test_scrambled_phases_keep_the_amplitudes_of_each_image_and_no_edge(bars):
    made = controlled(bars, "phases scrambled", 1)
    # Rounding to pixels adds white noise of variance 1 / 12, here with amplitude 3.5.
    np.testing.assert_allclose(np.abs(waves(made.train_images)), np.abs(waves(bars.train_images)), atol=14)
    np.testing.assert_allclose(made.test_images.mean(axis=(1, 2)), bars.test_images.mean(axis=(1, 2)), atol=0.2)
    steps = [
        np.abs(np.diff(images.astype(float), axis=2)).max(axis=(1, 2, 3)).mean()
        for images in (bars.train_images, made.train_images)
    ]
    assert steps[1] < 0.85 * steps[0]
    # The channels of an image stay alike.
    assert np.corrcoef(made.train_images[..., 0].ravel(), made.train_images[..., 1].ravel())[0, 1] > 0.9
    np.testing.assert_array_equal(made.train_labels, bars.train_labels)


def test_pink_noise_has_the_mean_spectrum_and_nothing_of_an_image(bars):
    made = controlled(bars, "pink noise", 1)
    own, other = (
        (np.abs(waves(pixels)) ** 2).mean(axis=0)[..., 0] for pixels in (bars.train_images, made.train_images)
    )
    assert other[0, 1] == pytest.approx(own[0, 1], rel=0.6)
    assert other[1:].sum() < 0.1 * other[0, 1:].sum()
    images = [
        pixels[..., 0].reshape(30, -1) - pixels[..., 0].mean() for pixels in (bars.train_images, made.train_images)
    ]
    assert np.abs(np.corrcoef(*(image.mean(axis=0) for image in images))[0, 1]) < 0.8


def test_shuffled_labels_keep_images_and_numbers(bars):
    made = controlled(bars, "labels shuffled", 1)
    np.testing.assert_array_equal(made.train_images, bars.train_images)
    np.testing.assert_array_equal(np.bincount(made.train_labels), np.bincount(bars.train_labels))
    assert (made.train_labels != bars.train_labels).mean() > 0.4


@pytest.mark.parametrize("control", ["phases scrambled", "labels shuffled", "pink noise"])
def test_a_control_depends_on_seed_and_number_alone(bars, control):
    one, again, other = (controlled(bars, control, seed) for seed in (1, 1, 2))
    assert one.sha256 == again.sha256 != other.sha256


def test_what_is_too_strong_for_pixels_loses_contrast():
    digits = load_image_set("digits", EmbeddedDigits(kind="digits", train=200, test=50), 3)
    made = load_image_set("digits", EmbeddedDigits(kind="digits", train=200, test=50, control="phases scrambled"), 3)
    for split in ("train", "test"):
        pixels = made.split(split)[0]
        assert np.mean((pixels == 0) | (pixels == 255)) < 0.01
    ratio = np.abs(waves(made.train_images)[:, 1:, 1:]).sum() / np.abs(waves(digits.train_images)[:, 1:, 1:]).sum()
    assert 0.3 < ratio < 1


def test_no_control_is_the_papers_own_set():
    section = MnistSample(kind="mnist_sample", control="labels shuffled")
    assert paper_set(section) is None
    facts = _image_set(section)
    assert (facts.own, facts.stands_for) == (False, "")
