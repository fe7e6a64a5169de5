"""Batches from images that lie on the device as bytes: gather, crop, flip, normalize (weights paper, 2.1 and 2.2)."""

from dataclasses import dataclass

import numpy as np
import torch

from cnn_topology.data.statistics import normalization
from cnn_topology.plan.populations import Recipe
from cnn_topology.training.draws import FLIP, LEFT, TOP, uniform


@dataclass(frozen=True)
class Normalization:
    """How bytes become the numbers a network sees: (pixel / 255) * scale + shift, or standardized per image."""

    kind: str
    scale: torch.Tensor
    shift: torch.Tensor

    @classmethod
    def of(cls, recipe: Recipe, train_images: np.ndarray, device: torch.device) -> "Normalization":
        """Take the statistics that `recipe` asks for from the training images, (images, height, width, channels)."""
        mean, sd = normalization("set", train_images) if recipe.standardize == "set" else ([0.0], [1.0])
        centre, spread = (torch.tensor(values, dtype=torch.float64, device=device) for values in (mean, sd))
        return cls(recipe.standardize, (1 / spread).float(), (-centre / spread).float())

    def __call__(self, pixels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Normalize uint8 pixels (..., height, width, channels)."""
        wide = torch.float64 if dtype == torch.float64 else torch.float32
        if self.kind == "none":
            return pixels.to(dtype).mul_(1 / 255)
        x = pixels.to(wide)
        if self.kind == "set":
            return (x.mul_(1 / 255) * self.scale.to(wide) + self.shift.to(wide)).to(dtype)
        # tf.image.per_image_standardization: on gray levels 0 to 255, the deviation at least 1 / sqrt(pixels).
        count = x.shape[-1] * x.shape[-2] * x.shape[-3]
        mean = x.mean(dim=(-3, -2, -1), keepdim=True)
        sd = (x - mean).square().mean(dim=(-3, -2, -1), keepdim=True).sqrt()
        return ((x - mean) / sd.clamp_min(count**-0.5)).to(dtype)


def random_crops(
    images: torch.Tensor, indices: torch.Tensor, crop: int, seeds: torch.Tensor, step: torch.Tensor
) -> torch.Tensor:
    """Gather images, each cropped at a random place and flipped with probability 1/2.

    Parameters
    ----------
    images : Tensor
        uint8 (images, height, width, channels).
    indices : Tensor
        int64 (networks, batch).
    crop : int
        Side of the crop, pixels.
    seeds, step : Tensor
        int64 (networks,) and int64 scalar, as `uniform` takes them.

    Returns
    -------
    Tensor
        uint8 (networks, batch, crop, crop, channels).
    """
    height, width = images.shape[1:3]
    batch = indices.shape[1]
    top = (uniform(seeds, step, TOP, batch) * (height - crop + 1)).long()
    left = (uniform(seeds, step, LEFT, batch) * (width - crop + 1)).long()
    flip = uniform(seeds, step, FLIP, batch) < 0.5
    side = torch.arange(crop, device=images.device)
    rows = top[..., None] + side
    columns = left[..., None] + torch.where(flip[..., None], crop - 1 - side, side)
    return images[indices[..., None, None], rows[..., :, None], columns[..., None, :]]


def centre_crop(images: torch.Tensor, crop: int | None) -> torch.Tensor:
    """Cut the centre out of (images, height, width, channels); `crop` absent: all of it."""
    if crop is None:
        return images
    top, left = (images.shape[1] - crop) // 2, (images.shape[2] - crop) // 2
    return images[:, top : top + crop, left : left + crop]
