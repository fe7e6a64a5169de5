"""Arrays too large for memory: rows gathered on disk as they are made, then written like any other named arrays."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from cnn_topology.storage.atomic import atomic_path, disk_errors
from cnn_topology.storage.notes import sealed
from cnn_topology.storage.tensors import CHECKSUM

_PIECE = 1 << 24  # bytes
_TYPES = {"<f4": "F32", "<i8": "I64"}

# Gives an int64 array, one value a row, a part at a time; called once for the checksum and once for the file.
Pieces = Callable[[], Iterator[np.ndarray]]


class RowFile:
    """Rows of float32 values that wait on disk in a file without a name: nothing is left of it however a job ends.

    Parameters
    ----------
    target : Path
        The file that the rows are for; they wait in its folder, which is made if it is missing.
    width : int
        Values of a row.

    Raises
    ------
    InputError
        Here and in `append`, if the disk is full or the folder cannot be written.
    """

    def __init__(self, target: Path, width: int) -> None:
        self.target, self.width, self.rows = target, width, 0
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=target.parent)  # noqa: SIM115

    def append(self, rows: np.ndarray) -> None:
        """Add float32 rows, shape (n, width)."""
        with disk_errors(self.target):
            self._file.write(np.ascontiguousarray(rows, dtype="<f4").data)
        self.rows += len(rows)

    def pieces(self) -> Iterator[bytes]:
        """Yield the content from the beginning, piece by piece."""
        with disk_errors(self.target):  # what waited in memory is written now
            self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what a full disk did not take is lost anyway
            self._file.close()


def write_rows(
    path: Path, name: str, rows: RowFile, columns: Mapping[str, Pieces], metadata: Mapping[str, str]
) -> None:
    """Write rows from disk, with columns beside them, as one safetensors file; `read_tensors` reads and checks it.

    Parameters
    ----------
    path : Path
        Where it goes, atomically.
    name : str
        Name of the array that the rows make, shape (rows, width).
    rows : RowFile
        The rows; never in memory as a whole.
    columns : mapping of str to Pieces
        The other arrays, one int64 value for each row.
    metadata : mapping of str to str
        As `write_tensors`.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    digest = hashlib.sha256()
    for other in sorted([name, *columns]):
        kind, shape, pieces = _content(other, name, rows, columns)
        digest.update(f"{other} {kind} {shape}\n".encode())
        for piece in pieces:
            digest.update(piece)
    header: dict[str, object] = {"__metadata__": sealed({**metadata, CHECKSUM: digest.hexdigest()})}
    # Wider types first, so that every array begins at a multiple of its type's size.
    order, offset = [*sorted(columns), name], 0
    for other in order:
        kind, shape, _ = _content(other, name, rows, columns)
        size = int(np.dtype(kind).itemsize * np.prod(shape))
        header[other] = {"dtype": _TYPES[kind], "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for other in order:
            for piece in _content(other, name, rows, columns)[2]:
                file.write(piece)


def _content(
    which: str, name: str, rows: RowFile, columns: Mapping[str, Pieces]
) -> tuple[str, tuple[int, ...], Iterator[bytes]]:
    """Return type, shape and bytes of one of the arrays."""
    if which == name:
        return "<f4", (rows.rows, rows.width), rows.pieces()
    return "<i8", (rows.rows,), (np.ascontiguousarray(part, dtype="<i8").tobytes() for part in columns[which]())
