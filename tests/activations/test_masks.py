"""Masks by GrabCut: what it finds on clear images, and each defect of the published ones."""

import cv2
import numpy as np
import pytest

from cnn_topology.activations.mask_file import read_masks, write_masks
from cnn_topology.activations.masks import find_masks, grabcut, overlap, published_masks
from cnn_topology.errors import InputError

MEAN, SD = np.array([0.4914, 0.4822, 0.4465]), np.array([0.2023, 0.1994, 0.2010])


@pytest.fixture(scope="module")
def disc():
    """A red disc, off the diagonal, on a noisy green ground."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    inside = (rows - 9) ** 2 + (columns - 20) ** 2 < 36
    image = np.zeros((32, 32, 3))
    image[..., 1] = 150
    image[inside] = [220, 40, 30]
    return (image + rng.integers(-12, 12, image.shape)).clip(0, 255).astype(np.uint8), inside


def test_the_corrected_mask_is_the_object_where_it_is(disc):
    image, inside = disc
    assert overlap(grabcut(image, 1)[None], inside[None])[0] > 0.95


def test_a_mask_depends_on_its_seed_alone(disc):
    rows, columns = np.mgrid[:16, :16]
    slope = np.stack([8 * rows, 8 * columns, 4 * (rows + columns)], axis=-1).astype(np.uint8)
    by_seed = [grabcut(slope, seed) for seed in range(6)]
    assert any(not np.array_equal(by_seed[0], other) for other in by_seed[1:])
    cv2.setRNGSeed(77)
    grabcut(disc[0], 3)
    assert all(np.array_equal(mask, grabcut(slope, seed)) for seed, mask in enumerate(by_seed))


def test_published_masks_see_the_normalized_image_as_bytes_on_its_side(disc, monkeypatch):
    seen = {}

    def look(image, mask, rectangle, *_):
        seen["image"], seen["rectangle"] = image.copy(), rectangle
        mask[:] = cv2.GC_PR_FGD
        mask[:4] = cv2.GC_BGD

    monkeypatch.setattr(cv2, "grabCut", look)
    image = disc[0].copy()
    image[20:] = [125, 123, 114]  # the mean: level 0 in all channels
    foreground, background = published_masks(image, MEAN, SD, 0)
    levels = (image.transpose(1, 0, 2) / 255 - MEAN) / SD
    assert set(np.unique(seen["image"])) <= {254, 255, 0, 1, 2}
    assert np.array_equal(seen["image"], np.trunc(levels).astype(int) % 256)
    assert seen["rectangle"] == (0, 0, 31, 31)
    # Pixels whose gray value is 0 are in neither.
    gray = cv2.cvtColor(seen["image"], cv2.COLOR_BGR2GRAY)
    assert np.array_equal(foreground[4:], gray[4:] != 0)
    assert not foreground[:4].any()
    assert np.array_equal(background[:4], gray[:4] != 0)
    assert (~(foreground | background)).any()


def test_corrected_sides_fill_the_image_and_published_ones_need_not(disc):
    images = np.stack([disc[0], disc[0][::-1]])
    masks = find_masks(images, np.array([4, 9]), MEAN, SD, 3)
    assert (masks.foreground["corrected"] ^ masks.background["corrected"]).all()
    assert not (masks.foreground["published"] & masks.background["published"]).any()


def test_an_image_of_one_colour_has_no_foreground():
    masks = find_masks(np.full((1, 32, 32, 3), 90, np.uint8), np.array([0]), MEAN, SD, 0)
    assert not masks.foreground["corrected"].any()
    assert masks.background["corrected"].all()


def test_overlap_counts_common_pixels_among_those_of_either():
    one, two = np.zeros((3, 2, 2), bool), np.zeros((3, 2, 2), bool)
    one[0, 0], two[0, :, 0] = True, True
    one[1, 0, 0] = True
    assert overlap(one, two).tolist() == [1 / 3, 0, 1]


def test_masks_come_back_for_the_images_they_belong_to(tmp_path, disc):
    masks = find_masks(disc[0][None], np.array([7]), MEAN, SD, 3)
    path = tmp_path / "masks.safetensors"
    write_masks(path, masks, {"config": "c"})
    back = read_masks(path, "corrected", "background", np.array([7]))
    assert np.array_equal(back, masks.background["corrected"])
    with pytest.raises(InputError, match="masks of other images"):
        read_masks(path, "corrected", "background", np.array([8]))
