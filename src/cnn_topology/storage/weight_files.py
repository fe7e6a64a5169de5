"""A user's file of weights, whatever wrote it: its arrays by name as the network uses them, and no code of it is run.

What a file is, its first bytes tell; a suffix is only a name. One that is none of the kinds read here is named for what
it is, with the line that exports its weights. The Snakefile asks for names and shapes while it is parsed, and jobs for
values: both by `opened_weights`.
"""

import io
import json
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from cnn_topology.checks import SIDES
from cnn_topology.errors import InputError
from cnn_topology.storage.weight_arrays import (
    WHOLE,
    Stored,
    check_ratio,
    hdf5_arrays,
    npy_array,
    npz_arrays,
    onnx_arrays,
    safetensors_arrays,
    size_of,
)
from cnn_topology.storage.weight_forms import Order, Shapes, as_used, in_order, part_problem
from cnn_topology.storage.weight_networks import choose_network
from cnn_topology.storage.weight_pickle import InertReader, Storage

# What torch.save wrote before version 1.6: this number, a version, facts on the machine, then the object.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

KINDS = "PyTorch (torch.save), .safetensors, .npz, .npy, Keras (.keras, .h5) and ONNX"

# Files that are no weights, by how they begin, and what to do.
OTHERS = (
    (b"version https://git-lfs", "a pointer of Git LFS, in place of the file: run `git lfs pull`"),
    (b"\x1f\x8b", "compressed by gzip: run `gunzip` on it (of a .tar.gz, `tar -xf`)"),
    (b"BZh", "compressed by bzip2: run `bunzip2` on it"),
    (b"\xfd7zXZ", "compressed by xz: run `unxz` on it"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard: run `unzstd` on it"),
    (b"GGUF", "GGUF, whose weights are quantized: look at the file that it was converted from"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
TORCHSCRIPT = "a program of TorchScript: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt') writes its weights"
EXPORTED = "a program of torch.export: torch.save(torch.export.load(FILE).state_dict, 'weights.pt') writes its weights"
DISTRIBUTED = (
    "several archives one after the other, as torch.distributed.checkpoint writes: "
    "`python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER weights.pt` makes one file"
)
TFLITE = (
    "TFLite: interpreter = tf.lite.Interpreter(FILE) has its arrays, get_tensor_details() their names; write those of "
    "the convolutions by numpy.savez and state `layout: ohwi`"
)


# Names of the weights of Keras, all versions.
KERAS = re.compile(r"kernel|:0$|(?:^|/)vars/")
# What may stand before the first sign of a text: the mark of its encoding, and white space.
BLANKS = b"\xef\xbb\xbf \t\r\n"


class Content(NamedTuple):
    """What a file holds: arrays in nested dictionaries, and the order of axes that its kind of file has.

    `by_habit` is an order that a kind of file usually has, and that its shapes can contradict.
    """

    value: Any
    order: Order | None = None
    by_habit: bool = False


@contextmanager
def opened_weights(
    path: Path, entry: str | None = None, layout: Order | None = None, as_stored: bool = False
) -> Iterator[dict[str, Stored]]:
    """Open a file of weights.

    Parameters
    ----------
    path : Path
        Of one of the kinds of `KINDS`, by its first bytes; or an index (JSON) of the files of one network.
    entry : str, optional
        Where in the file the weights lie, as keys with dots: ``net.state_dict``. Absent: where there are kernels, if
        that is one place.
    layout : {'oihw', 'hwio', 'ohwi', 'iohw'}, optional
        Order of the axes of kernels. Absent: that of the kind of file, or the one that the shapes of all kernels fit.
    as_stored : bool
        Whether arrays stay as they are in the file, for a network that computes its weights from them.

    Yields
    ------
    dict of str to Stored
        The arrays by name, in the order of the file, kernels as (out, in, row, column): weights that a network computes
        from several arrays (pruned, normalized, low-rank, fake-quantized) as it uses them, in place of these. Their
        values can be read while the file is open.

    Raises
    ------
    InputError
        If the file is missing, cut short, none of these kinds or one of several of a network; if it has no such entry,
        or holds several networks of which none is named; or if its kernels may be in several orders.
    """
    check_is_file(path)
    with ExitStack() as stack:
        try:
            content = _content(path, stack)
            if problem := part_problem(path):
                raise InputError(f"{path}: {problem}")
            arrays = choose_network(content.value, path, entry)
            if not as_stored:
                order, by_habit = layout or content.order, layout is None and content.by_habit
                arrays = in_order(path, as_used(arrays), order, by_habit)
            yield arrays
        except InputError:
            raise
        except Exception as error:  # a damaged zip, header or pickle, and its values, raise almost anything
            raise _unreadable(path, error) from error


def array_shapes(path: Path, entry: str | None = None, layout: Order | None = None, as_stored: bool = False) -> Shapes:
    """Return the shape of each array of floating-point numbers in a file of weights.

    Parameters
    ----------
    path, entry, layout, as_stored
        As for `opened_weights`.

    Returns
    -------
    dict of str to tuple of int
        In the order of the file.

    Raises
    ------
    InputError
        As `opened_weights`; or if kernels are of numbers that weights are not read from.
    """
    with opened_weights(path, entry, layout, as_stored) as arrays:
        for name, array in arrays.items():
            check_numbers(path, name, array)
        return {name: array.shape for name, array in arrays.items() if array.is_floating}


def check_numbers(path: Path, name: str, array: Stored) -> None:
    """Refuse square kernels that are no floating-point numbers, and masks of kernels."""
    if len(array.shape) != 4 or array.shape[2] != array.shape[3] or array.shape[2] not in SIDES or array.is_floating:
        return
    if array.problem:
        raise InputError(f"{path}: {name} {array.shape} {array.problem}")
    if array.kind not in WHOLE or array.kind in ("i1", "u1"):
        raise InputError(
            f"{path}: {name} holds numbers of the type {array.kind}, and weights are read as 16, 32 or 64 bit "
            "floating-point numbers; write the file with the weights in one of these, `tensor.float()` in PyTorch"
        )
    if "mask" in name.lower():
        raise InputError(
            f"{path}: {name} is a mask without <name>_orig, the weight it belongs to in torch.nn.utils.prune; "
            "multiply the weight by it and save the product"
        )


def check_is_file(path: Path) -> None:
    """Refuse what is no regular file: reading a pipe or a device waits for ever.

    Raises
    ------
    InputError
        Naming what it is.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: no such file" if not path.exists() else f"{path}: {reason}") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: a folder, and one file of weights is expected: name a file in it")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: a pipe, a socket or a device, and no file")


def files_of(path: Path) -> list[Path]:
    """Return the files that a network is read from: those that an index names, with the index, or the file itself.

    Raises
    ------
    InputError
        If an index is damaged or names files elsewhere.
    """
    check_is_file(path)
    with path.open("rb") as file:
        if not _is_index(file.read(512)):
            return [path]
    try:
        return [path, *(path.parent / name for name in dict.fromkeys(_weight_map(path).values()))]
    except InputError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def _is_index(head: bytes) -> bool:
    """Whether a file begins as JSON does; safetensors begins with the length of its header, of which a byte is zero."""
    return head.lstrip(BLANKS)[:1] == b"{" and 0 not in head[:8]


def _weight_map(path: Path) -> dict[str, str]:
    """Read the names of arrays and of the files that hold them."""
    size = path.stat().st_size
    if size > 100_000_000:
        raise ValueError(f"an index of {size} bytes")
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict) or not isinstance(content.get("weight_map"), dict):
        raise InputError(f"{path}: JSON that is no index of weights (it has no `weight_map`)")
    names = {str(name): str(file) for name, file in content["weight_map"].items()}
    for file in set(names.values()):
        if Path(file).name != file:
            raise InputError(f"{path}: names {file!r}, and the files of a network lie beside their index")
    return names


def _unreadable(path: Path, error: BaseException) -> InputError:
    reason = (str(error).splitlines() or [""])[0][:200]
    return InputError(f"{path}: cut short, altered or no file of its kind ({type(error).__name__}: {reason})")


def _content(path: Path, stack: ExitStack) -> Content:
    """Return what a file holds, by how it begins."""
    size = path.stat().st_size
    if not size:
        raise InputError(f"{path}: empty, 0 bytes: get it again")
    file = stack.enter_context(path.open("rb"))
    head = file.read(512)
    file.seek(0)
    for beginning, what in OTHERS:
        if head.startswith(beginning):
            raise InputError(f"{path}: {what}")
    text = head.lstrip(BLANKS)
    if text[:9].lower() == b"<!doctype" or text[:5].lower() in (b"<html", b"<?xml", b"<head"):
        raise InputError(f"{path}: a web page or XML, not weights: download it again (a page of a login or an error?)")
    if head[257:262] == b"ustar":
        raise InputError(f"{path}: an archive of tar: unpack it (tar -xf) and name the file of weights in it")
    if head[4:8] == b"TFL3":
        raise InputError(f"{path}: {TFLITE}")
    if head[:2] == b"PK":
        return _zip(path, file, stack)
    if head[:6] == b"\x93NUMPY":
        return Content(_npy(path, file, size))
    if head[:4] == b"\x89HDF":
        arrays = hdf5_arrays(path, path, stack)
        # Others than Keras write HDF5 too, by the names of PyTorch for one.
        return Content(arrays, "hwio" if any(KERAS.search(name) for name in arrays) else None)
    if _is_index(head):
        return _shards(path, stack)
    if head[8:9] == b"{":
        arrays, notes = safetensors_arrays(file, size)
        return Content(arrays, "oihw", True) if notes.get("format") == "pt" else Content(arrays)
    if head[:1] == b"\x80":
        return _pickles(path, file, size)
    # The beginning of a model of ONNX: the version of its format, then who wrote it.
    if head[:1] == b"\x08" and head[1] < 32 and head[2:3] in (b"\x12", b"\x1a", b"\x3a", b"\x42"):
        return Content(onnx_arrays(path), "oihw")
    if zipfile.is_zipfile(path):  # a zip file may begin with anything
        return _zip(path, file, stack)
    raise InputError(f"{path}: not one of the kinds of files that weights are read from: {KINDS}")


def _shards(path: Path, stack: ExitStack) -> Content:
    """Return the arrays of all files that an index names, as one network."""
    places = _weight_map(path)
    arrays: dict[str, Any] = {}
    known = Content(arrays)
    for name in dict.fromkeys(places.values()):
        part = path.parent / name
        if files_of(part) != [part]:  # itself, or one that leads back to it or to ever more
            raise InputError(f"{path}: names {name}, which is an index too; an index names files of weights alone")
        content = _content(part, stack)
        # Files of PyTorch say their order, those without such a note fit any.
        known = known if known.order else content
        names = [array for array, at in places.items() if at == name]
        if missing := [array for array in names if array not in content.value]:
            raise InputError(f"{part}: lacks {missing[0]}, which {path} says it holds: get both again")
        arrays |= {array: content.value[array] for array in names}
    return Content(arrays, known.order, known.by_habit)


def _zip(path: Path, file: IO[bytes], stack: ExitStack) -> Content:
    """Return what a zip file holds, by the names of its parts: PyTorch's, NumPy's or those of Keras."""
    size = path.stat().st_size
    archive = stack.enter_context(zipfile.ZipFile(file))
    members = {member.filename: member for member in archive.infolist()}
    for member in members.values():
        if member.compress_size > size:
            raise ValueError(f"{member.filename} claims {member.compress_size:,} bytes, the file has {size:,}")
    file.seek(0)
    if file.read(2) == b"PK" and min((member.header_offset for member in members.values()), default=0) > 0:
        raise InputError(f"{path}: {DISTRIBUTED}")
    inner = {name.split("/", 1)[1] for name in members if "/" in name}
    if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
        raise InputError(f"{path}: {TORCHSCRIPT}")
    if {"archive_format", "models/model.json", "serialized_exported_program.json"} & (inner | set(members)):
        raise InputError(f"{path}: {EXPORTED}")
    if "model.weights.h5" in members:
        check_ratio(members["model.weights.h5"])
        return Content(hdf5_arrays(path, io.BytesIO(archive.read("model.weights.h5")), stack), "hwio")
    pickled = next((name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")), None)
    if pickled is not None:
        return Content(_torch_zip(path, archive, members, pickled), "oihw", True)
    if any(name.endswith(".npy") for name in members):
        arrays = npz_arrays(archive)
        # What numpy.savez(params=dictionary) writes: an array of one object.
        return Content({name: _objects(path, archive, name, array) for name, array in arrays.items()})
    raise InputError(f"{path}: a zip file of none of the kinds that weights are read from: {KINDS}")


def _torch_zip(path: Path, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], pickled: str) -> Any:
    """Read what torch.save writes since version 1.6: a pickle, and each storage beside it."""
    folder = pickled.removesuffix("data.pkl")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members.values()):
        raise ValueError("a compressed part, which torch.save does not write")
    order = archive.read(f"{folder}byteorder") if f"{folder}byteorder" in members else b"little"
    latest: dict[str, bytes] = {}

    def values(key: str) -> bytes:
        if key not in latest:  # tensors that share a storage come one after the other
            latest.clear()
            latest[key] = archive.read(f"{folder}data/{key}")
        return latest[key]

    reader = InertReader(str(path), values, ">" if order == b"big" else "<")
    content = reader.read(io.BytesIO(archive.read(pickled)))
    there = {key: members.get(f"{folder}data/{key}") for key in reader.storages}
    missing = [key for key, member in there.items() if member is None]
    if missing:
        raise ValueError(f"the values of {len(missing)} of {len(there)} tensors are missing")
    for key, storage in reader.storages.items():
        _check_storage(storage, there[key].file_size)  # type: ignore[union-attr]
    return content


def _check_storage(storage: Storage, size: int) -> None:
    try:
        each = size_of(storage.kind) if storage.kind else 1
    except TypeError:  # a type that NumPy lacks
        return
    if storage.size * each > size:
        raise ValueError(f"a storage of {storage.size} values in {size} bytes")


def _pickles(path: Path, file: IO[bytes], size: int) -> Content:
    """Read what torch.save wrote before version 1.6, or a pickle of arrays of NumPy."""
    places: dict[str, tuple[int, int]] = {}

    def values(key: str) -> bytes:
        start, length = places[key]
        file.seek(start)
        return file.read(length)

    reader = InertReader(str(path), values)
    content = reader.read(file)
    if content != LEGACY_MAGIC:
        return Content(content)
    for _ in ("protocol", "facts on the machine"):
        reader.read(file)
    content = reader.read(file)
    keys = [str(key) for key in reader.read(file)]
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        storage = reader.storages[key]
        length = count * (size_of(storage.kind) if storage.kind else 1)
        places[key] = file.tell(), length
        if count < storage.size or file.tell() + length > size:
            raise ValueError(f"the values of a tensor end after byte {size} of the file")
        file.seek(length, io.SEEK_CUR)
    if missing := reader.storages.keys() - places.keys():
        raise ValueError(f"the values of {len(missing)} of {len(reader.storages)} tensors are missing")
    return Content(content, "oihw", True)


def _npy(path: Path, file: IO[bytes], size: int) -> Any:
    opened: Callable[[], IO[bytes]] = lambda: path.open("rb")  # noqa: E731
    array = npy_array(file, opened, size)
    return InertReader(str(path)).read(file) if array.kind == "O" else {"array": array}


def _objects(path: Path, archive: zipfile.ZipFile, name: str, array: Stored) -> Any:
    if array.kind != "O":
        return array
    with archive.open(f"{name}.npy") as file:
        content = io.BytesIO(file.read())
    npy_array(content, lambda: content, content.getbuffer().nbytes)
    return InertReader(str(path)).read(content)
