"""Named arrays in safetensors files, with string metadata and a SHA-256 of the content that reading checks."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cnn_topology.errors import unknown
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.notes import check_there, damaged, opened, sealed

CHECKSUM = "sha256"


def checksum(tensors: Mapping[str, np.ndarray]) -> str:
    """Compute the SHA-256 over names, types, shapes and bytes of all arrays, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays and metadata atomically; the checksum is added under ``sha256``.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    content = memoryview(save(arrays))
    size = int.from_bytes(content[:8], "little")
    # The library writes metadata in random order; in a fixed order the same content gives the same bytes.
    notes = sealed({**metadata, CHECKSUM: checksum(arrays)})
    header = json.dumps({"__metadata__": notes, **json.loads(bytes(content[8 : 8 + size]))}).encode()
    header += b" " * (-len(header) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.write(content[8 + size :])


def read_metadata(path: Path) -> dict[str, str]:
    """Read the string metadata alone, without the arrays.

    Raises
    ------
    InputError
        If the file is missing or is no whole safetensors file.
    """
    with _opened(path) as file:
        return opened(file.metadata() or {}, path)


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shape of every array, without the arrays.

    Raises
    ------
    InputError
        If the file is missing or is no whole safetensors file.
    """
    with _opened(path) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (not a dict)


def read_tensors(path: Path, names: Iterable[str] | None = None) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read arrays and metadata, and check the content against its checksum.

    Parameters
    ----------
    path : Path
        A file that `write_tensors` wrote.
    names : iterable of str, optional
        The arrays to return; all of them when absent. The whole file is checked in either case.

    Raises
    ------
    InputError
        If the file is missing, cut short or altered, or lacks a name asked for.
    """
    with _opened(path) as file:
        metadata = opened(file.metadata() or {}, path)
        try:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except (SafetensorError, OSError, ValueError) as error:
            raise damaged(path, error) from error
    expected, found = metadata.get(CHECKSUM), checksum(tensors)
    if expected != found:
        raise damaged(path, f"its content has SHA-256 {found}, its metadata says {expected}")
    for name in names or ():
        if name not in tensors:
            raise unknown(f"tensor in {path}", name, tensors)
    return {name: tensors[name] for name in (names or tensors)}, metadata


def _opened(path: Path) -> safe_open:
    check_there(path)
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, error) from error
