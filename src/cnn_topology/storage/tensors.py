"""Named arrays in safetensors files, with string metadata and a SHA-256 of the content that reading checks.

Rows of arrays that are too large for memory are gathered on disk as they are made.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from cnn_topology.errors import unknown
from cnn_topology.storage.atomic import atomic_path, disk_errors
from cnn_topology.storage.notes import check_there, damaged, opened, sealed

CHECKSUM = "sha256"
# Types of numbers, in the order of safetensors.
TYPES = {
    "|b1": "BOOL", "|u1": "U8", "|i1": "I8", "<i2": "I16", "<u2": "U16", "<f2": "F16", "<i4": "I32", "<u4": "U32",
    "<f4": "F32", "<f8": "F64", "<i8": "I64", "<u8": "U64",
}  # fmt: skip


class RowFile:
    """Rows of numbers that wait on disk in a file without a name: nothing is left of it however a job ends.

    Parameters
    ----------
    target : Path
        The file that the rows are for; they wait in its folder, which is made if it is missing.
    width : tuple of int
        Shape of a row: ``(channels,)``, or ``()`` of a single number.
    kind : str
        Type of the numbers.

    Raises
    ------
    InputError
        Here, in `append` and in `array`, if the disk is full or the folder cannot be written.
    """

    def __init__(self, target: Path, width: tuple[int, ...], kind: str = "<f4") -> None:
        self.target, self.width, self.kind, self.rows = target, width, kind, 0
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=target.parent)  # noqa: SIM115

    def append(self, rows: np.ndarray) -> None:
        """Add rows, shape (n, *width)."""
        with disk_errors(self.target):
            self._file.write(np.ascontiguousarray(rows, dtype=self.kind).data)
        self.rows += len(rows)

    def array(self) -> np.ndarray:
        """Return all rows as an array that is read from disk where it is looked at."""
        with disk_errors(self.target):  # what waited in memory is written now
            self._file.flush()
        shape = (self.rows, *self.width)
        return np.memmap(self._file, self.kind, "r", shape=shape) if self.rows else np.empty(shape, self.kind)

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what a full disk did not take is lost anyway
            self._file.close()


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

    Nothing is copied, so that arrays on disk (`RowFile`) may be larger than the memory, and the same content gives the
    same bytes: the library writes metadata in random order.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    header: dict[str, object] = {"__metadata__": sealed({**metadata, CHECKSUM: checksum(arrays)})}
    # In the order of the library, wider types first: every array begins at a multiple of its type's size.
    order = sorted(arrays, key=lambda name: (-list(TYPES).index(arrays[name].dtype.str), name))
    offset = 0
    for name in order:
        array = arrays[name]
        ends = [offset, offset := offset + array.nbytes]
        header[name] = {"dtype": TYPES[array.dtype.str], "shape": list(array.shape), "data_offsets": ends}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(arrays[name].data)


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
