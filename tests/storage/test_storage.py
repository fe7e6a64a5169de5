"""Artefacts on disk: whole or absent, and never read when cut short or altered."""

import csv
import errno
import os
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.errors import InputError
from cnn_topology.storage.atomic import atomic_path, clamp_future_mtimes, remove_leftovers
from cnn_topology.storage.tables import read_notes, read_table, write_csv, write_table
from cnn_topology.storage.tensors import read_metadata, read_tensors, write_tensors

SCHEMA = pa.schema([("step", pa.int64()), ("loss", pa.float64())])


def _tensors(path):
    arrays = {"w": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.ones(3)}
    write_tensors(path, arrays, {"step": "4"})
    return arrays


def _table(path, rows=1000):
    table = pa.table({"step": np.arange(rows), "loss": np.linspace(0, 1, rows)})
    write_table(path, table, SCHEMA, {"seed": "7"})
    return table


def test_tensors_and_tables_come_back_as_written(tmp_path):
    arrays = _tensors(tmp_path / "a.safetensors")
    back, metadata = read_tensors(tmp_path / "a.safetensors")
    assert all(np.array_equal(back[name], arrays[name]) for name in arrays)
    assert metadata["step"] == "4" == read_metadata(tmp_path / "a.safetensors")["step"]
    table = _table(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", SCHEMA).equals(table.cast(SCHEMA))
    assert read_table(str(tmp_path / "t.parquet")).equals(table.cast(SCHEMA))
    assert read_notes(tmp_path / "t.parquet")["seed"] == "7"


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("1", "2"):
        _tensors(tmp_path / f"{name}.safetensors")
        _table(tmp_path / f"{name}.parquet")
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "2.safetensors").read_bytes()
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_no_cell_of_a_text_copy_is_a_formula_to_a_spreadsheet(tmp_path):
    names = ["=1+1", "@SUM(A1)", "+1", "-x", "cat", "", None, "a=b"]
    write_csv(tmp_path / "t.csv", pa.table({"class_name": names, "value": np.arange(-4, 4)}))
    rows = list(csv.reader((tmp_path / "t.csv").read_text().splitlines()))[1:]
    assert [row[0] for row in rows] == ["'=1+1", "'@SUM(A1)", "'+1", "'-x", "cat", "", "", "a=b"]
    assert [row[1] for row in rows] == [str(value) for value in range(-4, 4)]


