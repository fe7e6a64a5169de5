"""Values of arrays in a user's file of weights, of any kind that `storage.weight_files` knows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cnn_topology.errors import InputError, check_known
from cnn_topology.storage.weight_arrays import NUMBERS, WHOLE
from cnn_topology.storage.weight_files import check_numbers, opened_weights
from cnn_topology.storage.weight_forms import Order


def read_arrays(path: Path, entry: str | None = None, as_stored: bool = False) -> dict[str, np.ndarray]:
    """Read all arrays of numbers of one file.

    Parameters
    ----------
    path, entry, as_stored
        As for `storage.weight_files.opened_weights`.

    Returns
    -------
    dict of str to ndarray
        Of float32, or of int64 where the file has whole numbers.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    with opened_weights(path, entry, as_stored=as_stored) as arrays:
        for name, array in arrays.items():
            check_numbers(path, name, array)
        return {
            name: array.read().astype(np.int64 if array.kind in WHOLE else np.float32)
            for name, array in arrays.items()
            if array.kind in NUMBERS and not array.problem
        }


def read_weights(
    path: Path, shapes: Mapping[str, Sequence[int]], entry: str | None = None, layout: Order | None = None
) -> dict[str, np.ndarray]:
    """Read weights of known names and shapes from one file.

    Parameters
    ----------
    path, entry, layout
        As for `storage.weight_files.opened_weights`.
    shapes : mapping of str to sequence of int
        The arrays wanted and the shape that each must have.

    Returns
    -------
    dict of str to ndarray of float32
        In the order of `shapes`.

    Raises
    ------
    InputError
        If the file cannot be used, lacks an array or has it in another shape.
    """
    with opened_weights(path, entry, layout) as arrays:
        there = {name: array for name, array in arrays.items() if array.is_floating}
        weights = {}
        for name, shape in shapes.items():
            check_known(f"weight in {path}", name, there)
            if there[name].shape != tuple(shape):
                raise InputError(
                    f"{path}: {name} has the shape {there[name].shape}, expected {tuple(shape)}; was it replaced?"
                )
            weights[name] = np.ascontiguousarray(there[name].floats())
        return weights


def not_finite(values: np.ndarray) -> str:
    """Describe the values that are NaN or infinite: ``1 of 1,152 values are NaN or infinite``; empty without any."""
    bad = values.size - int(np.isfinite(values).sum())
    return f"{bad:,} of {values.size:,} values are NaN or infinite" if bad else ""


def check_finite(path: Path, name: str, values: np.ndarray, otherwise: str = "") -> None:
    """Refuse an array of a file with a value that is NaN or infinite; `otherwise` is one more way out."""
    if bad := not_finite(values):
        raise InputError(f"{path}: {name}: {bad}; use a checkpoint from before training failed{otherwise}")
