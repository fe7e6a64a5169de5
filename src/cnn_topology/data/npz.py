"""A user's `.npz` file with `x_train, y_train, x_test, y_test`."""

from pathlib import Path

import numpy as np

from cnn_topology.data.image_set import ImageSet
from cnn_topology.errors import InputError, together

KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_npz(name: str, path: Path, classes: tuple[str, ...] | None) -> ImageSet:
    """Read images (uint8, NHW or NHWC) and labels (integers) from an .npz file; nothing in it is unpickled.

    Parameters
    ----------
    name : str
        The name the image set has in the config.
    path : Path
        The file.
    classes : tuple of str, optional
        Names of the classes by label. Absent: the labels themselves, which must then run from 0 without a gap.

    Raises
    ------
    InputError
        If the file is missing or damaged, or arrays are missing or have another type, shape or range; it names all of
        them whose type or shape is wrong.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected an .npz file with {', '.join(KEYS)}.")
    arrays = _read_arrays(path)
    bad: list[str] = []
    for key, check in (("x_train", _images), ("y_train", _labels), ("x_test", _images), ("y_test", _labels)):
        try:
            arrays[key] = check(f"{path}, key {key}", arrays[key])
        except InputError as error:
            bad.append(str(error))
    if bad:
        raise together(bad)
    for split in ("train", "test"):
        count, labelled = len(arrays[f"x_{split}"]), len(arrays[f"y_{split}"])
        if count != labelled:
            raise InputError(f"{path}: {count} images in x_{split}, {labelled} labels in y_{split}; expected as many.")
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        raise InputError(
            f"{path}: x_train and x_test have images of {arrays['x_train'].shape[1:]} and {arrays['x_test'].shape[1:]} "
            "(height, width, channels); save both in one shape."
        )
    names = _names(path, arrays["y_train"]) if classes is None else classes
    for split in ("train", "test"):
        labels = arrays[f"y_{split}"]
        if labels.min() < 0 or labels.max() >= len(names):
            raise InputError(
                f"{path}, key y_{split}: labels run from {labels.min()} to {labels.max()}; "
                f"with {len(names)} classes they must lie in 0 to {len(names) - 1}."
            )
    return ImageSet(name, arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"], names)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    arrays = {}
    key = "table of contents"
    try:
        with path.open("rb") as handle:  # opened here, because numpy leaves a damaged file open
            file = np.load(handle, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise InputError(f"{path}: one bare array, not an .npz file; save with numpy.savez.")
            missing = [key for key in KEYS if key not in file.files]
            if missing:
                are = f"key {missing[0]} is" if len(missing) == 1 else f"keys {', '.join(missing)} are"
                raise InputError(f"{path}: {are} missing; it holds {', '.join(file.files) or 'nothing'}.")
            for key in KEYS:
                arrays[key] = file[key]
    except InputError:
        raise
    # The reader of a damaged file meets zip, zlib, header and end-of-file errors alike.
    except Exception as error:
        raise InputError(
            f"{path}, {key}: cannot be read ({error}); the file is cut short or altered, or holds Python objects: "
            "save plain arrays with numpy.savez."
        ) from error
    return arrays


def _images(where: str, images: np.ndarray) -> np.ndarray:
    if images.dtype != np.uint8:
        raise InputError(
            f"{where}: pixels are {images.dtype}; expected uint8, 0 to 255. Floats in [0, 1] become such by "
            "numpy.rint(255 * x).astype(numpy.uint8)."
        )
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise InputError(
            f"{where}: shape {images.shape}; expected (images, height, width) or (images, height, width, 1 or 3). "
            "Channels come last: x.transpose(0, 2, 3, 1) puts them there."
        )
    return images


def _labels(where: str, labels: np.ndarray) -> np.ndarray:
    if labels.dtype.kind not in "iu":
        raise InputError(
            f"{where}: labels are {labels.dtype}; expected integers from 0 (one-hot: take argmax(axis=1))."
        )
    if labels.ndim != 1:
        raise InputError(f"{where}: shape {labels.shape}; expected one label per image; reshape(-1) mends a column.")
    return labels.astype(np.int64)


def _names(path: Path, labels: np.ndarray) -> tuple[str, ...]:
    found = np.unique(labels)
    if not np.array_equal(found, np.arange(len(found))):
        gap = next(number for number, label in enumerate(found) if label != number)
        raise InputError(
            f"{path}, key y_train: labels must run from 0 without a gap, but the smallest are "
            f"{found[: gap + 1].tolist()}; renumber them, or state `classes` in the config if some are empty."
        )
    return tuple(str(label) for label in found)
