"""Names and shapes of the arrays in a user's file of weights, read without the arrays and without running its code.

The Snakefile asks while it is parsed, so only the standard library is used. `.safetensors` and `.npz` say names and
shapes in headers. A file of PyTorch is a pickle, which could run any code: it is read by an unpickler to which no
global exists but ordered dictionaries and inert stand-ins for tensors and their storages.
"""

import json
import pickle
import re
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from cnn_topology.errors import InputError, unknown
from cnn_topology.storage.npz_headers import npz_headers
from cnn_topology.storage.weight_forms import Shapes, apply_masks, axes_problem, part_problem

PYTORCH_SUFFIXES = (".pt", ".pth", ".th", ".ckpt", ".bin")
SUFFIXES = (".safetensors", ".npz", *PYTORCH_SUFFIXES)

# Where training programs put the weights when a file holds more than them.
ENTRIES = ("state_dict", "model_state_dict", "model", "net")

# What torch.save wrote before version 1.6: this number, a version, facts on the machine, then the object.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

# Types of numbers, by their names in .safetensors, in PyTorch's files and in .npz.
FLOATING = re.compile(r"F64|F32|F16|BF16|(Double|Float|Half|BFloat16)Storage|f\d+")
# Counters and masks.
WHOLE = re.compile(r"[IU](16|32|64)|BOOL|(Short|Int|Long|Bool)Storage|[iu][248]|b1")

# A header larger than this is none.
MOST_HEADER = 100_000_000


class _Tensor(NamedTuple):
    """What stands in for a tensor: its shape and the type of its numbers."""

    shape: tuple[int, ...]
    kind: str


def array_shapes(path: Path, entry: str | None = None) -> Shapes:
    """Return the shape of each array of floating-point numbers in a file of weights.

    Parameters
    ----------
    path : Path
        ``.safetensors``, ``.npz``, or one of `PYTORCH_SUFFIXES` as `torch.save` writes a state dictionary.
    entry : str, optional
        For PyTorch files: the entry of the saved dictionary that holds the weights. Absent: the dictionary itself if
        it holds kernels, otherwise the first there is of `ENTRIES`.

    Returns
    -------
    dict of str to tuple of int
        In the order of the file; of ``.safetensors``, which sort their names, with numbers in names in their order.
        A weight that `torch.nn.utils.prune` keeps as ``<name>_orig`` and ``<name>_mask`` goes by its name.

    Raises
    ------
    InputError
        If the file is missing, cut short, of another type, one part of a network, holds an object that only its own
        code could make or weights as other than floating-point numbers, has no such entry, or holds several networks
        of which none is named; or if its kernels may be in another order than (out, in, row, column).
    """
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"{path}: weights are read from {', '.join(SUFFIXES)}, not from {path.suffix or 'this'!r} files"
        )
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    pytorch = path.suffix in PYTORCH_SUFFIXES
    try:
        if path.suffix == ".safetensors":
            tensors, pytorch = _safetensors(path)
        else:
            tensors = _npz(path) if path.suffix == ".npz" else weights_in(_pytorch(path), path, entry)
        shapes = _floating(path, apply_masks(tensors, lambda weight, _: weight))
    except InputError:
        raise
    except Exception as error:  # a damaged zip, header or pickle raises almost anything
        raise _unreadable(path, error) from error
    problem = part_problem(path) or axes_problem(shapes, pytorch)
    if problem:
        raise InputError(f"{path}: {problem}")
    return shapes


def weights_in(content: Any, path: Path, entry: str | None = None) -> dict[str, Any]:
    """Find the weights in what a PyTorch file holds.

    Parameters
    ----------
    content : Any
        What was read: tensors (anything with a ``shape``) in a dictionary, possibly inside another one.
    path : Path
        For messages.
    entry : str, optional
        As in `array_shapes`.

    Returns
    -------
    dict of str to Any
        The tensors by name.

    Raises
    ------
    InputError
        If there are none, or if several dictionaries hold kernels and `entry` is absent.
    """
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__} where a state dictionary (name: tensor) was expected")
    inner = [name for name, value in content.items() if isinstance(value, dict) and _tensors(value)]
    if entry is not None:
        if entry not in inner:
            raise unknown(f"`entry` with weights in {path}", entry, map(str, inner))
        return _tensors(content[entry])
    state = f"state `entry`, one of {', '.join(map(str, inner))}"
    networks = {at: tensors for at, tensors in _dictionaries(content, (), set()) if _kernels(tensors)}
    usual: dict[tuple[str, ...], dict[str, Any]] = {(): _tensors(content)}
    usual |= {(name,): _tensors(content[name]) for name in ENTRIES if name in inner}
    at = next((at for at in usual if at in networks), None) or next((at for at, there in usual.items() if there), ())
    if not usual[at]:
        ways = state if inner else "save model.state_dict() instead"
        raise InputError(f"{path}: holds no tensors by name at its top or under {', '.join(ENTRIES)}; {ways}")
    others = [".".join(other) or "its top" for other in networks if other != at]
    if others:
        raise InputError(
            f"{path}: holds kernels under {'.'.join(at) or 'its top'} and under {', '.join(others)}: one network is "
            f"expected; {state} (in `checkpoints`), or save the state dictionary of the one meant by itself"
        )
    return usual[at]


