"""Gaussian noise on normalized images, the same for an image in every cloud and network (section 1.5; Q12)."""

import numpy as np
from jaxtyping import Float32, Int64

from cnn_topology.seeds import derive_seed


def noise_of(
    ids: Int64[np.ndarray, " images"], shape: tuple[int, int, int], sigma: float, seed: int
) -> Float32[np.ndarray, "images channels height width"]:
    """Draw the noise of some images.

    Parameters
    ----------
    ids : int64 array (images,)
        Index of each image in its split.
    shape : (int, int, int)
        Height, width and channels of an image.
    sigma : float
        Standard deviation, in units of normalized pixels. The same draw is scaled, so that sigmas compare.
    seed : int
        Of the split.
    """
    height, width, channels = shape
    drawn = [np.random.default_rng(derive_seed(seed, number)).standard_normal((channels, height, width), np.float32)
             for number in ids.tolist()]  # fmt: skip
    return np.float32(sigma) * np.stack(drawn)
