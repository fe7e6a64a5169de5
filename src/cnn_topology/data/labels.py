"""Labels of a user's own: what is wrong with them, and the line of NumPy that mends it."""

import json
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64

from cnn_topology.errors import InputError

# Both splits at once: numbered apart, the same name could get another number.
RENUMBER = (
    "With `names = numpy.unique(numpy.concatenate([y_train, y_test]))` take `numpy.searchsorted(names, y)` in place of "
    "y, for y_train and y_test"
)
MOST_CLASSES = 20  # that a message lists


def label_problems(y_train: np.ndarray, y_test: np.ndarray) -> Iterator[str]:
    """Describe what is wrong with the type or shape of labels, and how it is mended.

    Parameters
    ----------
    y_train, y_test : array
        As read.

    Returns
    -------
    iterator of str
        One for each of the two arrays that is no vector of integers.
    """
    for key, labels in (("y_train", y_train), ("y_test", y_test)):
        if labels.ndim != 1 or labels.size == 0:
            yield f"key {key}: shape {labels.shape}; expected one label per image. {_to_vector(labels)}"
        elif labels.dtype.kind not in "iu":
            mend = _to_integers(labels, y_train, y_test)
            yield f"key {key}: labels are {labels.dtype}; expected integers from 0. {mend}"


def _to_vector(labels: np.ndarray) -> str:
    if labels.size == 0:
        return "There is none."
    if labels.size == max(labels.shape, default=1):
        return "`y.reshape(-1)` makes it one axis."
    if labels.dtype.kind in "biuf" and _is_one_hot(labels.reshape(len(labels), -1)):
        return "They are one-hot: take `y.reshape(len(y), -1).argmax(axis=1)`."
    return "Images of several classes, or of shares of them, cannot be used: choose one class for each."


def _is_one_hot(rows: np.ndarray) -> bool:
    return bool(((rows != 0).sum(axis=1) == 1).all() and (rows.max(axis=1) == 1).all())


def _to_integers(labels: np.ndarray, y_train: np.ndarray, y_test: np.ndarray) -> str:
    kind = labels.dtype.kind
    if kind == "b" or (kind == "f" and (labels == np.rint(labels)).all()) or (kind in "US" and _all_digits(labels)):
        return "Take `y.astype(int)`."
    if kind in "US" and y_train.dtype.kind == y_test.dtype.kind and y_train.ndim == y_test.ndim == 1:
        names = np.unique(np.concatenate([y_train, y_test])).astype(str).tolist()
        kept = f"; `classes: {json.dumps(names, ensure_ascii=False)}` in the config keeps the names"
        return f"{RENUMBER}{kept if len(names) <= MOST_CLASSES else ''}."
    return "Number the classes."


def _all_digits(labels: np.ndarray) -> bool:
    return bool(np.char.isdigit(labels).all())


def class_names(y_train: Int64[np.ndarray, " train"], y_test: Int64[np.ndarray, " test"]) -> tuple[str, ...]:
    """Return the names of classes by label: the labels themselves.

    Parameters
    ----------
    y_train, y_test : int64 arrays
        At least one label each.

    Returns
    -------
    tuple of str
        The numbers 0, 1, ... of the training labels.

    Raises
    ------
    InputError
        If the training labels do not run from 0 without a gap; it names the key and the way out.
    """
    labels = np.unique(y_train)
    if not np.array_equal(labels, np.arange(len(labels))):
        gap = next(number for number, label in enumerate(labels) if label != number)
        raise InputError(
            "key y_train: labels must run from 0 without a gap, but the smallest are "
            f"{labels[: gap + 1].tolist()}. {_renumbered(np.unique(np.concatenate([y_train, y_test])))}"
        )
    return tuple(map(str, labels.tolist()))


def _renumbered(labels: np.ndarray) -> str:
    """Describe how labels, all that occur, become 0, 1, ..."""
    if np.array_equal(labels, np.arange(1, len(labels) + 1)):
        return "Take `y - 1` in place of y, for y_train and y_test."
    if np.array_equal(labels, np.arange(len(labels))):
        return f"Others are in y_test alone: state `classes` in the config, {len(labels)} names by label."
    empty = "; if classes without images are meant, state `classes` in the config, the names by label"
    return f"{RENUMBER}{empty if labels[0] == 0 else ''}."


def check_labels(y_train: Int64[np.ndarray, " train"], y_test: Int64[np.ndarray, " test"], classes: int) -> None:
    """Check that labels lie in 0 to the number of classes - 1.

    Parameters
    ----------
    y_train, y_test : int64 arrays
        At least one label each.
    classes : int
        The number of classes.

    Raises
    ------
    InputError
        If one does not; it names the key, the values and the way out.
    """
    lowest, highest = min(y_train.min(), y_test.min()), max(y_train.max(), y_test.max())
    for key, labels in (("y_train", y_train), ("y_test", y_test)):
        if labels.min() < 0 or labels.max() >= classes:
            mend = "state `classes` in the config, the names of all of them by label"
            if (lowest, highest) == (1, classes):
                mend = "take `y - 1` in place of y, for y_train and y_test"
            elif lowest < 0:
                mend = "renumber them"
            raise InputError(
                f"key {key}: labels run from {labels.min()} to {labels.max()}; with {classes} classes they must lie in "
                f"0 to {classes - 1}: {mend}."
            )
