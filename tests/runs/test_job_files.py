"""Jobs are described by files: written by a start, named by their content, gone once a start plans something else."""

import json

import pytest
from job_runs import run_job

from cnn_topology.cli import main
from cnn_topology.commands.job import read_job
from cnn_topology.errors import InputError
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.parameters import ControlParameters
from cnn_topology.runs import job as job_module
from cnn_topology.runs.job_files import JobFiles, job_digest, job_text
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.registry import TABLES

RUN = RunFolder("t")
OUTPUT = "results/t/tables/controls.parquet"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _text(seed=1, points=60):
    parameters = ControlParameters(run_seed=seed, controls={"points": points})
    return job_text("controls", parameters.model_dump_json(), {}, {"controls": OUTPUT})


def _started(*texts):
    """Start a run of some jobs and return the paths of their files."""
    files = JobFiles(RUN, keep=True)
    paths = [files.plan(text, OUTPUT.replace("controls", f"t{n}") if n else OUTPUT) for n, text in enumerate(texts)]
    files.write(paths)
    return paths


def test_a_start_writes_a_file_of_each_job_and_the_job_knows_what_the_file_holds(tmp_path):
    assert not list(tmp_path.rglob("*.json"))
    JobFiles(RUN, keep=True).plan(_text(), OUTPUT)
    assert not list(tmp_path.rglob("*.json"))  # planning writes nothing
    (path,) = _started(_text(seed=5))
    assert path.endswith(f".{job_digest(_text(seed=5))}.json")
    job = read_job(tmp_path / path, threads=3)
    assert (job.verb, job.threads, job.planned) == ("controls", 3, None)
    assert job.parameters(ControlParameters).run_seed == 5
    assert str(job.output("controls")) == OUTPUT


def test_a_file_that_is_there_is_written_never_again(tmp_path):
    (path,) = _started(_text())
    before = (tmp_path / path).stat()
    assert _started(_text()) == [path]
    assert (tmp_path / path).stat() == before


def test_a_file_that_a_power_cut_has_spoiled_is_written_again(tmp_path):
    (path,) = _started(_text())
    (tmp_path / path).write_bytes(b"")
    _started(_text())
    assert (tmp_path / path).read_text() == _text()


def test_a_later_start_removes_the_job_that_it_replaces_and_no_other(tmp_path):
    first, other = _started(_text(), _text())
    assert first != other
    (second,) = _started(_text(points=70))
    assert not (tmp_path / first).exists()
    assert (tmp_path / second).exists()
    assert (tmp_path / other).exists()


@pytest.mark.parametrize(("others", "status"), [("of the second start", 0), (None, 2)])
def test_a_job_that_a_later_start_has_replaced_writes_nothing(others, status, tmp_path, monkeypatch, capsys):
    """The second start comes while the job of the first is at work; its own job may have ended by then.

    Of a job that fails, Snakemake removes the files: they would be the other's.
    """
    (path,) = _started(_text(points=60))
    (tmp_path / OUTPUT).parent.mkdir(parents=True)
    write = job_module.write_finished_table

    def write_late(*arguments):
        _started(_text(points=70))
        if others:
            (tmp_path / OUTPUT).write_text(others)
        write(*arguments)

    monkeypatch.setattr(job_module, "write_finished_table", write_late)
    assert main(["job", path]) == status
    assert path in "".join(capsys.readouterr())
    made = {file.name: file.read_text() for file in (tmp_path / OUTPUT).parent.iterdir()}
    assert made == ({"controls.parquet": others} if others else {})
    assert main(["job", path]) == 2  # nor does it begin


def test_a_damaged_file_is_refused_and_a_copy_of_another_name_may_be_edited(tmp_path, capsys):
    (path,) = _started(_text())
    content = json.loads((tmp_path / path).read_text())
    content["parameters"]["controls"]["points"] = 61
    (tmp_path / path).write_text(json.dumps(content))
    assert main(["job", path]) == 2
    assert "damaged or edited" in capsys.readouterr().err
    (tmp_path / "mine.json").write_text(json.dumps(content))
    assert main(["job", "mine.json"]) == 0
    assert set(read_table(tmp_path / OUTPUT, TABLES["controls"].schema)["points"].to_pylist()) == {61}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"verb": "controlls"}, "controls"),
        ({"input": [1]}, "input"),
        ({"others": 1}, "others"),
        ({"parameters": {}}, "run_seed"),
        ({"output": {"control": OUTPUT}}, "'controls'"),
    ],
)
def test_what_is_wrong_with_a_description_is_named(change, named, tmp_path, capsys):
    (tmp_path / "mine.json").write_text(json.dumps(json.loads(_text()) | change))
    assert main(["job", "mine.json"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert named in said


def test_names_of_files_are_those_of_the_rule(tmp_path):
    files = {"clouds": ["a", "b"], "null": "c"}
    job = job_module.Job(verb="barcodes", parameters={}, input=files, output={})
    assert [str(path) for path in job.inputs("clouds")] == ["a", "b"]
    assert [str(path) for path in job.inputs("null")] == ["c"]
    with pytest.raises(InputError, match="clouds: 2 files"):
        job.input("clouds")
    with pytest.raises(InputError, match=r"input .*barcodes.*'cloud'.*clouds, null"):
        job.inputs("cloud")
    with pytest.raises(InputError, match="resume"):
        assert job.resume


def test_help_lists_the_kinds_of_jobs(capsys):
    with pytest.raises(SystemExit):
        main(["job", "--help"])
    assert "barcodes" in capsys.readouterr().out


def test_a_job_of_many_files_with_long_names_starts(tmp_path):
    """A command of all these paths would be longer than a shell takes."""
    many = [tmp_path / f"{'long-name-' * 20}{number}.npz" for number in range(1500)]
    parameters = ControlParameters(run_seed=1, controls={"points": 60})
    assert run_job(parameters, {"many": many}, {"controls": tmp_path / "controls.parquet"}) == 0
