"""What a pickle describes, read without running anything: `torch.save`, `numpy.save` and `pickle.dump` write pickles.

A pickle is a program that may call any function. Here its instructions are followed on a stack of inert values: a
number, text, list or dictionary is itself, an array is described by `Stored`, and any other object is an `Inert` with
the name of its class. Nothing is imported or called. Keys are plain values, because comparing tuples in tuples in
tuples can take for ever, and the number of instructions is bounded.
"""

import math
import pickletools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any, NamedTuple

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.storage.weight_arrays import NUMBERS, Stored, decoded, size_of

# A tensor takes some 40. These take about 3 s.
MOST_INSTRUCTIONS = 1_000_000

# Numbers of a storage of PyTorch, or of a type torch.<name>.
TYPES = {
    "Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": "bf16", "Bool": "b1", "Byte": "u1", "Char": "i1",
    "Short": "i2", "Int": "i4", "Long": "i8", "QInt8": "i1", "QUInt8": "u1", "QInt32": "i4",
    "float64": "f8", "float32": "f4", "float16": "f2", "bfloat16": "bf16", "bool": "b1", "uint8": "u1", "int8": "i1",
    "int16": "i2", "int32": "i4", "int64": "i8", "uint16": "u2", "uint32": "u4", "uint64": "u8",
}  # fmt: skip

# Modules and functions that a file of weights has no use for, and one that means harm has.
HARMFUL = re.compile(
    r"(?:os|posix|nt|subprocess|sys|importlib|runpy|shutil|socket|ctypes|pty|webbrowser|code|codeop|pdb|timeit)\b.*"
    r"|(?:builtins|__builtin__)\.(?:eval|exec|compile|open|input|breakpoint|__import__)"
)

# Instructions whose argument is the value itself.
LITERALS = re.compile("(?:INT|BININT|LONG|FLOAT|BINFLOAT|(?:SHORT_)?(?:BIN)?(?:STRING|BYTES|UNICODE)|BYTEARRAY)[1248]?")
CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict, "EMPTY_SET": list,
}  # fmt: skip
PLAIN_TENSORS = "save plain ones, by tensor.to_dense(), .dequantize() or .full_tensor()"
PLAIN = (str, int, float, bytes, type(None))

_MARK = object()


class Inert(dict[Any, Any]):
    """An object that is not made: the name of its class, its items if it has some, and its state."""

    def __init__(self, name: str, arguments: tuple[Any, ...] = ()) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None


class _Global(NamedTuple):
    name: str


class Storage(NamedTuple):
    """Where the values of tensors lie: the kind of its numbers (empty if not known), its key and how many they are."""

    kind: str
    key: str
    size: int


