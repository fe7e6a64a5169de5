"""Statistics of the training pixels, and what networks normalize their images by."""

import numpy as np
from jaxtyping import Float64, UInt8

from cnn_topology.data.shapes import BLOCK
from cnn_topology.plan.recorded import PAPER_MEAN, PAPER_SD, Normalization

# A constant channel carries nothing; half a gray level keeps it finite.
LEAST_SD = 0.5 / 255


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
    counts = np.zeros((images.shape[3], 256), dtype=np.int64)
    # From histograms: exact, independent of the order of summation, and without a float copy of the images. NumPy makes
    # 8 bytes of each value that it counts, so they are counted some images at a time.
    for start in range(0, len(images), BLOCK):
        for channel, of_channel in enumerate(counts):
            of_channel += np.bincount(images[start : start + BLOCK, ..., channel].ravel(), minlength=256)
    shares = counts / images[..., 0].size
    mean = shares @ levels
    return mean, np.sqrt((shares * (levels - mean[:, np.newaxis]) ** 2).sum(axis=1))


def normalization(given: str | Normalization, train_images: np.ndarray) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each channel, pixels in [0, 1], as the config asks for them.

    Parameters
    ----------
    given : str or Normalization
        ``paper``, ``set`` or numbers.
    train_images : ndarray
        uint8 (images, height, width, channels); read for ``set`` alone.
    """
    if isinstance(given, Normalization):
        return list(given.mean), list(given.sd)
    if given == "paper":
        return list(PAPER_MEAN), list(PAPER_SD)
    mean, sd = channel_statistics(train_images)
    return mean.tolist(), np.maximum(sd, LEAST_SD).tolist()