@settings(max_examples=60)
@given(where=st.floats(0, 1, exclude_max=True), cut=st.booleans(), kind=st.sampled_from(["safetensors", "parquet"]))
def test_a_damaged_file_is_refused_by_name_or_reads_the_same(tmp_path_factory, where, cut, kind):
    path = tmp_path_factory.mktemp("damaged") / f"file.{kind}"
    (_tensors if kind == "safetensors" else _table)(path)
    whole = path.read_bytes()
    place = int(where * len(whole))
    path.write_bytes(whole[:place] if cut else whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
    read = (lambda: read_tensors(path)) if kind == "safetensors" else (lambda: read_table(path, SCHEMA))
    try:
        content = read()
    except InputError as refused:
        assert str(path) in str(refused)
        return
    # Bytes that carry no content (padding, statistics, the writer's name) may change unseen; values may not.
    assert not cut
    if kind == "parquet":
        assert content.column("loss").to_pylist() == np.linspace(0, 1, 1000).tolist()
    else:
        assert content[0]["w"].tolist() == np.arange(12, dtype=np.float32).reshape(3, 4).tolist()


def test_missing_files_and_wrong_schemas_are_named(tmp_path):
    for read in (read_tensors, read_metadata, read_table, read_notes):
        with pytest.raises(InputError, match="no such file"):
            read(tmp_path / "none")
    _table(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"t\.parquet: only the file has loss \(double\)\."):
        read_table(tmp_path / "t.parquet", pa.schema([("step", pa.int64())]))
    with pytest.raises(InputError, match="do not fit the schema"):
        write_table(tmp_path / "u.parquet", pa.table({"step": [1]}), SCHEMA)
    with pytest.raises(InputError, match="does not fit its schema"):
        write_table(tmp_path / "u.parquet", pa.table({"step": ["x"], "loss": [1.0]}), SCHEMA)
    assert not (tmp_path / "u.parquet").exists()


def test_an_interrupted_write_leaves_the_old_file_and_no_debris(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file\.txt: its folder cannot be written"):
        _table(tmp_path / "file" / "file.txt")
    with pytest.raises(InputError, match=r"file\.txt: its folder cannot be written"):
        _table(tmp_path / "file" / "folder" / "file.txt")


def test_the_reason_is_told_even_where_nothing_can_be_cleaned_up(tmp_path, monkeypatch):
    refused = []

    def refuse(path, **_):
        refused.append(path)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "unlink", refuse)
    with (
        pytest.raises(InputError, match="Read-only file system"),
        atomic_path(tmp_path / "file.txt") as temporary,
    ):
        temporary.touch()
        refuse(tmp_path)
    assert refused == [tmp_path, temporary]
    assert temporary.exists()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "cannot be written"),
        (errno.EFBIG, r"could not be written \(File too large\).*ulimit -f"),
        (errno.EIO, "could not be written .*health of the disk"),
    ],
)
def test_a_full_disk_is_explained_and_nothing_is_lost(tmp_path, code, expected):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(InputError, match=expected), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise OSError(code, os.strerror(code))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_altered_metadata_is_refused(tmp_path):
    _tensors(tmp_path / "a.safetensors")
    _table(tmp_path / "t.parquet")
    whole = (tmp_path / "a.safetensors").read_bytes()
    assert b'"step": "4"' in whole
    (tmp_path / "a.safetensors").write_bytes(whole.replace(b'"step": "4"', b'"step": "5"'))
    for read in (read_tensors, read_metadata):
        with pytest.raises(InputError, match="its metadata was altered"):
            read(tmp_path / "a.safetensors")
    table = pq.read_table(tmp_path / "t.parquet")
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"seed": b"8"}), tmp_path / "t.parquet")
    for read in (read_table, read_notes):
        with pytest.raises(InputError, match="its metadata was altered"):
            read(tmp_path / "t.parquet")


def test_leftovers_of_killed_jobs_are_removed_and_nothing_else(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "a/b.txt") as temporary:
        temporary.write_text("half")
        killed = temporary.with_name(temporary.name.replace(".tmp", "x.tmp"))
        killed.write_text("half")
        raise KeyboardInterrupt
    assert killed.exists()
    with atomic_path(tmp_path / "a/whole.txt") as temporary:
        temporary.write_text("whole")
    remove_leftovers(tmp_path)
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"whole.txt"}
    assert len(list((tmp_path / "a/.sha256").iterdir())) == 1


def test_folders_behind_links_are_looked_into_once(tmp_path):
    """A search that passes over links left times ahead of the clock, of which Snakemake takes the job for failed."""
    run, scratch = tmp_path / "run", tmp_path / "scratch"
    run.mkdir()
    scratch.mkdir()
    (run / "tables").symlink_to(scratch)
    (scratch / "back").symlink_to(run)
    (scratch / ".a.0123456789ab.tmp.parquet").touch()
    (scratch / "a.parquet").touch()
    os.utime(scratch / "a.parquet", (time.time() + 900,) * 2)
    clamp_future_mtimes(run)
    assert (scratch / "a.parquet").stat().st_mtime <= time.time()
    remove_leftovers(run)
    assert {path.name for path in scratch.iterdir()} == {"back", "a.parquet"}


def test_times_ahead_of_the_clock_become_now_and_others_stay(tmp_path):
    ahead, past = tmp_path / "a/ahead", tmp_path / "a/past"
    ahead.parent.mkdir()
    for path, when in ((ahead, time.time() + 1e6), (past, 1e9)):
        path.write_text("x")
        os.utime(path, (when, when))
    clamp_future_mtimes(tmp_path)
    assert abs(ahead.stat().st_mtime - time.time()) < 60
    assert past.stat().st_mtime == 1e9
