"""Digits 0 to 9 printed in the DejaVu fonts that ship inside matplotlib, under random affine maps.

The set stands in for MNIST where nothing can be downloaded: white strokes on black with antialiased edges in all
directions, from which first-layer filters form the primary circle (weights paper, section 3). Every image is made
from a seed of its own, so its pixels depend on neither the number of images nor their order.
"""

import math
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from cnn_topology.data.image_set import DIGITS, ImageSet
from cnn_topology.seeds import derive_seed

FONTS = tuple(
    f"DejaVu{family}{style}.ttf"
    for family, styles in {
        "Sans": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "SansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "Serif": ("", "-Bold", "-Italic", "-BoldItalic"),
    }.items()
    for style in styles
)

# Ours. An upright digit is as high as MNIST's, 20 of 28 pixels.
HEIGHT = 20 / 28
EM = 0.729  # height of a digit in all DejaVu fonts, per unit of font size
# Largest turn. Upright digits have far more edges along some directions than others, and the filters of small networks
# then gather at two opposite edges instead of on a circle (so measured with 25 degrees: no loop). A 6 stays apart from
# a 9.
ROTATION = math.radians(80)
SHEAR = 0.3  # largest slant
SCALE = (0.75, 1.15)  # of width and height, each on its own
TRANSLATION = 2.5 / 28  # largest shift, in sides
INTENSITY = (0.5, 1.0)  # of the stroke; 1 is white
# Drawn on a finer grid, then averaged over SUPERSAMPLING^2 subpixels: an edge at any angle gets its true gray.
SUPERSAMPLING = 4


def printed_digits(name: str, side: int, train: int, test: int, seed: int) -> ImageSet:
    """Render the set: `train` and `test` gray images of `side` x `side` pixels, digits in turn, fonts by chance."""
    train_images, train_labels = _render_split(name, "train", side, train, seed)
    test_images, test_labels = _render_split(name, "test", side, test, seed)
    return ImageSet(name, train_images, train_labels, test_images, test_labels, DIGITS)


def _render_split(name: str, split: str, side: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(count, dtype=np.int64) % len(DIGITS)
    images = np.empty((count, side, side, 1), dtype=np.uint8)
    for number, label in enumerate(labels):
        images[number, ..., 0] = _render(int(label), side, derive_seed(seed, "images", name, split, number))
    return images, labels


def _render(digit: int, side: int, seed: int) -> UInt8[np.ndarray, "side side"]:
    """Render one digit: font, map and intensity drawn from `seed`."""
    random = np.random.default_rng(seed)
    master = _master(FONTS[random.integers(len(FONTS))], digit, side * SUPERSAMPLING)
    angle, shear = random.uniform(-ROTATION, ROTATION), random.uniform(-SHEAR, SHEAR)
    cos, sin = math.cos(angle), math.sin(angle)
    scale = random.uniform(*SCALE, size=2)
    forward = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, shear], [0, 1]]) @ np.diag(scale)
    backward = np.linalg.inv(forward)  # Pillow asks from where each new pixel comes
    centre = np.full(2, side * SUPERSAMPLING / 2)
    shift = random.uniform(-TRANSLATION, TRANSLATION, size=2) * side * SUPERSAMPLING
    offset = centre - backward @ (centre + shift)
    (a, b), (d, e) = backward.tolist()
    moved = master.transform(
        master.size, Image.Transform.AFFINE, (a, b, float(offset[0]), d, e, float(offset[1])), Image.Resampling.BILINEAR
    )
    stroke = np.asarray(moved.reduce(SUPERSAMPLING), dtype=np.float64) * random.uniform(*INTENSITY)
    return np.rint(stroke).astype(np.uint8)


@cache
def _master(font: str, digit: int, side: int) -> Image.Image:
    """Draw an upright digit in the middle of a `side` x `side` canvas, white on black."""
    from matplotlib import get_data_path

    # The basic layout engine is in every build of Pillow: the same outlines everywhere.
    typeface = ImageFont.truetype(
        Path(get_data_path(), "fonts", "ttf", font),
        size=HEIGHT / EM * side,
        layout_engine=ImageFont.Layout.BASIC,
    )
    canvas = Image.new("L", (side, side))
    left, top, right, bottom = typeface.getbbox(str(digit))
    corner = ((side - left - right) / 2, (side - top - bottom) / 2)
    ImageDraw.Draw(canvas).text(corner, str(digit), fill=255, font=typeface)
    return canvas
