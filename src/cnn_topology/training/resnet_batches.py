"""Batches for residual networks: bytes on the device, shifted, flipped, cut out and normalized there.

Every random choice of an epoch is drawn from the network's seed and the epoch's number, so that a restart in the
middle of an epoch sees the same batches (activations paper, sections 1.1 and 1.4).
"""

from dataclasses import dataclass

import numpy as np
import torch

from cnn_topology.plan.resnets import StepRecipe, TriangularRecipe
from cnn_topology.seeds import derive_seed


@dataclass(frozen=True, eq=False)
class Normalizer:
    """Turns bytes into what a network sees: (pixel / 255 - mean) / sd.

    Channels lie last in memory, which is faster, or first: code of a user's own may flatten by `view`.
    """

    mean: torch.Tensor
    sd: torch.Tensor
    channels_last: bool

    @classmethod
    def of(
        cls, mean: list[float], sd: list[float], device: torch.device, *, channels_last: bool = True
    ) -> "Normalizer":
        """Return one for a device."""
        return cls(torch.tensor(mean, device=device), torch.tensor(sd, device=device), channels_last)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Bring uint8 (images, height, width, channels) to float32 (images, channels, height, width)."""
        batch = ((images.float() / 255 - self.mean) / self.sd).permute(0, 3, 1, 2)
        # `contiguous` would leave the strides of a single channel, which convolutions take for channels last.
        return batch if self.channels_last else batch.clone(memory_format=torch.contiguous_format)


@dataclass(frozen=True, eq=False)
class Epoch:
    """All random choices of one epoch of one network, one row per image, in the order of the batches."""

    order: torch.Tensor
    flips: torch.Tensor
    shifts: torch.Tensor
    holes: torch.Tensor

    @classmethod
    def draw(
        cls,
        seed: int,
        epoch: int,
        shape: tuple[int, int, int],
        recipe: TriangularRecipe | StepRecipe,
        device: torch.device,
    ) -> "Epoch":
        """Draw them; `shape` is the number of training images, their height and their width."""
        rng = np.random.default_rng(derive_seed(seed, "epoch", epoch))
        images, height, width = shape
        rooms = np.array([height, width]) - min(recipe.cutout, height, width) + 1
        drawn = (
            rng.permutation(images),
            rng.random(images) < (0.5 if recipe.flip else 0.0),
            rng.integers(0, 2 * recipe.translate + 1, (images, 2)),
            rng.integers(0, rooms, (images, 2)),
        )
        return cls(*(torch.from_numpy(array).to(device) for array in drawn))


def padded(images: torch.Tensor, margin: int) -> torch.Tensor:
    """Pad (images, height, width, channels) with black, as FFCV and torchvision do before the normalization."""
    return torch.nn.functional.pad(images, (0, 0, margin, margin, margin, margin))


def augmented(
    images: torch.Tensor, epoch: Epoch, rows: slice, shape: tuple[int, int], cutout: int, fill: torch.Tensor
) -> torch.Tensor:
    """Gather a batch: each image shifted, perhaps flipped, with a square cut out.

    Parameters
    ----------
    images : Tensor
        uint8 (images, height + 2 margin, width + 2 margin, channels), from `padded`.
    epoch : Epoch
        The random choices.
    rows : slice
        Which of its rows make the batch.
    shape : (int, int)
        Height and width of an image.
    cutout : int
        Side of the square, pixels; 0 for none.
    fill : Tensor
        uint8 (channels,): the colour of the square.

    Returns
    -------
    Tensor
        uint8 (batch, height, width, channels).
    """
    height, width = shape
    down, across = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    top, left = epoch.shifts[rows].unbind(1)
    columns = torch.where(epoch.flips[rows][:, None], across.flip(0), across) + left[:, None]
    lines = down + top[:, None]
    batch = images[epoch.order[rows][:, None, None], lines[:, :, None], columns[:, None, :]]
    if not cutout:
        return batch
    above, before = epoch.holes[rows].unbind(1)
    in_lines = (down >= above[:, None]) & (down < above[:, None] + cutout)
    in_columns = (across >= before[:, None]) & (across < before[:, None] + cutout)
    return torch.where((in_lines[:, :, None] & in_columns[:, None, :])[..., None], fill, batch)
