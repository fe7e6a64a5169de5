"""Which files the images of a user are read from, in which order; only those without the suffix of an image are opened.

The reader of a folder and the manifest that watches its files (`storage.manifest`) both go by this list. Originals of
the papers are not on it: none of them is read before its MD5 is that of the original.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cnn_topology.data.shapes import balanced_indices
from cnn_topology.errors import InputError, readable, together
from cnn_topology.plan.images import SPLITS, FolderImages, ImageSetConfig, NpzImages
from cnn_topology.seeds import derive_seed


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
    _, splits = list_folder(name, path, (config.train, config.test), draw_seeds(name, seed))
    _refuse_strays(file for split in SPLITS for file in splits[split].files)
    return {f"{split}/{file.parent.name}/{file.name}": file for split in SPLITS for file in splits[split].files}


def draw_seeds(name: str, seed: int) -> tuple[int, int]:
    """Derive the seeds that draw the training and the test images of a set.

    Parameters
    ----------
    name : str
        Its key under `images` in the config.
    seed : int
        The seed of the run.

    Returns
    -------
    (int, int)
        For train and test.
    """
    train, test = (derive_seed(seed, "images", name, split) for split in SPLITS)
    return train, test


def list_folder(
    name: str, path: Path, counts: tuple[int | None, int | None], seeds: tuple[int, int]
) -> tuple[tuple[str, ...], dict[str, Listed]]:
    """List the classes and the images of a folder, `train/<class>/*` and `test/<class>/*`; links are followed.

    Parameters
    ----------
    name : str
        The name the image set has in the config.
    path : Path
        The folder that holds `train` and `test`.
    counts, seeds : pairs for train and test
        How many images to take, balanced by class, and the seed that draws them; None takes all.

    Returns
    -------
    classes : tuple of str
        In the order of their names.
    splits : dict of str to Listed
        By split, only the images that are taken.

    Raises
    ------
    InputError
        If a folder is missing or empty, the classes of train and test differ, or more images are asked for than there
        are.
    """
    classes = _classes(path / "train")
    if _classes(path / "test") != classes:
        odd = sorted(set(classes) ^ set(_classes(path / "test")))
        raise InputError(f"{path}: `train` and `test` must hold the same classes; only one of them has {odd}.")
    splits = {}
    for split, count, seed in zip(SPLITS, counts, seeds, strict=True):
        members = [_files(path / split / class_name) for class_name in classes]
        files = [file for of_class in members for file in of_class]
        labels = np.repeat(np.arange(len(classes)), [len(of_class) for of_class in members])
        if count is not None:
            if count > len(files):
                raise InputError(f"images.{name}.{split} is {count}, but {path / split} holds {len(files)} images.")
            places = balanced_indices(labels, count, seed)
            files, labels = [files[place] for place in places], labels[places]
        splits[split] = Listed(files, labels)
    return tuple(map(readable, classes)), splits


def _classes(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; an image folder holds train/<class>/* and test/<class>/*.")
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")))


def _files(folder: Path) -> list[Path]:
    # A start lists all images, and to compare their paths takes longer than to compare their names.
    files = sorted(
        (entry for entry in folder.iterdir() if not entry.name.startswith(".")), key=lambda entry: entry.name
    )
    if not files:
        raise InputError(f"{folder}: the class has no image; add some or remove its folder from `train` and `test`.")
    return files


def _refuse_strays(files: Iterable[Path]) -> None:
    """Refuse notes beside the images before any job starts; what is named as an image is opened by the job alone."""
    known = Image.registered_extensions()
    strays = [file for file in files if file.suffix.lower() not in known and file.is_file() and not _opens(file)]
    if strays:
        raise together([f"{file}: not an image that Pillow can read; take it out of the folder" for file in strays])


def _opens(file: Path) -> bool:
    try:
        with Image.open(file):
            return True
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
