"""Thousands of broken files: each is read, or refused by one clear error; nothing crashes, hangs, runs or escapes.

The mutations are drawn by a fixed seed. FUZZ_ROUNDS multiplies their number.
"""

import io
import os
import pickle
import shutil
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from broken_files import ROUNDS, attack, refused_or_read
from safetensors.torch import save

from cnn_topology.data import originals
from cnn_topology.data.image_set import ImageSet, read_image_set, write_image_set
from cnn_topology.data.npz import read_npz
from cnn_topology.networks.checkpoints import read_checkpoint
from cnn_topology.networks.weights import read_weights
from cnn_topology.storage import weight_pickle
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import read_metadata, read_shapes, read_tensors, write_tensors
from cnn_topology.storage.weight_files import array_shapes
from cnn_topology.training.snapshots import read_snapshot


def _snapshot(path):
    rng = np.random.default_rng(0)
    ids = {"networks": "[0, 1]", "seeds": "[5, 6]", "step": "4", "failed": "[false, false]", "config": "c", "data": "d"}
    write_tensors(path, {"conv1.weight": rng.standard_normal((2, 3, 1, 3, 3)).astype(np.float32)}, ids)
    return path.read_bytes()


@pytest.mark.parametrize("reader", [read_tensors, read_metadata, read_shapes, read_snapshot])
def test_broken_snapshots_are_refused(reader, folder):
    path = folder / "00000004.safetensors"
    refused = attack(reader, _snapshot(path), path, 150)
    if reader in (read_tensors, read_snapshot):
        assert refused >= 145 * ROUNDS


def test_snapshots_with_odd_metadata_are_refused(folder):
    path = folder / "odd.safetensors"
    for key in ("networks", "seeds", "step", "failed"):
        for value in ("", "null", "{}", "[[", "1e999", "nan", "[null]", '"x"', "9" * 5000):
            ids = {"networks": "[0]", "seeds": "[5]", "step": "4", "failed": "[false]"}
            write_tensors(path, {"a": np.zeros(1, np.float32)}, {**ids, key: value})
            assert refused_or_read(read_snapshot, path), (key, value)


def test_broken_image_sets_are_refused(folder):
    path = folder / "set.safetensors"
    images, labels = np.zeros((4, 5, 5, 1), np.uint8), np.array([0, 1, 0, 1])
    write_image_set(path, ImageSet("set", images, labels, images, labels, ("a", "b")))
    assert attack(read_image_set, path.read_bytes(), path, 150) >= 130 * ROUNDS


@pytest.mark.parametrize("reader", [read_table, read_notes])
def test_broken_tables_are_refused(reader, folder):
    path = folder / "table.parquet"
    schema = pa.schema([("name", pa.string()), ("step", pa.int64()), ("value", pa.float64())])
    table = pa.table({"name": ["a", "b", None] * 40, "step": range(120), "value": np.linspace(0, 1, 120)})
    write_table(path, table, schema, {"seed": "1", "config": "c"})
    refused = attack(reader, path.read_bytes(), path, 300)
    if reader is read_table:
        assert refused >= 270 * ROUNDS


