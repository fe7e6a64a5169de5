"""Weights of networks that others trained: torchvision's own, or a user's files, read without running their code."""

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from safetensors import safe_open
from torchvision.models import get_model_weights

from cnn_topology.errors import InputError, unknown
from cnn_topology.storage.weight_files import PYTORCH_SUFFIXES, array_shapes, weights_in


def read_weights(path: Path, shapes: Mapping[str, Sequence[int]], entry: str | None = None) -> dict[str, np.ndarray]:
    """Read weights from one file.

    Parameters
    ----------
    path : Path
        As for `storage.weight_files.array_shapes`, which checks the file first.
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
    try:
        weights = _read(path, list(shapes), entry)
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: refused, and nothing of it was executed: {str(error).splitlines()[0]}") from error
    except Exception as error:  # the readers meet almost anything in a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: cut short or altered ({reason})") from error
    for name, array in weights.items():
        bad = int(np.count_nonzero(~np.isfinite(array)))
        if bad:
            raise InputError(
                f"{path}: {bad:,} of {array.size:,} values of {name} are NaN or infinite; use a checkpoint from before "
                "training failed"
            )
    return weights


def torchvision_file(model: str, folder: Path) -> Path:
    """Give the file with torchvision's ImageNet weights of a model, downloaded if it is not in `folder`.

    Raises
    ------
    InputError
        If it cannot be downloaded, or its SHA-256 does not begin as the file's name says.
    """
    weights = get_model_weights(model)["IMAGENET1K_V1"]
    path = folder / weights.url.rpartition("/")[2]
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(weights.url, str(path), hash_prefix=_prefix(path), progress=False)
        except (URLError, OSError, RuntimeError) as error:
            raise InputError(
                f"{weights.url}: cannot be downloaded ({error}); fetch it where there is a network and put it at {path}"
            ) from error
    digest = sha256_of(path)
    if not digest.startswith(_prefix(path)):
        raise InputError(f"{path}: its SHA-256 is {digest}, its name says {_prefix(path)}...; delete it, start again")
    return path


def sha256_of(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _prefix(path: Path) -> str:
    """Give the beginning of the SHA-256 that torchvision puts into the names of its files."""
    return path.stem.rpartition("-")[2]


def _read(path: Path, names: list[str], entry: str | None) -> dict[str, np.ndarray]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name].astype(np.float32) for name in names}
    if path.suffix in PYTORCH_SUFFIXES:
        tensors = weights_in(torch.load(path, map_location="cpu", weights_only=True), path, entry)
        return {name: _array(tensors[name]) for name in names}
    # Through torch, since numpy has no bfloat16.
    with safe_open(path, framework="pt") as file:
        return {name: _array(file.get_tensor(name)) for name in names}


def _array(tensor: torch.Tensor) -> np.ndarray:
    values: np.ndarray = tensor.detach().to(torch.float32).contiguous().numpy()
    return values
