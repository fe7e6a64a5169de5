"""A user's `.npz` file with `x_train, y_train, x_test, y_test`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cnn_topology.data.image_set import DARK, PIXELS, ImageSet
from cnn_topology.errors import InputError, together
from cnn_topology.plan.images import UNLABELLED, Split

IMAGES = ("x_train", "x_test")
KEYS = ("x_train", "y_train", "x_test", "y_test")
AXES = "(images, height, width) or (images, height, width, 1 or 3): numpy.moveaxis puts axes in this order"
# Both splits at once: numbered apart, the same name could get another number.
LABELS = (
    "integers from 0 without a gap, one per image. Of one-hot labels take `y.argmax(axis=1)`. Number others, names for "
    "example, by `names = numpy.unique(numpy.concatenate([y_train, y_test]))`, take `numpy.searchsorted(names, y)` "
    "in place of y, for y_train and y_test, and state the names as `classes` in the config"
)


def read_npz(name: str, path: Path, classes: tuple[str, ...] | None, *, labels: bool = True) -> ImageSet:
    """Read images (uint8, NHW or NHWC) and labels (integers) from an .npz file; nothing in it is unpickled.

    Parameters
    ----------
    name : str
        The name the image set has in the config.
    path : Path
        The file.
    classes : tuple of str, optional
        Names of the classes by label. Absent: the labels themselves, which must then run from 0 without a gap.
    labels : bool
        Whether it has labels; without them all images have one class.

    Raises
    ------
    InputError
        If the file is missing or damaged, or arrays are missing or have another type, shape or range; it names all of
        them whose type, shape or range of pixels is wrong, each with the way out.
    """
    keys = KEYS if labels else IMAGES
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected an .npz file with {', '.join(keys)}.")
    arrays = _read_arrays(path, keys)
    if problems := [f"{path}, key {problem}" for problem in _problems(arrays)]:
        raise together(problems)

    def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
        images = arrays[f"x_{split}"]
        images = images[..., np.newaxis] if images.ndim == 3 else images
        return images, arrays[f"y_{split}"].astype(np.int64) if labels else np.zeros(len(images), dtype=np.int64)

    train, test = read("train"), read("test")
    if not labels:
        classes = UNLABELLED
    elif classes is None:
        numbers = np.unique(train[1])
        if not np.array_equal(numbers, np.arange(len(numbers))):
            raise InputError(f"{path}, key y_train: labels are {numbers[:20].tolist()}; expected {LABELS}.")
        classes = tuple(map(str, numbers.tolist()))
    try:
        return ImageSet(name, *train, *test, classes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read_arrays(path: Path, keys: Sequence[str]) -> dict[str, np.ndarray]:
    arrays = {}
    key = "table of contents"
    try:
        with path.open("rb") as handle:  # opened here, because numpy leaves a damaged file open
            file = np.load(handle, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise InputError(f"{path}: one bare array, not an .npz file; save with numpy.savez.")
            if missing := [key for key in keys if key not in file.files]:
                raise InputError(
                    f"{path}: lacks {', '.join(missing)}; it holds {', '.join(file.files) or 'nothing'}. Save the "
                    "arrays of both splits under these names, by numpy.savez."
                )
            for key in keys:
                arrays[key] = file[key]
    except InputError:
        raise
    # The reader of a damaged file meets zip, zlib, header and end-of-file errors alike.
    except Exception as error:
        raise InputError(
            f"{path}, {key}: cannot be read ({error}); the file is cut short or altered, or holds Python objects: "
            "save plain arrays with numpy.savez, of text `y.astype(str)`."
        ) from error
    return arrays


def _problems(arrays: dict[str, np.ndarray]) -> Iterator[str]:
    """Describe each array that has another type, number of axes or range of pixels."""
    for key, array in arrays.items():
        if key not in IMAGES:
            if array.ndim != 1 or array.dtype.kind not in "iu":
                yield f"{key}: labels are {array.dtype} of shape {array.shape}; expected {LABELS}."
        elif not array.size or array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] not in (1, 3)):
            yield f"{key}: shape {array.shape}; expected {AXES}."
        elif array.dtype.kind not in "biuf":
            yield f"{key}: pixels are {array.dtype}; expected {PIXELS}."
        elif array.dtype != np.uint8 or array.max() <= DARK:
            low, high = float(array.min()), float(array.max())
            yield f"{key}: pixels are {array.dtype}, from {low:g} to {high:g}; expected {PIXELS}."