class InertReader:
    """Follows the instructions of one pickle.

    Parameters
    ----------
    where : str
        The file, for messages.
    values : callable, optional
        Returns the bytes of a `Storage`, later: by its key.
    order : str
        Order of bytes of storages, ``<`` or ``>``.
    """

    def __init__(self, where: str, values: Callable[[str], bytes] | None = None, order: str = "<") -> None:
        self.where, self.values, self.order = where, values, order
        self.storages: dict[str, Storage] = {}

    def read(self, file: IO[bytes]) -> Any:
        """Read one pickle, at the end of which the file then is.

        Returns
        -------
        Any
            Plain values, lists, tuples, dictionaries, `Stored` and `Inert`.

        Raises
        ------
        InputError
            If it names what would run a command.
        Exception
            Almost any, where it is damaged.
        """
        stack: list[Any] = []
        memo: dict[Any, Any] = {}
        for count, (instruction, argument, _) in enumerate(pickletools.genops(file)):
            if count > MOST_INSTRUCTIONS:
                raise ValueError(f"a pickle of more than {MOST_INSTRUCTIONS:,} instructions")
            name = instruction.name
            if LITERALS.fullmatch(name):
                stack.append(argument)
            elif name in CONSTANTS:
                stack.append(CONSTANTS[name]())
            elif name in ("BINPUT", "PUT", "LONG_BINPUT"):
                memo[argument] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in ("BINGET", "GET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif name == "MARK":
                stack.append(_MARK)
            elif name == "STOP":
                break
            elif name not in ("PROTO", "FRAME", "READONLY_BUFFER"):
                self._follow(name, argument, stack)
        return stack.pop()

    def _follow(self, name: str, argument: Any, stack: list[Any]) -> None:
        """Follow an instruction that takes values from the stack."""
        match name:
            case "POP":
                stack.pop()
            case "POP_MARK":
                _from_mark(stack)
            case "DUP":
                stack.append(stack[-1])
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack[-int(name[-1]) :] = [tuple(stack[-int(name[-1]) :])]
            case "TUPLE":
                stack.append(tuple(_from_mark(stack)))
            case "LIST" | "FROZENSET":
                stack.append(_from_mark(stack))
            case "DICT":
                stack.append(_put({}, _from_mark(stack)))
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _put(stack[-1], [key, value])
            case "SETITEMS":
                items = _from_mark(stack)
                _put(stack[-1], items)
            case "APPEND":
                _extend(stack[-2], [stack.pop()])
            case "APPENDS" | "ADDITEMS":
                items = _from_mark(stack)
                _extend(stack[-1], items)
            case "GLOBAL":
                stack.append(self._global(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                attribute, module = stack.pop(), stack.pop()
                stack.append(self._global(module, attribute))
            case "REDUCE" | "NEWOBJ":
                arguments, function = stack.pop(), stack.pop()
                stack.append(self._made(function, tuple(arguments)))
            case "NEWOBJ_EX":
                _, arguments, function = stack.pop(), stack.pop(), stack.pop()
                stack.append(self._made(function, tuple(arguments)))
            case "OBJ":
                function, *arguments = _from_mark(stack)
                stack.append(self._made(function, tuple(arguments)))
            case "INST":
                arguments = _from_mark(stack)
                stack.append(self._made(self._global(*argument.split(" ", 1)), tuple(arguments)))
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], Inert):
                    stack[-1].state = state
            case "BINPERSID":
                stack.append(self._storage(stack.pop()))
            case _:
                raise ValueError(f"the instruction {name}, which no file of weights has")

    def _global(self, module: str, name: str) -> _Global:
        if HARMFUL.fullmatch(f"{module}.{name}"):
            raise InputError(
                f"{self.where}: refused, and nothing of it was executed: it holds {module}.{name}, which weights have "
                "no use for and a file that means harm has; get the weights from another source"
            )
        return _Global(f"{module}.{name}")

    def _storage(self, pid: Any) -> Storage:
        """Return the storage that a tensor of PyTorch names: type, key, device, and the number of its values."""
        if not isinstance(pid, tuple) or pid[0] != "storage" or not isinstance(pid[1], _Global):
            raise ValueError("an object outside the pickle that is no storage of a tensor")
        if len(pid) > 5 and pid[5] is not None:
            raise ValueError("a view of a storage, which PyTorch before 0.4 wrote")
        kind = pid[1].name.rpartition(".")[2].removesuffix("Storage")
        storage = Storage("" if kind == "Untyped" else TYPES.get(kind, kind), str(pid[2]), int(pid[4]))
        self.storages[storage.key] = storage
        return storage

    def _made(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Return what stands for the value of a function or the object of a class."""
        name = function.name if isinstance(function, _Global) else "an object"
        module, _, last = name.rpartition(".")
        match module, last:
            case ("collections", "OrderedDict" | "defaultdict" | "Counter"):
                made: dict[Any, Any] = {}
                for pair in arguments[0] if arguments and isinstance(arguments[0], list | tuple) else ():
                    _put(made, list(pair))
                return made
            case ("_codecs", "encode"):
                return arguments[0].encode("latin-1")
            case ("torch.storage", "_load_from_bytes"):
                raise InputError(
                    f"{self.where}: a pickle of tensors that torch.save did not write; save them with torch.save"
                )
            case ("torch", "Size"):
                return arguments[0] if arguments else ()
            case ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state"):
                return arguments[0]
            case ("torch._tensor", "_rebuild_from_type_v2"):
                return self._made(arguments[0], tuple(arguments[2]))
            case ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2"):
                tensor = self._tensor(*arguments[:4])
                is_negative = len(arguments) > 6 and isinstance(arguments[6], dict) and arguments[6].get("neg")
                return replace(tensor, read=lambda: -tensor.read()) if is_negative else tensor
            case ("torch._utils", "_rebuild_device_tensor_from_numpy" | "_rebuild_device_tensor_from_cpu_tensor"):
                return arguments[0]
            case ("torch._utils", "_rebuild_wrapper_subclass"):
                what = _last(arguments[0])
                return Stored(
                    tuple(arguments[2]), what, _nothing, f"is a {what}, a tensor of a class of its own: {PLAIN_TENSORS}"
                )
            case ("torch._utils", "_rebuild_sparse_tensor"):
                shape = next((tuple(part) for part in arguments[1] if isinstance(part, tuple | list)), ())
                return Stored(shape, "sparse", _nothing, f"is a sparse tensor: {PLAIN_TENSORS}")
            case (_, "_reconstruct_array" | "reconstruct_device_array"):  # of JAX
                array = self._made(arguments[0], tuple(arguments[1]))
                array.state = arguments[2]
                return array
            case ("torch._utils", "_rebuild_tensor_v3"):
                storage, offset, shape, strides = arguments[:4]
                return self._tensor(
                    storage, offset, shape, strides, TYPES.get(_last(arguments[6]), _last(arguments[6]))
                )
            case ("torch._utils", "_rebuild_qtensor"):
                return _dequantized(self._tensor(*arguments[:4]), arguments[4])
            case ("torch._utils", "_rebuild_meta_tensor_no_storage"):
                return Stored(tuple(arguments[1]), "meta", _nothing, "was saved without values (device meta)")
        return Inert(name, arguments)

    def _tensor(self, storage: Storage, offset: int, shape: Any, strides: Any, kind: str = "") -> Stored:
        shape, strides = tuple(map(int, shape)), tuple(map(int, strides))
        kind = kind or storage.kind
        if kind not in NUMBERS:
            return Stored(shape, kind, _nothing)
        values = storage.size if storage.kind else storage.size // size_of(kind)
        count = math.prod(shape)
        if min((*shape, *strides, offset), default=0) < 0 or len(shape) != len(strides) or len(shape) > 32:
            raise ValueError(f"a tensor of shape {shape} with strides {strides}")
        if count and offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) >= values:
            raise ValueError(f"a tensor of shape {shape} in a storage of {values} values")
        if count > values:  # a view that repeats values: of any size, whatever the size of the file
            return Stored(shape, kind, _nothing, f"claims {count:,} values, and the file holds {values:,} of them")

        def read() -> np.ndarray:
            if not count:
                return np.empty(shape, np.float32)
            assert self.values is not None
            row = decoded(self.values(storage.key), kind, self.order)
            steps = [stride * row.itemsize for stride in strides]
            return np.lib.stride_tricks.as_strided(row[offset:], shape, steps, writeable=False)

        return Stored(shape, kind, read)


def _last(name: Any) -> str:
    return name.name.rpartition(".")[2] if isinstance(name, _Global) else ""


def _nothing() -> np.ndarray:
    raise ValueError("there are no values to read")


def _dequantized(tensor: Stored, scheme: Any) -> Stored:
    """Return the numbers that a quantized tensor of PyTorch stands for."""
    if _last(scheme[0]) == "per_tensor_affine":
        scale, zero = float(scheme[1]), int(scheme[2])
        return Stored(tensor.shape, "f4", lambda: (tensor.read().astype(np.float32) - zero) * np.float32(scale))
    if _last(scheme[0]) != "per_channel_affine" or not all(isinstance(part, Stored) for part in scheme[1:3]):
        return Stored(tensor.shape, _last(scheme[0]), _nothing)
    scales, zeros, axis = scheme[1:4]
    side = tuple(-1 if n == axis else 1 for n in range(len(tensor.shape)))

    def by_channel() -> np.ndarray:
        whole = tensor.read().astype(np.float64) - zeros.read().reshape(side)
        return (whole * scales.read().reshape(side)).astype(np.float32)

    return replace(tensor, kind="f4", read=by_channel)


def array_of(value: Any) -> Any:
    """Return a `Stored` for an array of NumPy in a pickle, the list of its objects, or the value as it is."""
    if not isinstance(value, Inert) or not value.name.startswith("numpy."):
        return value
    if value.name.endswith("._reconstruct") and isinstance(value.state, tuple) and len(value.state) == 5:
        _, shape, dtype, fortran, data = value.state
    elif value.name.endswith("._frombuffer"):
        data, dtype, shape, letter = value.arguments
        fortran = letter == "F"
    else:
        return value
    if isinstance(data, list):
        return data
    kind, order = _dtype(dtype)
    data = data.encode("latin-1") if isinstance(data, str) else data  # of Python 2
    shape = tuple(map(int, shape))
    if kind not in NUMBERS:
        return Stored(shape, kind, _nothing)
    if math.prod(shape) * size_of(kind) != len(data):
        raise ValueError(f"{len(data)} bytes for an array of shape {shape}")
    return Stored(shape, kind, lambda: decoded(data, kind, order).reshape(shape, order="F" if fortran else "C"))


def _dtype(dtype: Any) -> tuple[str, str]:
    """Return kind and order of bytes of a type of NumPy."""
    order = dtype.state[1] if isinstance(dtype.state, tuple) else "<"
    kind = _last(dtype.arguments[0]) or str(dtype.arguments[0])  # one that NumPy lacks is named by its class
    return TYPES.get(kind, kind), ">" if order == ">" else "<"


def _from_mark(stack: list[Any]) -> list[Any]:
    """Take all values from above the last mark, and the mark."""
    for place in range(len(stack) - 1, -1, -1):
        if stack[place] is _MARK:
            values = stack[place + 1 :]
            del stack[place:]
            return values
    raise ValueError("no mark on the stack")


def _put(items: Any, pairs: list[Any]) -> Any:
    """Put keys and values, in turn, into a dictionary; what has no plain key cannot be named and is left out."""
    if isinstance(items, dict):
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if isinstance(key, PLAIN):
                items[key] = value
    return items


def _extend(items: Any, values: list[Any]) -> None:
    if isinstance(items, list):
        items.extend(values)
