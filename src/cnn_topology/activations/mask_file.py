"""The file of the masks of some images, in both modes; read without OpenCV."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from cnn_topology.errors import InputError
from cnn_topology.storage.tensors import read_tensors, write_tensors

IDS, SIDES = "ids", ("foreground", "background")


@dataclass(frozen=True, eq=False)
class Masks:
    """Masks of some images.

    Attributes
    ----------
    ids : int64 array (images,)
        Index of each image in its split.
    foreground, background : dict of str to bool array (images, height, width)
        By mode. Rows and columns are those that positions are weighed by: published masks are transposed.
    """

    ids: Int64[np.ndarray, " images"]
    foreground: dict[str, Bool[np.ndarray, "images height width"]]
    background: dict[str, Bool[np.ndarray, "images height width"]]


def write_masks(path: Path, masks: Masks, notes: Mapping[str, str]) -> None:
    """Write masks by mode, atomically, one byte per pixel.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    arrays = {f"{mode}/{side}": x.astype(np.uint8) for side in SIDES for mode, x in getattr(masks, side).items()}
    write_tensors(path, {IDS: masks.ids, **arrays}, notes)


def read_masks(
    path: Path, mode: str, side: str, ids: Int64[np.ndarray, " images"]
) -> Bool[np.ndarray, "images height width"]:
    """Read one side of the masks of one mode.

    Parameters
    ----------
    path : Path
        A file that `write_masks` wrote.
    mode, side : str
        ``published`` or ``corrected``; ``foreground`` or ``background``.
    ids : int64 array (images,)
        The images that the masks must belong to.

    Raises
    ------
    InputError
        If the file is missing or altered, or holds masks of other images.
    """
    tensors, _ = read_tensors(path, (IDS, f"{mode}/{side}"))
    if not np.array_equal(tensors[IDS], ids):
        raise InputError(f"{path}: holds the masks of other images; delete it and start again: it is made again")
    return tensors[f"{mode}/{side}"].astype(bool)
