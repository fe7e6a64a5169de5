"""Rows gathered on disk make the same artefact as an array in memory."""

import numpy as np
import pytest

from cnn_topology.errors import InputError
from cnn_topology.storage import rows as rows_module
from cnn_topology.storage.rows import RowFile, write_rows
from cnn_topology.storage.tensors import read_tensors, write_tensors


def test_rows_written_piece_by_piece_read_back_as_one_array(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, "_PIECE", 64)
    points = np.random.default_rng(0).random((37, 5)).astype(np.float32)
    ids = np.arange(37)
    columns = {"ids": lambda: iter([ids[:20], ids[20:]]), "labels": lambda: iter([ids % 3])}
    with RowFile(tmp_path / "new/wait.rows", 5) as rows:
        for start in (0, 10, 36):
            rows.append(points[start : {0: 10, 10: 36, 36: 37}[start]])
        write_rows(tmp_path / "one.safetensors", "points", rows, columns, {"layer": "conv1"})
    assert list((tmp_path / "new").iterdir()) == []
    one, notes = read_tensors(tmp_path / "one.safetensors")
    assert np.array_equal(one["points"], points)
    assert np.array_equal(one["ids"], ids)
    assert notes["layer"] == "conv1"
    write_tensors(tmp_path / "two.safetensors", {"points": points, "ids": ids, "labels": ids % 3}, {"layer": "conv1"})
    assert notes["sha256"] == read_tensors(tmp_path / "two.safetensors")[1]["sha256"]


def test_an_altered_file_of_rows_is_found(tmp_path):
    path = tmp_path / "one.safetensors"
    with RowFile(tmp_path / "wait.rows", 2) as rows:
        rows.append(np.ones((4, 2), np.float32))
        write_rows(path, "points", rows, {"ids": lambda: iter([np.arange(4)])}, {})
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="cut short or altered"):
        read_tensors(path)
