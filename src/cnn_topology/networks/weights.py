"""Tensors from a user's file of weights, of any form that `storage.weight_files` knows, read without running its code.

Every reader of such files goes through here: what is refused, and in which words, does not depend on who asks.
"""

import pickle
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from cnn_topology.errors import InputError, unknown
from cnn_topology.storage.weight_files import PYTORCH_SUFFIXES, array_shapes, weights_in
from cnn_topology.storage.weight_forms import apply_masks


def read_tensors(path: Path, entry: str | None = None) -> dict[str, torch.Tensor]:
    """Read all tensors of one file.

    Parameters
    ----------
    path : Path
        As for `storage.weight_files.array_shapes`, which checks the file first.
    entry : str, optional
        As there.

    Returns
    -------
    dict of str to Tensor
        On the CPU, those of whole numbers as well; floating-point numbers of ``.npz`` as float32.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    array_shapes(path, entry)
    return _tensors(path, None, entry)


def read_weights(path: Path, shapes: Mapping[str, Sequence[int]], entry: str | None = None) -> dict[str, np.ndarray]:
    """Read weights of known names and shapes from one file.

    Parameters
    ----------
    path : Path
        As for `read_tensors`.
    shapes : mapping of str to sequence of int
        The arrays wanted and the shape that each must have.
    entry : str, optional
        As there.

    Returns
    -------
    dict of str to ndarray of float32
        In the order of `shapes`.

    Raises
    ------
    InputError
        If the file cannot be used, lacks an array or has it in another shape, or holds a value that is NaN or infinite.
    """
    found = array_shapes(path, entry)
    for name, shape in shapes.items():
        if name not in found:
            raise unknown(f"weight in {path}", name, found)
        if found[name] != tuple(shape):
            raise InputError(f"{path}: {name} has the shape {found[name]}, expected {tuple(shape)}; was it replaced?")
    tensors = _tensors(path, shapes, entry)
    # Through torch, since numpy has no bfloat16.
    weights = {name: tensors[name].detach().to(torch.float32).contiguous() for name in shapes}
    for name, tensor in weights.items():
        check_finite(path, name, tensor)
    return {name: tensor.numpy() for name, tensor in weights.items()}


def check_finite(path: Path, name: str, tensor: torch.Tensor) -> None:
    """Refuse a tensor of a file with a value that is NaN or infinite."""
    bad = tensor.numel() - int(torch.count_nonzero(torch.isfinite(tensor)))
    if bad:
        raise InputError(
            f"{path}: {bad:,} of {tensor.numel():,} values of {name} are NaN or infinite; use a checkpoint from before "
            "training failed"
        )


def _tensors(path: Path, names: Collection[str] | None, entry: str | None) -> dict[str, torch.Tensor]:
    """Read the tensors of these names, or all, of a file whose headers are in order."""
    try:
        return apply_masks(_saved(path, names, entry), torch.mul)
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: refused, and nothing of it was executed: {str(error).splitlines()[0]}") from error
    except Exception as error:  # the readers meet almost anything in a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: cut short or altered ({reason})") from error


def _saved(path: Path, names: Collection[str] | None, entry: str | None) -> dict[str, torch.Tensor]:
    """Read tensors as they were saved, those of a pruned weight under two names; of PyTorch's files always all."""
    if path.suffix in PYTORCH_SUFFIXES:
        return weights_in(torch.load(path, map_location="cpu", weights_only=True), path, entry)
    parts = None if names is None else {name + part for name in names for part in ("", "_orig", "_mask")}
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if parts is None or name in parts}
        kinds = {name: "fiub" if name.endswith("_mask") else "fiu" for name in arrays}
        return {name: _tensor(array) for name, array in arrays.items() if array.dtype.kind in kinds[name]}
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in list(file.keys()) if parts is None or name in parts}


def _tensor(array: np.ndarray) -> torch.Tensor:
    """Return a tensor of an array, whatever the order of its bytes."""
    return torch.from_numpy(array.astype(np.float32 if array.dtype.kind == "f" else np.int64))