def _npz():
    file = io.BytesIO()
    images, labels = np.zeros((4, 5, 5), np.uint8), np.array([0, 1, 0, 1])
    np.savez(file, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return file.getvalue()


def test_broken_npz_files_are_refused(folder):
    attack(lambda path: read_npz("own", path, None), _npz(), folder / "own.npz", 300)


def _weights(suffix):
    """Return a file of weights as its library writes it."""
    tensors = {"conv1.weight": torch.arange(27.0).reshape(1, 3, 3, 3), "bn1.bias": torch.zeros(3)}
    file = io.BytesIO()
    match suffix:
        case ".npz":
            np.savez(file, **{name: tensor.numpy() for name, tensor in tensors.items()})
        case ".safetensors":
            return save(tensors)
        case ".pt":
            torch.save({"state_dict": tensors, "epoch": 3}, file)
        case ".npy":  # of a dictionary
            np.save(file, {name: tensor.numpy() for name, tensor in tensors.items()}, allow_pickle=True)
        case ".pkl":
            pickle.dump({name: tensor.numpy() for name, tensor in tensors.items()}, file)
        case ".pth":  # as torch.save wrote before its version 1.6
            torch.save(tensors, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
def test_broken_checkpoints_are_refused(suffix, folder):
    attack(read_checkpoint, _weights(suffix), folder / f"weights{suffix}", 200)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors", ".npz", ".npy", ".pkl"])
@pytest.mark.parametrize("reader", [array_shapes, lambda path: read_weights(path, {"conv1.weight": (1, 3, 3, 3)})])
def test_broken_files_of_weights_are_refused(reader, suffix, folder):
    assert attack(reader, _weights(suffix), folder / f"own{suffix}", 200) >= 20


def _zip_of(pickled, **storages):
    """Return a file of PyTorch with a pickle of one's own."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, content in storages.items():
            archive.writestr(f"archive/data/{key}", content)
    return file.getvalue()


def _hostile():
    """Yield files that are small and ask for much: by names, depth, sizes or time."""
    # A key of tuples in tuples: to compare it takes 2^40 steps.
    yield "nested key", _zip_of(b"\x80\x02}K\x01" + b"2\x86" * 40 + b"K\x01s.")
    yield "nested set", _zip_of(b"\x80\x04\x8f(K\x01" + b"2\x86" * 40 + b"\x90.")
    yield "deep lists", _zip_of(b"\x80\x02" + b"]" * 20_000 + b"a" * 19_999 + b".")
    yield "deep dictionaries", _zip_of(b"\x80\x02}" + b"K\x01}" * 5_000 + b"s" * 5_000 + b".")
    yield "long memo", _zip_of(b"\x80\x02]r\xff\xff\xff\xff.")
    yield "long text", _zip_of(b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"a.")
    yield "many instructions", _zip_of(b"\x80\x02" + b"N0" * 6_000 + b"N.")
    tensor = torch.zeros(1).as_strided((20_000, 20_000, 3, 3), (0, 0, 0, 0))
    file = io.BytesIO()
    torch.save({"conv1.weight": tensor}, file)
    yield "one value for 14 GB", file.getvalue()
    header = b"{" + b" " * 100_000_000 + b"}"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("conv1.weight.npy", b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header)
    yield "a header of 100 MB", file.getvalue()
    yield "a header of 2 GB", b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + b"{}"
    yield "an array of 4 EB", _npy_of((2**30, 2**30, 3, 3))
    yield "a negative axis", _npy_of((-4, -4, 3, 3))
    yield "JSON", b"{" + b'"a":[' * 100_000
    yield "safetensors", (10**17).to_bytes(8, "little") + b"{}"
    deep = b'{"a":' * 20_000
    yield "deep safetensors", len(deep).to_bytes(8, "little") + deep
    negative = b'{"conv1.weight":{"dtype":"F32","shape":[-1,-3,3,3],"data_offsets":[-108,0]}}'
    yield "negative safetensors", len(negative).to_bytes(8, "little") + negative


def _npy_of(shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("name", "content"), list(_hostile()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_small_files_that_ask_for_much_are_refused(name, content, folder, monkeypatch):
    if name == "many instructions":  # as many as are allowed take seconds
        monkeypatch.setattr(weight_pickle, "MOST_INSTRUCTIONS", 10_000)
    path = folder / "hostile.pt"
    path.write_bytes(content)
    assert refused_or_read(array_shapes, path)
    assert refused_or_read(lambda path: read_weights(path, {"conv1.weight": (20_000, 20_000, 3, 3)}), path)


def test_what_is_no_file_is_refused_at_once(folder):
    os.mkfifo(folder / "pipe.pt")
    for path in (folder / "pipe.pt", Path("/dev/zero"), folder):
        for reader in (array_shapes, read_checkpoint):
            assert refused_or_read(reader, path)


class _Code:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, made):
        self.made = made

    def __reduce__(self):
        return (os.mkdir, (str(self.made),))


@pytest.mark.parametrize("wrapped", [False, True])
def test_code_in_a_checkpoint_or_an_array_is_never_run(wrapped, folder):
    made = folder / f"made-by-code-{wrapped}"
    harm = {"state_dict": {"conv1.weight": _Code(made)}} if wrapped else _Code(made)
    for path in (folder / "harm.pt", folder / "plain.pt"):
        torch.save(harm, path) if path.name == "harm.pt" else path.write_bytes(pickle.dumps(harm))
        for reader in (read_checkpoint, array_shapes):
            assert refused_or_read(reader, path)
    file = io.BytesIO()
    objects = np.array([_Code(made)] * 4, dtype=object)
    np.savez(file, x_train=objects, y_train=objects, x_test=objects, y_test=objects)
    (folder / "harm.npz").write_bytes(file.getvalue())
    assert refused_or_read(lambda path: read_npz("own", path, None), folder / "harm.npz")
    assert not made.exists()
    for harmful in ("harm.pt", "plain.pt", "harm.npz"):  # where code is allowed, each of these files runs it
        _read_with_code(folder / harmful)
        made.rmdir()


def _read_with_code(path):
    match path.name:
        case "harm.pt":
            torch.load(path, weights_only=False)
        case "plain.pt":
            pickle.loads(path.read_bytes())
        case "harm.npz":
            with suppress(FileExistsError), np.load(path, allow_pickle=True) as arrays:  # four objects make one folder
                arrays["x_train"]


def test_an_archive_does_not_write_outside_of_its_folder(folder):
    into, outside = folder / "archive/into", folder / "archive/outside"
    into.mkdir(parents=True)
    outside.mkdir()
    for name, link in (("../outside/file", None), (str(outside / "file"), None), ("inside", "../outside")):
        archive = folder / "harm.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            member = tarfile.TarInfo(name)
            if link:
                member.type, member.linkname = tarfile.SYMTYPE, link
                tar.addfile(member)
                member = tarfile.TarInfo(f"{name}/file")
            member.size = 4
            tar.addfile(member, io.BytesIO(b"harm"))
        originals._extract(archive, into)
        assert list(outside.iterdir()) == []
        shutil.rmtree(into)
        into.mkdir()
        with tarfile.open(archive) as tar:  # where it is allowed, each of these archives does
            tar.extraction_filter = staticmethod(lambda member, path: member)  # what Python before 3.11.4 does
            tar.extractall(into)
        assert (outside / "file").read_bytes() == b"harm"
        (outside / "file").unlink()
        shutil.rmtree(into)
        into.mkdir()
