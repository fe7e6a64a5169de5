"""Shapes and types of the arrays in an `.npz` file, read without the arrays, by the standard library alone."""

import ast
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple


class ArrayHeader(NamedTuple):
    """One array: its shape, and its type as NumPy writes it without the order of bytes, ``f4``, or ``record``."""

    shape: tuple[int, ...]
    kind: str


def npz_headers(path: Path) -> dict[str, ArrayHeader]:
    """Read the headers of all arrays of an .npz file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ArrayHeader
        By name, in the order of the file.

    Raises
    ------
    Exception
        Almost any, where the file is damaged.
    """
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            with archive.open(member) as file:
                magic = file.read(8)
                if magic[:6] != b"\x93NUMPY":
                    raise ValueError(f"{member.filename} is no array")
                width, form = (2, "<H") if magic[6] == 1 else (4, "<I")
                header = ast.literal_eval(file.read(struct.unpack(form, file.read(width))[0]).decode("latin-1"))
            kind = header["descr"][1:] if isinstance(header["descr"], str) else "record"
            headers[member.filename.removesuffix(".npy")] = ArrayHeader(tuple(map(int, header["shape"])), kind)
    return headers
