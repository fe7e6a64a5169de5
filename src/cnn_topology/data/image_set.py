"""An image set as every later package sees it: uint8 pixels, integer labels, class names, one hash over all of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.plan.images import UNLABELLED
from cnn_topology.storage.tensors import checksum, read_tensors, write_tensors

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
CLASSES = "classes"
DIGITS = tuple("0123456789")  # the class names of every set of digits


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Training and test images of one shape with their labels.

    Attributes
    ----------
    name : str
        Its key in the config.
    train_images, test_images : uint8 arrays (N, H, W, C)
        N images each of height H and width W, with C = 1 (gray) or 3 (RGB) channels; N of its own for each split.
    train_labels, test_labels : int64 arrays (N,)
        From 0 to the number of classes - 1.
    classes : tuple of str
        Names of the classes, by label.

    Raises
    ------
    InputError
        If an array has another type or shape, a split has no image, the shapes of the splits differ, there are fewer
        than two classes but of images without labels, or a label is out of range.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if (len(self.classes) < 2 and self.classes != UNLABELLED) or len(set(self.classes)) < len(self.classes):
            raise self._error(f"classes are {list(self.classes)}; two different names at least are needed")
        self._check_split("train", self.train_images, self.train_labels)
        self._check_split("test", self.test_images, self.test_labels)
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise self._error(
                f"training images are {self.train_images.shape[1:]}, test images {self.test_images.shape[1:]} "
                "(height, width, channels); bring both to one shape"
            )

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of the split ``train`` or ``test``."""
        return getattr(self, f"{name}_images"), getattr(self, f"{name}_labels")

    def _check_split(self, split: str, images: np.ndarray, labels: np.ndarray) -> None:
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
            raise self._error(
                f"{split}_images is {images.dtype} {images.shape}; expected at least one image, "
                "uint8 (images, height, width, 1 or 3 channels)"
            )
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise self._error(
                f"{split}_labels is {labels.dtype} {labels.shape}; expected int64 ({len(images)},), one per image"
            )
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise self._error(
                f"{split}_labels run from {labels.min()} to {labels.max()}; "
                f"with {len(self.classes)} classes they must lie in 0 to {len(self.classes) - 1}"
            )

    def _error(self, reason: str) -> InputError:
        return InputError(f"image set {self.name!r}: {reason}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every image."""
        height, width, channels = self.train_images.shape[1:]
        return height, width, channels

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """The content as named arrays; class names are JSON bytes, so that the checksum covers them too."""
        arrays = {key: getattr(self, key) for key in ARRAYS}
        return {**arrays, CLASSES: np.frombuffer(json.dumps(self.classes).encode(), dtype=np.uint8)}

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over arrays and class names; the name of the set does not enter."""
        return checksum(self.tensors)


def write_image_set(path: Path, image_set: ImageSet, notes: Mapping[str, str] | None = None) -> None:
    """Write an image set as safetensors, atomically; the file's checksum is the set's `sha256`.

    Parameters
    ----------
    path : Path
        Where it goes.
    image_set : ImageSet
        What is written.
    notes : mapping of str to str, optional
        More metadata, such as the hashes of the configuration.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    write_tensors(path, image_set.tensors, {**(notes or {}), "name": image_set.name})


def read_image_set(path: Path) -> ImageSet:
    """Read an image set that `write_image_set` wrote, and check it against its checksum.

    Raises
    ------
    InputError
        If the file is missing, cut short, altered, or holds something else.
    """
    tensors, metadata = read_tensors(path, (*ARRAYS, CLASSES))
    classes = tuple(json.loads(tensors.pop(CLASSES).tobytes()))
    return ImageSet(name=metadata.get("name", path.stem), classes=classes, **tensors)
