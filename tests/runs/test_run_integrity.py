"""Whole files pass, and each kind of damage is named with the rule that makes the file again."""

import subprocess

import pyarrow as pa
import pytest
import yaml

from cnn_topology.commands.verify import check_run, strays
from cnn_topology.commands.verify import run as verify
from cnn_topology.errors import InputError
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import Job
from cnn_topology.storage.atomic import atomic_path, checksum_path
from cnn_topology.storage.tables import TEXT_ROWS, write_finished_table, write_table
from cnn_topology.storage.tensors import write_tensors


@pytest.fixture
def run(tmp_path):
    """Return a run of one file of each kind."""
    import numpy as np

    folder = tmp_path / "results/t"
    schema = pa.schema([("x", pa.int64())])
    write_table(folder / "tables/loops.parquet", pa.table({"x": [1, 2]}), schema, {"seed": "1"})
    write_tensors(folder / "snapshots/0.safetensors", {"a": np.arange(50.0)}, {"step": "0"})
    for name in ("figures/a.pdf", "tables/loops.csv", "summary.txt"):
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(b"content of some length")
    outputs = ("tables/loops.parquet", "snapshots/0.safetensors", "figures/a.pdf", "summary.txt")
    jobs = [Job(f"make_{number}", (f"results/t/{name}",)) for number, name in enumerate(outputs)]
    return tmp_path, folder, jobs


def _faults(run):
    directory, _, jobs = run
    return {fault.path: fault for fault in check_run(jobs, directory) if fault}


def test_an_undisturbed_run_is_whole(run):
    directory, _, jobs = run
    assert list(check_run(jobs, directory)) == [None] * 5


@pytest.mark.parametrize(
    "name", ["tables/loops.parquet", "snapshots/0.safetensors", "figures/a.pdf", "summary.txt", "tables/loops.csv"]
)
def test_cut_altered_and_emptied_files_are_named(run, name):
    path = run[1] / name
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-3] + bytes(255 - byte for byte in whole[-3:]), b""):
        path.write_bytes(content)
        faults = _faults(run)
        assert [fault.state for fault in faults.values()] == ["damaged"], content
        assert set(faults) == {f"results/t/{name}"}
    path.write_bytes(whole)
    assert not _faults(run)


def test_a_missing_output_is_named_with_its_rule(run):
    (run[1] / "figures/a.pdf").unlink()
    fault = _faults(run)["results/t/figures/a.pdf"]
    assert (fault.state, fault.rule) == ("missing", "make_2")


def test_an_altered_value_of_a_table_is_found_by_its_content(run):
    import pyarrow.parquet as pq

    path = run[1] / "tables/loops.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.table({"x": [1, 3]}).replace_schema_metadata(table.schema.metadata), path)
    assert "altered" in _faults(run)["results/t/tables/loops.parquet"].reason


def test_a_file_without_its_checksum_is_not_called_whole(run):
    checksum_path(run[1] / "summary.txt").unlink()
    assert "is missing" in _faults(run)["results/t/summary.txt"].reason


