"""Foreground and background of images by GrabCut (Rother et al. 2004), published and corrected (section 1.5; Q1 to Q3).

The released code hands GrabCut the normalized image cast to bytes (Q1) with its axes reversed (Q2), and counts a pixel
in only where the masked image has a gray value (Q3). Corrected: the image itself, and the mask itself.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8

from cnn_topology.activations.mask_file import Masks
from cnn_topology.plan.base import MODES
from cnn_topology.seeds import derive_seed

ITERATIONS = 5  # released code


def find_masks(
    images: UInt8[np.ndarray, "images height width 3"],
    ids: Int64[np.ndarray, " images"],
    mean: Float[np.ndarray, "3"],
    sd: Float[np.ndarray, "3"],
    seed: int,
) -> Masks:
    """Find the masks of images in both modes.

    Parameters
    ----------
    images : uint8 array (images, height, width, 3)
    ids : int64 array (images,)
        With `seed` they decide the random numbers of GrabCut, image by image.
    mean, sd : arrays (3,)
        What the network's images are normalized by, pixels in [0, 1]; the published masks depend on it.
    seed : int
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    foreground = {mode: np.zeros(images.shape[:3], bool) for mode in MODES}
    background = {mode: np.zeros(images.shape[:3], bool) for mode in MODES}
    try:
        for place, (image, number) in enumerate(zip(images, ids.tolist(), strict=True)):
            drawn = derive_seed(seed, number) % 2**31
            found = grabcut(image, drawn)
            foreground["corrected"][place], background["corrected"][place] = found, ~found
            foreground["published"][place], background["published"][place] = published_masks(image, mean, sd, drawn)
    finally:
        cv2.setNumThreads(threads)
    return Masks(ids, foreground, background)


def grabcut(image: UInt8[np.ndarray, "height width 3"], seed: int) -> Bool[np.ndarray, "height width"]:
    """Find the sure and probable foreground of one image, from a rectangle of all but its last row and column.

    Parameters
    ----------
    image : uint8 array (height, width, 3)
    seed : int
        Below 2^31; GrabCut begins with clusters drawn at random.
    """
    mask = np.zeros(image.shape[:2], np.uint8)
    rectangle = (0, 0, image.shape[1] - 1, image.shape[0] - 1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(seed)
    cv2.grabCut(np.ascontiguousarray(image), mask, rectangle, *models, ITERATIONS, cv2.GC_INIT_WITH_RECT)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


def published_masks(
    image: UInt8[np.ndarray, "height width 3"], mean: Float[np.ndarray, "3"], sd: Float[np.ndarray, "3"], seed: int
) -> tuple[Bool[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
    """Find foreground and background of one square image as the released code does, defects included.

    Returns
    -------
    foreground, background : bool arrays (height, width)
        Indexed as the released code weighs positions by them: entry (i, j) speaks of column i and row j of the image.
    """
    normalized = ((image / np.float32(255) - mean) / sd).astype(np.float32)
    # The cast of C: towards zero, then modulo 256.
    levels = np.trunc(normalized).astype(np.int64).astype(np.uint8)
    turned = np.ascontiguousarray(levels.transpose(1, 0, 2))
    found = grabcut(turned, seed)
    gray = [cv2.cvtColor(turned * side[..., None].astype(np.uint8), cv2.COLOR_BGR2GRAY) for side in (found, ~found)]
    return gray[0] != 0, gray[1] != 0


def overlap(
    first: Bool[np.ndarray, "images height width"], second: Bool[np.ndarray, "images height width"]
) -> Float[np.ndarray, " images"]:
    """Compute the share of common pixels among those of either mask, per image; 1 where both are empty."""
    either = (first | second).sum((1, 2))
    return np.where(either, (first & second).sum((1, 2)) / np.maximum(either, 1), 1.0)