def _dictionaries(value: Any, at: tuple[str, ...], seen: set[int]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield all dictionaries of tensors with the names that lead to them, each once.

    The state of an optimizer lies under numbers, as no network does.
    """
    if id(value) in seen:
        return
    if isinstance(value, dict):
        seen.add(id(value))
        yield at, _tensors(value)
        for name, inner in value.items():
            if isinstance(name, str):
                yield from _dictionaries(inner, (*at, name), seen)
    elif isinstance(value, list | tuple) and not hasattr(value, "shape"):
        seen.add(id(value))
        for number, inner in enumerate(value):
            yield from _dictionaries(inner, (*at, str(number)), seen)


def _tensors(values: dict[Any, Any]) -> dict[str, Any]:
    """Return the tensors of a dictionary; none if all are single numbers, as those of a log are."""
    tensors = {str(name): value for name, value in values.items() if hasattr(value, "shape")}
    return tensors if any(len(tensor.shape) for tensor in tensors.values()) else {}


def _kernels(tensors: dict[str, Any]) -> bool:
    return any(len(tensor.shape) >= 4 for tensor in tensors.values())


def _floating(path: Path, tensors: dict[str, _Tensor]) -> Shapes:
    """Return the shapes of floating-point arrays; refuse 3x3 kernels of other numbers, and masks of kernels."""
    for name, tensor in tensors.items():
        if tensor.shape[2:] != (3, 3) or FLOATING.fullmatch(tensor.kind):
            continue
        if not WHOLE.fullmatch(tensor.kind):
            raise InputError(
                f"{path}: {name} holds numbers of the type {tensor.kind}, and weights are read as 16, 32 or 64 bit "
                "floating-point numbers; write the file with the weights in one of these"
            )
        if "mask" in name.lower():
            raise InputError(
                f"{path}: {name} is a mask without <name>_orig, the weight it belongs to in torch.nn.utils.prune; "
                "multiply the weight by it and save the product"
            )
    return {name: tensor.shape for name, tensor in tensors.items() if FLOATING.fullmatch(tensor.kind)}


def _unreadable(path: Path, error: BaseException) -> InputError:
    return InputError(f"{path}: cut short, altered or no file of this type ({type(error).__name__}: {error})")


def _safetensors(path: Path) -> tuple[dict[str, _Tensor], bool]:
    """Read a header, which may say that PyTorch wrote it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(size - 8, MOST_HEADER):
            raise ValueError(f"a header of {length} bytes in a file of {size}")
        header = json.loads(file.read(length))
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    end = 8 + length + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    if end != size:
        raise ValueError(f"its header speaks of {end} bytes, the file has {size}")
    tensors = {name: _Tensor(tuple(map(int, entry["shape"])), str(entry["dtype"])) for name, entry in entries.items()}
    pytorch = header.get("__metadata__", {}).get("format") == "pt"
    return dict(sorted(tensors.items(), key=lambda item: _natural(item[0]))), pytorch


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort numbers in names as numbers: features.2 before features.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _npz(path: Path) -> dict[str, _Tensor]:
    return {name: _Tensor(header.shape, header.kind) for name, header in npz_headers(path).items()}


def _pytorch(path: Path) -> Any:
    """Read a file of `torch.save` with tensors replaced by stand-ins."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            pickled = next((name for name in names if name.count("/") == 1 and name.endswith("/data.pkl")), None)
            if pickled is None:
                raise InputError(f"{path}: a zip file that torch.save did not write: it has no data.pkl")
            with archive.open(pickled) as file:
                content, storages = _unpickled(file, path)
            missing = [key for key in storages if f"{pickled.removesuffix('data.pkl')}data/{key}" not in names]
            if missing:
                raise ValueError(f"the values of {len(missing)} of {len(storages)} tensors are missing")
            return content
    with path.open("rb") as file:
        if _unpickled(file, path)[0] != LEGACY_MAGIC:
            raise InputError(f"{path}: a pickle that torch.save did not write; save model.state_dict() with torch.save")
        for _ in ("protocol", "facts on the machine"):
            _unpickled(file, path)
        return _unpickled(file, path)[0]


def _unpickled(file: IO[bytes], path: Path) -> tuple[Any, set[str]]:
    reader = _Reader(file, path)
    return reader.load(), reader.storages


class _Reader(pickle._Unpickler):
    """An unpickler to which nothing exists but what a state dictionary needs, and that is inert.

    It is the one in Python: that in C makes room for whatever number of an object a damaged file names, 64 GB of it.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, encoding="utf-8")
        self.path, self.storages = path, set[str]()

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for a name of PyTorch's own; refuse any other."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        makers: dict[tuple[str, str], Callable[..., Any]] = {
            ("torch._utils", "_rebuild_tensor"): lambda storage, offset, size, *_: _Tensor(tuple(size), storage),
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, size, *_: _Tensor(tuple(size), storage),
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
            ("torch", "Size"): lambda size=(): tuple(size),
            ("torch", "device"): lambda *_: None,
        }
        if (module, name) in makers:
            return makers[module, name]
        # Types of storages, and of numbers: what an optimizer or a scaler leaves in a checkpoint may name these.
        if module == "torch" and re.fullmatch(r"[A-Z][A-Za-z0-9]*Storage|b?float\d+|u?int\d+|bool", name):
            return name
        raise InputError(
            f"{self.path}: refused, and nothing of it was executed: besides tensors it holds {module}.{name}, an "
            "object that only running code could make; save model.state_dict() with torch.save, or its tensors as "
            ".safetensors"
        )

    def persistent_load(self, pid: Any) -> str:
        """Return, for a storage, the type of its numbers; no values are read."""
        kind, storage, key = pid[:3]
        if kind != "storage":
            raise pickle.UnpicklingError(f"unknown persistent object {kind!r}")
        self.storages.add(str(key))
        return str(storage)
