"""Rows gathered on disk make the same artefact as an array in memory."""

import json
import resource
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from cnn_topology.errors import InputError
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import TYPES, RowFile, read_tensors, write_tensors


def test_rows_written_piece_by_piece_are_one_array_and_leave_no_file(tmp_path):
    points = np.random.default_rng(0).random((37, 5)).astype(np.float32)
    ids = np.arange(37)
    with RowFile(tmp_path / "new/one", (5,)) as rows, RowFile(tmp_path / "new/one", (), "<i8") as numbers:
        for start, stop in ((0, 10), (10, 36), (36, 37)):
            rows.append(points[start:stop])
            numbers.append(ids[start:stop])
        assert list((tmp_path / "new").iterdir()) == []  # the rows wait without a name
        arrays = {"points": rows.array(), "ids": numbers.array()}
        write_tensors(tmp_path / "one.safetensors", arrays, {"layer": "conv1"})
    write_tensors(tmp_path / "two.safetensors", {"ids": ids, "points": points}, {"layer": "conv1"})
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    one, notes = read_tensors(tmp_path / "one.safetensors")
    assert np.array_equal(one["points"], points)
    assert np.array_equal(one["ids"], ids)
    assert notes["layer"] == "conv1"
    with RowFile(tmp_path / "none", (5,)) as rows:
        assert rows.array().shape == (0, 5)


def test_arrays_of_every_type_lie_as_the_library_writes_them(tmp_path):
    arrays = {f"a{n}": np.ones((2, n), kind) for n, kind in enumerate(TYPES)}
    write_tensors(tmp_path / "ours", arrays, {})
    save_file(arrays, tmp_path / "theirs")
    ours, theirs = (
        json.loads((tmp_path / name).read_bytes()[8:].split(b"}}")[0] + b"}}") for name in ("ours", "theirs")
    )
    assert {name: value for name, value in ours.items() if name != "__metadata__"} == theirs
    read, _ = read_tensors(tmp_path / "ours")
    assert all(np.array_equal(read[name], array) and read[name].dtype == array.dtype for name, array in arrays.items())


@contextmanager
def _files_of_at_most(size):
    """Let the system refuse more, as a quota does; Python ignores the signal that goes with it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _gather(path):
    with RowFile(path, (1000,)) as rows:
        rows.append(np.zeros((1000, 1000), np.float32))


def _gather_little(path):
    """Rows that wait in memory until they are read."""
    with RowFile(path, (500,)) as rows, _files_of_at_most(100):
        rows.append(np.zeros((1, 500), np.float32))
        rows.array()


@pytest.mark.parametrize(
    "write",
    [
        _gather,
        _gather_little,
        lambda path: write_tensors(path, {"a": np.random.default_rng(0).random((400, 400))}, {}),
        lambda path: write_table(
            path, pa.table({"x": np.random.default_rng(0).random(99_999)}), pa.schema([("x", pa.float64())])
        ),
    ],
)
def test_a_write_that_the_system_refuses_is_named_and_leaves_nothing(write, tmp_path):
    path = tmp_path / "big"
    with _files_of_at_most(100_000), pytest.raises(InputError, match=r"big: could not be written \(File too large\)"):
        write(path)
    assert list(tmp_path.iterdir()) == []
