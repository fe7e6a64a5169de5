"""Crops, flips and normalization as the tutorials of the papers do them."""

import numpy as np
import torch

from cnn_topology.plan.populations import Recipe
from cnn_topology.training.batches import Normalization, centre_crop, random_crops

GENERATOR = np.random.default_rng(0)
IMAGES = torch.from_numpy(GENERATOR.integers(0, 256, (6, 9, 8, 3), dtype=np.uint8))


def test_a_random_crop_is_a_window_of_its_image_or_the_mirror_of_one() -> None:
    seeds, indices = torch.tensor([3, 4]), torch.arange(6).repeat(2, 50)
    crops = random_crops(IMAGES, indices, 5, seeds, torch.tensor(17))
    places, flips = set(), 0
    for image, crop in zip(IMAGES[indices.flatten()], crops.flatten(0, 1), strict=True):
        windows = {(i, j): image[i : i + 5, j : j + 5] for i in range(5) for j in range(4)}
        plain = [place for place, window in windows.items() if torch.equal(window, crop)]
        mirrored = [place for place, window in windows.items() if torch.equal(window.flip(1), crop)]
        assert len(plain) + len(mirrored) == 1
        places.update(plain + mirrored)
        flips += len(mirrored)
    assert places == {(i, j) for i in range(5) for j in range(4)}
    assert 250 < flips < 350  # of 600


def test_crops_of_a_network_do_not_depend_on_its_neighbours() -> None:
    indices = torch.arange(6).repeat(2, 1)
    both = random_crops(IMAGES, indices, 5, torch.tensor([3, 4]), torch.tensor(2))
    alone = random_crops(IMAGES, indices[:1], 5, torch.tensor([4]), torch.tensor(2))
    assert torch.equal(both[1], alone[0])


def test_the_test_sees_the_centre() -> None:
    assert torch.equal(centre_crop(IMAGES, 4), IMAGES[:, 2:6, 2:6])
    assert centre_crop(IMAGES, None) is IMAGES


def normalized(recipe: Recipe, images: torch.Tensor, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return Normalization.of(recipe, images.numpy(), torch.device("cpu"))(images, dtype)


def test_pixels_are_scaled_to_one() -> None:
    x = normalized(Recipe(), IMAGES)
    torch.testing.assert_close(x, IMAGES.double() / 255)


def test_standardized_images_have_mean_zero_and_deviation_one() -> None:
    x = normalized(Recipe(standardize="image"), IMAGES)
    torch.testing.assert_close(x.mean((1, 2, 3)), torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(x.std((1, 2, 3), correction=0), torch.ones(6, dtype=torch.float64))
    flat = torch.full((1, 4, 4, 1), 7, dtype=torch.uint8)
    assert normalized(Recipe(standardize="image"), flat, torch.float32).abs().max() == 0


def test_a_standardized_set_has_mean_zero_and_deviation_one_in_each_channel() -> None:
    x = normalized(Recipe(standardize="set"), IMAGES)
    torch.testing.assert_close(x.mean((0, 1, 2)), torch.zeros(3, dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(x.std((0, 1, 2), correction=0), torch.ones(3, dtype=torch.float64), atol=1e-6, rtol=0)
