"""Arrays as files of weights hold them: what a header says of each, and its values once they are asked for.

Keras's HDF5 and ONNX need a library of their own, which is not installed by default.
"""

import json
import math
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import IO, Any, BinaryIO

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.extras import needing_an_extra

# Numbers that weights are read from: NumPy's letters without the order of bytes, and bfloat16, which it lacks.
FLOATING = {"f2", "f4", "f8", "f16", "bf16"}
# Counters, masks and integers of quantized networks.
WHOLE = {"b1", *(f"{sign}{size}" for sign in "iu" for size in (1, 2, 4, 8))}
NUMBERS = FLOATING | WHOLE

# The names of types of numbers in .safetensors.
SAFETENSORS = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": "bf16", "BOOL": "b1"} | {
    f"{sign}{8 * size}": f"{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)
}

# A header of .safetensors that is larger than this is none.
MOST_HEADER = 100_000_000
# Deflate makes weights hardly smaller. What says that it is so much smaller than its content is none.
MOST_RATIO = 200


@dataclass(frozen=True)
class Stored:
    """One array of a file.

    Attributes
    ----------
    shape : tuple of int
    kind : str
        One of `NUMBERS`, or the name of a type of numbers that is not read.
    read : callable
        Returns the values, as long as the file is open.
    problem : str
        Why the values cannot be read, empty if they can.
    """

    shape: tuple[int, ...]
    kind: str
    read: Callable[[], np.ndarray]
    problem: str = ""

    @property
    def is_floating(self) -> bool:
        """Whether weights can be read from it."""
        return self.kind in FLOATING and not self.problem

    def floats(self) -> np.ndarray:
        """Read the values as float32."""
        return self.read().astype(np.float32)

    def transposed(self, *axes: int) -> "Stored":
        """Return the same array with its axes in another order."""
        return replace(self, shape=tuple(self.shape[axis] for axis in axes), read=lambda: self.read().transpose(axes))

    def reshaped(self, shape: tuple[int, ...]) -> "Stored":
        """Return the same values in another shape."""
        return replace(self, shape=shape, read=lambda: self.read().reshape(shape))


def in_memory(array: np.ndarray) -> Stored:
    """Return what stands for an array that is not in a file."""
    return Stored(array.shape, array.dtype.str[1:], lambda: array)


