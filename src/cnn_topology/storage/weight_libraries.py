"""Files of weights that need a library of their own, which is not installed by default: Keras's HDF5, and ONNX."""

import math
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.extras import needing_an_extra
from cnn_topology.storage.weight_arrays import MOST_HEADER, MOST_RATIO, Stored

# Entries of a model of ONNX: names, shapes and numbers of a weight are few, whatever its size.
CONVOLUTIONS = ("Conv", "ConvTranspose")


def _library(path: Path, name: str, what: str) -> ModuleType:
    with needing_an_extra(f"{path}: {what}"):
        return __import__(name)


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
    h5py = _library(path, "h5py", "HDF5 (Keras)")
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
    """Yield all arrays with their paths, in the order in which Keras numbers its layers."""
    for key in sorted(group, key=lambda text: [int(part) if part.isdecimal() else part for part in _split(text)]):
        if depth > 30 or "optimizer" in key or not isinstance(group.get(key, getlink=True), h5py.HardLink):
            continue
        inner = group[key]
        if isinstance(inner, h5py.Dataset):
            yield f"{at}{key}", inner
        elif isinstance(inner, h5py.Group):
            yield from _datasets(h5py, inner, f"{at}{key}/", depth + 1)


def _split(text: str) -> list[str]:
    """Split a name into text and numbers, which alternate, so that names compare."""
    return re.split(r"(\d+)", text)


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
    onnx = _library(path, "onnx", "ONNX")
    graph = onnx.load(str(path), load_external_data=False).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            tensors.update((node.output[0], part.t) for part in node.attribute if part.name == "value")
    same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    arrays = {}
    for node in graph.node:
        if node.op_type not in CONVOLUTIONS:
            continue
        name = same.get(node.input[1], node.input[1])
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