def test_files_that_the_config_does_not_make_are_named_and_harm_nothing(run, tiny, monkeypatch, capsys):
    directory, folder, jobs = run
    monkeypatch.chdir(directory)
    (folder / "config.yaml").write_text(yaml.safe_dump({**tiny, "name": "t"}))
    monkeypatch.setattr("cnn_topology.commands.verify.list_jobs", lambda *_: jobs)
    for name in (
        "report.html",
        "notes.txt",
        "logs/figures/a.log",
        "parts/resume/a/0000/s.pt",
        "parts/inputs/images/own.json",
        "parts/jobs/summary.txt.0123.json",
        "parts/start.json",
        "parts/logs.txt",
        "figures/.x.tmp.pdf",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    arguments = type("Arguments", (), {"run": "t"})
    verify(arguments)
    assert capsys.readouterr().out == "results/t: all 5 files are whole\n"
    for name in ("figures/old.pdf", "old/it/0.json", "old/it/1.json", "snapshots/b/1.safetensors"):
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(b"of an earlier config")
    verify(arguments)
    *named, _, remove, whole = capsys.readouterr().out.splitlines()
    assert named == [
        "not of this config: results/t/figures/old.pdf",
        "not of this config: results/t/old (2 files)",
        "not of this config: results/t/snapshots/b",
    ]
    assert whole == "results/t: all 5 files are whole"
    subprocess.run(remove, shell=True, check=True)  # alone on its line, which is pasted whole
    verify(arguments)
    assert capsys.readouterr().out == "results/t: all 5 files are whole\n"
    assert {path.name for path in (folder / "figures/.sha256").iterdir()} == {"a.pdf"}
    # A folder that was given another name is left alone.
    folder.rename(directory / "results/other")
    assert not strays(jobs, directory, RunFolder("other", directory / "results"))


def test_verify_says_how_to_make_the_files_again(run, tiny, monkeypatch, capsys):
    directory, folder, jobs = run
    monkeypatch.chdir(directory)
    (folder / "config.yaml").write_text(yaml.safe_dump({**tiny, "name": "t"}))
    monkeypatch.setattr("cnn_topology.commands.verify.list_jobs", lambda *_: jobs)
    arguments = type("Arguments", (), {"run": "t"})
    verify(arguments)
    assert "results/t: all 5 files are whole" in capsys.readouterr().out
    (folder / "summary.txt").write_text("another")
    with pytest.raises(InputError, match=r"1 of 5 files .* rm results/t/summary.txt && snakemake --cores all"):
        verify(arguments)
    assert "damaged: results/t/summary.txt (rule make_3)" in capsys.readouterr().out


def test_folders_of_a_run_that_are_links_are_looked_into(run, tmp_path):
    """Copies beside tables were passed over there, and so were files of an earlier config."""
    directory, folder, jobs = run
    (tmp_path / "scratch").mkdir()
    for name in ("tables", "figures"):
        (folder / name).rename(tmp_path / "scratch" / name)
        (folder / name).symlink_to(tmp_path / "scratch" / name)
    assert list(check_run(jobs, directory)) == [None] * 5
    (folder / "tables/loops.csv").write_text("another content")
    (fault,) = _faults(run).values()
    assert (fault.path, fault.remove) == ("results/t/tables/loops.csv", "results/t/tables/loops.parquet")
    (folder / "figures/old.pdf").write_text("of an earlier config")
    assert strays(jobs, directory, RunFolder.at(folder)) == {"results/t/figures/old.pdf": 1}


def test_a_run_behind_a_link_is_looked_into(run, tmp_path):
    directory, folder, jobs = run
    (tmp_path / "scratch").mkdir()
    folder.rename(tmp_path / "scratch/of-t")
    folder.symlink_to(tmp_path / "scratch/of-t")
    (folder / "figures/old.pdf").write_text("of an earlier config")
    assert strays(jobs, directory, RunFolder.at(folder)) == {"results/t/figures/old.pdf": 1}
    (folder / "tables/loops.csv").unlink()
    (fault,) = _faults(run).values()
    assert (fault.path, fault.state, fault.remove) == (
        "results/t/tables/loops.csv",
        "missing",
        "results/t/tables/loops.parquet",
    )


def test_the_copy_of_a_table_that_has_grown_does_not_stay(tmp_path):
    """It would pass for a copy of the table beside it."""
    schema, path = pa.schema([("x", pa.int64())]), tmp_path / "loops.parquet"
    for rows, copies in ((2, ["loops.csv"]), (TEXT_ROWS + 1, [])):
        write_finished_table(path, pa.table({"x": list(range(rows))}), schema, {"seed": "1"})
        assert [entry.name for entry in tmp_path.glob("*.csv")] == copies
        assert [entry.name for entry in (tmp_path / ".sha256").iterdir()] == copies
