"""The 3x3 neighbourhood of every pixel, as shifted copies of the image."""

import torch
import torch.nn.functional as F


def neighbours(x: torch.Tensor) -> list[torch.Tensor]:
    """Shift (..., h, w, c) to each place of the 3x3 neighbourhood, row by row; outside are zeros."""
    height, width = x.shape[-3:-1]
    padded = F.pad(x, (0, 0, 1, 1, 1, 1))
    return [padded[..., i : i + height, j : j + width, :] for i in range(3) for j in range(3)]
