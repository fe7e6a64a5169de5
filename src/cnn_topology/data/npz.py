"""A user's `.npz` file with `x_train, y_train, x_test, y_test`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.labels import check_labels, class_names, label_problems
from cnn_topology.data.pixel_range import Range, conversion, is_dark, joined, same_scale
from cnn_topology.errors import InputError, together
from cnn_topology.plan.images import UNLABELLED

IMAGES, LABELS = ("x_train", "x_test"), ("y_train", "y_test")
KEYS = ("x_train", "y_train", "x_test", "y_test")


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
        them whose type, shape or range of pixels is wrong, each with the line of NumPy that mends it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected an .npz file with {', '.join(KEYS if labels else IMAGES)}.")
    arrays = _read_arrays(path, KEYS if labels else IMAGES)
    if not labels:
        classes = UNLABELLED
        arrays |= {
            f"y_{split}": np.zeros(np.atleast_1d(arrays[f"x_{split}"]).shape[0], dtype=np.int64)
            for split in ("train", "test")
        }
    problems = [*_image_problems(arrays), *label_problems(*(arrays[key] for key in LABELS))]
    if problems:
        raise together([f"{path}, {problem}" for problem in problems])
    for split in ("train", "test"):
        images, given = arrays[f"x_{split}"], arrays[f"y_{split}"]
        if len(images) != len(given):
            raise InputError(
                f"{path}: {len(images)} images in x_{split}, {len(given)} labels in y_{split}; expected as many."
            )
        arrays[f"x_{split}"] = images[..., np.newaxis] if images.ndim == 3 else images
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        raise InputError(
            f"{path}: x_train and x_test have images of {arrays['x_train'].shape[1:]} and {arrays['x_test'].shape[1:]} "
            "(height, width, channels); save both in one shape."
        )
    y_train, y_test = (arrays[key].astype(np.int64) for key in LABELS)
    try:
        names = class_names(y_train, y_test) if classes is None else classes
        check_labels(y_train, y_test, len(names))
    except InputError as error:
        raise InputError(f"{path}, {error}") from error
    return ImageSet(name, arrays["x_train"], y_train, arrays["x_test"], y_test, names)


def _read_arrays(path: Path, keys: Sequence[str]) -> dict[str, np.ndarray]:
    arrays = {}
    key = "table of contents"
    try:
        with path.open("rb") as handle:  # opened here, because numpy leaves a damaged file open
            file = np.load(handle, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise InputError(f"{path}: one bare array, not an .npz file; save with numpy.savez.")
            missing = [key for key in keys if key not in file.files]
            if missing:
                are = f"key {missing[0]} is" if len(missing) == 1 else f"keys {', '.join(missing)} are"
                raise InputError(
                    f"{path}: {are} missing; it holds {', '.join(file.files) or 'nothing'}. Save the "
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


def _image_problems(arrays: dict[str, np.ndarray]) -> Iterator[str]:
    """Describe what is wrong with the images of each split, and the line of NumPy that mends it."""
    ranges: dict[str, Range] = {}
    for key in IMAGES:
        images, labels = arrays[key], arrays[f"y_{key.removeprefix('x_')}"]
        if images.dtype.kind not in "biuf":
            yield f"key {key}: pixels are {images.dtype}; expected uint8, 0 to 255."
        elif images.size:
            ranges[key] = float(images.min()), float(images.max())
        if (problem := _shape_problem(images, max(labels.shape, default=0))) is not None:
            yield (
                f"key {key}: shape {images.shape}; expected (images, height, width) or (images, height, width, 1 or 3)."
                + problem
            )
    for key, values in ranges.items():
        low, high = values
        if arrays[key].dtype == np.uint8 and not is_dark(high):
            continue
        where = f"key {key}: pixels are {arrays[key].dtype}, from {low:g} to {high:g}; expected uint8, up to 255"
        if not np.isfinite(values).all():
            yield f"{where}. Replace NaN and infinite values first."
            continue
        alike = [other for other in ranges.values() if same_scale(values, other)]
        mend = conversion(joined(alike)) or "All images are black"
        if len(alike) < len(ranges):
            mend = f"The other images are of another scale: look first whether both sets are meant to be. If so, {mend}"
        yield f"{where}. {mend}."


def _shape_problem(images: np.ndarray, labelled: int) -> str | None:
    """Return what puts the axes of images `x` in order, empty if that is not known; None if they are in order."""
    shape = images.shape
    if len(shape) in (3, 4) and shape[0] != labelled == shape[-1]:
        return " The images are the last axis: `numpy.moveaxis(x, -1, 0)` makes them the first."
    if len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3)):
        return "" if 0 in shape else None
    if len(shape) == 4 and shape[1] <= 4:
        return " Channels come last: `x.transpose(0, 2, 3, 1)` puts them there."
    if len(shape) == 4 and shape[3] in (2, 4):
        opacity = images[..., -1]
        if opacity.size and opacity.min() == opacity.max():
            return " The last channel is the same everywhere: `x[..., :-1]` leaves it out."
        return " If the last channel is opacity, put the images on a background."
    if len(shape) == 2:
        return " With the numbers of your images, x.reshape(len(x), height, width, channels) restores their shape."
    return ""
