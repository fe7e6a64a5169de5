"""The jobs of a run come from Snakemake's API, whatever the user's profile says; a list of none is an error."""

import os
import subprocess
import sys

import numpy as np
import pytest
import yaml

from cnn_topology.errors import InputError
from cnn_topology.runs import jobs
from cnn_topology.runs.jobs import list_jobs

SNAKEFILE = """
print("a Snakefile may print")
rule all:
    input: "results/t/tables/training.parquet"
rule train_a:
    output: "results/t/training/a, b.parquet", "results/t/snapshots/0.safetensors"
    log: "results/t/logs/train/a-0000.log"
    threads: 1
    resources: mem_mb=lambda wildcards, attempt: 2000 * attempt, expected_s=900
    shell: "touch {output}"
rule collect_training:
    input: rules.train_a.output
    output: "results/t/tables/training.parquet"
    shell: "touch {output}"
"""


@pytest.fixture
def quiet_profile(tmp_path, monkeypatch):
    """Let Snakemake find a profile of the user's own that silences and changes what a dry run prints."""
    folder = tmp_path / "profile"
    folder.mkdir()
    settings = {"quiet": ["host", "rules"], "default-resources": {"mem_mb": 7}, "until": ["prepare_images"]}
    (folder / "profile.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("SNAKEMAKE_PROFILE", str(folder))


def test_jobs_are_listed_with_their_files_and_resources(tiny, tmp_path, monkeypatch):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(tiny))
    monkeypatch.setattr(jobs, "SNAKEFILE", tmp_path / "Snakefile")
    train, collect = list_jobs(tmp_path / "run.yaml", tmp_path)
    assert (train.rule, train.name, train.threads) == ("train_a", "train_a a-0000", 1)
    assert train.outputs == ("results/t/training/a, b.parquet", "results/t/snapshots/0.safetensors")
    assert (train.resources["mem_mb"], train.resources["expected_s"]) == (2000, 900)
    assert (collect.rule, collect.log) == ("collect_training", None)


def test_a_config_that_plans_no_job_is_an_error(tiny, tmp_path, monkeypatch):
    (tmp_path / "Snakefile").write_text("rule all:\n    shell: 'true'\n")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(tiny))
    monkeypatch.setattr(jobs, "SNAKEFILE", tmp_path / "Snakefile")
    with pytest.raises(InputError, match=r"run\.yaml: .* no job"):
        list_jobs(tmp_path / "run.yaml", tmp_path)


def test_the_tools_see_the_same_jobs_with_a_quiet_profile_of_the_users_own(tiny, tmp_path, quiet_profile):
    """`verify` once said "all 0 files are whole" here, and `plan` and `status` ended in a traceback."""
    run = tmp_path / "results/tiny"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(yaml.safe_dump(tiny))
    said = {}
    for verb in (["plan", "--configfile", "results/tiny/config.yaml"], ["status", "tiny"], ["verify", "tiny"]):
        command = [sys.executable, "-m", "cnn_topology.cli", *verb]
        done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        said[verb[0]] = (done.returncode, done.stdout + done.stderr)
    count = len(list_jobs(run / "config.yaml", tmp_path))
    assert count > 20
    assert said["plan"][0] == 0
    assert f"run tiny: {count} jobs" in said["plan"][1]
    assert "Note: generalization: conv1 of 1 network of a: " in said["plan"][1]
    assert said["status"][0] == 0
    assert f"0 of {count} jobs done" in said["status"][1]
    assert said["verify"][0] == 2
    assert "missing: results/tiny/tables/training.parquet" in said["verify"][1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["profile", "results"]  # who only looks leaves nothing


def test_paths_that_lead_out_of_the_folder_are_found(tiny, tmp_path):
    (tmp_path / "at/work").mkdir(parents=True)
    arrays = {"x_train": np.zeros((4, 8, 8), np.uint8), "y_train": np.arange(4) % 2}
    np.savez(tmp_path / "own.npz", **arrays, x_test=arrays["x_train"], y_test=arrays["y_train"])
    tiny["images"]["own"] = {"kind": "npz", "path": "../../own.npz", "shape": [8, 8, 1]}
    (tmp_path / "at/work/run.yaml").write_text(yaml.safe_dump(tiny))
    assert len(list_jobs(tmp_path / "at/work/run.yaml", tmp_path / "at/work")) > 20  # a missing file is an error


def test_a_run_on_a_disk_that_cannot_be_written_is_planned_to_be_looked_at(tiny, tmp_path):
    folder = tmp_path / "of others"
    made = folder / "results/tiny/tables/training.parquet"
    made.parent.mkdir(parents=True)
    made.touch()
    (folder / "results/tiny/config.yaml").write_text(yaml.safe_dump(tiny))
    mounted = ["mount", "--bind", str(folder), str(folder)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True, capture_output=True)
        assert not os.access(made, os.W_OK)
        assert len(list_jobs(folder / "results/tiny/config.yaml", folder)) > 20
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)
