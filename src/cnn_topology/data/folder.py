"""A user's image folder, `train/<class>/*` and `test/<class>/*` or `<class>/*`, in the formats of `FORMATS`."""

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cnn_topology.data.image_files import FORMATS, list_folder, open_image
from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.pixel_range import Range, conversion, is_dark, joined
from cnn_topology.data.shapes import cropping_note, to_shape
from cnn_topology.errors import InputError, together
from cnn_topology.plan.images import FolderImages, Split, count_system_files, lacks_test, split_folders, visible

# 16-bit and floating-point modes of one channel: Pillow would clip them to 8 bits without a word. Of three channels of
# 16 bits it reads the upper byte, which is right.
DEEP_MODES = ("I", "F")


def read_folder(name: str, config: FolderImages, shape: tuple[int, int, int], seeds: dict[str, int]) -> ImageSet:
    """Read an image folder; classes are its subfolders in the order of their names.

    Images are turned as their EXIF data ask for. How many were cropped (`to_shape`), of how many files only the first
    of several images was read, how many files of systems were passed over, what else lies there and is not read, and
    that a share was held out is printed to standard error.

    Parameters
    ----------
    name : str
        The name the image set has in the config.
    config : FolderImages
        The section. Images that are not taken are not opened.
    shape : (int, int, int)
        Height, width and channels that every image is brought to (`to_shape`).
    seeds : dict of str to int
        From `draw_seeds`.

    Raises
    ------
    InputError
        If a folder is missing or empty, the classes of train and test differ, files are no images of 8 bits, or the
        images of a split are nearly black, as masks of 0 and 1 are: all that are opened are looked at first.
    """
    path = Path(config.path)
    classes, splits = list_folder(name, config, seeds)
    folders = split_folders(path)
    if lacks_test(folders):
        part = "each class" if config.labels else "them"
        print(
            f"{path}: no images to test of its own; {config.test_fraction:.0%} of {part} are held out, by seed "
            f"(images.{name}.test_fraction)",
            file=sys.stderr,
        )
    if unread := _unread(path, folders, config.labels):
        names = f"{', '.join(unread[:5])}{f' and {len(unread) - 5} more' if len(unread) > 5 else ''}"
        print(f"{path}: folders beside the splits and images beside the classes are not read: {names}", file=sys.stderr)
    if passed := count_system_files(path):
        print(f"{path}: {passed} files that an operating system left are passed over", file=sys.stderr)
    bad: list[str] = []
    deep: dict[int, Range] = {}  # of pixels of more than 8 bits, by the place of their file in `bad`
    dark: dict[Split, int] = {}  # the largest pixel of a split that is nearly black

    def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
        files, labels = splits[split]
        images = np.empty((len(files), *shape), dtype=np.uint8)
        sizes, several, brightest = [], 0, 0
        for number, file in enumerate(files):
            try:
                pixels, more = _read_image(file)
            except InputError as error:
                bad.append(str(error))
                continue
            if pixels.dtype != np.uint8:
                deep[len(bad)] = float(pixels.min()), float(pixels.max())
                bad.append(f"{file}: pixels are {pixels.dtype}")
                continue
            images[number] = to_shape(pixels[np.newaxis], shape)[0]
            brightest = max(brightest, int(pixels.max()))
            sizes.append((pixels.shape[0], pixels.shape[1]))
            several += more
        if sizes and is_dark(brightest):
            dark[split] = brightest
        if note := cropping_note(f"{folders[split]}", sizes, shape):
            print(note, file=sys.stderr)
        if several:
            print(f"{folders[split]}: of {several} files with several images the first one is read", file=sys.stderr)
        return images, labels

    train, test = read("train"), read("test")
    # All alike, or one image or split would become brighter than another.
    for place in deep:
        low, high = joined(deep.values())
        mend = conversion((low, high)) if np.isfinite((low, high)).all() else "Replace NaN and infinite values first"
        bad[place] += f", from {low:g} to {high:g} in all such files; expected 8 bits. {mend or 'They are black'}."
    for split, brightest in dark.items():
        mend = conversion((0, max(dark.values()))) or "All images are black"
        bad.append(
            f"{folders[split]}: no pixel is above {brightest}, white is 255. Of the pixels x of an image, {mend}."
        )
    if bad:
        raise together(bad)
    return ImageSet(name, *train, *test, classes)


def _unread(path: Path, folders: Mapping[Split, Path], labels: bool) -> list[str]:
    """List the folders beside the splits, and the images beside splits or classes."""
    splits = set(folders.values())
    beside = [
        Path(entry.path) for folder in ({path, *splits} if labels else {path} - splits) for entry in visible(folder)
    ]
    images = Image.registered_extensions()
    return sorted(
        str(other.relative_to(path))
        for other in beside
        if (not splits & {other, other.parent} if other.is_dir() else other.suffix.lower() in images)
    )


def _read_image(path: Path) -> tuple[np.ndarray, bool]:
    """Read one image the right way up, and whether its file has more of them.

    The image is uint8 (height, width, 1 or 3), or (height, width) of another type where it has more than 8 bits.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns above MAX_IMAGE_PIXELS and raises above twice as many; both are far beyond any training set.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with open_image(path) as image:
                if image.mode.startswith(DEEP_MODES):
                    return np.asarray(image), False
                if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
                    raise InputError(
                        f"{path}: the image has transparent pixels; put it on a background: save "
                        '`Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))`.'
                    )
                # A photograph of a camera held upright is stored lying, with a note how to turn it. What the second
                # image of a camera's file (MPO) is, a preview or a depth map, belongs to no data set.
                several = getattr(image, "is_animated", False) and image.format != "MPO"
                ImageOps.exif_transpose(image, in_place=True)
                mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
                # No copy where none is needed: a large photograph takes 4 bytes a pixel each time.
                pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    except InputError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: more pixels than is safe to unpack, at most {Image.MAX_IMAGE_PIXELS} are read ({error}); "
            "save it smaller."
        ) from error
    except Exception as error:  # Pillow's many decoders raise almost anything on a damaged file
        raise InputError(
            f"{path}: not an image that can be read ({error}; formats: {', '.join(FORMATS)}); repair it or remove it "
            "from the folder."
        ) from error
    return pixels.reshape(*pixels.shape[:2], -1), several
