"""Statistics of the training pixels, for recipes that standardize by the set."""

import numpy as np
from jaxtyping import Float64, UInt8


def channel_statistics(
    images: UInt8[np.ndarray, "images height width channels"],
) -> tuple[Float64[np.ndarray, " channels"], Float64[np.ndarray, " channels"]]:
    """Compute mean and standard deviation of each channel, pixels in [0, 1].

    Returns
    -------
    mean, sd : float64 arrays (C,)
        Over all pixels of all images, population standard deviation; sd is 0 for a channel of one value.
    """
    levels = np.arange(256) / 255
    channels = range(images.shape[3])
    # From histograms: exact, independent of the order of summation, and without a float copy of the images.
    shares = np.stack([np.bincount(images[..., c].ravel(), minlength=256) for c in channels]) / images[..., 0].size
    mean = shares @ levels
    return mean, np.sqrt((shares * (levels - mean[:, np.newaxis]) ** 2).sum(axis=1))
