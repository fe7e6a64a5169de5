"""Which files the images of a user are read from, in which order; only those without the suffix of an image are opened.

The reader of a folder and the manifest that watches its files (`storage.manifest`) both go by this list. Originals of
the papers are not on it: none of them is read before its MD5 is that of the original.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from cnn_topology.data.shapes import balanced_indices, held_out
from cnn_topology.errors import InputError, readable, together
from cnn_topology.plan.images import (
    LAYOUTS,
    SPLITS,
    UNLABELLED,
    FolderImages,
    ImageSetConfig,
    NpzImages,
    Split,
    class_files,
    class_folders,
    lacks_test,
    split_folders,
    visible,
)
from cnn_topology.seeds import derive_seed

# What Pillow reads without another program: it would hand an EPS to Ghostscript, which runs it.
FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "AVIF", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "TGA", "ICO", "PCX")


class Listed(NamedTuple):
    """The images of one split: their files and labels, in the order in which they are read."""

    files: list[Path]
    labels: np.ndarray


def image_files(name: str, config: ImageSetConfig, seed: int) -> dict[str, Path]:
    """List exactly the files that an image set is read from.

    Parameters
    ----------
    name : str
        Its key under `images` in the config.
    config : ImageSetConfig
        The section.
    seed : int
        The seed of the run: it decides which images of a folder are drawn.

    Returns
    -------
    dict of str to Path
        By name in the folder, in the order in which they are read; empty for sets that are not a user's, and where
        its path is missing: a run that holds the prepared set goes on without.

    Raises
    ------
    InputError
        As for `list_folder`; or if a file without the suffix of an image is none.
    """
    if not isinstance(config, FolderImages | NpzImages) or not Path(config.path).exists():
        return {}
    path = Path(config.path)
    if isinstance(config, NpzImages):
        return {path.name: path}
    _, splits = list_folder(name, config, draw_seeds(name, seed))
    files = [file for split in SPLITS for file in splits[split].files]
    _refuse_strays(files)
    return {str(file.relative_to(path)): file for file in files}


def open_image(path: Path) -> Any:
    """Open an image by Pillow, in one of the formats that it reads itself."""
    Image.init()
    return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def draw_seeds(name: str, seed: int) -> dict[str, int]:
    """Derive the seeds that draw the training and the test images of a set, and the split where it has none.

    Parameters
    ----------
    name : str
        Its key under `images` in the config.
    seed : int
        The seed of the run.

    Returns
    -------
    dict of str to int
        For train, test and split.
    """
    return {what: derive_seed(seed, "images", name, what) for what in (*SPLITS, "split")}


def list_folder(name: str, config: FolderImages, seeds: dict[str, int]) -> tuple[tuple[str, ...], dict[Split, Listed]]:
    """List the classes and the images of a folder, laid out as `plan.images` has it; links are followed.

    Parameters
    ----------
    name : str
        The name the image set has in the config.
    config : FolderImages
        The section: how many images of each split to take, balanced by class, and the share of each class that is
        held out where the folder has no split of its own.
    seeds : dict of str to int
        From `draw_seeds`.

    Returns
    -------
    classes : tuple of str
        In the order of their names.
    splits : dict of str to Listed
        By split, only the images that are taken.

    Raises
    ------
    InputError
        If a folder is missing or empty, the classes of the splits differ, a class cannot be split, something within a
        class is no file, or more images are asked for than there are.
    """
    path = Path(config.path)
    folders = split_folders(path)
    classes, tested = (class_folders(folders[split], labels=config.labels) for split in SPLITS)
    if not classes and visible(folders["train"]):
        raise InputError(
            f"{folders['train']}: holds no folders of classes; images without classes take `labels: false` in "
            f"images.{name}, and {LAYOUTS}."
        )
    if odd := sorted(set(classes) ^ set(tested)):
        names = " and ".join(f"`{folder.name}`" for folder in folders.values())
        raise InputError(f"{path}: {names} must hold the same classes; only one of them has {odd}.")
    splits = {}
    for split in SPLITS:
        count = config.taken(split)
        members = [class_files(folders[split] / each, labels=config.labels) for each in classes]
        files = [file for of_class in members for file in of_class]
        labels = np.repeat(np.arange(len(classes)), [len(of_class) for of_class in members])
        if lacks_test(folders):
            for each, of_class in zip(classes, members, strict=True):
                if len(of_class) < 2:
                    raise InputError(
                        f"{folders[split] / each}: one image cannot be split into training and test; add another."
                    )
            places = np.flatnonzero(held_out(labels, config.test_fraction, seeds["split"]) == (split == "test"))
            files, labels = [files[place] for place in places], labels[places]
        if count is not None:
            if count > len(files):
                raise InputError(f"images.{name}.{split} is {count}, but {folders[split]} holds {len(files)} for it.")
            places = balanced_indices(labels, count, seeds[split])
            files, labels = [files[place] for place in places], labels[places]
        splits[split] = Listed(files, labels)
    return tuple(map(readable, classes)) if config.labels else UNLABELLED, splits


def _refuse_strays(files: Iterable[Path]) -> None:
    """Refuse notes beside the images before any job starts; what is named as an image is opened by the job alone."""
    known = Image.registered_extensions()
    strays = [file for file in files if file.suffix.lower() not in known and not _opens(file)]
    if strays:
        raise together([f"{file}: not an image that Pillow can read; take it out of the folder" for file in strays])


def _opens(file: Path) -> bool:
    try:
        with open_image(file):
            return True
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
