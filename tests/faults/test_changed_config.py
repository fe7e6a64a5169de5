"""The config changes while jobs of a run are at work: each job takes the parameters that it was planned with."""

import copy
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from processes import ended, wait_for, workers
from whole_runs import ROOT, Run

from cnn_topology.plan.config import read_config
from cnn_topology.runs.starts import CONFIG_VARIABLE
from cnn_topology.storage.tables import read_table

IMAGES, CONTROLS = "results/tiny/parts/images/digits.safetensors", "results/tiny/tables/controls.parquet"


@pytest.fixture
def run(smallest, tmp_path):
    """Return a run that has its images, and whose next job makes the table of controls."""
    run = Run(tmp_path, copy.deepcopy(smallest))
    status, said = run.make(IMAGES)
    assert status == 0, said
    return run


def edit(run, points):
    """Change one key of the config file."""
    config = yaml.safe_load((run.folder / "run.yaml").read_text())
    config["controls"]["points"] = points
    (run.folder / "run.yaml").write_text(yaml.safe_dump(config))


def points_of(run):
    return set(read_table(run.folder / CONTROLS)["points"].to_pylist())


def planned(run):
    """List the rules of the jobs that a start would run now."""
    status, said = run.make(IMAGES, CONTROLS, "--dry-run")
    assert status == 0, said
    return sorted(line.split()[1].rstrip(":") for line in said.splitlines() if line.startswith(("rule ", "localrule ")))


def test_a_job_of_an_earlier_start_that_is_still_at_work_overwrites_nothing(run):
    edit(run, 400)
    process = run.start(CONTROLS)
    log = run.results / "logs/controls/all.log"
    wait_for(lambda: log.is_file() and "# on " in log.read_text(), 120)
    (worker,) = workers(process.pid)
    worker.suspend()
    os.kill(process.pid, signal.SIGKILL)  # Snakemake alone: its job lives on
    process.wait()
    edit(run, 60)
    assert run.make("--unlock")[0] == 0
    assert planned(run) == ["compute_controls"]
    status, said = run.make(CONTROLS)
    assert status == 0, said
    assert points_of(run) == {60}
    before = (run.folder / CONTROLS).read_bytes()
    assert not ended(worker)
    worker.resume()
    wait_for(lambda: ended(worker), 120)
    assert (run.folder / CONTROLS).read_bytes() == before
    assert planned(run) == []


def inside_a_job(run, config):
    """Start Snakemake as it is started on a node of a cluster, for a job that a start with this config has planned."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--mode", "remote", "--force"]
    command += ["--target-jobs", "compute_controls:", "--allowed-rules", "compute_controls", "--nolock", "--no-hooks"]
    command += ["--ignore-incomplete", "--cores", "1", "--configfile", str(run.folder / "run.yaml")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(run.folder)}
    environment[CONFIG_VARIABLE] = f"{config.sha256} results/tiny/config.yaml"
    return subprocess.run(command, cwd=run.folder, env=environment, capture_output=True, text=True, check=False)


def test_a_node_plans_with_the_config_of_its_start_and_not_with_the_edited_file(run):
    edit(run, 60)
    assert run.make(CONTROLS)[0] == 0
    started = read_config(run.results / "config.yaml")
    edit(run, 90)
    done = inside_a_job(run, started)
    assert done.returncode == 0, done.stderr
    assert points_of(run) == {60}
    # A start with the edited file takes the job over: one of the earlier start that waited in a queue touches nothing.
    assert run.make(CONTROLS)[0] == 0
    before = (run.folder / CONTROLS).read_bytes()
    done = inside_a_job(run, started)
    assert done.returncode != 0
    assert "results/tiny/config.yaml: the run was started again" in done.stderr
    assert (run.folder / CONTROLS).read_bytes() == before
    assert points_of(run) == {90}