def decoded(data: bytes, kind: str, order: str = "<") -> np.ndarray:
    """Return the numbers in some bytes, in one row; bfloat16 as float32 of the same value."""
    if kind == "bf16":
        return (np.frombuffer(data, f"{order}u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, f"{order}{kind}")


def size_of(kind: str) -> int:
    """Return the bytes that one number of a kind takes."""
    return 2 if kind == "bf16" else np.dtype(kind).itemsize


def safetensors_arrays(file: IO[bytes], size: int) -> tuple[dict[str, Stored], dict[str, str]]:
    """Read the header of a .safetensors file.

    Parameters
    ----------
    file : binary file
        Stays open while arrays are read.
    size : int
        Bytes of the file.

    Returns
    -------
    arrays : dict of str to Stored
        Numbers in names in their order: features.2 before features.10.
    notes : dict of str to str
        What the file says of itself.

    Raises
    ------
    ValueError
        If the header does not describe the file.
    """
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(size - 8, MOST_HEADER):
        raise ValueError(f"a header of {length} bytes in a file of {size}")
    header = json.loads(file.read(length))
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    end = 8 + length + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    if end != size:
        raise ValueError(f"its header speaks of {end} bytes, the file has {size}")

    def stored(entry: dict[str, Any]) -> Stored:
        shape, (start, stop) = tuple(map(int, entry["shape"])), map(int, entry["data_offsets"])
        kind = SAFETENSORS.get(entry["dtype"], str(entry["dtype"]))
        if kind in NUMBERS and (start < 0 or math.prod(shape) * size_of(kind) != stop - start):
            raise ValueError(f"{stop - start} bytes for an array of shape {shape}")

        def read() -> np.ndarray:
            file.seek(8 + length + start)
            return decoded(file.read(stop - start), kind).reshape(shape)

        return Stored(shape, kind, read)

    arrays = {name: stored(entries[name]) for name in sorted(entries, key=_natural)}
    return arrays, header.get("__metadata__", {})


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def npy_array(file: IO[bytes], opened: Callable[[], IO[bytes]], size: int) -> Stored:
    """Read the header of one array of NumPy.

    Parameters
    ----------
    file : binary file
        At the beginning of the array.
    opened : callable
        Opens it anew, to read the values.
    size : int
        Bytes of the array with its header.

    Returns
    -------
    Stored
        Of the kind ``O`` if it holds Python objects.

    Raises
    ------
    ValueError
        If it is no array, or cut short.
    """
    start = file.tell()
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    kind = "O" if dtype.hasobject else "record" if dtype.names else dtype.str[1:]
    length = size - (file.tell() - start)

    def read() -> np.ndarray:
        with opened() as again:
            return np.lib.format.read_array(again, allow_pickle=False)

    if kind in NUMBERS and math.prod(shape) * size_of(kind) != length:
        raise ValueError(f"{size} bytes for an array of shape {shape}")
    return Stored(shape, kind, read)


def npz_arrays(archive: zipfile.ZipFile) -> dict[str, Stored]:
    """Read the headers of all arrays of an .npz file.

    Parameters
    ----------
    archive : zipfile.ZipFile
        Stays open while arrays are read.

    Returns
    -------
    dict of str to Stored
        In the order of the file.

    Raises
    ------
    Exception
        Almost any, where the file is damaged.
    """
    arrays = {}
    for member in archive.infolist():
        if member.filename.endswith(".npy"):
            check_ratio(member)
            with archive.open(member) as file:
                opened = lambda member=member: archive.open(member)  # noqa: E731 (bound to this member)
                arrays[member.filename.removesuffix(".npy")] = npy_array(file, opened, member.file_size)
    return arrays


def check_ratio(member: zipfile.ZipInfo) -> None:
    """Refuse a part of a zip file that would fill the memory."""
    if member.file_size > MOST_HEADER and member.file_size > MOST_RATIO * member.compress_size:
        raise ValueError(f"{member.filename} claims {member.file_size:,} bytes and holds {member.compress_size:,}")


def npz_headers(path: Path) -> dict[str, Stored]:
    """Read the headers of all arrays of an .npz file, whose values are then out of reach.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to Stored

    Raises
    ------
    Exception
        Almost any, where the file is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        return npz_arrays(archive)


# Nodes of a graph of ONNX whose second input is a weight with kernels.
CONVOLUTIONS = ("Conv", "ConvTranspose", "FusedConv", "DeformConv")


def hdf5_arrays(path: Path, source: Path | BinaryIO, stack: ExitStack) -> dict[str, Stored]:
    """Read the headers of the weights of a Keras model; links to other files are not followed.

    Parameters
    ----------
    path : Path
        For messages.
    source : Path or binary file
    stack : ExitStack
        Keeps the file open while arrays are read.

    Returns
    -------
    dict of str to Stored
        Without the variables of an optimizer.

    Raises
    ------
    InputError
        If h5py is not installed.
    """
    with needing_an_extra(f"{path}: HDF5 (Keras)"):
        import h5py
    file = stack.enter_context(h5py.File(source, "r"))
    size = source.stat().st_size if isinstance(source, Path) else source.seek(0, 2)
    arrays = {}
    for name, data in _datasets(h5py, file, "", 0):
        kind = data.dtype.str[1:] if data.dtype.kind in "fiub" else str(data.dtype)
        problem = "lies in another file" if data.external or data.is_virtual else ""
        if (count := math.prod(data.shape) * data.dtype.itemsize) > max(MOST_HEADER, MOST_RATIO * size):
            problem = f"claims {count:,} bytes in a file of {size:,}"

        def read(data: Any = data) -> np.ndarray:
            return np.asarray(data[()])

        stored = Stored(tuple(map(int, data.shape)), kind, read, problem)
        # Keras has the axes of a transposed convolution as (row, column, out, in).
        arrays[name] = stored.transposed(0, 1, 3, 2) if "transpose" in name and len(stored.shape) == 4 else stored
    return arrays


def _datasets(h5py: ModuleType, group: Any, at: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield all arrays with their paths, in the order that the file states, else that in which Keras numbers layers."""
    stated = [name if isinstance(name, str) else name.decode() for name in group.attrs.get("layer_names", ())]
    place = {name: number for number, name in enumerate(stated)}
    for key in sorted(group, key=lambda key: (place.get(key, len(place)), _natural(key))):
        if depth > 30 or "optimizer" in key or not isinstance(group.get(key, getlink=True), h5py.HardLink):
            continue
        inner = group[key]
        if isinstance(inner, h5py.Dataset):
            yield f"{at}{key}", inner
        elif isinstance(inner, h5py.Group):
            yield from _datasets(h5py, inner, f"{at}{key}/", depth + 1)


def onnx_arrays(path: Path) -> dict[str, Stored]:
    """Read the weights of the convolutions of a model of ONNX, in the order of its graph.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to Stored
        As (out, in, row, column), those of transposed convolutions as well.

    Raises
    ------
    InputError
        If onnx is not installed, the weights lie in another file, or are computed by the graph.
    """
    with needing_an_extra(f"{path}: ONNX"):
        import onnx
    model = onnx.load(str(path), load_external_data=False)
    graph = model.graph
    others = [node for node in graph.node if node.op_type not in CONVOLUTIONS]
    others += [*_inner_nodes(graph.node), *(node for function in model.functions for node in function.node)]
    if unread := [node for node in others if "Conv" in node.op_type]:
        raise InputError(
            f"{path}: the weights of {unread[0].name or 'a convolution'} ({unread[0].op_type}) are not read, as of "
            "a quantized model, a function or a branch: export the network with floating-point weights, without "
            "branches; onnx.inliner.inline_local_functions puts functions in their place"
        )
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            tensors.update((node.output[0], part.t) for part in node.attribute if part.name == "value")
    same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    arrays = {}
    for node in graph.node:
        if node.op_type not in CONVOLUTIONS:
            continue
        name = node.input[1]
        for _ in same:  # of a damaged file names may lead back
            name = same.get(name, name)
        if name not in tensors:
            raise InputError(
                f"{path}: the weight {name} of {node.name or node.op_type} is computed by the graph, as of "
                "a quantized model: export the network with floating-point weights"
            )
        tensor = tensors[name]
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise InputError(
                f"{path}: its weights lie in another file: onnx.save(onnx.load(FILE), 'one.onnx') writes one file"
            )

        def read(tensor: Any = tensor) -> np.ndarray:
            return np.asarray(onnx.numpy_helper.to_array(tensor))

        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).str[1:]
        stored = Stored(tuple(tensor.dims), kind, read)
        is_transposed = node.op_type == "ConvTranspose" and len(stored.shape) >= 2
        arrays[name] = stored.transposed(1, 0, *range(2, len(stored.shape))) if is_transposed else stored
    return arrays


def _inner_nodes(nodes: Iterable[Any]) -> Iterator[Any]:
    """Yield the nodes of the branches and loops of a graph of ONNX."""
    for node in nodes:
        for part in node.attribute:
            for graph in (part.g, *part.graphs):
                yield from graph.node
                yield from _inner_nodes(graph.node)
