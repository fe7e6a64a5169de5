"""Images brought to another shape, and balanced subsets of them: pure functions over arrays."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from PIL import Image

from cnn_topology.plan.images import held_out_count

# Pillow's bilinear filter is a triangle as wide as one pixel of the smaller image: shrinking averages all pixels
# under it (antialiased, no ringing), enlarging interpolates.
RESAMPLING = Image.Resampling.BILINEAR
BLOCK = 256  # images that are turned gray, or counted, at once: what this takes besides them is little


def to_shape(
    images: UInt8[np.ndarray, "images height width channels"], shape: tuple[int, int, int]
) -> UInt8[np.ndarray, "images new_height new_width new_channels"]:
    """Bring images to a height, a width and a number of channels.

    Parameters
    ----------
    images : uint8 array (N, H, W, C)
        C is 1 (gray) or 3 (RGB).
    shape : (int, int, int)
        Height, width, channels (1 or 3). Of images of another aspect ratio the centre is taken (`centre_box`).

    Returns
    -------
    uint8 array (N, height, width, channels)
        Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded half up, and becomes colour by repetition; then
        resized by Pillow's antialiased bilinear filter. `images` itself where the shape fits already.
    """
    height, width, channels = shape
    if images.shape[3] == 3 and channels == 1:
        images = to_gray(images)
    if images.shape[1:3] != (height, width):
        images = _resize(images, shape)
    if images.shape[3] == 1 and channels == 3:
        images = np.repeat(images, 3, axis=3)
    return images


def centre_box(size: tuple[int, int], shape: tuple[int, int, int]) -> tuple[float, float, float, float] | None:
    """Compute the largest centred part of an image that has the aspect ratio of another shape.

    To stretch the image instead would bend the angles of its edges, which is what the filters are about.

    Parameters
    ----------
    size : (int, int)
        Height and width of the image.
    shape : (int, int, int)
        Height and width of which the aspect ratio is taken, and channels.

    Returns
    -------
    (float, float, float, float) or None
        Left, top, right and bottom in pixels and parts of them; None where all of the image is taken.
    """
    (height, width), (new_height, new_width, _) = size, shape
    if height * new_width == width * new_height:
        return None
    scale = min(height / new_height, width / new_width)
    left, top = (width - scale * new_width) / 2, (height - scale * new_height) / 2
    return left, top, width - left, height - top


def cropping_note(where: str, sizes: Iterable[tuple[int, int]], shape: tuple[int, int, int]) -> str | None:
    """Describe how many images are cropped to reach a shape, and how much of them is cut off at most.

    Parameters
    ----------
    where : str
        Names the images.
    sizes : iterable of (int, int)
        Height and width of every image.
    shape : (int, int, int)
        Height, width and channels that they are brought to.

    Returns
    -------
    str or None
        None where no image is cropped.
    """
    kept, images = [], 0
    for height, width in sizes:
        images += 1
        if box := centre_box((height, width), shape):
            left, top, right, bottom = box
            kept.append((right - left) * (bottom - top) / (height * width))
    if not kept:
        return None
    return (
        f"{where}: {len(kept)} of {images} images have another aspect ratio than {shape[0]}x{shape[1]} and are cropped "
        f"to their centre; up to {1 - min(kept):.0%} of an image is cut off"
    )


def to_gray(
    images: UInt8[np.ndarray, "images height width 3"],
) -> UInt8[np.ndarray, "images height width 1"]:
    """Turn RGB into gray, 0.299 R + 0.587 G + 0.114 B in whole thousandths, so that an RGB gray stays what it is."""
    gray = np.empty(images.shape[:3], dtype=np.uint8)
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK]
        # 255 * 1000 + 500 does not fit 16 bits.
        thousandths = np.full(block.shape[:3], 500, dtype=np.uint32)
        for channel, weight in enumerate((299, 587, 114)):
            thousandths += block[..., channel] * np.uint32(weight)
        gray[start : start + BLOCK] = thousandths // 1000
    return gray[..., np.newaxis]


def _resize(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    height, width, _ = shape
    box = centre_box(images.shape[1:3], shape)
    resized = np.empty((len(images), height, width, images.shape[3]), dtype=np.uint8)
    for image, out in zip(images, resized, strict=True):
        picture = Image.fromarray(image if image.shape[2] == 3 else image[..., 0])
        out[...] = np.asarray(picture.resize((width, height), RESAMPLING, box)).reshape(out.shape)
    return resized


def held_out(labels: Int64[np.ndarray, " images"], share: float, seed: int) -> Bool[np.ndarray, " images"]:
    """Draw which images are test images, where a source has no split: a share of each class, see `held_out_count`."""
    test = np.zeros(len(labels), dtype=bool)
    random = np.random.default_rng(seed)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        test[members[: held_out_count(share, len(members))]] = True
    return test


def balanced_indices(labels: Int64[np.ndarray, " images"], count: int, seed: int) -> Int64[np.ndarray, " count"]:
    """Draw `count` places, as evenly over the classes as these allow.

    Parameters
    ----------
    labels : int64 array (N,)
    count : int
        At most N.
    seed : int
        The same seed draws the same places.

    Returns
    -------
    int64 array (count,)
        Rising. Class sizes differ by at most one, except where a class has no more images to give; with a larger
        `count` and the same seed the places drawn before stay drawn.
    """
    if not 1 <= count <= len(labels):
        raise ValueError(f"count (={count}) must lie in 1 to the number of images (={len(labels)})")
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels[shuffled] == label)
        turn[members] = np.arange(len(members))
    # Every class gives its first, then every class its second, ...; chance decides within a turn.
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:count]])
