"""Rows gathered on disk make the same artefact as an array in memory."""

import resource
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest

from cnn_topology.errors import InputError
from cnn_topology.storage import rows as rows_module
from cnn_topology.storage.rows import RowFile, write_rows
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import read_tensors, write_tensors


def test_rows_written_piece_by_piece_read_back_as_one_array(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, "_PIECE", 64)
    points = np.random.default_rng(0).random((37, 5)).astype(np.float32)
    ids = np.arange(37)
    columns = {"ids": lambda: iter([ids[:20], ids[20:]]), "labels": lambda: iter([ids % 3])}
    with RowFile(tmp_path / "new/one.safetensors", 5) as rows:
        for start in (0, 10, 36):
            rows.append(points[start : {0: 10, 10: 36, 36: 37}[start]])
        assert list((tmp_path / "new").iterdir()) == []  # the rows wait without a name
        write_rows(tmp_path / "one.safetensors", "points", rows, columns, {"layer": "conv1"})
    one, notes = read_tensors(tmp_path / "one.safetensors")
    assert np.array_equal(one["points"], points)
    assert np.array_equal(one["ids"], ids)
    assert notes["layer"] == "conv1"
    write_tensors(tmp_path / "two.safetensors", {"points": points, "ids": ids, "labels": ids % 3}, {"layer": "conv1"})
    assert notes["sha256"] == read_tensors(tmp_path / "two.safetensors")[1]["sha256"]


def test_an_altered_file_of_rows_is_found(tmp_path):
    path = tmp_path / "one.safetensors"
    with RowFile(path, 2) as rows:
        rows.append(np.ones((4, 2), np.float32))
        write_rows(path, "points", rows, {"ids": lambda: iter([np.arange(4)])}, {})
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="cut short or altered"):
        read_tensors(path)


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
    with RowFile(path, 1000) as rows:
        rows.append(np.zeros((1000, 1000), np.float32))


def _gather_little(path):
    """Rows that wait in memory until they are read."""
    with RowFile(path, 500) as rows, _files_of_at_most(100):
        rows.append(np.zeros((1, 500), np.float32))
        list(rows.pieces())


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
