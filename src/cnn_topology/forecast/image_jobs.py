"""Forecasts of the jobs on image sets, and how large a set is: of a user's own, what its files say.

No image is opened: the files of a folder are counted, of an `.npz` file the headers are read.
"""

import math
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cnn_topology.forecast.demand import Demand
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.images import (
    SPLITS,
    FolderImages,
    NpzImages,
    TorchvisionImages,
    class_folders,
    held_out_count,
    lacks_test,
    shape_of,
    size_of,
    split_folders,
    visible,
)
from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.tensors import read_shapes
from cnn_topology.storage.weight_arrays import npz_headers

# Images of an own set of which nothing can be counted.
UNKNOWN_SET = (10_000, 2_000)
# Measured on own sets of up to 70,000 images of 64x64x3: what the interpreter holds, MB; seconds of an image in an .npz
# file, and in a file of its own; MB of a photograph of 24 megapixels while it is read.
IMAGES_MB, SECONDS_PER_IMAGE, SECONDS_PER_FILE, PHOTOGRAPH_MB = 130, 4e-4, 2e-3, 290


class OwnSet(NamedTuple):
    """Images of each split, bytes of all of them as they lie in memory once read, and those of one image."""

    train: int
    test: int
    read_bytes: float = 0.0
    image_bytes: float = 0.0


def own_set(plan: Plan, name: str) -> OwnSet | None:
    """Count the images of an own set, all there are, or those that the run holds where the user's files are gone.

    Returns
    -------
    OwnSet or None
        None for another set, and where neither can be read: the job that prepares the set then has the reason.
    """
    config = plan.config.images[name]
    if not isinstance(config, FolderImages | NpzImages):
        return None
    try:
        path = Path(config.path)
        if path.exists():
            return _counted(path.resolve(), config)
        shapes = read_shapes(Path(RunFolder(plan.config.name).images(name)))
        return OwnSet(*(shapes[f"{split}_images"][0] for split in SPLITS))
    except Exception:  # a damaged file raises almost anything; the job that reads it describes what is wrong
        return None


@cache
def _counted(path: Path, config: FolderImages | NpzImages) -> OwnSet:
    """Count the files of a folder, or read the headers of an `.npz` file."""
    if isinstance(config, NpzImages):
        headers = npz_headers(path)
        arrays = [headers[f"x_{split}"] for split in SPLITS]
        read = [int(re.sub(r"\D", "", array.kind)) * math.prod(array.shape) for array in arrays]
        return OwnSet(arrays[0].shape[0], arrays[1].shape[0], sum(read), read[0] / arrays[0].shape[0])
    folders = split_folders(path)
    train, test = (
        [len(visible(folders[split] / each)) for each in class_folders(folders[split], labels=config.labels)]
        for split in SPLITS
    )
    if lacks_test(folders):
        test = [held_out_count(config.test_fraction, members) for members in train]
        return OwnSet(sum(train) - sum(test), sum(test))
    return OwnSet(sum(train), sum(test))


def images_used(plan: Plan, name: str) -> tuple[int, int]:
    """Count the training and the test images of a set that a run uses.

    Parameters
    ----------
    plan : Plan
        The run.
    name : str
        The key of the set under `images`.

    Returns
    -------
    (int, int)
        Of an own set as its files have them; `UNKNOWN_SET` where they cannot be read.
    """
    config = plan.config.images[name]
    own = own_set(plan, name)
    there = own[:2] if own else UNKNOWN_SET
    sizes = (size_of(config, "train") or there[0], size_of(config, "test") or there[1])
    return (min(sizes[0], own.train), min(sizes[1], own.test)) if own else sizes


def images_mb(plan: Plan, name: str) -> float:
    """Compute the MB of an image set as it lies in a run's folder, and in the memory of a job that reads it."""
    return sum(images_used(plan, name)) * math.prod(shape_of(plan.config.images[name])) / 1e6


def images(plan: Plan, name: str) -> Demand:
    """Forecast the preparation of an image set: read (or downloaded once) and brought to shape."""
    config = plan.config.images[name]
    count, size = sum(images_used(plan, name)), images_mb(plan, name)
    own = own_set(plan, name)
    # A control is made in single precision, image by image, and its range looked for in a copy.
    waves = 12 * size * (config.control is not None)
    if own is None:
        fetched = 60.0 if isinstance(config, TorchvisionImages) else 0.0
        return Demand(fetched + 1 + 2e-4 * count, 100 + 8 * size + waves, size)
    # What is read, the images drawn from it, these turned gray (at most a third) and brought to shape; of files one
    # photograph at a time.
    drawn = own.image_bytes / 1e6 * count
    read = own.read_bytes / 1e6 + (config.train is not None or config.test is not None) * drawn + drawn / 3 + size
    read += PHOTOGRAPH_MB if isinstance(config, FolderImages) else 0
    seconds = SECONDS_PER_FILE if isinstance(config, FolderImages) else SECONDS_PER_IMAGE
    return Demand(1 + seconds * count, IMAGES_MB + read + waves, size)
